//go:build kafka && linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// hostile is an API with every fault at once, and events of which some are
// poison.
func hostile(n int) (workload.Config, kustomersim.Script) {
	script := badDay()
	script.Faults = []kustomersim.Fault{
		{Kind: kustomersim.FaultStatus, Status: 429, Share: 0.03, RetryAfter: "1"},
		{Kind: kustomersim.FaultStatus, Status: 500, Body: "json", Share: 0.02},
		{Kind: kustomersim.FaultStatus, Status: 502, Body: "html", Share: 0.01, Accept: kustomersim.AcceptFirst, On: "put"},
		{Kind: kustomersim.FaultCutAfter, On: "put", Share: 0.02},
		{Kind: kustomersim.FaultCutBefore, Share: 0.02},
		{Kind: kustomersim.FaultCutBody, Share: 0.01},
	}
	script.Quota = kustomersim.Quota{PerMinute: 60_000, ResetAlways: true}
	script.ItemFailures = 0.0005
	script.Poison = kustomersim.MarkedPoison()
	kinds := []string{workload.Poison400, workload.Poison422, workload.Poison400, workload.Poison422, workload.PoisonItem}
	return workload.Config{
		Messages: max(500, n/20), HotShare: 0.1, Malformed: 0.0005, Poison: 0.0025, PoisonKinds: kinds,
	}, script
}

// Every fault at once: only the guilty events are dead-lettered, each of them
// once.
func TestHostile(t *testing.T) {
	t.Parallel()
	n := envInt(t, "E2E_HOSTILE", 6000)
	events, script := hostile(n)
	w := newWorld(t, events, script)
	w.pace = "auto"
	w.produce(n)
	begun := time.Now()
	c := w.connector("hostile", "")
	w.awaitNoLag(3*time.Minute + time.Duration(n)*20*time.Millisecond)
	t.Logf("%d events in %v; VmHWM %d MiB", n, time.Since(begun).Round(time.Second), c.memory("VmHWM")>>20)
	c.term()
	stats, got := w.check()
	once(t, got)
	wantTrouble(t, stats)
	t.Logf("dead letters by reason %v; %d PUTs refused for poison, by items %v", got.Reasons, stats.Poisoned, stats.PoisonedFill)
}

// once checks that no event has two dead letters.
func once(t *testing.T, got *workload.Written) {
	t.Helper()
	for p, n := range got.DeadLetters {
		if n > 1 {
			t.Errorf("record %s has %d dead letters", p, n)
		}
	}
}

// wantTrouble checks that the day was as bad as it was meant to be.
func wantTrouble(t *testing.T, stats kustomersim.Stats) {
	t.Helper()
	for _, kind := range []kustomersim.FaultKind{kustomersim.FaultStatus, kustomersim.FaultCutAfter, kustomersim.FaultCutBefore, kustomersim.FaultCutBody} {
		if stats.Faults[kind] == 0 {
			t.Errorf("no fault of the kind %s happened", kind)
		}
	}
	if stats.Poisoned == 0 || stats.OperationsOvertaken == 0 || stats.RepliesLost == 0 {
		t.Errorf("%d requests with poison, %d operations overtook another, %d replies lost: not hostile enough",
			stats.Poisoned, stats.OperationsOvertaken, stats.RepliesLost)
	}
}

// The same, while three members are killed, stopped, and restarted in turn.
// A crash may repeat a dead letter; nothing else may go wrong.
func TestHostileMembers(t *testing.T) {
	t.Parallel()
	span := envDuration(t, "E2E_CHAOS", 75*time.Second)
	standstill := min(90*time.Second, span/4)
	events, script := hostile(40_000)
	w := newWorld(t, events, script)
	w.pace, w.redelivers = "auto", true
	stop := w.load(60)
	random := rand.New(rand.NewPCG(seed, 7))
	members := make([]*process, 3)
	for i := range members {
		members[i] = w.connector(fmt.Sprint("member", i), "")
	}
	w.api.awaitItems(takeover, 500)
	kills, stops, terms := 0, 0, 0
	for end := time.Now().Add(span); time.Now().Before(end); {
		i := (kills + stops + terms) % len(members)
		m := members[i]
		switch (kills + stops + terms) % 4 {
		case 0, 3:
			m.kill()
			kills++
			pass(t, time.Duration(random.Int64N(int64(5*time.Second))))
			members[i] = w.connector(fmt.Sprint("member", i), "")
		case 1:
			m.signal(syscall.SIGSTOP)
			pass(t, standstill)
			m.signal(syscall.SIGCONT)
			stops++
		case 2:
			m.term()
			terms++
			members[i] = w.connector(fmt.Sprint("member", i), "")
		}
		pass(t, time.Duration(random.Int64N(int64(5*time.Second))))
	}
	stop()
	t.Logf("%d kills, %d stops for %v, %d orderly ends", kills, stops, standstill, terms)
	w.awaitNoLag(takeover + 5*time.Minute)
	for _, m := range members {
		m.term()
	}
	stats, got := w.check()
	wantTrouble(t, stats)
	t.Logf("dead letters by reason %v", got.Reasons)
}

