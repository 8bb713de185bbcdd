package mapping

import (
	"bytes"
	"encoding/base64"
	"strings"

	"kafka-kustomer/internal/jsonscan"
)

// maxEventID is how long the decoder lets an eventId be. A longer id of an envelope
// is left out rather than having the event refused for it.
const maxEventID = 255

// envelopeMode is how a record carries a CloudEvent.
type envelopeMode uint8

const (
	noEnvelope         envelopeMode = iota
	binaryEnvelope                  // attributes in headers, the value is the data
	structuredEnvelope              // the value is the whole event
)

const cloudEventsType = "application/cloudevents"

// mode tells how a record carries a CloudEvent. The content type decides, as the
// Kafka binding says; other types of content say nothing about a binary one.
func (m *Mapper) mode(headers []Header) envelopeMode {
	switch m.cloudEvents {
	case CloudEventsStructured:
		return structuredEnvelope
	case CloudEventsOff:
		return noEnvelope
	}
	mode := noEnvelope
	for i := range headers {
		switch h := &headers[i]; {
		case len(h.Value) >= len(cloudEventsType) && strings.EqualFold(h.Key, "content-type") && bytes.EqualFold(h.Value[:len(cloudEventsType)], []byte(cloudEventsType)):
			return structuredEnvelope
		case h.Key == "ce_specversion":
			mode = binaryEnvelope
		}
	}
	return mode
}

// attributes are what an envelope says of its event, as JSON; nil: nothing, or
// nothing of use.
type attributes struct {
	id   []byte
	time []byte
}

func fromHeaders(headers []Header) attributes {
	var a attributes
	for i := range headers {
		switch headers[i].Key {
		case "ce_id":
			a.id, _ = quoted(headers[i].Value)
		case "ce_time":
			a.time, _ = quoted(headers[i].Value)
		}
	}
	return a.usable()
}

// usable drops what would have the event refused, though it is the envelope's.
func (a attributes) usable() attributes {
	if n := len(text(a.id)); n == 0 || n > maxEventID {
		a.id = nil
	}
	if !isTime(a.time) {
		a.time = nil
	}
	return a
}

// open reads a structured event and returns its data. It returns nil where there is
// none, and has then told why.
func (a *attributes) open(value []byte, out *outcome) []byte {
	if out.fault = check(value); out.fault != nil {
		return nil
	}
	if value = trim(value); !isObject(value) {
		out.fail(FaultCloudEvent, "the CloudEvent is %s, not an object", kind(value))
		return nil
	}
	var version, data, base64Data []byte
	for s := jsonscan.Scan(value); s.Next(); {
		name := string(s.Name)
		switch v := s.Bytes(); name {
		case "specversion":
			version = v
		case "id":
			a.id = v
		case "time":
			a.time = v
		case "data":
			data = v
		case "data_base64":
			base64Data = v
		}
	}
	*a = a.usable()
	switch {
	case !isString(version):
		out.fail(FaultCloudEvent, "the CloudEvent's \"specversion\" is %s, not a string", kind(version))
	case absent(base64Data) && absent(data):
		out.skip = SkipTombstone
	case absent(base64Data):
		return data
	case !absent(data):
		out.fail(FaultCloudEvent, `the CloudEvent has both "data" and "data_base64"`)
	default:
		return fromBase64(base64Data, out)
	}
	return nil
}

func fromBase64(v []byte, out *outcome) []byte {
	if !isString(v) {
		out.fail(FaultCloudEvent, "the CloudEvent's \"data_base64\" is %s, not a string", kind(v))
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text(v))
	if err != nil || len(data) == 0 { // the error is not passed on: it says what is where
		out.fail(FaultCloudEvent, `the CloudEvent's "data_base64" is not the base64 of anything`)
		return nil
	}
	return data
}

// addTo gives an event an eventId and an occurredAt where it has none of its own.
func (a attributes) addTo(event []byte) []byte {
	if a.id == nil && a.time == nil || check(event) != nil {
		return event // the decoder says what is wrong with it
	}
	event = trim(event)
	if !isObject(event) {
		return event
	}
	b := make([]byte, 1, len(event)+len(a.id)+len(a.time)+32)
	b[0] = '{'
	if a.id != nil && absent(member(event, "eventId")) {
		b = appendMember(b, []byte(`"eventId"`), a.id)
	}
	if a.time != nil && absent(member(event, "occurredAt")) {
		b = appendMember(b, []byte(`"occurredAt"`), a.time)
	}
	if len(b) == 1 {
		return event
	}
	for s := jsonscan.Scan(event); s.Next(); {
		name, raw := string(s.Name), s.Raw.Of(event)
		v := s.Bytes()
		if isNull(v) && (name == "eventId" && a.id != nil || name == "occurredAt" && a.time != nil) {
			continue // it was given just now
		}
		b = appendMember(b, raw, v)
	}
	b[len(b)-1] = '}'
	return b
}
