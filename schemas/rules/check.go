package rules

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"kafka-kustomer/internal/jsonscan"
)

// Kind is the kind of a JSON value.
type Kind string

// The kinds of a value, and of none.
const (
	String  Kind = "string"
	Number  Kind = "number"
	Boolean Kind = "boolean"
	Object  Kind = "object"
	Array   Kind = "array"
	Null    Kind = "null"
	Absent  Kind = "absent" // a member that is required
)

// Violation is a value, or its absence, that breaks a rule.
type Violation struct {
	Member string // its path in the patch: subject, custom.tierStr, attachments[2].name
	Kind   Kind   // what was found there
	Rule   string // what Kustomer takes: "a string of at most 256 characters"
}

// String is the violation in one line: "subject (number): a string of at most 256
// characters, or null". It never holds a value.
func (v Violation) String() string { return v.Member + " (" + string(v.Kind) + "): " + v.Rule }

// Breaks reports whether a patch breaks a rule. The patch must be as for [Check].
func Breaks(patch []byte) bool { return check(patch, 0).n > 0 }

// Check returns what in a patch breaks a rule, in the order of the patch and at most
// so many; nil when nothing does. The patch is a JSON object that is known to be
// valid, without id and _clientRef.
func Check(patch []byte, most int) []Violation { return check(patch, most).found }

func check(patch []byte, most int) checker {
	c := checker{patch: patch, most: most}
	s := jsonscan.Scan(patch)
	c.members(&s, item, place{index: -1})
	return c
}

// checker walks a patch to its end, whatever it finds: scanners cannot leave an
// object that they are in, and patches that break many rules are rare.
type checker struct {
	patch []byte
	most  int
	n     int // violations, in found or not
	found []Violation
}

// members checks the members of the object that s has entered.
func (c *checker) members(s *jsonscan.Scanner, r *rule, in place) {
	o := r.members
	n, missing := 0, uint8(1)<<len(o.required)-1
	for ; s.Next(); n++ {
		name := s.Name
		if i := indexOf(o.required, name); i >= 0 {
			missing &^= 1 << i
		}
		c.value(s, o.rule(name), in.member(name))
	}
	if o.most > 0 && n > o.most {
		c.breaks(in, Object, r.text)
	}
	for i, name := range o.required {
		if missing&(1<<i) != 0 {
			c.breaks(in.member([]byte(name)), Absent, "required")
		}
	}
}

// indexOf is slices.Index without a string for the name.
func indexOf(names []string, name []byte) int {
	return slices.IndexFunc(names, func(n string) bool { return n == string(name) })
}

// value checks the value that s is in front of, and passes it.
func (c *checker) value(s *jsonscan.Scanner, r *rule, at place) {
	kind := kindOf(c.patch[s.Pos()])
	switch {
	case r == nil || kind == Null && r.null:
		s.Value()
	case kind != r.kind:
		s.Value()
		c.breaks(at, kind, r.text)
	case r.members != nil:
		s.Enter()
		c.members(s, r, at)
	case r.each != nil:
		s.Enter()
		c.elements(s, r, at)
	default:
		if raw := s.Bytes(); r.holds != nil && !r.holds(raw) {
			c.breaks(at, kind, r.text)
		}
	}
}

// elements checks the elements of the array that s has entered. Whether one is there
// twice is asked of those that break no rule otherwise.
func (c *checker) elements(s *jsonscan.Scanner, r *rule, at place) {
	var few [16]uint64
	good := few[:0]
	for i := 0; s.Element(); i++ {
		start, before := s.Pos(), c.n
		c.value(s, r.each, at.element(i))
		if c.n == before {
			good = append(good, fingerprint(c.patch[start:s.Pos()]))
		}
	}
	slices.Sort(good)
	if len(slices.Compact(good)) < len(good) {
		c.breaks(at, Array, r.text)
	}
}

func (c *checker) breaks(at place, kind Kind, rule string) {
	if c.n++; len(c.found) < c.most {
		c.found = append(c.found, Violation{Member: at.String(), Kind: kind, Rule: rule})
	}
}

func kindOf(first byte) Kind {
	switch first {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Boolean
	case 'n':
		return Null
	}
	return Number
}

// place is where in a patch a value stands: a member of it, an element of that, a
// member of either. No rule is about what is deeper.
type place struct {
	top, inner []byte
	index      int // -1: no element
}

func (p place) member(name []byte) place {
	if p.top == nil {
		p.top = name
	} else {
		p.inner = name
	}
	return p
}

func (p place) element(i int) place {
	p.index = i
	return p
}

func (p place) String() string {
	path := printable(p.top)
	if p.index >= 0 {
		path += "[" + strconv.Itoa(p.index) + "]"
	}
	if p.inner != nil {
		path += "." + printable(p.inner)
	}
	return path
}

// maxName is how many bytes of a name are shown.
const maxName = 64

// printable is a name as it is shown: cut where it is too long, quoted where it is
// no plain word. A name is the producer's, so it may be anything.
func printable(name []byte) string {
	end := len(name)
	if end > maxName {
		for end = maxName; !utf8.RuneStart(name[end]); {
			end--
		}
	}
	text := string(name[:end])
	if text == "" || slices.ContainsFunc([]rune(text), func(c rune) bool { return !isAlphanumeric(c) && c != '_' && c != '-' }) {
		text = strconv.Quote(text)
	}
	if end < len(name) {
		text += "…"
	}
	return text
}
