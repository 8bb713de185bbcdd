package mapping

import (
	"fmt"
	"strings"
	"time"
)

// The presets.
const (
	MessageChange = "message-change" // the connector's own event, untouched
	Item          = "item"           // an item of the bulk API
	Debezium      = "debezium"       // a change of a database row
	KustomerEvent = "kustomer-event" // Kustomer's webhook, kustomer.message.update
)

// The ways to look for CloudEvents.
const (
	CloudEventsAuto       = "auto"       // where the headers say so
	CloudEventsStructured = "structured" // every value is one, whatever the headers say
	CloudEventsOff        = "off"
)

// What becomes of a null.
const (
	NullsClearable = "clearable" // sent for the members that Kustomer documents as clearable
	NullsAll       = "all"       // sent always
)

// Config is how the records of a topic become message changes. The zero value
// stands for the preset message-change.
type Config struct {
	Preset string // empty: message-change
	JQ     string // a program; in place of a preset

	CloudEvents string // empty: auto
	Nulls       string // of the presets debezium and kustomer-event; empty: clearable

	Debezium      DebeziumConfig
	KustomerEvent KustomerEventConfig
	Limits        JQLimits
}

// Header is a header of a record. A name may stand more than once.
type Header struct {
	Key   string
	Value []byte
}

// Record is what is mapped. Key is JSON or plain text; Value is JSON, also where
// the record had Avro, and nil for a tombstone.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Result is what becomes of one record: events, or a skip, or a fault; never two
// of them.
type Result struct {
	// Events are message changes, for the decoder of package schemas. They share
	// memory with the record's value or are new; the list itself is used again by the
	// next call.
	Events [][]byte
	Skip   string // one of the Skip codes, or empty
	Fault  *Fault
	// LeftOut counts the members that were not taken over on purpose: read-only ones,
	// audit members, columns that are not mapped, nulls that Kustomer does not take.
	LeftOut int
}

// Mapper turns records into message changes. It keeps buffers between records, so
// each goroutine needs its own.
type Mapper struct {
	cloudEvents string
	preset      preset // nil: values stay as they are
	one         [1][]byte
	events      [][]byte
}

// preset is one way to read a value. It is given the record for its metadata; the
// value to read is the argument, as it may have come out of an envelope.
type preset interface {
	apply(r *Record, value []byte, out *outcome)
}

// outcome is a result in the making.
type outcome struct {
	events  [][]byte
	skip    string
	fault   *Fault
	leftOut int
}

func (o *outcome) add(event []byte) { o.events = append(o.events, event) }

func (o *outcome) fail(code, format string, args ...any) {
	o.fault = &Fault{Code: code, Text: fmt.Sprintf(format, args...)}
}

// New checks the configuration and compiles the program, if there is one. Its errors
// name the key that is wrong, below "mapping".
func New(cfg Config) (*Mapper, error) {
	m := &Mapper{cloudEvents: orElse(cfg.CloudEvents, CloudEventsAuto)}
	if err := oneOf("mapping.cloud_events", m.cloudEvents, CloudEventsAuto, CloudEventsStructured, CloudEventsOff); err != nil {
		return nil, err
	}
	nulls := orElse(cfg.Nulls, NullsClearable)
	if err := oneOf("mapping.nulls", nulls, NullsClearable, NullsAll); err != nil {
		return nil, err
	}
	name := orElse(cfg.Preset, MessageChange)
	if err := oneOf("mapping.preset", name, MessageChange, Item, Debezium, KustomerEvent); err != nil {
		return nil, err
	}
	if strings.TrimSpace(cfg.JQ) != "" {
		if name != MessageChange {
			return nil, fmt.Errorf("mapping.jq and mapping.preset %s are both set: a program takes the place of a preset, leave one out", name)
		}
		return m.with(compile(cfg.JQ, cfg.Limits))
	}
	switch name {
	case Item:
		m.preset = itemPreset{}
	case Debezium:
		return m.with(newDebezium(cfg.Debezium, nulls == NullsAll))
	case KustomerEvent:
		return m.with(newKustomerEvent(cfg.KustomerEvent, nulls == NullsAll))
	}
	return m, nil
}

func (m *Mapper) with(p preset, err error) (*Mapper, error) {
	if err != nil {
		return nil, err
	}
	m.preset = p
	return m, nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func oneOf(key, value string, known ...string) error {
	for _, k := range known {
		if value == k {
			return nil
		}
	}
	return fmt.Errorf("%s is %q: it must be one of %s", key, value, strings.Join(known, ", "))
}

// Plain reports whether values are message changes that stay as they are, but those
// in an envelope.
func (m *Mapper) Plain() bool { return m.preset == nil && m.cloudEvents != CloudEventsStructured }

// Enveloped reports whether a record with these headers is in an envelope.
func (m *Mapper) Enveloped(headers []Header) bool { return m.mode(headers) != noEnvelope }

// Map maps one record. Every record gets a result; none is an error of the program.
func (m *Mapper) Map(r *Record) Result {
	mode := m.mode(r.Headers)
	if m.preset == nil && mode == noEnvelope {
		m.one[0] = r.Value // null, empty or no JSON: the decoder has words for it
		return Result{Events: m.one[:]}
	}
	out := outcome{events: m.events[:0]}
	m.read(r, mode, &out)
	m.events = out.events
	switch {
	case out.fault != nil:
		return Result{Fault: out.fault, LeftOut: out.leftOut}
	case out.skip != "":
		return Result{Skip: out.skip, LeftOut: out.leftOut}
	}
	return Result{Events: out.events, LeftOut: out.leftOut}
}

// read takes the value out of its envelope, maps it, and gives the events what the
// envelope says of them.
func (m *Mapper) read(r *Record, mode envelopeMode, out *outcome) {
	value, about := r.Value, attributes{}
	switch {
	case value == nil:
		out.skip = SkipTombstone
		return
	case mode == binaryEnvelope:
		about = fromHeaders(r.Headers)
	case mode == structuredEnvelope:
		if value = about.open(value, out); value == nil {
			return
		}
	}
	if m.preset == nil {
		out.add(value)
	} else if f := check(value); f != nil {
		out.fault = f
		return
	} else {
		m.preset.apply(r, value, out)
	}
	if out.fault != nil {
		return
	}
	for i, event := range out.events {
		out.events[i] = about.addTo(event)
	}
}
