package schemas

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
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

// event reads the whole value.
func (d *Decoder) event(c *batcher.Change) *fault {
	value := c.Record.Value
	d.src = *bytes.NewBuffer(value)
	d.dec.Reset(&d.src)
	// The kind is told by one byte, so what it promises must be read before it is
	// named: "not json" begins like null.
	kind := d.dec.PeekKind()
	if _, err := d.dec.ReadToken(); err != nil {
		return d.syntax(err)
	}
	if kind != jsontext.KindBeginObject {
		return &fault{code: CodeMalformed, text: "the event is " + kindName(kind) + ", not an object"}
	}
	for {
		name, end, err := d.name()
		if err != nil {
			return d.syntax(err)
		}
		if end {
			break
		}
		if f := d.member(c, name); f != nil {
			return f
		}
	}
	if _, err := d.dec.ReadToken(); err != io.EOF {
		return &fault{code: CodeMalformed, text: "something follows the event's object", at: d.dec.InputOffset()}
	}
	return check(c)
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

// member reads the value of one member of the event.
func (d *Decoder) member(c *batcher.Change, name []byte) *fault {
	switch string(name) {
	case "messageId":
		return d.id(&c.MessageID, CodeMessageID, `"messageId"`, false)
	case "eventId":
		return d.id(&c.EventID, CodeEventID, `"eventId"`, true)
	case "occurredAt":
		return d.occurredAt(c)
	case "changes":
		return d.changes(c)
	}
	if _, err := d.dec.ReadValue(); err != nil {
		return d.syntax(err)
	}
	return nil
}

// id reads an identifier. An optional one may be null, which says as much as no
// member at all.
func (d *Decoder) id(dst *[]byte, code, member string, optional bool) *fault {
	v, err := d.dec.ReadValue()
	if err != nil {
		return d.syntax(err)
	}
	if optional && v.Kind() == jsontext.KindNull {
		return nil
	}
	if v.Kind() != jsontext.KindString {
		return d.wrong(code, member+" is "+kindName(v.Kind())+", not a string", v)
	}
	id := unquote(v)
	switch {
	case len(id) == 0 && !optional:
		return d.wrong(code, member+" is empty", v)
	case len(id) > maxIDBytes:
		return d.wrong(code, fmt.Sprintf("%s has %d bytes, at most %d are allowed", member, len(id), maxIDBytes), v)
	}
	*dst = id
	return nil
}

func (d *Decoder) occurredAt(c *batcher.Change) *fault {
	v, err := d.dec.ReadValue()
	if err != nil {
		return d.syntax(err)
	}
	switch v.Kind() {
	case jsontext.KindNull:
		return nil
	case jsontext.KindString:
		// The error is not passed on: it quotes the text.
		if c.OccurredAt.UnmarshalText(unquote(v)) == nil {
			return nil
		}
		return d.wrong(CodeOccurredAt, `"occurredAt" is not an RFC 3339 time such as 2026-11-24T02:30:00.123Z`, v)
	}
	return d.wrong(CodeOccurredAt, `"occurredAt" is `+kindName(v.Kind())+", not a string", v)
}

// changes walks the members of the patch, so that the reserved ones are found
// under any spelling, and keeps the object's bytes.
func (d *Decoder) changes(c *batcher.Change) *fault {
	if kind := d.dec.PeekKind(); kind != jsontext.KindBeginObject {
		v, err := d.dec.ReadValue()
		if err != nil {
			return d.syntax(err)
		}
		return d.wrong(CodeChanges, `"changes" is `+kindName(kind)+", not an object", v)
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return d.syntax(err)
	}
	start := d.dec.InputOffset() - 1
	empty := true
	for {
		name, end, err := d.name()
		if err != nil {
			return d.syntax(err)
		}
		if end {
			break
		}
		empty = false
		if s := string(name); s == "id" || s == "_clientRef" {
			return &fault{code: CodeChanges, text: `"changes" has the reserved member "` + s + `"`, at: d.dec.InputOffset()}
		}
		if _, err := d.dec.ReadValue(); err != nil {
			return d.syntax(err)
		}
	}
	end := d.dec.InputOffset()
	c.Patch = c.Record.Value[start:end:end]
	if empty {
		c.Verdict = batcher.Skip
	}
	return nil
}

// name reads the next member's name, unescaped, or the end of the object. It is
// read as a value, because a token's String is a copy.
func (d *Decoder) name() (name []byte, end bool, err error) {
	if d.dec.PeekKind() == jsontext.KindEndObject {
		_, err = d.dec.ReadToken()
		return nil, true, err
	}
	v, err := d.dec.ReadValue()
	if err != nil {
		return nil, false, err
	}
	return unquote(v), false, nil
}

func (d *Decoder) syntax(err error) *fault {
	return &fault{err: err, at: d.dec.InputOffset()}
}

// wrong is a fault of the value just read.
func (d *Decoder) wrong(code, text string, v jsontext.Value) *fault {
	return &fault{code: code, text: text, at: d.dec.InputOffset() - int64(len(v))}
}
