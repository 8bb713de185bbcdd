package batcher

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var serverError = Outcome{Kind: Unknown, Status: 500}

// feed adds a fresh change now and then.
func (tr *trial) feed(every time.Duration, until time.Time) {
	next, n := tr.now, int64(100_000)
	tr.each = func() {
		for !tr.now.Before(next) && next.Before(until) {
			tr.fetch(tr.a, change(n, fmt.Sprint("f", n), `{"a":1}`))
			n++
			next = next.Add(every)
		}
	}
}

// A payload that always gives 500 among healthy ones: they go out at once, it is
// found, and given up after long patience only.
func TestServerErrorPoison(t *testing.T) {
	tr := newTrial(t)
	tr.poison(serverError, false, 42)
	began := tr.now
	tr.feed(2*time.Second, began.Add(time.Hour))
	tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
	for tr.now.Before(began.Add(time.Hour)) && tr.at[42].IsZero() {
		tr.run(time.Minute)
	}
	tr.each = nil
	tr.run(time.Hour)
	tr.wantDead(42)
	took := tr.at[42].Sub(began)
	solo := 0
	for i, body := range tr.bodies {
		if tr.sizes[i] == 1 && body == `m42@42{"a":1} ` {
			solo++
		}
	}
	slowest := time.Duration(0)
	for offset, at := range tr.at {
		if offset < 100 && offset != 42 {
			slowest = max(slowest, at.Sub(began))
		}
	}
	t.Logf("given up after %v, %d requests with it, %d of them alone; the slowest healthy one took %v", took, len(tr.puts[42]), solo, slowest)
	if took < 10*time.Minute || took > 20*time.Minute || solo < 8 || len(tr.puts[42]) > 60 || slowest > 3*time.Minute {
		t.Error("want at least ten minutes and eight attempts alone, and healthy ones within minutes")
	}
}

// A lone healthy change meets bad luck, again and again, on an API that is half
// down: it is not given up.
func TestBadLuckIsNoProof(t *testing.T) {
	for name, tt := range map[string]struct {
		every time.Duration // fresh traffic
		bad   func(tr *trial, began time.Time) bool
	}{
		"many failures in nine minutes": {time.Second, func(tr *trial, began time.Time) bool { return tr.now.Sub(began) < 9*time.Minute }},
		"seven failures in an hour": {time.Second, func(tr *trial, began time.Time) bool {
			return len(tr.puts[1]) <= 7 || tr.now.Sub(began) < time.Hour && len(tr.puts[1]) < 7
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			began := tr.now
			tr.answerTo = func(b *Batch) Outcome {
				if holds(b, 1) && tt.bad(tr, began) {
					return serverError
				}
				return Outcome{Kind: Accepted, Status: 200}
			}
			tr.feed(tt.every, began.Add(2*time.Hour))
			tr.fetch(tr.a, change(1, "m", `{"a":1}`))
			for tr.at[1].IsZero() && tr.now.Before(began.Add(2*time.Hour)) {
				tr.run(time.Minute)
			}
			if len(tr.dead) > 0 {
				t.Errorf("a healthy change was given up after %d attempts and %v", len(tr.puts[1]), tr.now.Sub(began))
			}
		})
	}
}

// Failures without any success between are an outage: nobody is suspected,
// however long it lasts.
func TestOutageSuspectsNobody(t *testing.T) {
	tr := newTrial(t)
	down := tr.now.Add(3 * time.Hour)
	tr.answerTo = func(*Batch) Outcome {
		if tr.now.Before(down) {
			return serverError
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	tr.fetch(tr.a, numbered(300, `{"a":1}`)...)
	tr.run(3 * time.Hour)
	tried := map[string]int{}
	for i, n := range tr.sizes {
		if n == 1 {
			tried[tr.bodies[i]]++
		}
	}
	if len(tried) < 250 {
		t.Errorf("%d probes went to %d changes, want another each time", len(tr.sizes), len(tried))
	}
	tr.sizes = nil
	tr.run(time.Hour)
	tr.wantDead()
	if len(tr.sizes) > 8 {
		t.Errorf("%d requests after it: %v, want full ones", len(tr.sizes), tr.sizes)
	}
}

// A poison that gives 500 waits with healthy changes in the only batch there is:
// the probes find out.
func TestServerErrorPoisonInTheOnlyBatch(t *testing.T) {
	tr := newTrial(t)
	tr.poison(serverError, false, 3)
	began := tr.now
	tr.fetch(tr.a, numbered(20, `{"a":1}`)...)
	tr.run(2 * time.Hour)
	if n := tr.c.Totals(); n.Open != 1 || n.Completed != 19 {
		t.Fatalf("counts %+v, want all but one completed", n)
	}
	for offset, at := range tr.at {
		if took := at.Sub(began); took > 10*time.Minute {
			t.Errorf("offset %d took %v", offset, took)
		}
	}
}

// A poison that gives 500 stops its partition: each of its attempts lets one more
// poll in, so that another change can show that the API works.
func TestReserveLetsOneMorePollIn(t *testing.T) {
	tests := map[string]struct {
		limit    func(*Config)
		poisons  int64
		pausedBy string
	}{
		"the span is used up":   {func(c *Config) { c.MaxOpenEvents = 60 }, 1, "span"},
		"the credit is used up": {func(c *Config) { c.MaxOpenEvents = 8 }, 8, "credit"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, tt.limit)
			guilty := make([]int64, tt.poisons)
			for i := range guilty {
				guilty[i] = int64(i)
			}
			tr.poison(serverError, false, guilty...)
			next, stopped, polled := int64(0), false, 0
			tr.each = func() {
				room := tr.c.Room()
				if room == 0 || tr.a.paused || next > 4000 {
					stopped = stopped || room == 0 || tr.a.paused
					return
				}
				size := 20
				if stopped {
					size = 1 // the reserve is finite, and so small a credit's is used up soon
				}
				for range min(room, size) {
					tr.fetch(tr.a, change(next, fmt.Sprint("m", next), `{"a":1}`))
					next++
				}
				if stopped {
					polled++
				}
			}
			tr.each()
			for range 10_000 {
				if len(tr.dead) == len(guilty) {
					break
				}
				tr.run(time.Minute)
			}
			if !stopped || polled == 0 {
				t.Fatalf("stopped %v, %d polls after: the trouble did not happen", stopped, polled)
			}
			if len(tr.dead) != len(guilty) {
				t.Fatalf("dead-lettered %v of %v; %d events came, counts %+v, span %d", tr.dead, guilty, next, tr.c.Totals(), tr.a.ledger.span())
			}
			if s := tr.a.ledger.span(); s > 8*tr.c.cfg.MaxOpenEvents+200 {
				t.Errorf("the span came to %d", s)
			}
		})
	}
}

