package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/kustomersim"
)

// seen is a view in which, over ten seconds, a thousand events a second were made and
// half as many completed, in 300 calls a minute.
func seen(ready admin.Readiness) *view {
	started := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	v := &view{started: started, budget: 1500, shown: started, said: "ready"}
	for i := range 101 {
		v.add(look{
			at: started.Add(time.Duration(i) * lookEvery), produced: 100 * i, avro: 25 * i, progress: float64(i) / 200,
			core:  batcher.Snapshot{Counts: batcher.Counts{Completed: uint64(50 * i), DeadLettered: 7, Open: uint64(50 * i)}, Operations: 3},
			api:   kustomersim.Stats{Puts: int64(i / 4), Gets: int64(i / 4), ItemsAccepted: int64(40 * i)},
			ready: ready, doing: "works; operations end out of order",
		})
	}
	return v
}

func text(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

func inOutage() admin.Readiness {
	since := time.Date(2026, 11, 25, 12, 0, 6, 0, time.UTC)
	return admin.Readiness{Reasons: []admin.Reason{{
		Kind: "outage", Code: "server_error", Since: since, Until: since.Add(5500 * time.Millisecond),
		Text: "HTTP 503 Service Unavailable; check Kustomer's status page if it goes on", Check: "the weather",
	}, {Kind: "quota", Code: "limited", Text: "used up"}}}
}

func TestViewWide(t *testing.T) {
	want := `
kafka-kustomer demo  0:10  [==============================                              ]  50%
events     produced 10,000 (1,000/s)   2,500 in Avro   completed 5,000 (500/s)   dead-lettered 7   open 5,000
requests   300 a minute of 1,500   1.25 events merged in an item   operations open 3
simulator  works; operations end out of order
connector  NOT READY: outage (server_error), for 4s, next try in 1.5s
           HTTP 503 Service Unavailable; check Kustomer's status page if it goes on
           check: the weather
           quota (limited)
           used up
`
	if diff := cmp.Diff(want, text(seen(inOutage()).lines(200))); diff != "" {
		t.Errorf("the view (-want +got):\n%s", diff)
	}
}

func TestViewNarrow(t *testing.T) {
	want := `
kafka-kustomer demo  0:10  [==========           ]  50%
events     produced 10,000 (1,000/s)   2,500 in Avro
           completed 5,000 (500/s)   dead-lettered 7
           open 5,000
requests   300 a minute of 1,500
           1.25 events merged in an item
           operations open 3
simulator  works; operations end out of order
connector  ready
`
	if diff := cmp.Diff(want, text(seen(admin.Readiness{Ready: true}).lines(58))); diff != "" {
		t.Errorf("the view (-want +got):\n%s", diff)
	}
	for width := 45; width < 120; width++ {
		for _, l := range seen(inOutage()).lines(width) {
			if len(l.text) >= width && !strings.HasPrefix(l.text, "connector") { // the screen cuts that one
				t.Errorf("at width %d a line has %d cells: %q", width, len(l.text), l.text)
			}
		}
	}
}

func TestViewPlain(t *testing.T) {
	v := seen(admin.Readiness{Ready: true})
	got, ok := v.plain()
	want := " 0:10  produced  10000  completed   5000  dead-lettered   7  open  5000   requests  300/min  events an item 1.25  operations open  3   ready"
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("the line (-want +got):\n%s", diff)
	}
	next := v.now()
	add := func(after time.Duration, ready admin.Readiness) (said []string) {
		for end := next.at.Add(after); next.at.Before(end); {
			next.at, next.ready = next.at.Add(lookEvery), ready
			v.add(next)
			if s, ok := v.plain(); ok {
				said = append(said, strings.TrimSpace(s[:5])+s[strings.LastIndex(s, "   "):])
			}
		}
		return said
	}
	for _, step := range []struct {
		name  string
		after time.Duration
		ready admin.Readiness
		want  []string
	}{
		{"now and then", 4 * time.Second, admin.Readiness{Ready: true}, []string{"0:12   ready", "0:14   ready"}},
		{"a moment is no news", 500 * time.Millisecond, inOutage(), nil},
		{"nor is its end", time.Second, admin.Readiness{Ready: true}, nil},
		{"news is told when it has lasted", 1500 * time.Millisecond, inOutage(), []string{"0:16   NOT READY: outage (server_error)"}},
	} {
		if diff := cmp.Diff(fmt.Sprint(step.want), fmt.Sprint(add(step.after, step.ready))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestViewWithoutAnEnd(t *testing.T) {
	v := seen(admin.Readiness{Ready: true})
	last := v.now()
	last.progress = -1
	v.looks[len(v.looks)-1] = last
	if got := v.head(last, 80); got != "kafka-kustomer demo  0:10" {
		t.Errorf("the head is %q, want no bar", got)
	}
	if got := v.head(look{at: last.at, progress: 2}, 80); !strings.HasSuffix(got, "=] 100%") {
		t.Errorf("more than all is shown as %q", got)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234: "-1,234", -123: "-123", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
}
