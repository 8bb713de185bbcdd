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
}

// Decoder reads message-change events. It keeps buffers between events, so each
// goroutine needs its own.
type Decoder struct {
	cfg Config
	// The value is handed to jsontext in a bytes.Buffer, the one reader whose
	// bytes it parses in place: no copy, and offsets are offsets of the value.
	src bytes.Buffer
	dec jsontext.Decoder
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
	if f := d.event(c); f != nil {
		c.Verdict, c.Reason = batcher.Reject, f.reason(value)
		c.MessageID, c.EventID, c.Patch, c.OccurredAt = nil, nil, nil, time.Time{}
	}
}

// event reads the whole value: first that it is valid JSON without anything
// ambiguous, then its members by a walk over the same bytes.
func (d *Decoder) event(c *batcher.Change) *fault {
	value := c.Record.Value
	if !jsonscan.Plain(value) {
		if f := d.examine(value); f != nil {
			return f
		}
	}
	if kind := jsontext.Value(value).Kind(); kind != jsontext.KindBeginObject {
		return &fault{code: CodeMalformed, text: "the event is " + kindName(kind) + ", not an object"}
	}
	for s := jsonscan.Scan(value); s.Next(); {
		if f := member(c, &s); f != nil {
			return f
		}
	}
	return check(c)
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
	case tooDeep(value):
		return &fault{code: CodeMalformed, text: fmt.Sprintf("objects and arrays are nested more than %d deep", maxDepth)}
	}
	if c.Verdict == batcher.Skip {
		c.Reason = batcher.Reason{Code: CodeEmptyChange, Text: `"changes" has no members: there is nothing to update`}
	}
	return nil
}

// member takes one member of the event.
func member(c *batcher.Change, s *jsonscan.Scanner) *fault {
	switch string(s.Name) {
	case "messageId":
		return id(c, s, &c.MessageID, CodeMessageID, `"messageId"`, false)
	case "eventId":
		return id(c, s, &c.EventID, CodeEventID, `"eventId"`, true)
	case "occurredAt":
		return occurredAt(c, s)
	case "changes":
		return changes(c, s)
	}
	s.Value()
	return nil
}

// id takes an identifier. An optional one may be null, which says as much as no
// member at all.
func id(c *batcher.Change, s *jsonscan.Scanner, dst *[]byte, code, member string, optional bool) *fault {
	at := s.Value()
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

func occurredAt(c *batcher.Change, s *jsonscan.Scanner) *fault {
	at := s.Value()
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

// changes walks the members of the patch, so that the reserved ones are found
// under any spelling, and keeps the object's bytes.
func changes(c *batcher.Change, s *jsonscan.Scanner) *fault {
	if !s.AtObject() {
		at := s.Value()
		return wrong(CodeChanges, `"changes" is `+kindName(jsontext.Value(at.Of(c.Record.Value)).Kind())+", not an object", at)
	}
	start := s.Pos()
	empty := true
	for s.Enter(); s.Next(); s.Value() {
		empty = false
		if name := string(s.Name); name == "id" || name == "_clientRef" {
			return &fault{code: CodeChanges, text: `"changes" has the reserved member "` + name + `"`, at: int64(s.Raw.End())}
		}
	}
	c.Patch = c.Record.Value[start:s.Pos():s.Pos()]
	if empty {
		c.Verdict = batcher.Skip
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
