package formats

import (
	"context"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas/avro"
	"kafka-kustomer/schemas/mapping"
	"kafka-kustomer/schemas/registry"
)

// unframe finds out what a value is: bytes, and the transcoder for them where they
// are Avro. Where the schema has to be got first, wait does it. Where the record can't
// be read, c has its verdict.
func (d *Decoder) unframe(t *topic, c *batcher.Change) (value []byte, s *avro.Transcoder, wait func(context.Context)) {
	c.Verdict = batcher.Send
	d.headers = d.headers[:0]
	var idHeader []byte
	for i := range c.Record.Headers {
		h := &c.Record.Headers[i]
		d.headers = append(d.headers, mapping.Header(*h))
		if h.Key == registry.ValueHeader {
			idHeader = h.Value
		}
	}
	value = c.Record.Value
	switch {
	case t.fixed != nil:
		return value, t.fixed, nil
	case t.Format == JSON:
		return value, nil, nil
	}
	id, rest, framing, err := registry.Parse(idHeader, value)
	switch {
	case err != nil:
		reject(c, CodeFraming, err.Error())
		return nil, nil, nil
	case framing != registry.Unframed:
		s, wait = d.schemaOf(t, id, c)
		return rest, s, wait
	case t.Format == Avro:
		reject(c, CodeFraming, "the value has no schema id: neither 0x00 and a number in front, nor 0x01 and a GUID, nor a header "+registry.ValueHeader+"; the format of the topic is avro, and it has no schema of its own")
	}
	return value, nil, nil
}

// schemaOf returns the transcoder of a schema, or none where its values are JSON.
func (d *Decoder) schemaOf(t *topic, id registry.ID, c *batcher.Change) (s *avro.Transcoder, wait func(context.Context)) {
	if d.cfg.Registry == nil {
		reject(c, CodeNoRegistry, "the value names schema "+id.String()+", and there is no schema_registry.urls to get it from")
		return nil, nil
	}
	known := t.lastSchema
	if t.lastID != id || known == nil || known.expired() {
		if known = d.known.get(id); known == nil {
			t.lastSchema = nil
			return nil, func(ctx context.Context) { d.known.fetch(ctx, d.cfg.Registry, id) }
		}
		t.lastID, t.lastSchema = id, known
	}
	if known.code != "" {
		reject(c, known.code, known.text)
	}
	return known.transcoder, nil
}