// What goes wrong at Kustomer's, one after the other: each has its reason in the
// log and in /readyz, nothing is lost or given up, and it goes on by itself.
func TestReasons(t *testing.T) {
	t.Parallel()
	each := envDuration(t, "E2E_OUTAGE", 20*time.Second) / 2
	w := newWorld(t, workload.Config{Messages: 20_000, HotShare: 0.1}, calm(), "--key", rightKey)
	gate := openGate(t, w.api.url)
	w.baseURL = gate.url()
	stop := w.load(500)
	c := w.connector("patient", "")
	w.api.awaitItems(time.Minute, 1000)
	awaitReady(t, c)
	before := c.memory("VmRSS")
	with := func(edit func(*kustomersim.Script)) func() {
		return func() { script := calm(); edit(&script); w.api.setScript(script) }
	}
	for _, trouble := range []struct {
		name, kind, code string
		person           bool
		begin, end       func()
	}{
		// Whether it is a PUT or a look that meets it first depends on what is open.
		{"the API is down", "outage|unreadable", "dial_failed|connection_lost", false, gate.shut, gate.open},
		{"a 429 storm", "quota", "limited", false, with(func(s *kustomersim.Script) {
			s.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultStatus, Status: 429, Body: "json", Share: 1}}
		}), with(func(*kustomersim.Script) {})},
		{"the key is revoked", "configuration", "unauthorized", true, with(func(s *kustomersim.Script) { s.Key = "new" }), func() { w.setKey("new") }},
		{"the role to write is missing", "configuration", "forbidden", true, with(func(s *kustomersim.Script) { s.Key, s.Deny = "new", kustomersim.DenyWrite }), with(func(s *kustomersim.Script) { s.Key = "new" })},
		{"the role to read is missing", "unreadable", "forbidden", true, with(func(s *kustomersim.Script) { s.Key, s.Deny = "new", kustomersim.DenyRead }), with(func(s *kustomersim.Script) { s.Key = "new" })},
		{"the key is of another region", "configuration", "wrong_region", true, with(func(s *kustomersim.Script) { s.Key, s.Deny = "new", kustomersim.DenyRegion }), with(func(s *kustomersim.Script) { s.Key = "new" })},
	} {
		t.Logf("%s", trouble.name)
		trouble.begin()
		awaitReason(t, c, trouble.kind, trouble.code, trouble.person)
		pass(t, each)
		wantNothingGivenUp(t, w)
		trouble.end()
		begun := time.Now()
		w.api.awaitItems(time.Minute, 500)
		awaitReady(t, c)
		t.Logf("goes on and ready %v after its end", time.Since(begun).Round(time.Millisecond))
	}
	stop()
	w.awaitNoLag(2 * time.Minute)
	after := c.memory("VmRSS")
	t.Logf("VmRSS %d MiB before, %d MiB after, VmHWM %d MiB", before>>20, after>>20, c.memory("VmHWM")>>20)
	if peak := c.memory("VmHWM"); peak > 128<<20 {
		t.Errorf("it grew to %d MiB", peak>>20)
	}
	c.term()
	w.check()
}

// A setting that makes every event undeliverable: a hundred are dead-lettered,
// then the brake holds and says so. Put right, everything else is delivered.
func TestTopicOfGarbage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 1000}, calm())
	const n = 3000
	w.produceLarge(n)
	c := w.connector("mistaken", "", "limits: {max_event_bytes: 1KiB}")
	said := c.awaitLine(time.Minute, "the brake holds")
	if said.text("level") != "error" || said.text("reason") != "oversize" || said.text("detail") == "" {
		t.Errorf("want an error with a reason and a detail: %v", said)
	}
	awaitReason(t, c, "brake", "oversize", true)
	pass(t, 75*time.Second) // longer than the minute that the brake looks back
	if got := w.written(); len(got.DeadLetters) != 100 {
		t.Errorf("%d dead letters, want the first hundred", len(got.DeadLetters))
	}
	if lag, err := w.lag(); err != nil || lag < n-100 {
		t.Errorf("lag %d, %v: want all but the first hundred to wait", lag, err)
	}
	took := c.term()
	if took > 3*time.Second {
		t.Errorf("it ended %v after SIGTERM: there was nothing to wait for", took)
	}
	right := w.connector("put-right", "")
	w.awaitNoLag(time.Minute)
	right.term()
	got := w.written()
	if states := len(w.api.states()); len(got.DeadLetters) != 100 || states < 900 {
		t.Errorf("%d dead letters and %d messages changed in the end", len(got.DeadLetters), states)
	}
}

// Released by hand, the brake lets everything go.
func TestBrakeReleasedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 1000}, calm())
	w.produceLarge(500)
	c := w.connector("released", "", "limits: {max_event_bytes: 1KiB}")
	awaitReason(t, c, "brake", "oversize", true)
	if err := c.release(); err != nil {
		t.Fatal(err)
	}
	w.awaitNoLag(30 * time.Second)
	c.term()
	if got := w.written(); len(got.DeadLetters) != 500 {
		t.Errorf("%d dead letters, want all 500", len(got.DeadLetters))
	}
}

// produceLarge writes events of 2 KiB: white space in JSON says nothing, but
// takes room.
func (w *world) produceLarge(n int) {
	w.t.Helper()
	for range n {
		e := w.events.Next(time.Now())
		value := slices.Concat(e.Value, bytes.Repeat([]byte(" "), 2048-len(e.Value)))
		w.client.Produce(context.Background(), &kgo.Record{Topic: w.topic, Key: e.Key, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				w.t.Errorf("produce: %v", err)
			}
		})
	}
	if err := w.client.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}
