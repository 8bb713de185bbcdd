package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// accounted is a demo of five events that went right.
type accounted struct {
	d        demo
	stats    kustomersim.Stats
	written  workload.Written
	findings []workload.Finding
	lag      int64
}

func wentRight() *accounted {
	a := &accounted{
		d: demo{
			feed:       &feed{events: workload.New(workload.Config{Seed: 1, Messages: 3})},
			keyRefused: 2,
			verdicts: []verdict{
				{name: "outage", named: "outage (x)", recovered: true},
				{name: "poison", named: "dead letters", gaveUp: 3, guilty: 3, recovered: true},
				{name: "no schemas", named: "registry (x)", alone: true, recovered: true},
			},
		},
		stats: kustomersim.Stats{Breaches: map[string]int64{kustomersim.BreachKey: 2}},
		written: workload.Written{
			Accepted: map[string]int{"op": 1}, Completed: map[string]int{"op": 1}, DeadLetters: map[string]int{}, Updated: map[string]time.Time{},
		},
	}
	for i := range 5 {
		a.d.feed.events.Next(time.Unix(0, 0))
		a.written.Updated[fmt.Sprintf("e-%d", i+1)] = time.Unix(1, 0)
	}
	return a
}

func (a *accounted) wrong() (texts []string) {
	for _, c := range a.d.checks(a.stats, &a.written, a.findings, a.lag) {
		if !c.ok {
			texts = append(texts, c.text)
		}
	}
	return texts
}

// Each check of the account must be able to fail, alone.
func TestAccountFindsWhatIsWrong(t *testing.T) {
	if got := wentRight().wrong(); len(got) > 0 {
		t.Fatalf("a right account has wrong lines: %q", got)
	}
	for name, spoil := range map[string]func(*accounted){
		"a state":                        func(a *accounted) { a.findings = []workload.Finding{{}} },
		"an event without a result":      func(a *accounted) { delete(a.written.Updated, "e-3") },
		"a needless dead letter":         func(a *accounted) { a.written.DeadLetters["t/0/1"] = 1 },
		"no completed event":             func(a *accounted) { delete(a.written.Completed, "op") },
		"two completed events":           func(a *accounted) { a.written.Completed["op"] = 2 },
		"two accepted events":            func(a *accounted) { a.written.Accepted["op"] = 2 },
		"no events at all":               func(a *accounted) { clear(a.written.Accepted); clear(a.written.Completed) },
		"lag":                            func(a *accounted) { a.lag = 1 },
		"a breach of the contract":       func(a *accounted) { a.stats.Breaches["x"] = 1 },
		"a wrong key out of its time":    func(a *accounted) { a.stats.Breaches[kustomersim.BreachKey] = 3 },
		"a field back by order":          func(a *accounted) { a.stats.FieldsBackByOrder = 1 },
		"a field back by stamp":          func(a *accounted) { a.stats.FieldsBackByStamp = 1 },
		"an overtaking change":           func(a *accounted) { a.stats.NewerWhileOpen = 1 },
		"a trouble that was not named":   func(a *accounted) { a.d.verdicts[0].named = "" },
		"an event given up in a trouble": func(a *accounted) { a.d.verdicts[0].gaveUp = 1 },
		"an innocent given up":           func(a *accounted) { a.d.verdicts[1].gaveUp = 4 },
		"a guilty event let through":     func(a *accounted) { a.d.verdicts[1].gaveUp = 2 },
		"all partitions standing":        func(a *accounted) { a.d.verdicts[2].standing = 5 },
		"no way back from a trouble":     func(a *accounted) { a.d.verdicts[0].recovered = false },
	} {
		a := wentRight()
		spoil(a)
		got := a.wrong()
		if len(got) != 1 {
			t.Errorf("%s: wrong lines %q, want one", name, strings.Join(got, "; "))
		}
		var b bytes.Buffer
		if n := writeChecks(&b, a.d.checks(a.stats, &a.written, a.findings, a.lag), a.findings); n != len(got) || strings.Count(b.String(), "  WRONG  ") != n {
			t.Errorf("%s: %d lines counted as wrong in\n%s", name, n, b.String())
		}
	}
}

func TestAccountOfCost(t *testing.T) {
	var b bytes.Buffer
	writeCost(&b, 12000, 3000, kustomersim.Stats{Puts: 125, Poisoned: 3, Gets: 150, ItemsAccepted: 10000, OperationsAccepted: 120, RepliesLost: 2, OperationsOvertaken: 9})
	made := make([]time.Time, 101)
	updated := map[string]time.Time{"e-999": time.Unix(9, 0), "of somebody else": time.Unix(9, 0)}
	for i := range made {
		made[i] = time.Unix(1000, 0)
		updated[fmt.Sprintf("e-%d", 101-i)] = made[i].Add(time.Duration(i+1) * 100 * time.Millisecond)
	}
	made = append(made, time.Unix(1000, 0)) // one that was dead-lettered
	writeLatency(&b, latencies(made, updated))
	writeLatency(&b, nil)
	want := `
12,000 events in 125 requests of 83.3 items, 1.25 looks an operation; 2 replies were lost, 9 operations overtook another
formats    3,000 events were Avro and 9,000 JSON
merging    12,000 events were sent as 10,000 items, which saved 24 requests
requests   125, 3 of them refused for poison; one for each event would be 12,000, and 100 events a request, without merging and if none failed, 120
latency    from event to completed: median 5.1 s, p99 10.0 s, longest 10.1 s, of 101 events
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("the account of cost (-want +got):\n%s", diff)
	}
}

func TestVerdictTellsHowATroubleWent(t *testing.T) {
	for want, v := range map[string]verdict{
		"x: named outage (dial_failed) after 1.2 s; gave up nothing; went on 0.5 s after its end and had caught up after 2.0 s": {
			name: "x", named: "outage (dial_failed)", namedAfter: 1200 * time.Millisecond, wentOn: 500 * time.Millisecond, caughtUp: 2 * time.Second, recovered: true,
		},
		"x: the connector did not name it; gave up 2 events, and 0 were guilty; was not back to normal 1m0s after its end": {name: "x", gaveUp: 2},
		"x: named in the dead letters: a ×1; gave up the 1 guilty events and no other; went on 0.0 s after its end and had caught up after 0.0 s": {
			name: "x", named: "in the dead letters: a ×1", gaveUp: 1, guilty: 1, recovered: true,
		},
		"x: named registry (y) after 1.0 s; the other partitions went on; gave up nothing; went on 0.0 s after its end and had caught up after 0.0 s": {
			name: "x", named: "registry (y)", namedAfter: time.Second, alone: true, recovered: true,
		},
		"x: named registry (y) after 1.0 s; 2 other partitions did not go on; gave up nothing; went on 0.0 s after its end and had caught up after 0.0 s": {
			name: "x", named: "registry (y)", namedAfter: time.Second, alone: true, standing: 2, recovered: true,
		},
	} {
		if diff := cmp.Diff(want, v.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Dead letters name a trouble only when all that have come since are of it.
func TestDeadLettersNameATrouble(t *testing.T) {
	poison := trouble{undeliverable: []string{"bad_request", "item_failed"}}
	before := map[string]int{"bad_request": 2, "other": 1}
	for _, tc := range []struct {
		name  string
		after map[string]int
		want  string
	}{
		{"none", before, ""},
		{"its own", map[string]int{"bad_request": 3, "item_failed": 4, "other": 1}, "in the dead letters: bad_request ×1, item_failed ×4"},
		{"another beside", map[string]int{"bad_request": 3, "other": 2}, ""},
	} {
		if got := namedBy(poison, before, tc.after); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
