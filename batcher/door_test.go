package batcher

import (
	"testing"
	"time"
)

func TestDoorCloses(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, tt := range map[string]struct {
		failures []bool // certain?
		closed   bool
	}{
		"two by bad luck":       {[]bool{false, false}, false},
		"three are an outage":   {[]bool{false, false, false}, true},
		"one that is certain":   {[]bool{true}, true},
		"certain after unknown": {[]bool{false, true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var d door
			for _, certain := range tt.failures {
				d.failed(now, certain, Reason{}, time.Second)
			}
			if ok, _ := d.lets(now, 0); ok == tt.closed {
				t.Fatalf("may put: %v, closed %v", ok, tt.closed)
			}
			if !tt.closed {
				return
			}
			if ok, at := d.lets(now.Add(time.Second-1), 0); ok || !at.Equal(now.Add(time.Second)) {
				t.Errorf("before the backoff's end: %v, %v", ok, at)
			}
			if ok, _ := d.lets(now.Add(time.Second), 0); !ok {
				t.Error("no probe after the backoff")
			}
			if ok, _ := d.lets(now.Add(time.Second), 1); ok {
				t.Error("a second probe beside the first")
			}
			if was := d.succeeded(); !was {
				t.Error("a success does not say that it opened the door")
			}
			if ok, _ := d.lets(now, 5); !ok {
				t.Error("closed after a success")
			}
			d.failed(now, false, Reason{}, time.Second)
			if ok, _ := d.lets(now, 0); !ok {
				t.Error("failures before the success still count")
			}
		})
	}
}

// Behind a closed door nothing is given up, and what gets through opens it.
func TestOutage(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.RetryInitial, c.RetryMax = time.Second, 10*time.Second })
	a := d.own()
	d.fetch(a, numbered(8, `{"a":1}`)...)
	for _, p := range one[Put](d) {
		d.answer(p.Batch, Unauthorized)
	}
	for range 50 {
		b := d.waitPut(20 * time.Second)
		if more := one[Put](d); len(more) > 0 {
			t.Fatal("a second probe beside the first")
		}
		d.answer(b, Unauthorized)
	}
	if got := a.Counts(); got.Open != 8 {
		t.Fatalf("counts %+v, want all 8 open", got)
	}
	if s := d.c.Snapshot(d.now); !s.Paused || s.PausedFor <= 0 {
		t.Errorf("the snapshot does not say that nothing gets through: %+v", s)
	}
	d.answer(d.waitPut(20*time.Second), Accepted)
	if s := d.c.Snapshot(d.now); s.Paused {
		t.Error("still paused after a success")
	}
}

func TestBackoffIsJitteredAndBounded(t *testing.T) {
	random := New(testConfig()).random
	for _, tt := range []struct {
		failures int
		most     time.Duration
	}{{0, time.Second}, {1, 2 * time.Second}, {3, 8 * time.Second}, {10, time.Minute}, {63, time.Minute}, {1000, time.Minute}} {
		longest, shortest := time.Duration(0), time.Hour
		for range 2000 {
			got := backoff(random, time.Second, time.Minute, tt.failures)
			longest, shortest = max(longest, got), min(shortest, got)
		}
		if shortest <= 0 || shortest > tt.most/20 || longest > tt.most || longest < tt.most*19/20 {
			t.Errorf("after %d failures from %v to %v, want nearly all of (0, %v]", tt.failures, shortest, longest, tt.most)
		}
	}
}
