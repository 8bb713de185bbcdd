package formats

import (
	"context"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas/avro"
	"kafka-kustomer/schemas/mapping"
	"kafka-kustomer/schemas/registry"
)

// framed is a value without what is around it.
type framed struct {
	value  []byte
	schema *avro.Transcoder // nil: the value is JSON

	needs string // a schema that has to be got first
	wait  func(context.Context)
}

// unframe finds out what a value is. Where the record can't be read, c has its verdict.
func (d *Decoder) unframe(t *topic, c *batcher.Change) framed {
	c.Verdict = batcher.Send
	header := d.readHeaders(c)
	value := c.Record.Value
	switch {
	case t.fixed != nil:
		return framed{value: value, schema: t.fixed}
	case t.Format == JSON:
		return framed{value: value}
	}
	id, rest, framing, err := registry.Parse(header, value)
	switch {
	case err != nil:
		reject(c, CodeFraming, err.Error())
	case framing != registry.Unframed:
		return d.ofSchema(t, id, rest, c)
	case t.Format == Avro:
		reject(c, CodeFraming, "the value has no schema id: neither 0x00 and a number in front, nor 0x01 and a GUID, nor a header "+registry.ValueHeader+"; the format of the topic is avro, and it has no schema of its own")
	}
	return framed{value: value}
}

// readHeaders notes a record's headers for the mapping, and returns the one that holds
// a schema's id, nil when there is none.
func (d *Decoder) readHeaders(c *batcher.Change) (schemaID []byte) {
	d.headers = d.headers[:0]
	for i := range c.Record.Headers {
		h := &c.Record.Headers[i]
		d.headers = append(d.headers, mapping.Header(*h))
		if h.Key != registry.ValueHeader {
			continue
		}
		if schemaID = h.Value; schemaID == nil {
			schemaID = []byte{} // null, which is no id, is not the same as no header
		}
	}
	return schemaID
}

// ofSchema is a value of the schema with an id.
func (d *Decoder) ofSchema(t *topic, id registry.ID, value []byte, c *batcher.Change) framed {
	if d.cfg.Registry == nil {
		reject(c, CodeNoRegistry, "the value names schema "+id.String()+", and there is no schema_registry.urls to get it from")
		return framed{}
	}
	known := t.lastSchema
	if t.lastID != id || known == nil || known.expired() {
		if known = d.known.get(id); known == nil {
			t.lastSchema = nil
			return framed{needs: "schema " + id.String(), wait: func(ctx context.Context) { d.known.fetch(ctx, d.cfg.Registry, id) }}
		}
		t.lastID, t.lastSchema = id, known
	}
	if known.code != "" {
		reject(c, known.code, known.text)
	}
	return framed{value: value, schema: known.transcoder}
}
