package batcher

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// scanner walks the members of one JSON object that is known to be valid, and
// of objects inside it, without copying. It is not a decoder: validity, UTF-8
// and duplicate names were checked once when the event was decoded, and
// checking them again with a tokenizer would cost several times as much as the
// whole fold. On invalid JSON its results mean nothing, and it may panic.
type scanner struct {
	buf []byte
	pos int

	raw  span   // the member's name as written, with quotes
	name []byte // the member's name, unescaped
}

// span is a part of a buffer. Patches are records of Kafka: below 2 GiB.
type span struct{ start, end int32 }

// of returns the part of the buffer.
func (s span) of(buf []byte) []byte { return buf[s.start:s.end] }

// scan returns a scanner in front of the object's first member.
func scan(object []byte) scanner {
	s := scanner{buf: object, pos: skipSpace(object, 0)}
	s.enter()
	return s
}

// enter goes into the object that the scanner is in front of. The caller then
// calls next until it reports the object's end.
func (s *scanner) enter() { s.pos++ }

// atObject reports whether the scanner is in front of an object.
func (s *scanner) atObject() bool { return s.buf[s.pos] == '{' }

// next reads the next member's name and stops in front of its value, which the
// caller must take with value or enter. It reports false after the last member,
// having passed the object's end.
func (s *scanner) next() bool {
	s.pos = skipSpace(s.buf, s.pos)
	switch s.buf[s.pos] {
	case '}':
		s.pos++
		return false
	case ',':
		s.pos = skipSpace(s.buf, s.pos+1)
	}
	end := skipString(s.buf, s.pos)
	s.raw = span{int32(s.pos), int32(end)}
	s.name = unquote(s.raw.of(s.buf))
	colon := skipSpace(s.buf, end)
	s.pos = skipSpace(s.buf, colon+1)
	return true
}

// value returns the value that the scanner is in front of, and passes it.
func (s *scanner) value() span {
	start := s.pos
	s.pos = skipValue(s.buf, start)
	return span{int32(start), int32(s.pos)}
}

// unquote returns what a JSON string says. Nearly no name has an escape, and
// then the result is a part of raw.
func unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	name, _ := jsontext.AppendUnquote(nil, raw) // fails on invalid strings only
	return name
}

// skipSpace returns the index of the first byte from i on that is not white
// space. Outside of strings nothing else in JSON is as low as a blank.
func skipSpace(b []byte, i int) int {
	for b[i] <= ' ' {
		i++
	}
	return i
}

// skipString returns the index after the string that starts at i. It jumps from
// quote to quote, because long texts are what makes a patch long.
func skipString(b []byte, i int) int {
	for start := i + 1; ; {
		i += 1 + bytes.IndexByte(b[i+1:], '"')
		if b[i-1] != '\\' || !escaped(b[start:i]) {
			return i + 1
		}
	}
}

// escaped reports whether what stands after text, inside of a string, is
// escaped: an odd number of backslashes does that.
func escaped(text []byte) bool {
	return (len(text)-len(bytes.TrimRight(text, `\`)))%2 == 1
}

// skipValue returns the index after the value that starts at i.
func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

// skipNested returns the index after the object or array that starts at i. In
// valid JSON brackets match, so counting them is enough.
func skipNested(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
		i++
	}
}

// member is one member of an object: its name as first written, with quotes,
// the same unescaped, and its value as last written.
type member struct {
	raw, name, value []byte
}

// appendName appends all that stands before the value of the member with
// index i.
func (m *member) appendName(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return append(append(dst, m.raw...), ':')
}

// Up to manyMembers are compared one by one, which is quicker than hashing.
// Beyond, a hot message that collects hundreds of keys would make each change
// cost as much as all before it.
const (
	fewMembers  = 8
	manyMembers = 16
)

// members is an object taken apart: its members in order of first appearance.
type members struct {
	list   []member
	byName map[string]int // nil up to manyMembers
	bytes  int            // of names, colons and values
}

// find returns the index of the member with an unescaped name, or -1.
func (o *members) find(name []byte) int {
	if o.byName != nil {
		if at, ok := o.byName[string(name)]; ok {
			return at
		}
		return -1
	}
	for i := range o.list {
		if bytes.Equal(o.list[i].name, name) {
			return i
		}
	}
	return -1
}

// replace gives the member at index at a new value.
func (o *members) replace(at int, value []byte) {
	m := &o.list[at]
	o.bytes += len(value) - len(m.value)
	m.value = value
}

// append adds a member of a name that is not there.
func (o *members) append(m member) {
	if o.list == nil {
		o.list = make([]member, 0, fewMembers)
	}
	o.list = append(o.list, m)
	o.bytes += len(m.raw) + len(":") + len(m.value)
	if o.byName != nil {
		o.byName[string(m.name)] = len(o.list) - 1
		return
	}
	o.index()
}

// index makes byName if there are many members.
func (o *members) index() {
	if len(o.list) <= manyMembers {
		return
	}
	o.byName = make(map[string]int, 2*len(o.list))
	for i := range o.list {
		o.byName[string(o.list[i].name)] = i
	}
}

// size is the length of what appendTo appends.
func (o *members) size() int {
	return len("{}") + o.bytes + max(0, len(o.list)-1)
}

// appendTo appends the object.
func (o *members) appendTo(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range o.list {
		dst = append(o.list[i].appendName(dst, i), o.list[i].value...)
	}
	return append(dst, '}')
}
