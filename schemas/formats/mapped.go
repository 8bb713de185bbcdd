package formats

import (
	"fmt"
	"slices"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/mapping"
)

// decode maps JSON and decodes what comes of it. Where it is borrowed, it stands in
// the decoder's buffer, and what is kept of it is copied.
func (d *Decoder) decode(t *topic, partition int32, c *batcher.Change, json []byte, borrowed bool) {
	r := t.mapper.Map(&mapping.Record{
		Topic: t.Name, Partition: partition, Offset: c.Offset, Timestamp: c.Record.Timestamp,
		Key: c.Record.Key, Value: json, Headers: d.headers,
	})
	if r.LeftOut > 0 {
		t.leftOut.Add(uint64(r.LeftOut))
	}
	switch {
	case r.Fault != nil:
		reject(c, r.Fault.Code, r.Fault.Text)
	case r.Skip != "":
		c.Verdict, c.Reason = batcher.Skip, batcher.Reason{Code: r.Skip, Text: skipTexts[r.Skip]}
		if r.Skip == mapping.SkipTombstone && d.cfg.Events.DeadLetterTombstones {
			c.Verdict = batcher.Reject
		}
	case len(r.Events) == 1:
		d.events.DecodeValue(c, r.Events[0])
		own(c, r.Events[0], borrowed)
		if c.Verdict == batcher.Reject && !t.plain { // the place is none of the record
			c.Reason.Text += ", of the event that the mapping makes of the record"
		}
	default:
		d.decodeSeveral(c, r.Events, borrowed)
	}
}

// own sees to it that what is kept of an event is its own, and counts its bytes.
func own(c *batcher.Change, event []byte, borrowed bool) {
	if c.Verdict != batcher.Send {
		return
	}
	if !borrowed {
		c.Made += len(event)
		return
	}
	n := len(c.MessageID) + len(c.EventID) + len(c.Patch)
	buf := make([]byte, 0, n)
	c.Made += n
	c.MessageID, buf = kept(buf, c.MessageID)
	c.EventID, buf = kept(buf, c.EventID)
	c.Patch, _ = kept(buf, c.Patch)
}

func kept(buf, b []byte) (copied, rest []byte) {
	start := len(buf)
	buf = append(buf, b...)
	return buf[start:len(buf):len(buf)], buf
}

// decodeSeveral decodes the events of one record. One that is not well makes the
// record a dead letter: what is wrong with it is wrong with the mapping or the
// producer, and to send a part of a record would hide that. Those without a change are
// left out.
func (d *Decoder) decodeSeveral(c *batcher.Change, events [][]byte, borrowed bool) {
	var all []batcher.Change
	var skip batcher.Reason
	for i, event := range events {
		one := batcher.Change{Record: c.Record}
		d.events.DecodeValue(&one, event)
		switch one.Verdict {
		case batcher.Reject:
			reject(c, one.Reason.Code, fmt.Sprintf("event %d of %d that the mapping makes of the record: %s", i+1, len(events), one.Reason.Text))
			return
		case batcher.Skip:
			skip = one.Reason
		default:
			own(&one, event, borrowed)
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		c.Verdict, c.Reason = batcher.Skip, skip
		return
	}
	first := &all[0]
	c.Verdict, c.MessageID, c.EventID, c.Patch, c.OccurredAt = batcher.Send, first.MessageID, first.EventID, first.Patch, first.OccurredAt
	c.Made = first.Made
	for _, one := range all[1:] {
		c.More = append(c.More, batcher.Update{MessageID: one.MessageID, EventID: one.EventID, Patch: one.Patch, OccurredAt: one.OccurredAt})
		c.Made += one.Made
	}
}

// skipTexts are what the mapping's skips mean.
var skipTexts = map[string]string{
	mapping.SkipTombstone:  "the record has no value, or its envelope no data; a message is never deleted by this connector",
	mapping.SkipDeleted:    "a row was deleted; a message is never deleted by this connector",
	mapping.SkipNotARow:    "the record is of no row: a table was truncated, or it is a message of the database's log",
	mapping.SkipUnchanged:  "no member that could be sent has changed",
	mapping.SkipOtherEvent: "the event is no kustomer.message.update",
	mapping.SkipOwnUpdate:  "the update was made by this connector",
	mapping.SkipFiltered:   "the jq program gave nothing for the record",
}

// The codes of a [batcher.Reason] beside those of package schemas and of package
// mapping. The set is closed; they are metric labels.
const (
	CodeFraming        = "invalid_framing" // no schema id where there must be one
	CodeNoRegistry     = "no_registry"     // a schema id, and no registry to ask
	CodeUnknownSchema  = "unknown_schema"  // the registry does not have it
	CodeUnusableSchema = "unusable_schema" // it is there, and no values of it can be read
	CodeNoEvent        = "schema_no_event" // it is not one of message changes, and there is no mapping
	CodeAvro           = "invalid_avro"    // the value is not of its schema
)

// Rejects returns every code with which a record is rejected.
func Rejects() []string {
	codes := append(schemas.Rejects(), CodeFraming, CodeNoRegistry, CodeUnknownSchema, CodeUnusableSchema, CodeNoEvent, CodeAvro)
	for _, code := range mapping.Faults() {
		if !slices.Contains(codes, code) { // malformed is either's
			codes = append(codes, code)
		}
	}
	return codes
}

// Skips returns every code with which a record is skipped.
func Skips() []string { return append(mapping.Skips(), schemas.CodeEmptyChange) }
