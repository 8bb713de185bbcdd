package schemas

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/jsonscan"
)

// The bounds of an event that are part of its format.
const (
	maxIDBytes = 255 // of messageId and eventId, unescaped
	maxDepth   = 64  // of nested objects and arrays, the event itself is 1
)

// Config is how events are read.
type Config struct {
	MaxEventBytes        int  // a larger value is rejected unread; 0: no bound
	DeadLetterTombstones bool // a null value is a Reject instead of a Skip
	// Strict rejects a change whose members break a rule of Kustomer's reference (package
	// rules). Otherwise it is for Kustomer to say whether they are right.
	Strict bool
}

// Decoder reads message-change events. It keeps buffers between events, so each
// goroutine needs its own.
type Decoder struct {
	cfg Config
	// The value is handed to jsontext in a bytes.Buffer, the one reader whose
	// bytes it parses in place: no copy, and offsets are offsets of the value.
	src     bytes.Buffer
	dec     jsontext.Decoder
	outline jsonscan.Outline
}

// NewDecoder returns a decoder of JSON message changes.
func NewDecoder(cfg Config) *Decoder { return &Decoder{cfg: cfg} }

// Decode reads c.Record.Value and fills in the verdict: MessageID, EventID,
// Patch and OccurredAt for Send, Reason for Skip and Reject. MessageID, EventID
// and Patch are views into the value wherever nothing had to be unescaped. Every
// input gets a verdict; none is an error of the program.
func (d *Decoder) Decode(c *batcher.Change) {
	value := c.Record.Value
	c.Verdict, c.Reason = batcher.Send, batcher.Reason{}
	c.MessageID, c.EventID, c.Patch, c.OccurredAt = nil, nil, nil, time.Time{}
	switch {
	case value == nil:
		c.Verdict, c.Reason = batcher.Skip, batcher.Reason{Code: CodeTombstone, Text: "the record's value is null (a tombstone); a message is never deleted by this connector"}
		if d.cfg.DeadLetterTombstones {
			c.Verdict = batcher.Reject
		}
		return
	case len(value) == 0:
		c.Verdict, c.Reason = batcher.Reject, batcher.Reason{Code: CodeEmptyValue, Text: "the record's value has no bytes; an event is a JSON object, a tombstone is null"}
		return
	case d.cfg.MaxEventBytes > 0 && len(value) > d.cfg.MaxEventBytes:
		c.Verdict, c.Reason = batcher.Reject, batcher.Reason{
			Code: CodeOversize,
			Text: fmt.Sprintf("the record's value has %d bytes, the bound is %d (limits.max_event_bytes)", len(value), d.cfg.MaxEventBytes),
		}
		return
	}
	f := d.event(c)
	if f == nil && d.cfg.Strict {
		f = invalid(c.Patch)
	}
	if f != nil {
		c.Verdict, c.Reason = batcher.Reject, f.reason(value)
		c.MessageID, c.EventID, c.Patch, c.OccurredAt = nil, nil, nil, time.Time{}
	}
}

// DecodeValue is Decode of JSON that stands for the record's value: taken out of it,
// or made of it. It must stay as it is for as long as c is used.
func (d *Decoder) DecodeValue(c *batcher.Change, json []byte) {
	record := c.Record.Value
	c.Record.Value = json
	d.Decode(c)
	c.Record.Value = record
}

// event reads the whole value. Nearly every one is plain, and then one pass both
// finds it valid and tells where its members are. Any other is left to jsontext
// first, and then walked.
func (d *Decoder) event(c *batcher.Change) *fault {
	if d.outline.Read(c.Record.Value) {
		return d.fromOutline(c)
	}
	value := c.Record.Value
	if f := d.examine(value); f != nil {
		return f
	}
	if kind := jsontext.Value(value).Kind(); kind != jsontext.KindBeginObject {
		return &fault{code: CodeMalformed, text: "the event is " + kindName(kind) + ", not an object"}
	}
	for s := jsonscan.Scan(value); s.Next(); {
		if f := walk(c, &s); f != nil {
			return f
		}
	}
	if jsonscan.TooDeep(value, maxDepth) {
		return &fault{code: CodeMalformed, text: fmt.Sprintf("objects and arrays are nested more than %d deep", maxDepth)}
	}
	return check(c)
}

// fromOutline reads an event whose members are known.
func (d *Decoder) fromOutline(c *batcher.Change) *fault {
	value := c.Record.Value
	for list := d.outline.Members; len(list) > 0; {
		m := &list[0]
		inside := list[1 : 1+m.Inside]
		list = list[1+m.Inside:]
		name := m.Name.Of(value)
		if f := member(c, name[1:len(name)-1], m.Value); f != nil {
			return f
		}
		if string(name) != `"changes"` {
			continue
		}
		if len(inside) == 0 {
			c.Verdict = batcher.Skip
		}
		for len(inside) > 0 {
			if f := reserved(inside[0].Name, unquoted(value, inside[0].Name)); f != nil {
				return f
			}
			inside = inside[1+inside[0].Inside:]
		}
	}
	return check(c)
}

