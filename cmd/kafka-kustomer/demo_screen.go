package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"
)

// screen shows a view of a few lines: on a terminal redrawn in place, below what
// was said; elsewhere as one line now and then. The lines are plain ASCII, each
// shorter than the terminal is wide, so that none wraps.
type screen struct {
	out   io.Writer
	size  func() (width, height int) // nil: no terminal, or none that can be drawn on
	paint bool                       // colours are welcome

	mu    sync.Mutex // guards what follows
	drawn []int      // the widths of the lines that stand on the terminal
	width int        // of the terminal then
}

const (
	green  = "32"
	yellow = "33"
)

// line is one line of a view.
type line struct{ text, colour string }

// newScreen draws only where out is a terminal and draw is set.
func newScreen(out io.Writer, draw bool) *screen {
	s := &screen{out: out, paint: os.Getenv("NO_COLOR") == ""}
	if f, ok := out.(*os.File); ok && draw && isTerminal(f) && os.Getenv("TERM") != "dumb" {
		s.size = func() (width, height int) {
			width, height, err := term.GetSize(int(f.Fd()))
			if err != nil || width <= 0 || height <= 0 {
				return 80, 24
			}
			return width, height
		}
	}
	return s
}

// say writes lines that stay. On a terminal they are broken between words.
func (s *screen) say(format string, args ...any) {
	s.stay(fmt.Sprintf(format, args...), wrap)
}

// sayAsIs writes lines to be copied.
func (s *screen) sayAsIs(text string) {
	s.stay(text, func(text string, _ int) string { return text })
}

func (s *screen) stay(text string, fold func(text string, width int) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	if s.size != nil {
		width, _ := s.size()
		s.erase(&b, width)
		b.WriteString("\x1b[J")
		text = fold(text, width-1)
	}
	b.WriteString(text + "\n")
	_, _ = io.WriteString(s.out, b.String()) // whoever read it has gone
}

// wrap breaks lines that are longer than the width between words. What follows is
// indented like the line, and a bit more.
func wrap(text string, width int) string {
	lines := strings.Split(text, "\n")
	for i, rest := range lines {
		indent := rest[:len(rest)-len(strings.TrimLeft(rest, " "))] + "  "
		var done strings.Builder
		for len(rest) > width {
			at := strings.LastIndexByte(rest[:width+1], ' ')
			if at <= len(indent) {
				break // one word, longer than the terminal is wide
			}
			done.WriteString(rest[:at] + "\n")
			rest = indent + rest[at+1:]
		}
		lines[i] = done.String() + rest
	}
	return strings.Join(lines, "\n")
}

// update shows the view as it is now. It is drawn again at once after lines that
// stay, as those have erased it.
func (s *screen) update(v *view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == nil {
		if text, ok := v.plain(); ok {
			fmt.Fprintln(s.out, text)
		}
		return
	}
	width, height := s.size()
	if v.due(len(s.drawn) == 0) {
		s.draw(v.lines(width), width, height)
	}
}

// draw replaces the view, in one write so that nothing flickers.
func (s *screen) draw(lines []line, width, height int) {
	var b strings.Builder
	s.erase(&b, width)
	if width != s.width { // or the terminal would go on taking rows for one wrapped line
		b.WriteString("\x1b[J")
	}
	s.width = width
	if len(lines) > height-1 { // more would scroll, and could not be erased
		lines = lines[:max(height-1, 0)]
	}
	for _, l := range lines {
		text := fit(l.text, width-1)
		s.drawn = append(s.drawn, len(text))
		if s.paint && l.colour != "" {
			text = "\x1b[" + l.colour + "m" + text + "\x1b[0m"
		}
		b.WriteString(text + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(s.out, b.String())
}

// erase goes back to where the view begins. On a terminal that has become narrower
// meanwhile its lines have wrapped, and take more rows than they had.
func (s *screen) erase(b *strings.Builder, width int) {
	rows := 0
	for _, drawn := range s.drawn {
		rows += max(1, (drawn+width-1)/width)
	}
	if rows > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r", rows)
	}
	s.drawn = s.drawn[:0]
}

// clear takes the view away.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size == nil || len(s.drawn) == 0 {
		return
	}
	var b strings.Builder
	width, _ := s.size()
	s.erase(&b, width)
	_, _ = io.WriteString(s.out, b.String()+"\x1b[J")
}

// fit cuts text to the width. What is not printable ASCII, such as a word of
// somebody else's in a reason, might be of any width.
func fit(text string, width int) string {
	text = strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if len(text) > width {
		return text[:max(width, 0)]
	}
	return text
}

// clock is the time since the start, for people.
func clock(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
