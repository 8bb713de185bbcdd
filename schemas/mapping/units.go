package mapping

import (
	"bytes"
	"math"
	"time"

	"kafka-kustomer/internal/jsonscan"
)

// unit is what a column's value means.
type unit uint8

const (
	unknownUnit unit = iota // the value stays as it is
	nanoseconds             // since 1970, UTC
	microseconds
	milliseconds
	seconds
	days
	jsonText // a text that is JSON
)

var units = map[string]unit{"ns": nanoseconds, "us": microseconds, "ms": milliseconds, "s": seconds, "days": days}

// logical are the names of logical types in a schema. Those that are texts already,
// such as io.debezium.time.ZonedTimestamp, need nothing.
var logical = map[string]unit{
	"io.debezium.time.Timestamp":              milliseconds,
	"io.debezium.time.MicroTimestamp":         microseconds,
	"io.debezium.time.NanoTimestamp":          nanoseconds,
	"io.debezium.time.Date":                   days,
	"org.apache.kafka.connect.data.Timestamp": milliseconds,
	"org.apache.kafka.connect.data.Date":      days,
	"io.debezium.data.Json":                   jsonText,
}

// convert returns the value to send, or why there is none. What is not of the type
// that the unit is about stays as it is: null, a time written as text, JSON that is
// no text.
func (u unit) convert(v []byte) (value []byte, why string) {
	switch {
	case u == unknownUnit || absent(v):
		return v, ""
	case u == jsonText:
		if !isString(v) {
			return v, ""
		}
		inner := trim(jsonscan.Unquote(v))
		if check(inner) != nil {
			return nil, "is a text that is not valid JSON, or not unambiguous"
		}
		return inner, ""
	case isString(v):
		return v, ""
	}
	n, ok := integer(v)
	if !ok {
		return nil, "is no time: neither a whole number nor a text"
	}
	if t, ok := u.time(n); ok {
		if value = timestamp(t); value != nil {
			return value, ""
		}
	}
	return nil, "is a time whose year has not four digits; is its unit right?"
}

// time reports false for what a time cannot hold.
func (u unit) time(n int64) (time.Time, bool) {
	switch u {
	case nanoseconds:
		return time.Unix(0, n), true
	case microseconds:
		return time.UnixMicro(n), true
	case milliseconds:
		return time.UnixMilli(n), true
	case seconds:
		return time.Unix(n, 0), n > -math.MaxInt32*100 && n < math.MaxInt32*200
	}
	const day = 24 * 60 * 60
	return time.Unix(n*day, 0), n > math.MinInt32 && n < math.MaxInt32
}

// types returns what a schema says of the columns. It keeps the last one.
func (d *debezium) types(schema []byte) map[string]unit {
	if bytes.Equal(schema, d.schema) {
		return d.typed
	}
	d.schema, d.typed = append(d.schema[:0], schema...), map[string]unit{}
	fields := member(schema, "fields")
	for _, side := range []string{"before", "after"} {
		d.note(member(field(fields, side), "fields"))
	}
	d.note(fields)
	return d.typed
}

// note takes the logical types of a list of fields.
func (d *debezium) note(fields []byte) {
	if !isArray(fields) {
		return
	}
	for s := elements(fields); s.Element(); {
		f := s.Bytes()
		if u := logical[text(member(f, "name"))]; u != unknownUnit {
			d.typed[text(member(f, "field"))] = u
		}
	}
}

// field returns the one of a schema's fields that has a name.
func field(fields []byte, name string) []byte {
	if !isArray(fields) {
		return nil
	}
	for s := elements(fields); s.Element(); {
		if f := s.Bytes(); text(member(f, "field")) == name {
			return f
		}
	}
	return nil
}
