package formats

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/avro"
	"kafka-kustomer/schemas/mapping"
	"kafka-kustomer/schemas/registry"
)

// The formats of a topic.
const (
	Auto = "auto" // JSON, or whatever the schema that a value names is of
	JSON = "json"
	Avro = "avro" // with the id of its schema, or of the topic's own schema
)

// Topic says how the records of a topic are read.
type Topic struct {
	Name    string
	Format  string // empty: auto
	Schema  string // the text of an Avro schema: values come without an id; only with Avro
	Mapping mapping.Config
}

// Registry gets schemas; [*registry.Client] is one.
type Registry interface {
	// Fetch waits until there is an answer that lasts, or ctx ends.
	Fetch(ctx context.Context, id registry.ID) (registry.Schema, error)
}

// Config is how records are read.
type Config struct {
	Topics   []Topic
	Events   schemas.Config
	Registry Registry // nil: there is none
}

// Decoder reads records. Decode may be called by one goroutine at a time; what it
// returns, and the other methods, by any.
type Decoder struct {
	cfg    Config
	topics map[string]*topic
	last   *topic // of the last record
	events *schemas.Decoder
	known  *known

	headers []mapping.Header // of the record in hand
	buf     []byte           // JSON of the record in hand
}

// topic is one topic's way of reading, and what was seen of it.
type topic struct {
	Topic
	mapper *mapping.Mapper
	fixed  *avro.Transcoder // of Schema
	// plain says that values are message changes, and stay as they are unless headers
	// say that they are CloudEvents.
	plain bool

	lastID     registry.ID
	lastSchema *schema // of lastID; nil: look it up
	leftOut    atomic.Uint64
}

// New compiles schemas and mappings. Its errors name the topic.
func New(cfg Config) (*Decoder, error) {
	d := &Decoder{
		cfg: cfg, topics: make(map[string]*topic, len(cfg.Topics)),
		events: schemas.NewDecoder(cfg.Events), known: newKnown(cfg.Events.MaxEventBytes),
	}
	for _, t := range cfg.Topics {
		made, err := d.newTopic(t)
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", t.Name, err)
		}
		d.topics[t.Name] = made
	}
	return d, nil
}

func (d *Decoder) newTopic(t Topic) (*topic, error) {
	if t.Format == "" {
		t.Format = Auto
	}
	mapper, err := mapping.New(t.Mapping)
	if err != nil {
		return nil, err
	}
	made := &topic{Topic: t, mapper: mapper, plain: mapper.Plain()}
	if t.Schema == "" {
		return made, nil
	}
	if t.Format != Avro {
		return nil, fmt.Errorf("a schema of its own needs the format avro, not %s", t.Format)
	}
	if made.fixed, err = avro.Compile(t.Schema, avro.MaxOutput(d.cfg.Events.MaxEventBytes)); err != nil {
		return nil, err
	}
	if made.plain && made.fixed.EventErr() != nil {
		return nil, made.fixed.EventErr()
	}
	return made, nil
}

// Decode reads c.Record, which is the topic's, and sets the members of c that tell of
// its content: those of Send, or the Reason of Skip and Reject. Every record gets a
// verdict, but one whose schema has to be got first: then Decode says which, and
// returns a function that waits for it; c is to be decoded again after that.
func (d *Decoder) Decode(name string, partition int32, c *batcher.Change) (needs string, wait func(context.Context)) {
	t := d.topic(name)
	if t.plain && t.Format == JSON && len(c.Record.Headers) == 0 || c.Record.Value == nil {
		d.events.Decode(c)
		return "", nil
	}
	f := d.unframe(t, c)
	if f.wait != nil || c.Verdict == batcher.Reject {
		return f.needs, f.wait
	}
	json, borrowed := f.value, f.schema != nil
	if borrowed {
		if json = d.transcode(t, f.schema, c, f.value); json == nil {
			return "", nil
		}
	}
	if t.plain && !t.mapper.Enveloped(d.headers) {
		d.events.DecodeValue(c, json)
		if borrowed {
			own(c, json, true)
		}
		return "", nil
	}
	d.decode(t, partition, c, json, borrowed)
	return "", nil
}

func (d *Decoder) topic(name string) *topic {
	if d.last == nil || d.last.Name != name {
		d.last = d.topics[name]
	}
	if d.last == nil {
		panic("formats: a record of topic " + name + ", which was not configured")
	}
	return d.last
}

// transcode writes an Avro value as JSON into the decoder's buffer. It returns nil
// when c has got its verdict.
func (d *Decoder) transcode(t *topic, s *avro.Transcoder, c *batcher.Change, value []byte) []byte {
	var err error
	if t.plain {
		d.buf, err = s.AppendEvent(d.buf[:0], value)
	} else {
		d.buf, err = s.AppendJSON(d.buf[:0], value)
	}
	if err != nil {
		code := CodeAvro
		if t.plain && s.EventErr() != nil {
			code = CodeNoEvent
		}
		text := err.Error()
		if bad := (*avro.Error)(nil); errors.As(err, &bad) && bad.Code == avro.CodeOutputLarge {
			text += "; as JSON, with the names of its fields, it may have as many bytes as limits.max_event_bytes says"
		}
		reject(c, code, text)
		return nil
	}
	return d.buf
}

// LeftOut returns, by topic, how many members its mapping has left out on purpose.
func (d *Decoder) LeftOut() map[string]uint64 {
	counts := make(map[string]uint64, len(d.topics))
	for name, t := range d.topics {
		counts[name] = t.leftOut.Load()
	}
	return counts
}

func reject(c *batcher.Change, code, text string) {
	c.Verdict, c.Reason = batcher.Reject, batcher.Reason{Code: code, Text: text}
}
