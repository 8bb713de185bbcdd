package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// terminal is a small terminal: it knows what a screen writes, wraps long lines, and
// like most terminals joins and wraps them anew when it is resized.
type terminal struct {
	t             *testing.T
	width, height int
	rows          []row
	at, column    int
	colours       int // how often one was set
}

type row struct {
	text    string
	wrapped bool // it goes on in the next
}

func (m *terminal) Write(p []byte) (int, error) {
	text := string(p)
	for text != "" {
		if after, ok := strings.CutPrefix(text, "\x1b["); ok {
			end := strings.IndexAny(after, "AJKm")
			if end < 0 {
				m.t.Fatalf("a sequence that no terminal knows: %q", after)
			}
			m.control(after[end], after[:end])
			text = after[end+1:]
			continue
		}
		m.put(text[0])
		text = text[1:]
	}
	return len(p), nil
}

func (m *terminal) control(what byte, number string) {
	switch what {
	case 'A':
		n := 1
		_, _ = fmt.Sscan(number, &n)
		if m.at -= n; m.at < 0 {
			m.t.Errorf("the cursor goes %d rows above the first", -m.at)
			m.at = 0
		}
	case 'K':
		m.rows[m.at].text = m.rows[m.at].text[:min(m.column, len(m.rows[m.at].text))]
	case 'J':
		m.rows = m.rows[:m.at+1]
		m.rows[m.at] = row{text: m.rows[m.at].text[:min(m.column, len(m.rows[m.at].text))]}
	case 'm':
		m.colours++
	}
}

func (m *terminal) put(c byte) {
	switch {
	case c == '\r':
		m.column = 0
		return
	case c == '\n':
		m.at, m.column = m.at+1, 0
	case m.column == m.width:
		m.rows[m.at].wrapped = true
		m.at, m.column = m.at+1, 0
	}
	if m.at == len(m.rows) {
		m.rows = append(m.rows, row{})
	}
	if c != '\n' {
		r := &m.rows[m.at]
		r.text = fmt.Sprintf("%-*s", m.column, r.text)
		r.text = r.text[:m.column] + string(c) + r.text[min(m.column+1, len(r.text)):]
		m.column++
	}
}

// resize joins what was wrapped and wraps it anew. The cursor is at the end.
func (m *terminal) resize(width int) {
	rows := m.rows
	m.rows, m.at, m.column, m.width = []row{{}}, 0, 0, width
	for i, r := range rows {
		for _, c := range []byte(r.text) {
			m.put(c)
		}
		if !r.wrapped && i < len(rows)-1 {
			m.put('\n')
		}
	}
}

func (m *terminal) String() string {
	var b strings.Builder
	for _, r := range m.rows {
		b.WriteString(r.text)
		if !r.wrapped {
			b.WriteString("\n")
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

func newTerminal(t *testing.T, width int) (*terminal, *screen) {
	m := &terminal{t: t, width: width, height: 24, rows: []row{{}}}
	return m, &screen{out: m, size: func() (int, int) { return m.width, m.height }}
}

func (m *terminal) shows(want ...string) {
	m.t.Helper()
	if diff := cmp.Diff(strings.Join(want, "\n"), m.String()); diff != "" {
		m.t.Errorf("the terminal shows something else (-want +got):\n%s", diff)
	}
}

func TestScreenRedrawsInPlace(t *testing.T) {
	m, s := newTerminal(t, 20)
	draw := func(texts ...string) {
		lines := make([]line, len(texts))
		for i, text := range texts {
			lines[i] = line{text: text}
		}
		s.draw(lines, m.width, m.height)
	}
	s.say("begin")
	draw("a long first line, cut", "two", "three")
	m.shows("begin", "a long first line, ", "two", "three")
	draw("short", "2")
	m.shows("begin", "short", "2")
	s.say("said between")
	m.shows("begin", "said between")
	draw("short", "2", "3")
	m.shows("begin", "said between", "short", "2", "3")
	s.clear()
	m.shows("begin", "said between")
	s.clear() // nothing is left to take away
	m.shows("begin", "said between")
}

// Whatever a terminal does to the lines when its size changes, those that were said
// stay, and no part of an old view does.
func TestScreenSurvivesResizing(t *testing.T) {
	m, s := newTerminal(t, 40)
	said := "a line that was said and is to stay"
	s.say("%s", said)
	for _, width := range []int{40, 20, 9, 60, 40, 13, 80} {
		m.resize(width)
		view := strings.Repeat("x", width-1)
		s.draw([]line{{text: view + "cut"}, {text: "end"}}, m.width, m.height)
		m.shows(said, view, "end")
	}
	m.resize(10)
	s.say("more")
	m.shows(said, "more")
}

func TestScreenLeavesOutWhatDoesNotFit(t *testing.T) {
	m, s := newTerminal(t, 20)
	m.height = 3
	s.draw([]line{{text: "1"}, {text: "2"}, {text: "3"}}, m.width, m.height)
	m.shows("1", "2")
	if got := fit("a\x1b[31m\tgröße", 8); got != "a?[31m?g" {
		t.Errorf("words of others are shown as %q", got)
	}
}

func TestScreenColours(t *testing.T) {
	for _, paint := range []bool{true, false} {
		m, s := newTerminal(t, 20)
		s.paint = paint
		s.draw([]line{{text: "fine", colour: green}}, m.width, m.height)
		m.shows("fine")
		if (m.colours > 0) != paint {
			t.Errorf("paint %v: %d colours were set", paint, m.colours)
		}
	}
	t.Setenv("NO_COLOR", "1")
	if s := newScreen(io.Discard, true); s.paint || s.size != nil {
		t.Errorf("with NO_COLOR and no terminal: paint %v, draws %v", s.paint, s.size != nil)
	}
}

func TestWrap(t *testing.T) {
	for text, want := range map[string]string{
		"fits":                        "fits",
		"two words and more":          "two words\n  and more",
		"  - indented words":          "  - indented words", // a mark alone is no place to break at
		"unbreakable-and-long":        "unbreakable-and-long",
		"lines\nare each their own":   "lines\nare each\n  their\n  own",
		"some unbreakable-and-longer": "some\n  unbreakable-and-longer",
	} {
		if got := wrap(text, 10); got != want {
			t.Errorf("wrap(%q) = %q, want %q", text, got, want)
		}
	}
}
