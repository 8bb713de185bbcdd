package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"kafka-kustomer/internal/canary"
)

// event is one line of "go test -json"; see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// rendering shows the output of "go test -json" as "go test" would, and searches
// it: of a passing package, its last line; of a failed one, what the package and its
// failed tests said. What is no such event is shown as it is.
type rendering struct {
	out      io.Writer
	findings []canary.Finding
	size     int64
	said     map[place]*bytes.Buffer
	line     int // of the output, for what is no event
}

// place is a package, or a test in it.
type place struct{ pkg, test string }

func (p place) String() string {
	if p.test == "" {
		return "output of " + p.pkg
	}
	return "output of " + p.test + " in " + p.pkg
}

func newRendering(out io.Writer) *rendering {
	return &rendering{out: out, said: map[place]*bytes.Buffer{}}
}

func (r *rendering) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.take(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the command's output: %w", err)
		}
	}
}

func (r *rendering) take(line []byte) {
	var e event
	r.line++
	if line[0] != '{' || json.Unmarshal(line, &e) != nil || e.Action == "" {
		r.size += int64(len(line))
		r.search("output", line)
		_, _ = r.out.Write(line)
		return
	}
	p := place{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		_, _ = io.WriteString(r.out, e.Output)
	case "output":
		r.size += int64(len(e.Output))
		r.saidBy(p).WriteString(e.Output)
	case "pass", "skip":
		r.passed(p)
	case "fail":
		r.failed(p)
	}
}

func (r *rendering) saidBy(p place) *bytes.Buffer {
	if r.said[p] == nil {
		r.said[p] = new(bytes.Buffer)
	}
	return r.said[p]
}

func (r *rendering) search(where string, text []byte) {
	found, _, _ := canary.Search(where, bytes.NewReader(text)) // a buffer has no errors
	r.findings = append(r.findings, found...)
}

// passed searches what a test or a package has said, and shows a package's verdict.
func (r *rendering) passed(p place) {
	text := r.saidBy(p).Bytes()
	r.search(p.String(), text)
	delete(r.said, p)
	if p.test != "" {
		return
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") || strings.Contains(line, "[no test") {
			_, _ = io.WriteString(r.out, line)
		}
	}
}

// failed shows what a test or a package has said. A test that has neither passed
// nor failed by the end of its package was cut off, by a panic or a time-out.
func (r *rendering) failed(p place) {
	if p.test == "" {
		for other := range r.said {
			if other.pkg == p.pkg && other.test != "" {
				r.failed(other)
			}
		}
	}
	_, _ = r.out.Write(r.saidBy(p).Bytes())
	delete(r.said, p)
}

// tail keeps what is written to it.
type tail struct {
	text bytes.Buffer
	size int64
}

func (t *tail) Write(p []byte) (int, error) {
	t.size += int64(len(p))
	return t.text.Write(p)
}

func (t *tail) findings() []canary.Finding {
	found, _, _ := canary.Search("stderr", &t.text) // a buffer has no errors
	return found
}
