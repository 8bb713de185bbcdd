package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kafka-kustomer/internal/admin"
)

const (
	drawEvery = 200 * time.Millisecond
	sayEvery  = 2 * time.Second // where nothing is redrawn
	rateOver  = 3 * time.Second // rates are of this last time
	callsOver = 15 * time.Second
	newsAfter = 10 // looks: what is over sooner is no news
)

// view is the last seconds' looks, and how they are shown. The watch adds to it and
// hands it to the screen, all in one goroutine.
type view struct {
	started time.Time
	budget  int // requests a minute
	looks   []look
	shown   time.Time
	said    string // the readiness that was shown last
	says    string // that of the last look
	saysFor int    // looks that it has been the same
}

func (v *view) add(l look) {
	if says := summary(l.ready); says == v.says {
		v.saysFor++
	} else {
		v.says, v.saysFor = says, 1
	}
	v.looks = append(v.looks, l)
	if keep := int(callsOver/lookEvery) + 1; len(v.looks) > keep {
		v.looks = v.looks[len(v.looks)-keep:]
	}
}

func (v *view) now() look { return v.looks[len(v.looks)-1] }

// rate is how much a number has grown a second over the last span, or over as much
// of it as there is.
func (v *view) rate(span time.Duration, of func(look) float64) float64 {
	now := v.now()
	for _, l := range v.looks {
		if past := now.at.Sub(l.at); past <= span && past > 0 {
			return (of(now) - of(l)) / past.Seconds()
		}
	}
	return 0
}

// due reports whether it is time to draw again.
func (v *view) due(missing bool) bool {
	if at := v.now().at; missing || at.Sub(v.shown) >= drawEvery {
		v.shown = at
		return true
	}
	return false
}

func (v *view) callsPerMinute() float64 {
	return 60 * v.rate(callsOver, func(l look) float64 { return float64(l.api.Puts + l.api.Gets) })
}

// merged is how many events an item of a request holds.
func merged(l look) string {
	c := l.core.Counts
	if l.api.ItemsAccepted == 0 || c.Completed == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(c.Completed+c.DeadLettered)/float64(l.api.ItemsAccepted))
}

// plain is the view as one line, when it is time for one: now and then, and at once
// when the connector says something new of itself.
func (v *view) plain() (string, bool) {
	l := v.now()
	every := sayEvery
	if l.progress < 0 { // it may stay up for hours
		every = 5 * sayEvery
	}
	news := v.says != v.said && v.saysFor >= newsAfter
	if !news && l.at.Sub(v.shown) < every {
		return "", false
	}
	v.shown, v.said = l.at, v.says
	c := l.core.Counts
	return fmt.Sprintf("%5s  produced %6d  completed %6d  dead-lettered %3d  open %5d   requests %4.0f/min  events an item %s  operations open %2d   %s",
		clock(l.at.Sub(v.started)), l.produced, c.Completed, c.DeadLettered, c.Open, v.callsPerMinute(), merged(l), l.core.Operations, v.says), true
}

// lines is the view for a terminal of that width.
func (v *view) lines(width int) (lines []line) {
	l := v.now()
	c := l.core.Counts
	perSecond := func(of func(look) float64) string { return thousands(int(max(0, v.rate(rateOver, of))+0.5)) + "/s" }
	lines = append(lines, line{}, line{text: v.head(l, width)})
	lines = append(lines, flow(width, "events", "   ",
		fmt.Sprintf("produced %s (%s)", thousands(l.produced), perSecond(func(l look) float64 { return float64(l.produced) })),
		thousands(l.avro)+" in Avro",
		fmt.Sprintf("completed %s (%s)", thousands(int(c.Completed)), perSecond(func(l look) float64 { return float64(l.core.Counts.Completed) })),
		"dead-lettered "+thousands(int(c.DeadLettered)),
		"open "+thousands(int(c.Open)))...)
	lines = append(lines, flow(width, "requests", "   ",
		fmt.Sprintf("%s a minute of %s", thousands(int(v.callsPerMinute()+0.5)), thousands(v.budget)),
		merged(l)+" events merged in an item",
		fmt.Sprintf("operations open %d", l.core.Operations))...)
	lines = append(lines, flow(width, "simulator", " ", words(l.doing)...)...)
	return append(lines, connectorSays(l, width)...)
}

// head is the time and, where there is an end, how near it is.
func (v *view) head(l look, width int) string {
	head := "kafka-kustomer demo  " + clock(l.at.Sub(v.started))
	cells := min(width-len(head)-12, 60)
	if l.progress < 0 || cells < 5 {
		return head
	}
	done := min(l.progress, 1)
	full := int(done * float64(cells))
	return fmt.Sprintf("%s  [%s%s] %3.0f%%", head, strings.Repeat("=", full), strings.Repeat(" ", cells-full), done*100)
}

// connectorSays is what the connector itself says of how it is.
func connectorSays(l look, width int) (lines []line) {
	if len(l.ready.Reasons) == 0 && l.ready.Ready {
		return []line{{text: label("connector") + "ready", colour: green}}
	}
	first := label("connector") + summary(l.ready)
	for i, r := range l.ready.Reasons {
		if i > 0 {
			first = label("") + title(r)
		}
		text := first
		if !r.Since.IsZero() {
			text += ", for " + l.at.Sub(r.Since).Truncate(time.Second).String()
		}
		if r.Until.After(l.at) {
			text += ", next try in " + r.Until.Sub(l.at).Round(100*time.Millisecond).String()
		}
		lines = append(lines, line{text: text, colour: yellow})
		lines = append(lines, flow(width, "", " ", words(r.Text)...)...)
		if r.Check != "" {
			lines = append(lines, flow(width, "", " ", words("check: "+r.Check)...)...)
		}
	}
	return lines
}

// summary is a readiness in a few words.
func summary(r admin.Readiness) string {
	ready := "NOT READY"
	if r.Ready {
		ready = "ready"
	}
	if len(r.Reasons) == 0 {
		return ready
	}
	return ready + ": " + title(r.Reasons[0])
}

func title(r admin.Reason) string { return r.Kind + " (" + r.Code + ")" }

func label(name string) string { return fmt.Sprintf("%-11s", name) }

// words makes pieces of a text that flow takes one by one.
func words(text string) []string { return strings.Fields(text) }

// flow writes pieces behind a label, on as many lines as they need.
func flow(width int, name, between string, pieces ...string) (lines []line) {
	text, empty := label(name), true
	for _, p := range pieces {
		if !empty && len(text)+len(between)+len(p) >= width {
			lines = append(lines, line{text: text})
			text, empty = label(""), true
		}
		if !empty {
			text += between
		}
		text, empty = text+p, false
	}
	return append(lines, line{text: text})
}

// thousands writes 12345 as 12,345.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
