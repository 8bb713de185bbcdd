package workload

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func take(cfg Config, n int) ([]Event, *Truth) {
	g := New(cfg)
	events := make([]Event, n)
	for i := range events {
		events[i] = g.Next(epoch.Add(time.Duration(i) * time.Millisecond))
	}
	return events, g.Truth()
}

// apply is the plainest reading of what the events mean.
func apply(t *testing.T, events []Event) map[string]map[string]string {
	t.Helper()
	states := map[string]map[string]string{}
	for _, e := range events {
		if e.Malformed {
			continue
		}
		var event struct {
			MessageID string
			Changes   map[string]json.RawMessage
		}
		if err := json.Unmarshal(e.Value, &event); err != nil || event.MessageID != e.Message {
			t.Fatalf("%v in %s", err, e.Value)
		}
		if states[e.Message] == nil {
			states[e.Message] = map[string]string{}
		}
		if e.Poison != "" {
			continue
		}
		for name, value := range event.Changes {
			if name != "custom" {
				states[e.Message][name] = string(value)
				continue
			}
			var custom map[string]json.RawMessage
			if err := json.Unmarshal(value, &custom); err != nil {
				t.Fatal(err)
			}
			for name, value := range custom {
				states[e.Message]["custom."+name] = string(value)
			}
		}
	}
	return states
}

func TestTruthIsWhatTheEventsSay(t *testing.T) {
	cfg := Config{Seed: 7, Messages: 50, HotShare: 0.3, Malformed: 0.1, Failing: 0.1, Poison: 0.2, Distinct: true}
	events, truth := take(cfg, 400)
	if diff := cmp.Diff(apply(t, events), truth.States); diff != "" {
		t.Errorf("states (-events +truth):\n%s", diff)
	}
	malformed, dead := 0, 0
	for _, e := range events {
		if e.Malformed {
			malformed++
		}
		if e.Malformed || e.Poison != "" || truth.Failing[e.Message] {
			dead++
		}
	}
	if dead != truth.DeadLetters() {
		t.Errorf("%d events must be dead-lettered, truth %d", dead, truth.DeadLetters())
	}
	if malformed != truth.Malformed || truth.Total+malformed != len(events) || malformed == 0 || len(truth.Failing) == 0 {
		t.Errorf("%d malformed events, truth %d of %d; %d failing messages", malformed, truth.Malformed, truth.Total, len(truth.Failing))
	}
	again, _ := take(cfg, 400)
	if diff := cmp.Diff(events, again); diff != "" {
		t.Errorf("the same configuration made other events:\n%s", diff)
	}
}

func TestDistinctAndInTurn(t *testing.T) {
	events, _ := take(Config{Seed: 1, Messages: 10, InTurn: true, Distinct: true}, 1000)
	seen := map[string]bool{}
	for i, e := range events {
		var event struct{ Changes json.RawMessage }
		if err := json.Unmarshal(e.Value, &event); err != nil {
			t.Fatal(err)
		}
		if seen[string(event.Changes)] {
			t.Fatalf("event %d repeats the change %s", i, event.Changes)
		}
		seen[string(event.Changes)] = true
		if i >= 10 && e.Message != events[i-10].Message || i > 0 && e.Message == events[i-1].Message {
			t.Fatalf("event %d is of message %s, out of turn", i, e.Message)
		}
	}
}

// The judge must find each kind of fault, or all its verdicts are worth nothing.
func TestJudgeFindsFaults(t *testing.T) {
	_, truth := take(Config{Seed: 3, Messages: 200, Failing: 0.2, Poison: 0.8}, 1000)
	states := func() map[string]map[string]string {
		all := map[string]map[string]string{}
		for id, state := range truth.States {
			if !truth.Failing[id] {
				all[id] = map[string]string{}
				for name, value := range state {
					all[id][name] = value
				}
			}
		}
		return all
	}
	var healthy, failing, poison string
	for id, state := range truth.States {
		switch {
		case truth.Failing[id]:
			failing = id
		case len(state) == 0:
			poison = id
		default:
			healthy = id
		}
	}
	for name, test := range map[string]struct {
		spoil func(map[string]map[string]string)
		want  bool
	}{
		"right":                {func(map[string]map[string]string) {}, false},
		"an older value":       {func(s map[string]map[string]string) { s[healthy]["subject"] = `"Re: #0"` }, true},
		"a member missing":     {func(s map[string]map[string]string) { s[healthy] = nil }, true},
		"a member too many":    {func(s map[string]map[string]string) { s[healthy]["custom.fooStr"] = `"x"` }, true},
		"poison only, written": {func(s map[string]map[string]string) { s[poison] = map[string]string{"lang": `"de"`} }, true},
		"a poison mark":        {func(s map[string]map[string]string) { s[healthy]["custom."+PoisonMember] = `"poison-400"` }, true},
		"failing, written":     {func(s map[string]map[string]string) { s[failing] = map[string]string{"subject": `"x"`} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := states()
			test.spoil(s)
			findings := truth.Judge(func(id string) map[string]string { return s[id] })
			if (len(findings) > 0) != test.want {
				t.Errorf("findings %v, want some: %v", findings, test.want)
			}
		})
	}
}

// What is poison can change on the way, and the truth knows of it.
func TestSetPoison(t *testing.T) {
	g := New(Config{Seed: 1, Messages: 10})
	for _, step := range []struct {
		share float64
		dead  int // after ten events
	}{{0, 0}, {1, 10}, {0, 10}} {
		g.SetPoison(step.share)
		for range 10 {
			if e := g.Next(time.Unix(0, 0)); e.DeadLetter != (step.share == 1) || (e.Poison != "") != e.DeadLetter {
				t.Errorf("with a share of %v an event is %+v", step.share, e)
			}
		}
		if got := g.Truth().DeadLetters(); got != step.dead {
			t.Errorf("with a share of %v then, the truth has %d dead letters, want %d", step.share, got, step.dead)
		}
	}
}
