package mapping

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// DebeziumConfig is how rows become message changes.
type DebeziumConfig struct {
	// IDColumn holds the message's id; empty: "id".
	IDColumn string
	// Columns says which columns are sent, and as which member of the item, or as
	// which attribute ("custom.tierStr"). Where it is empty, every column is sent under
	// its own name.
	Columns map[string]string
	// JSON lists the columns whose text is JSON; nil: custom, meta, error, attachments
	// and sentiment. A schema's io.debezium.data.Json says the same.
	JSON []string
	// Times gives the unit of columns that hold a time as a number: ns, us, ms, s or
	// days. A schema's io.debezium.time.* says the same.
	Times map[string]string
	// Unavailable is the text that stands for a column that Debezium did not see, as it
	// had not changed; empty: "__debezium_unavailable_value".
	Unavailable string
}

// column is what is configured of one.
type column struct {
	mapped    bool
	member    string // as it is called, "custom.x" for an attribute
	name      []byte // what it is written under, as JSON
	attribute bool
	unit      unit
}

func newDebezium(cfg DebeziumConfig, allNulls bool) (preset, error) {
	d := &debezium{
		idColumn: orElse(cfg.IDColumn, "id"), columns: map[string]column{},
		onlyMapped: len(cfg.Columns) > 0, allNulls: allNulls,
	}
	var ok bool
	if d.placeholder, ok = quoted(orElse(cfg.Unavailable, "__debezium_unavailable_value")); !ok {
		return nil, fmt.Errorf("mapping.debezium.unavailable is not valid UTF-8")
	}
	if err := d.setMembers(cfg.Columns); err != nil {
		return nil, err
	}
	json := cfg.JSON
	if json == nil {
		json = []string{"custom", "meta", "error", "attachments", "sentiment"}
	}
	for _, name := range json {
		c := d.columns[name]
		c.unit = jsonText
		d.columns[name] = c
	}
	for name, u := range cfg.Times {
		c := d.columns[name]
		if c.unit = units[u]; c.unit == unknownUnit {
			return nil, fmt.Errorf("mapping.debezium.times: the unit of column %q is %q: it must be one of ns, us, ms, s, days", name, u)
		}
		d.columns[name] = c
	}
	return d, nil
}

// setMembers refuses what could not make an event: two columns of one member, the
// id as a member.
func (d *debezium) setMembers(columns map[string]string) error {
	taken := map[string]string{}
	names := make([]string, 0, len(columns))
	for name := range columns {
		names = append(names, name)
	}
	slices.Sort(names) // so that the error is the same each time
	for _, name := range names {
		member := columns[name]
		attribute, ok := strings.CutPrefix(member, "custom.")
		raw, valid := quoted(attribute)
		if !valid {
			return fmt.Errorf("mapping.debezium.columns: what column %q goes to is not valid UTF-8", name)
		}
		if err := d.refuse(name, member, attribute); err != nil {
			return err
		}
		if other, twice := taken[member]; twice {
			return fmt.Errorf("mapping.debezium.columns: columns %q and %q both go to %q", other, name, member)
		}
		taken[member] = name
		d.columns[name] = column{mapped: true, member: member, name: raw, attribute: ok}
	}
	whole, ok := taken["custom"]
	for _, name := range names {
		if ok && d.columns[name].attribute {
			return fmt.Errorf("mapping.debezium.columns: column %q goes to custom, and so column %q cannot go to %q", whole, name, columns[name])
		}
	}
	return nil
}

// refuse says why a column cannot go to a member.
func (d *debezium) refuse(name, member, attribute string) error {
	switch {
	case attribute == "":
		return fmt.Errorf("mapping.debezium.columns: column %q has no member to go to; leave a column out that is not to be sent", name)
	case member == "id" || member == "_clientRef":
		return fmt.Errorf("mapping.debezium.columns: column %q goes to %q, which is not to be changed; mapping.debezium.id_column names the column of the id", name, member)
	case strings.Contains(attribute, "."):
		return fmt.Errorf("mapping.debezium.columns: column %q goes to %q; only custom has members of its own, as custom.tierStr", name, member)
	case name == d.idColumn:
		return fmt.Errorf("mapping.debezium.columns: column %q is mapping.debezium.id_column, which is sent as the id only", name)
	}
	return nil
}

// cell is one column of one row.
type cell struct {
	name   string
	raw    []byte // the name as JSON
	value  []byte
	before []byte // nil: not known
	unit   unit   // by the schema
}

// column takes one column over as is configured of it, or leaves it out.
func (d *debezium) column(c *change, col column, x cell, out *outcome) {
	switch {
	case strings.HasPrefix(x.name, "__") && !col.mapped:
		return // about the change, not of the row
	case bytes.Equal(x.value, d.placeholder):
		return // not changed
	case !col.mapped && (d.onlyMapped || x.name == "id" || x.name == "_clientRef"):
		out.leftOut++
		return
	case !col.mapped:
		col.member, col.name = x.name, x.raw
	}
	if col.unit == unknownUnit {
		col.unit = x.unit
	}
	value, why := col.unit.convert(x.value)
	if why != "" {
		out.fail(FaultShape, "the row's column %s %s", d.called(x.name), why)
		return
	}
	if col.member == "custom" {
		before, _ := col.unit.convert(x.before)
		if value = customDiff(before, value); value == nil {
			return
		}
	}
	switch {
	case isNull(value) && !d.allNulls && !clearable(col.member):
		out.leftOut++
	case col.attribute:
		c.setCustom(col.name, value)
	default:
		c.set(col.name, value)
	}
}

// called is how an error names a column: only as the configuration does. Others are
// the event's own words.
func (d *debezium) called(name string) string {
	if _, known := d.columns[name]; known {
		return fmt.Sprintf("%q", name)
	}
	return "of a logical type"
}
