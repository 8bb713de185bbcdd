package config

import (
	"fmt"
	"slices"
	"strings"

	"kafka-kustomer/schemas/mapping"
)

// checkMapping reports what package mapping does not take, and what has no effect.
func (r *reader) checkMapping(path string, m *Mapping) {
	if r.isBad(path+".jq") || r.isBad(path+".preset") || r.isBad(path+".jq_file") {
		return // what belongs to it is not known
	}
	presetKey, usual := path+".preset", defaultMapping()
	preset := "is " + r.shown(presetKey, m.Preset)
	jqKey := path + ".jq"
	if m.JQFile != "" {
		jqKey += "_file"
	}
	if m.JQ != "" && m.Preset != usual.Preset {
		r.clash([]string{jqKey, presetKey}, "is given, and so is %s; a program takes the place of a preset: remove one of them", r.at(presetKey, m.Preset))
		return
	}
	if m.JQ == "" && m.JQFile == "" {
		r.unused(m.JQLimits, usual.JQLimits, path+".jq_limits", path+".jq", "is empty")
	}
	if m.Preset != mapping.Debezium {
		r.unused(m.Debezium, usual.Debezium, path+".debezium", presetKey, preset)
	}
	if m.Preset != mapping.KustomerEvent {
		r.unused(m.KustomerEvent, usual.KustomerEvent, path+".kustomer_event", presetKey, preset)
	}
	if m.Preset == mapping.Debezium && len(m.Debezium.Columns) > 0 {
		r.checkColumns(path+".debezium", &m.Debezium)
	}
	cfg := m.MapperConfig()
	cfg.Limits = mapping.JQLimits{} // their bounds have been checked; one that is wrong would hide the rest
	if _, err := mapping.New(cfg); err != nil {
		r.mappingFault(path, m, err)
	}
}

// checkColumns reports what is said of columns that are not sent: most likely one of
// the two names is misspelt. The usual list of JSON is no mistake, written or not.
func (r *reader) checkColumns(path string, d *Debezium) {
	columns := path + ".columns"
	check := func(key, name, shown string) {
		if _, ok := d.Columns[name]; !ok {
			r.clash([]string{key, columns}, "the column %s is none of %s, so it is not sent; add it there, or remove it here", shown, columns)
		}
	}
	if !slices.Equal(d.JSON, defaultMapping().Debezium.JSON) {
		for i, name := range d.JSON {
			key := fmt.Sprintf("%s.json[%d]", path, i)
			check(key, name, r.shown(key, name))
		}
	}
	for name := range d.Times {
		check(join(path+".times", name), name, show(name))
	}
}

// mappingFault reports an error of mapping.New at the key that it names.
func (r *reader) mappingFault(path string, m *Mapping, err error) {
	text := strings.TrimPrefix(err.Error(), "mapping.")
	end := strings.IndexAny(text, ": ")
	if end < 0 {
		end = 0
	}
	key, text := join(path, text[:end]), strings.TrimLeft(text[end:], ": ")
	text = strings.ReplaceAll(text, " mapping.", " "+path+".") // other keys that it names
	if key == path+".jq" && m.JQFile != "" {
		key = path + ".jq_file"
	}
	if r.hasReference(key) {
		// It quotes names and values, and those may be what a reference brought in.
		text = "is refused; what a reference brings in is not shown: write the value out to see why"
	}
	r.fault(key, "%s", cut(text))
}

// hasReference reports whether the key, or one below it, was written with one.
func (r *reader) hasReference(key string) bool {
	for k, m := range r.marks {
		if m.reference != "" && (k == key || strings.HasPrefix(k, key+".") || strings.HasPrefix(k, key+"[")) {
			return true
		}
	}
	return false
}

// maxForeign bounds an error of another package, which may quote a long value.
const maxForeign = 600

func cut(text string) string {
	if runes := []rune(text); len(runes) > maxForeign {
		text = string(runes[:maxForeign]) + "…"
	}
	return text
}
