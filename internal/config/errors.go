package config

import (
	"fmt"
	"slices"
	"strings"
)

// Error is one fault of a configuration, and where it is.
type Error struct {
	File   string // as passed to Load or Parse
	Line   int    // from 1; 0 when the fault is the file's as a whole
	Column int    // from 1, in characters
	Key    string // path of the key, such as source.topics[1]; empty when it is no key's fault
	Text   string // what is wrong and what would be right; never a secret's value
}

// Error returns file:line:column: key: text.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	b.WriteString(": " + e.Text)
	return b.String()
}

// Errors are all faults of a configuration in file order; never empty when
// returned as an error.
type Errors []Error

// Error returns one fault per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns e in file order, as an error that is nil when there is none.
func (e Errors) sorted() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return e
}