// What ended unknown again and again, alone, goes alone from then on: company
// would share its fate.
func TestWhatEndsUnknownAgainAndAgainGoesAlone(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	fresh := int64(10)
	for range unknownsToRaise {
		b := d.waitPut(time.Hour)
		expect(t, b, `m@1{"a":1}`)
		d.answer(b, Unknown)
		d.fetch(a, change(fresh, fmt.Sprint("f", fresh), `{"a":1}`)) // shows that the API works
		d.c.chains.of([]byte("m")).items[0].notBefore = d.now.Add(time.Minute)
		b = d.put()
		if holds(b, 1) {
			t.Fatal("it did not wait")
		}
		d.answer(b, Accepted)
		fresh++
	}
	d.fetch(a, change(99, "n", `{"a":1}`))
	d.wait(2 * time.Minute)
	if puts := one[Put](d); len(puts) != 2 || len(puts[0].Batch.Items) != 1 || len(puts[1].Batch.Items) != 1 {
		t.Errorf("%d batches, want two of one item each", len(puts))
	}
}

// Attempts of unknown outcome split a batch, when others get through between.
func TestUnknownOutcomesSplit(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.RetryInitial = time.Millisecond })
	a := d.own()
	d.fetch(a, numbered(4, `{"a":1}`)...)
	fresh := int64(10)
	for i := range unknownsToRaise {
		b := d.put()
		if len(b.Items) != 4 {
			t.Fatalf("attempt %d with %d items", i, len(b.Items))
		}
		d.answer(b, Unknown)
		d.fetch(a, change(fresh, fmt.Sprint("f", fresh), `{"a":1}`))
		for _, it := range b.Items {
			it.notBefore = d.now.Add(time.Minute)
		}
		d.answer(d.put(), Accepted)
		d.wait(time.Minute)
		fresh++
	}
	if puts := one[Put](d); len(puts) != 2 || len(puts[0].Batch.Items) != 2 {
		t.Errorf("%d batches, want two of two items", len(puts))
	}
}

// The reserve has an end: a partition is not read for ever behind one change.
func TestReserveIsBounded(t *testing.T) {
	tr := newTrial(t, func(c *Config) { c.MaxOpenEvents, c.UnknownAttempts, c.RetryMax = 20, 1<<30, time.Second })
	tr.poison(serverError, false, 0)
	next := int64(0)
	tr.each = func() {
		for range min(tr.c.Room(), 10) {
			if tr.a.paused {
				return
			}
			tr.fetch(tr.a, change(next, fmt.Sprint("m", next), `{"a":1}`))
			next++
		}
	}
	tr.each()
	tr.run(24 * time.Hour)
	if span := tr.a.ledger.span(); span < 4*20 || span > reserveOfSpan*20+20 {
		t.Errorf("the partition was read %d records far behind an event that never ends", span)
	}
}

// A batch that ended unknown comes back as one, not item by item.
func TestUnknownComesBackTogether(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxItems, c.Linger = 100, 0 })
	d.fetch(d.own(), numbered(100, `{"a":1}`)...)
	d.answer(d.putNow(), Unknown)
	if b := d.waitPut(time.Minute); len(b.Items) != 100 {
		t.Errorf("%d items came back first, want all", len(b.Items))
	}
}

// An item of several changes is halved only after as many attempts of unknown
// outcome as a change has: one of them may have been carried out, and then the
// first half would put older values back for a while.
func TestUnknownOutcomesHalveLate(t *testing.T) {
	tr := newTrial(t)
	tr.poison(serverError, false, 2)
	began := tr.now
	tr.feed(2*time.Second, began.Add(time.Hour))
	tr.fetch(tr.a, change(1, "hot", `{"a":1}`), change(2, "hot", `{"a":2,"b":1}`), change(3, "hot", `{"a":3}`))
	tr.runAll(time.Hour)
	tr.wantDead(2)
	whole, alone := 0, 0
	for i, body := range tr.bodies {
		if strings.Contains(body, "hot@1@2@3") {
			if whole++; tr.sizes[i] == 1 {
				alone++
			}
		}
	}
	if alone < tr.c.cfg.UnknownAttempts || whole > 30 {
		t.Errorf("sent whole %d times, %d of them alone, before it was halved", whole, alone)
	}
}