func unquoted(value []byte, name jsonscan.Span) []byte {
	return value[name.Start()+1 : name.End()-1]
}

// examine says what is wrong with a value, if anything is. What is neither an
// object nor followed by anything is left to the caller.
func (d *Decoder) examine(value []byte) *fault {
	d.src = *bytes.NewBuffer(value)
	d.dec.Reset(&d.src)
	whole, err := d.dec.ReadValue()
	if err != nil {
		return d.syntax(err)
	}
	if whole.Kind() != jsontext.KindBeginObject {
		return nil
	}
	if _, err := d.dec.ReadToken(); err != io.EOF {
		return &fault{code: CodeMalformed, text: "something follows the event's object", at: d.dec.InputOffset()}
	}
	return nil
}

// check is for what can be said only at the end of the event.
func check(c *batcher.Change) *fault {
	value := c.Record.Value
	switch {
	case c.MessageID == nil:
		return &fault{code: CodeMessageID, text: `the event has no "messageId"`, at: int64(len(value))}
	case c.Patch == nil:
		return &fault{code: CodeChanges, text: `the event has no "changes"`, at: int64(len(value))}
	}
	if c.Verdict == batcher.Skip {
		c.Reason = batcher.Reason{Code: CodeEmptyChange, Text: `"changes" has no members: there is nothing to update`}
	}
	return nil
}

// walk takes the member of an event that a scanner is in front of.
func walk(c *batcher.Change, s *jsonscan.Scanner) *fault {
	if string(s.Name) != "changes" || !s.AtObject() {
		name := s.Name
		return member(c, name, s.Value())
	}
	inside := *s
	if f := member(c, s.Name, s.Value()); f != nil {
		return f
	}
	empty := true
	for inside.Enter(); inside.Next(); inside.Value() {
		empty = false
		if f := reserved(inside.Raw, inside.Name); f != nil {
			return f
		}
	}
	if empty {
		c.Verdict = batcher.Skip
	}
	return nil
}

// member takes one member of the event.
func member(c *batcher.Change, name []byte, at jsonscan.Span) *fault {
	switch string(name) {
	case "messageId":
		return id(c, at, &c.MessageID, CodeMessageID, `"messageId"`, false)
	case "eventId":
		return id(c, at, &c.EventID, CodeEventID, `"eventId"`, true)
	case "occurredAt":
		return occurredAt(c, at)
	case "changes":
		return changes(c, at)
	}
	return nil
}

// id takes an identifier. An optional one may be null, which says as much as no
// member at all.
func id(c *batcher.Change, at jsonscan.Span, dst *[]byte, code, member string, optional bool) *fault {
	v := jsontext.Value(at.Of(c.Record.Value))
	if optional && v.Kind() == jsontext.KindNull {
		return nil
	}
	if v.Kind() != jsontext.KindString {
		return wrong(code, member+" is "+kindName(v.Kind())+", not a string", at)
	}
	id := jsonscan.Unquote(v)
	switch {
	case len(id) == 0 && !optional:
		return wrong(code, member+" is empty", at)
	case len(id) > maxIDBytes:
		return wrong(code, fmt.Sprintf("%s has %d bytes, at most %d are allowed", member, len(id), maxIDBytes), at)
	}
	*dst = id[:len(id):len(id)]
	return nil
}

func occurredAt(c *batcher.Change, at jsonscan.Span) *fault {
	v := jsontext.Value(at.Of(c.Record.Value))
	switch v.Kind() {
	case jsontext.KindNull:
		return nil
	case jsontext.KindString:
		// The error is not passed on: it quotes the text.
		if c.OccurredAt.UnmarshalText(jsonscan.Unquote(v)) == nil {
			return nil
		}
		return wrong(CodeOccurredAt, `"occurredAt" is not an RFC 3339 time such as 2026-11-24T02:30:00.123Z`, at)
	}
	return wrong(CodeOccurredAt, `"occurredAt" is `+kindName(v.Kind())+", not a string", at)
}

// changes keeps the bytes of the patch.
func changes(c *batcher.Change, at jsonscan.Span) *fault {
	v := jsontext.Value(at.Of(c.Record.Value))
	if v.Kind() != jsontext.KindBeginObject {
		return wrong(CodeChanges, `"changes" is `+kindName(v.Kind())+", not an object", at)
	}
	c.Patch = v[:len(v):len(v)]
	return nil
}

// reserved refuses a member of "changes" that is the connector's to set, under any
// spelling.
func reserved(at jsonscan.Span, name []byte) *fault {
	if name := string(name); name == "id" || name == "_clientRef" {
		return &fault{code: CodeChanges, text: `"changes" has the reserved member "` + name + `"`, at: int64(at.End())}
	}
	return nil
}

func (d *Decoder) syntax(err error) *fault {
	return &fault{err: err, at: d.dec.InputOffset()}
}

// wrong is a fault of the value at a place.
func wrong(code, text string, at jsonscan.Span) *fault {
	return &fault{code: code, text: text, at: int64(at.Start())}
}
