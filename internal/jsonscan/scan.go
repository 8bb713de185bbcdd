package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// Scanner walks the members of one object, and of objects inside it. Between two
// calls of Next it stands in front of a member's value.
type Scanner struct {
	buf []byte
	pos int

	Raw  Span   // the member's name as written, with quotes
	Name []byte // the member's name, unescaped
}

// Span is a part of what is scanned, which is at most 2 GiB.
type Span struct{ start, end int32 }

// Of returns the part of what was scanned.
func (s Span) Of(buf []byte) []byte { return buf[s.start:s.end] }

// Start is the index of the part's first byte.
func (s Span) Start() int { return int(s.start) }

// End is the index after the part's last byte.
func (s Span) End() int { return int(s.end) }

// Scan returns a scanner in front of the object's first member.
func Scan(object []byte) Scanner {
	s := Scanner{buf: object, pos: skipSpace(object, 0)}
	s.Enter()
	return s
}

// Enter goes into the object or array that the scanner is in front of. The caller
// then calls Next, or Element, until it reports the end.
func (s *Scanner) Enter() { s.pos++ }

// Pos is the index of the byte that the scanner is in front of.
func (s *Scanner) Pos() int { return s.pos }

// AtObject reports whether the scanner is in front of an object.
func (s *Scanner) AtObject() bool { return s.buf[s.pos] == '{' }

// AtArray reports whether the scanner is in front of an array.
func (s *Scanner) AtArray() bool { return s.buf[s.pos] == '[' }

// Next reads the next member's name and stops in front of its value, which the
// caller must take with Value, Bytes or Enter. It reports false after the last member,
// having passed the object's end.
func (s *Scanner) Next() bool {
	s.pos = skipSpace(s.buf, s.pos)
	switch s.buf[s.pos] {
	case '}':
		s.pos++
		return false
	case ',':
		s.pos = skipSpace(s.buf, s.pos+1)
	}
	end := skipString(s.buf, s.pos)
	s.Raw = Span{int32(s.pos), int32(end)}
	s.Name = Unquote(s.Raw.Of(s.buf))
	colon := skipSpace(s.buf, end)
	s.pos = skipSpace(s.buf, colon+1)
	return true
}

// Element stops in front of the next element of an array that was entered, for the
// caller to take as after Next. It reports false after the last one, having passed
// the array's end.
func (s *Scanner) Element() bool {
	s.pos = skipSpace(s.buf, s.pos)
	switch s.buf[s.pos] {
	case ']':
		s.pos++
		return false
	case ',':
		s.pos = skipSpace(s.buf, s.pos+1)
	}
	return true
}

// Value returns the value that the scanner is in front of, and passes it.
func (s *Scanner) Value() Span {
	start := s.pos
	s.pos = skipValue(s.buf, start)
	return Span{int32(start), int32(s.pos)}
}

// Bytes returns the bytes of the value that the scanner is in front of, and passes
// it.
func (s *Scanner) Bytes() []byte { return s.Value().Of(s.buf) }

// Unquote returns what a JSON string says. Nearly no name has an escape, and
// then the result is a part of raw.
func Unquote(raw []byte) []byte {
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

// skipString returns the index after the string that starts at i. It goes eight
// bytes at a time: long texts are what makes a patch long, and for short ones the
// call of bytes.IndexByte would cost more than it saves.
func skipString(b []byte, i int) int {
	for i++; ; {
		for len(b)-i >= 8 {
			special := specials(binary.LittleEndian.Uint64(b[i:]))
			if special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
		i++
	}
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
