package mapping

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// What a program says with error, and what jq says of itself, goes to the
// dead-letter topic and to the log, and may quote the record. So neither is ever
// passed on. Of the first, only what stands in the program is shown: its literals,
// with an ellipsis for each value in between. Of the second, only the kind of trouble.

// maxWords bounds the text of a fault.
const maxWords = 500

// message is a text that a program gives to error: its literal parts, with a value
// between each two. One of a single part is literal as a whole.
type message []string

// String is the message without its values.
func (m message) String() string { return strings.Join(m, "…") }

// fits tells whether a text can have come of a message.
func (m message) fits(s string) bool {
	if len(m) == 1 {
		return s == m[0]
	}
	last := len(m) - 1
	s, ok := strings.CutPrefix(s, m[0])
	if !ok {
		return false
	}
	for _, part := range m[1:last] {
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, m[last])
}

// messages finds the texts that a program gives to error: error("..."), and
// "..." | error. The most telling ones come first.
func messages(query *gojq.Query) []message {
	var list []message
	walk(query, func(node any) {
		switch n := node.(type) {
		case *gojq.Func:
			if n.Name == "error" && len(n.Args) == 1 {
				list = append(list, parts(n.Args[0]))
			}
		case *gojq.Query:
			if n.Op == gojq.OpPipe && calls(n.Right, "error") {
				list = append(list, parts(n.Left))
			}
		}
	})
	list = slices.DeleteFunc(list, func(m message) bool { return strings.Join(m, "") == "" })
	slices.SortStableFunc(list, func(a, b message) int {
		return len(strings.Join(b, "")) - len(strings.Join(a, ""))
	})
	return list
}

func calls(q *gojq.Query, name string) bool {
	for q != nil && q.Term == nil && q.Op == gojq.OpPipe {
		q = q.Left
	}
	return q != nil && q.Term != nil && q.Term.Func != nil && q.Term.Func.Name == name && len(q.Term.Func.Args) == 0
}

// parts takes a text apart into what is literal and what is not: a literal,
// one with values in it, and a sum of those.
func parts(q *gojq.Query) message {
	switch {
	case q == nil:
	case q.Op == gojq.OpAdd && q.Term == nil:
		return joined(parts(q.Left), parts(q.Right))
	case q.Term == nil || len(q.Term.SuffixList) > 0:
	case q.Term.Type == gojq.TermTypeQuery:
		return parts(q.Term.Query)
	case q.Term.Str != nil && len(q.Term.Str.Queries) == 0:
		return message{q.Term.Str.Str}
	case q.Term.Str != nil:
		whole := message{""}
		for _, part := range q.Term.Str.Queries {
			whole = joined(whole, parts(part))
		}
		return whole
	}
	return message{"", ""}
}

func joined(a, b message) message {
	last := len(a) - 1
	return slices.Concat(a[:last], message{a[last] + b[0]}, b[1:])
}

// wording says what went wrong in a run, without a value of the record.
func (p *program) wording(err error) string {
	if thrown := gojq.ValueError(nil); errors.As(err, &thrown) {
		return bounded(p.thrown(thrown.Value()))
	}
	return bounded("the program failed: " + trouble(err.Error()))
}

// thrown words what the program gave to error.
func (p *program) thrown(v any) string {
	said, ok := v.(string)
	if !ok {
		return "the program called error with a value that is no text, which is not shown"
	}
	for _, m := range p.messages {
		if m.fits(said) {
			return "the program called error: " + m.String()
		}
	}
	return "the program called error with a text that is not written in it, and so is not shown"
}

const types = `(?:null|boolean|number|string|array|object)`

// troubles are the beginnings of what jq says, up to where it may quote a value. What
// is in parentheses is kept.
var troubles = []*regexp.Regexp{
	regexp.MustCompile(`^(expected (?:an? (?:object|array|string for object key|number for indexing an array|number for indexing a string)|"start" and "end" for slicing) but got: ` + types + `)\b`),
	regexp.MustCompile(`^(cannot (?:iterate over|[a-z]+): ` + types + `)\b`),
	regexp.MustCompile(`^(cannot (?:divide|modulo) ` + types + `) \(`),
	regexp.MustCompile(`^(invalid path (?:on iterating )?against: ` + types + `)\b`),
	regexp.MustCompile(`^(@[a-z0-9]+ cannot format an array including: ` + types + `)\b`),
	regexp.MustCompile(`^(@?[a-z_0-9]+ cannot be applied to: ` + types + `)\b`),
	regexp.MustCompile(`^(@?[a-z_0-9]+ cannot be applied to) `),
	regexp.MustCompile(`^(@?[a-z_0-9]+)\(`),
	regexp.MustCompile(`^(array index should not be negative|array index too large|repeat string result too large|flatten depth should not be negative|format not defined|length mismatch|number of seconds is out of range|number is out of range|expected an array of 8 numbers)`),
}

// trouble names the kind of an error of jq.
func trouble(said string) string {
	for _, re := range troubles {
		if m := re.FindStringSubmatch(said); m != nil {
			if strings.HasSuffix(m[0], "(") && !strings.Contains(m[1], " ") {
				return m[1] + " cannot be applied"
			}
			return m[1]
		}
	}
	return "jq has words for it that may quote the record, and are not shown"
}

// bounded cuts a text, at a character's end.
func bounded(s string) string {
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + "…"
}
