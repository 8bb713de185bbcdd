package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The bounds of what is plain.
const (
	plainDepth   = 64 // of nested objects and arrays
	plainNames   = 32 // of one object: each is compared with those before it
	plainNesting = 128
	outlineDepth = 2
)

// Plain reports whether b is one JSON value that is valid beyond doubt: its syntax
// and its UTF-8 are right, no name is twice in one object, and nothing in it is
// unusual. What is not plain may be valid all the same: jsontext has the word then,
// as it has on what exactly is wrong. Nearly every event and every reply is plain,
// and this takes a third of the time that reading it as tokens does.
func Plain(b []byte) bool {
	var p plain
	return p.whole(b)
}

// Member is a member of an object, by where it stands.
type Member struct {
	Name  Span // as written, with quotes; in what is plain, nothing in it is escaped
	Value Span
	// Inside are the members of the value where that is an object, which follow the
	// member itself.
	Inside int
}

// Outline is the members of a plain object, and of the objects in those, in the
// order in which they stand. It is to be used again.
type Outline struct {
	Members []Member
	plain   plain
}

// Read reads a value, and reports whether it is a plain object. The outline means
// nothing otherwise.
func (o *Outline) Read(b []byte) bool {
	o.Members = o.Members[:0]
	o.plain.outline = &o.Members
	o.plain.n = 0
	return o.plain.whole(b) && b[o.plain.space(0)] == '{'
}

// plain reads one value. Its methods take the index at which something begins and
// return the index after it, or -1 when that is not plain.
type plain struct {
	b       []byte
	names   [plainNesting]Span // of the objects that are open, the innermost last
	n       int
	outline *[]Member // nil: none is wanted
}

func (p *plain) whole(b []byte) bool {
	p.b = b
	end := p.value(p.space(0), 0)
	return end > 0 && p.space(end) == len(b)
}

func (p *plain) at(i int) byte {
	if uint(i) < uint(len(p.b)) {
		return p.b[i]
	}
	return 0
}

func (p *plain) space(i int) int {
	for uint(i) < uint(len(p.b)) && (p.b[i] == ' ' || p.b[i] == '\n' || p.b[i] == '\r' || p.b[i] == '\t') {
		i++
	}
	return i
}

func (p *plain) value(i, depth int) int {
	switch c := p.at(i); {
	case c == '"':
		return p.text(i)
	case c == '{' && depth < plainDepth:
		return p.object(i, depth+1)
	case c == '[' && depth < plainDepth:
		return p.array(i, depth+1)
	case c == '-' || c >= '0' && c <= '9':
		return p.number(i)
	case c == 't':
		return p.word(i, "true")
	case c == 'f':
		return p.word(i, "false")
	case c == 'n':
		return p.word(i, "null")
	}
	return -1
}

func (p *plain) word(i int, w string) int {
	if len(p.b)-i >= len(w) && string(p.b[i:i+len(w)]) == w {
		return i + len(w)
	}
	return -1
}

func (p *plain) object(i, depth int) int {
	first := p.n
	if i = p.space(i + 1); p.at(i) == '}' {
		return i + 1
	}
	for {
		if i = p.member(i, depth, first); i < 0 {
			return -1
		}
		switch i = p.space(i); p.at(i) {
		case ',':
			i = p.space(i + 1)
		case '}':
			p.n = first
			return i + 1
		default:
			return -1
		}
	}
}

// member reads a name and its value, and puts them into the outline.
func (p *plain) member(i, depth, first int) int {
	if i = p.name(i, first); i < 0 {
		return -1
	}
	if i = p.space(i); p.at(i) != ':' {
		return -1
	}
	i = p.space(i + 1)
	if p.outline == nil || depth > outlineDepth {
		return p.value(i, depth)
	}
	at := len(*p.outline)
	*p.outline = append(*p.outline, Member{Name: p.names[p.n-1]})
	end := p.value(i, depth)
	m := &(*p.outline)[at]
	m.Value = Span{int32(i), int32(end)}
	m.Inside = len(*p.outline) - at - 1
	return end
}

func (p *plain) array(i, depth int) int {
	if i = p.space(i + 1); p.at(i) == ']' {
		return i + 1
	}
	for {
		if i = p.value(i, depth); i < 0 {
			return -1
		}
		switch i = p.space(i); p.at(i) {
		case ',':
			i = p.space(i + 1)
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

// name reads the name of a member of the object whose names begin at first. With an
// escape in it, it would have to be read before it can be compared.
func (p *plain) name(i, first int) int {
	if p.at(i) != '"' || p.n-first >= plainNames || p.n == len(p.names) {
		return -1
	}
	end := p.text(i)
	if end < 0 {
		return -1
	}
	name := p.b[i:end]
	if bytes.IndexByte(name, '\\') >= 0 {
		return -1
	}
	for _, other := range p.names[first:p.n] {
		if bytes.Equal(other.Of(p.b), name) {
			return -1
		}
	}
	p.names[p.n] = Span{int32(i), int32(end)}
	p.n++
	return end
}

// text reads a string, eight bytes at a time where nothing in it is special.
func (p *plain) text(i int) int {
	for i++; ; {
		for len(p.b)-i >= 8 {
			special := specials(binary.LittleEndian.Uint64(p.b[i:]))
			if special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		switch c := p.at(i); {
		case c == '"':
			return i + 1
		case c == '\\':
			if bytes.IndexByte([]byte(`"\/bfnrt`), p.at(i+1)) < 0 {
				return -1
			}
			i += 2
		case c < ' ': // the end of b, too
			return -1
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(p.b[i:])
			if r == utf8.RuneError && n == 1 {
				return -1
			}
			i += n
		}
	}
}

// specials returns a word in which the lowest bit set is in the first byte of x that
// ends a string, begins an escape, is a control character or no ASCII; 0 where there
// is none. What is set above that says nothing.
func specials(x uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^(ones*'"'), x^(ones*'\\')
	return ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*' ')&^x | x) & tops
}

func (p *plain) number(i int) int {
	if p.at(i) == '-' {
		i++
	}
	switch c := p.at(i); {
	case c == '0':
		i++
	case c >= '1' && c <= '9':
		i = p.digits(i)
	default:
		return -1
	}
	if p.at(i) == '.' {
		if i = p.digits(i + 1); i < 0 {
			return -1
		}
	}
	if c := p.at(i); c == 'e' || c == 'E' {
		if i++; p.at(i) == '+' || p.at(i) == '-' {
			i++
		}
		return p.digits(i)
	}
	return i
}

// digits reads one digit or more.
func (p *plain) digits(i int) int {
	first := i
	for c := p.at(i); c >= '0' && c <= '9'; c = p.at(i) {
		i++
	}
	if i == first {
		return -1
	}
	return i
}
