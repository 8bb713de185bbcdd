package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/internal/jsonscan"
)

// maxDepth is how deep a value may nest. The decoder allows an event no more.
const maxDepth = 64

// check says what keeps a value from being walked, if anything does. What is plain
// is settled in one cheap pass; jsontext has the word about the rest.
func check(value []byte) *Fault {
	if jsonscan.Plain(value) {
		return nil
	}
	if len(value) == 0 {
		return &Fault{FaultMalformed, "the value has no bytes; a tombstone is null"}
	}
	dec := jsontext.NewDecoder(bytes.NewReader(value))
	_, err := dec.ReadValue()
	if err == nil {
		if _, err = dec.ReadToken(); err == io.EOF {
			err = nil
		} else {
			return &Fault{FaultMalformed, "something follows the value's JSON"}
		}
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &Fault{FaultMalformed, "a member name appears twice in one object"}
	case !utf8.Valid(value):
		return &Fault{FaultMalformed, "the value is not valid UTF-8"}
	case err != nil: // not worded by jsontext, which quotes the value
		return &Fault{FaultMalformed, "the value is not valid JSON"}
	case jsonscan.TooDeep(value, maxDepth):
		return &Fault{FaultMalformed, "objects and arrays are nested more than " + strconv.Itoa(maxDepth) + " deep"}
	}
	return nil
}

// The parts of a valid value are told apart by their first byte. A missing one is
// nil and of no kind.

func isObject(v []byte) bool { return len(v) > 0 && v[0] == '{' }
func isString(v []byte) bool { return len(v) > 0 && v[0] == '"' }
func isArray(v []byte) bool  { return len(v) > 0 && v[0] == '[' }
func isNull(v []byte) bool   { return len(v) > 0 && v[0] == 'n' }

// absent is for members that say as much when they are null.
func absent(v []byte) bool { return len(v) == 0 || v[0] == 'n' }

// trim cuts the space around a whole value, so that it is like a part of one.
func trim(value []byte) []byte { return bytes.Trim(value, " \t\r\n") }

// kind names what a part is.
func kind(v []byte) string {
	if len(v) == 0 {
		return "missing"
	}
	switch v[0] {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "a number"
}

// member returns the member of an object by name, nil if there is none, or no
// object.
func member(object []byte, name string) []byte {
	if !isObject(object) {
		return nil
	}
	for s := jsonscan.Scan(object); s.Next(); {
		found := string(s.Name) == name
		if v := s.Bytes(); found {
			return v
		}
	}
	return nil
}

// path goes down by names.
func path(object []byte, names ...string) []byte {
	for _, name := range names {
		object = member(object, name)
	}
	return object
}

// text returns what a string says; empty for what is none.
func text(v []byte) string {
	if !isString(v) {
		return ""
	}
	return string(jsonscan.Unquote(v))
}

// integer reads a number without a fraction.
func integer(v []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// quoted returns a string as JSON; nil and false where it is not valid UTF-8.
func quoted[T ~string | ~[]byte](s T) (raw []byte, ok bool) {
	raw, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return nil, false // raw has U+FFFD in it
	}
	return raw, true
}

// timestamp returns a time as JSON; nil where its year has no four digits.
func timestamp(t time.Time) []byte {
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	return t.AppendFormat(make([]byte, 0, 40), `"`+time.RFC3339Nano+`"`)
}

// isTime tells whether a part is an RFC 3339 time, as the decoder reads it.
func isTime(v []byte) bool {
	var t time.Time
	return isString(v) && t.UnmarshalText(jsonscan.Unquote(v)) == nil
}

// decode turns a valid value into what gojq works on. Numbers stay as they are
// written.
func decode(value []byte) any {
	switch v := trim(value); v[0] {
	case 'n':
		return nil
	case 't':
		return true
	case 'f':
		return false
	case '"':
		return string(jsonscan.Unquote(v))
	case '{':
		object := map[string]any{}
		for s := jsonscan.Scan(v); s.Next(); {
			name := string(s.Name)
			object[name] = decode(s.Bytes())
		}
		return object
	case '[':
		array := []any{}
		s := elements(v)
		for s.Element() {
			array = append(array, decode(s.Bytes()))
		}
		return array
	default:
		return json.Number(v)
	}
}

// elements returns a scanner in front of an array's first element: Scan steps over
// the first bracket, whichever it is.
func elements(array []byte) jsonscan.Scanner { return jsonscan.Scan(array) }
