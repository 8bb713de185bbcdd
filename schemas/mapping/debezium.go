package mapping

import (
	"bytes"
	"time"

	"kafka-kustomer/internal/jsonscan"
)

// debezium reads row changes, in an envelope or unwrapped.
type debezium struct {
	idColumn    string
	columns     map[string]column // what is configured of a column
	onlyMapped  bool              // other columns are left out
	allNulls    bool
	placeholder []byte

	// The schema seen last, and what it says of columns. A topic hardly ever changes
	// its schema, but every record carries it.
	schema []byte
	typed  map[string]unit
}

// apply takes the schema off, and finds out which kind of record it is.
func (d *debezium) apply(_ *Record, value []byte, out *outcome) {
	payload := trim(value)
	var typed map[string]unit
	if schema, inner, ok := withSchema(payload); ok {
		payload, typed = inner, d.types(schema)
	}
	switch {
	case isNull(payload):
		out.skip = SkipTombstone
	case !isObject(payload):
		out.fail(FaultShape, "the row change is %s, not an object", kind(payload))
	default:
		if e, ok := openEnvelope(payload); ok {
			d.enveloped(e, typed, out)
			return
		}
		d.unwrapped(payload, typed, out)
	}
}

// withSchema takes apart what Connect's JSON converter writes with schemas enabled:
// an object of two members, "schema" and "payload".
func withSchema(value []byte) (schema, payload []byte, ok bool) {
	if !isObject(value) {
		return nil, nil, false
	}
	n := 0
	for s := jsonscan.Scan(value); s.Next(); n++ {
		name := string(s.Name)
		switch v := s.Bytes(); name {
		case "schema":
			schema = v
		case "payload":
			payload = v
		}
	}
	return schema, payload, n == 2 && payload != nil && (isObject(schema) || isNull(schema))
}

// envelope is what Debezium writes about one change.
type envelope struct {
	op            []byte
	before, after []byte
	at            []byte // JSON number, milliseconds; may be missing
}

// openEnvelope reports false for an unwrapped row, which may well have a column
// called op.
func openEnvelope(payload []byte) (envelope, bool) {
	var e envelope
	var source, at []byte
	for s := jsonscan.Scan(payload); s.Next(); {
		name := string(s.Name)
		switch v := s.Bytes(); name {
		case "op":
			e.op = v
		case "before":
			e.before = v
		case "after":
			e.after = v
		case "source":
			source = v
		case "ts_ms":
			at = v
		}
	}
	if e.at = member(source, "ts_ms"); absent(e.at) {
		e.at = at
	}
	return e, e.op != nil && (e.before != nil || e.after != nil || isObject(source))
}

func (d *debezium) enveloped(e envelope, typed map[string]unit, out *outcome) {
	switch text(e.op) {
	case "c", "r":
		e.before = nil
	case "u":
	case "d":
		out.skip = SkipDeleted
		return
	case "t", "m":
		out.skip = SkipNotARow
		return
	default:
		out.fail(FaultShape, `the change's "op" is none of c, u, r, d, t, m`)
		return
	}
	if !isObject(e.after) {
		out.fail(FaultShape, "the change's \"after\" is %s, not an object", kind(e.after))
		return
	}
	if !absent(e.before) && !isObject(e.before) {
		out.fail(FaultShape, "the change's \"before\" is %s, not an object", kind(e.before))
		return
	}
	d.row(e.before, e.after, e.at, typed, out)
}

// unwrapped reads a row as ExtractNewRecordState leaves it: its columns, and about
// the change what was asked for, under names that begin with two underscores.
func (d *debezium) unwrapped(row []byte, typed map[string]unit, out *outcome) {
	var at []byte
	for s := jsonscan.Scan(row); s.Next(); {
		name := string(s.Name)
		switch v := s.Bytes(); name {
		case "__deleted":
			if string(v) == "true" || text(v) == "true" {
				out.skip = SkipDeleted
				return
			}
		case "__op":
			switch text(v) {
			case "d":
				out.skip = SkipDeleted
				return
			case "t", "m":
				out.skip = SkipNotARow
				return
			}
		case "__source_ts_ms":
			at = v
		case "__ts_ms":
			if at == nil {
				at = v
			}
		}
	}
	d.row(nil, row, at, typed, out)
}

// row makes an event of a row; of the columns that have changed, where it is known
// what was before. That says nothing of a message which the row was not about then:
// it gets every column.
func (d *debezium) row(before, after, at []byte, typed map[string]unit, out *outcome) {
	c, earlier, leftOut, found := change{}, newTwin(before), out.leftOut, false
	if ms, ok := integer(at); ok {
		c.occurredAt = timestamp(time.UnixMilli(ms))
	}
	for s := jsonscan.Scan(after); s.Next(); {
		name, raw, old := string(s.Name), s.Raw.Of(after), earlier.value(s.Name)
		v := s.Bytes()
		if name == d.idColumn {
			if old != nil && text(old) != text(v) {
				out.leftOut = leftOut
				d.row(nil, after, at, typed, out)
				return
			}
			c.messageID = v
			continue
		}
		col := d.columns[name]
		found = found || col.mapped
		if old != nil && bytes.Equal(old, v) {
			continue
		}
		d.column(&c, col, cell{name: name, raw: raw, value: v, before: old, unit: typed[name]}, out)
		if out.fault != nil {
			return
		}
	}
	if !isString(c.messageID) {
		out.fail(FaultShape, "the row's column %q is %s, not a string: it must hold the message's id (mapping.debezium.id_column)", d.idColumn, kind(c.messageID))
		return
	}
	if d.onlyMapped && !found {
		// Some may be missing, as rows from before a column was added lack it. Without
		// any, each row would be passed over as unchanged, and nobody would notice.
		out.fail(FaultShape, "the row has none of the columns that are to be sent: they are misspelt, or the row is of another table (mapping.debezium.columns)")
		return
	}
	c.emit(out)
}
