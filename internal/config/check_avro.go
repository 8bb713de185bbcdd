package config

import (
	"kafka-kustomer/schemas/avro"
	"kafka-kustomer/schemas/mapping"
)

// avroCheck holds formats, schemas and the registry to each other. What topics have
// from the source is checked for each of them, and reported once.
type avroCheck struct {
	*reader
	registry bool                        // there is one
	schemas  map[string]*avro.Transcoder // by key; nil: the file is no schema
	reported map[string]bool             // by key
}

func (r *reader) checkAvro(c *Config) {
	a := &avroCheck{
		reader: r, schemas: make(map[string]*avro.Transcoder), reported: make(map[string]bool),
		registry: len(c.SchemaRegistry.URLs) > 0 || r.isBad("schema_registry.urls"),
	}
	if s := &c.Source; s.Schema != "" {
		a.needsAvro("source.schema", s.Schema, "source.format", s.Format)
		a.schema("source.schema", s.Schema)
	}
	for i := range c.Source.Topics {
		a.topic(i, &c.Source.Topics[i])
	}
	if c.Results.Format == "avro" && !a.registry {
		r.clash([]string{"results.format", "schema_registry.urls"},
			"%s needs schema_registry.urls: the schema of the results is registered there", r.at("results.format", c.Results.Format))
	}
}

func (a *avroCheck) topic(i int, t *Topic) {
	formatKey, schemaKey := a.origin(i, "format"), a.origin(i, "schema")
	switch {
	case t.Schema == "":
		if t.Format == "avro" && !a.registry && !a.reported[formatKey] {
			a.reported[formatKey] = true
			a.clash([]string{formatKey, schemaKey}, "%s needs %s, or schema_registry.urls where the values carry schema ids",
				a.at(formatKey, t.Format), schemaKey)
		}
		return
	case t.Format != "avro": // then the schema is its own
		a.needsAvro(schemaKey, t.Schema, formatKey, t.Format)
	}
	compiled := a.schema(schemaKey, t.Schema)
	if compiled == nil || t.Mapping.JQ != "" || t.Mapping.JQFile != "" || t.Mapping.Preset != mapping.MessageChange {
		return
	}
	if err := compiled.EventErr(); err != nil && !a.reported[schemaKey] {
		a.reported[schemaKey] = true
		preset := a.origin(i, "mapping") + ".preset"
		a.clash([]string{schemaKey, preset}, "the values are not for %s: %s; give the fields aliases, or map the values by another preset or by jq",
			a.at(preset, t.Mapping.Preset), cut(err.Error()))
	}
}

// origin is where a topic has the value of a key from.
func (r *reader) origin(i int, name string) string {
	if key := join(topicKey(i), name); r.isSet(key) {
		return key
	}
	return join("source", name)
}

func (a *avroCheck) needsAvro(key, schema, formatKey, format string) {
	if format != "avro" {
		a.clash([]string{key, formatKey}, "%s is for the format avro, and there is %s", a.at(key, schema), a.at(formatKey, format))
	}
}

// schema compiles the file that key names, once.
func (a *avroCheck) schema(key, path string) *avro.Transcoder {
	compiled, done := a.schemas[key]
	if done {
		return compiled
	}
	if text, ok := a.contents(key, path); ok {
		var err error
		if compiled, err = avro.Compile(string(text)); err != nil {
			compiled = nil
			a.fault(key, "the file %s cannot be used: %s", a.shown(key, path), cut(err.Error()))
		}
	}
	a.schemas[key] = compiled
	return compiled
}
