package batcher

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// ofKind is what is counted of a trouble.
func ofKind(s Snapshot, kind TroubleKind) Pauses {
	return s.Pauses[slices.Index(TroubleKinds[:], kind)]
}

// Each message is held by one thing at a time, and it is the right one.
func TestWhatHoldsAMessage(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	gated := d.c.Assigned(d.now, Start{Topic: "t", Partition: 1, Offset: 5, LeaderEpoch: -1, Metadata: "kk1 open x"})
	expectHolds := func(strays int, want map[Hold]int) {
		t.Helper()
		s := d.c.Snapshot(d.now)
		got, sum := map[Hold]int{}, 0
		for why, n := range s.Holds {
			if sum += n; n > 0 {
				got[Hold(why)] = n
			}
		}
		if !maps.Equal(got, want) || s.Strays != strays || sum != s.Messages {
			t.Errorf("held by %v, %d strays, of %d messages; want %v, %d", got, s.Strays, s.Messages, want, strays)
		}
	}
	expectHolds(0, nil)
	d.fetch(gated, change(5, "g", `{"a":1}`))
	d.fetch(a, change(0, "a", `{"a":1}`), change(1, "b", `{"a":1}`))
	expectHolds(0, map[Hold]int{HoldRequest: 2, HoldTakeover: 1})
	first := d.put()
	d.fetch(a, change(2, "a", `{"a":2}`))
	expectHolds(0, map[Hold]int{HoldCall: 2, HoldTakeover: 1})
	d.answer(first, Accepted)
	op := d.look()
	expectHolds(0, map[Hold]int{HoldOperation: 2, HoldTakeover: 1})
	d.c.Polled(d.now, op, viewOf(Complete, Updated, Failed))
	expectHolds(0, map[Hold]int{HoldRequest: 1, HoldRetry: 1, HoldTakeover: 1})
	second := d.put()
	d.fetch(a, change(3, "a", `{"a":3}`))
	d.answer(second, Unknown) // a newer change waits, the same bytes need not
	expectHolds(1, map[Hold]int{HoldRetry: 2, HoldTakeover: 1})
	d.wait(d.c.cfg.RetryMax)
	d.noPut(0) // it is ready from now on
	third := d.put()
	if third.Items[0].MessageID != "a" {
		t.Fatalf("sent %s", describe(third))
	}
	d.complete(third, Updated, Failed)
	expectHolds(1, map[Hold]int{HoldStray: 1, HoldRetry: 1, HoldTakeover: 1})
}

func TestHoldOfADeadLetterAndOfA429(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.ItemAttempts = 0; c.Brake = 0 })
	a := d.own()
	d.fetch(a, change(0, "a", `{"a":1}`))
	b := d.put()
	d.answer(b, Accepted)
	d.c.Polled(d.now, d.look(), viewOf(Complete, Failed))
	bury := one[*Bury](d)
	if s := d.c.Snapshot(d.now); s.Holds[HoldDeadLetter] != 1 || len(bury) != 1 || len(s.Buried) != 0 {
		t.Errorf("held by %v, dead letters %v, before Kafka has it", s.Holds, s.Buried)
	}
	d.c.Buried(d.now, bury[0])
	s := d.c.Snapshot(d.now)
	if s.Messages != 0 || !maps.Equal(s.Buried, map[string]uint64{"item_failed": 1}) || s.Counts.DeadLettered != 1 {
		t.Errorf("%d messages, dead letters %v, counts %+v", s.Messages, s.Buried, s.Counts)
	}
	d.fetch(a, change(1, "b", `{"a":1}`))
	b = d.put()
	q := NoQuota
	q.ObjectLimit, q.ObjectRemaining, q.Reset = 10, 0, 20*time.Second
	d.c.Answered(d.now, b, Outcome{Kind: Limited, Status: 429, Quota: q})
	if s := d.c.Snapshot(d.now); s.Holds[HoldCooling] != 1 || ofKind(s, TroubleQuota).Begun != 0 {
		t.Errorf("held by %v, %+v", s.Holds, ofKind(s, TroubleQuota))
	}
}

// What belongs to a dead assignment is in no count, so that dead letters by reason
// stay those of the count identity.
func TestADeadAssignmentsDeadLetterIsNotCounted(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, Change{Offset: 0, Verdict: Reject, Reason: Reason{Code: "malformed"}}, Change{Offset: 1, Verdict: Skip, Reason: Reason{Code: "tombstone"}})
	bury := one[*Bury](d)
	d.c.Lost(d.now, []*Assignment{a})
	d.c.Buried(d.now, bury[0])
	s := d.c.Snapshot(d.now)
	if len(s.Buried) != 0 || !maps.Equal(s.Skipped, map[string]uint64{"tombstone": 1}) || s.Counts.DeadLettered != 0 || s.Counts.Skipped != 1 {
		t.Errorf("dead letters %v, skipped %v, counts %+v", s.Buried, s.Skipped, s.Counts)
	}
	s.Skipped["tombstone"] = 7
	if d.c.Snapshot(d.now).Skipped["tombstone"] != 1 {
		t.Error("a snapshot shares the core's map")
	}
}

func TestPausesOfAnOutage(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.RetryInitial, c.RetryMax = time.Second, 10*time.Second; c.Lease = 0 })
	a := d.own()
	fail := func() {
		for d.c.Snapshot(d.now).InFlight == 0 {
			d.wait(time.Second)
			for _, p := range one[Put](d) {
				d.answer(p.Batch, NotSent)
				return
			}
		}
	}
	d.fetch(a, change(0, "a", `{"a":1}`))
	for !d.c.door.closed {
		fail()
	}
	begun := d.now
	for range 3 {
		fail()
	}
	d.wait(time.Minute)
	p := ofKind(d.c.Snapshot(d.now), TroubleOutage)
	if p.Begun != 1 || p.For != d.now.Sub(begun) {
		t.Errorf("%+v while it lasts, for %v", p, d.now.Sub(begun))
	}
	b := d.putNow()
	d.wait(time.Second)
	d.answer(b, Accepted)
	d.decisions()
	took := d.now.Sub(begun)
	d.wait(time.Hour)
	d.decisions()
	if p := ofKind(d.c.Snapshot(d.now), TroubleOutage); p.Begun != 1 || p.For != took {
		t.Errorf("%+v an hour after it ended, it lasted %v", p, took)
	}
}

// A rest ends by itself, and a loop that sleeps over its end does not make it
// longer. The lone probe after it prolongs it, but is no pause of its own.
func TestPausesOfTheQuota(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Lease = 0 })
	a := d.own()
	d.fetch(a, change(0, "a", `{"a":1}`))
	q := NoQuota
	q.RetryAfter = 10 * time.Second
	d.c.Answered(d.now, d.put(), Outcome{Kind: Limited, Status: 429, Quota: q, Sent: d.now})
	begun, rest := d.now, d.c.pace.rest
	d.decisions()
	if p := ofKind(d.c.Snapshot(d.now), TroubleQuota); p.Begun != 1 || p.For != 0 {
		t.Errorf("%+v when it begins", p)
	}
	if got := d.c.Snapshot(d.now).Pace; got.Allowed != 0 || !got.Rest.Equal(rest) || got.Learned <= 0 {
		t.Errorf("pace %+v during a rest until %v", got, rest)
	}
	d.wait(time.Hour)
	if p := ofKind(d.c.Snapshot(d.now), TroubleQuota); p.Begun != 1 || p.For != rest.Sub(begun) {
		t.Errorf("%+v after an hour, the rest was %v", p, rest.Sub(begun))
	}
	b := d.putNow() // the probe
	d.wait(time.Second)
	if p := ofKind(d.c.Snapshot(d.now), TroubleQuota); p.Begun != 1 || p.For < rest.Sub(begun) || p.For > rest.Sub(begun)+time.Second {
		t.Errorf("%+v during the probe", p)
	}
	d.c.Answered(d.now, b, Outcome{Kind: Limited, Status: 429, Quota: q, Sent: d.now})
	if p := ofKind(d.c.Snapshot(d.now), TroubleQuota); p.Begun != 1 {
		t.Errorf("%+v: the same wall", p)
	}
	d.wait(time.Hour)
	d.c.Answered(d.now, d.putNow(), Outcome{Kind: Accepted, Status: 200, Operation: "o", Quota: NoQuota, Sent: d.now})
	d.fetch(a, change(1, "b", `{"a":1}`))
	d.wait(time.Second)
	d.c.Answered(d.now, d.putNow(), Outcome{Kind: Limited, Status: 429, Quota: q, Sent: d.now})
	d.wait(time.Second)
	if p := ofKind(d.c.Snapshot(d.now), TroubleQuota); p.Begun != 2 {
		t.Errorf("%+v: another wall", p)
	}
}

// Between the first assignment and the first heartbeat nothing is sent, which is
// trouble only when it lasts.
func TestLeaseThatNeverBegan(t *testing.T) {
	d := newDesk(t)
	d.c.alive = time.Time{}
	d.fetch(d.own(), change(0, "a", `{"a":1}`))
	begun := d.now
	d.now = begun.Add(d.c.cfg.Lease - time.Second)
	if s := d.c.Snapshot(d.now); len(s.Troubles) > 0 || ofKind(s, TroubleLease).Begun > 0 {
		t.Errorf("%+v", s.Troubles)
	}
	d.now = begun.Add(d.c.cfg.Lease)
	s := d.c.Snapshot(d.now)
	if len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleLease || !s.Troubles[0].Since.Equal(d.now) || ofKind(s, TroubleLease).Begun != 1 {
		t.Errorf("%+v, %+v", s.Troubles, ofKind(s, TroubleLease))
	}
}

// Every kind of trouble is in the list, and a trouble that is told is one that is
// counted.
func TestEveryTroubleIsCounted(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxOpenOperations = 1 })
	a := d.own()
	d.c.Assigned(d.now, Start{Topic: "t", Partition: 1, Offset: 5, LeaderEpoch: -1, Metadata: "kk1 open x"})
	d.fetch(a, change(0, "a", `{"a":1}`))
	d.now = d.now.Add(time.Hour) // no heartbeat
	d.c.reading.closed, d.c.looking = true, 1
	d.c.malformed.on = true
	d.c.overdue = 1
	d.c.pace.rest, d.c.limitedAt = d.now.Add(time.Minute), d.now
	for _, certain := range []bool{false, true} {
		d.c.door.closed, d.c.door.certain = true, certain
		d.now = d.now.Add(time.Second)
		s := d.c.Snapshot(d.now)
		told := map[TroubleKind]bool{}
		for _, tr := range s.Troubles {
			told[tr.Kind] = true
		}
		if len(told) != len(TroubleKinds)-1 {
			t.Errorf("%d troubles told, want all but one: %v", len(told), told)
		}
		for _, kind := range TroubleKinds {
			if d.c.troubled(d.now, kind) != told[kind] {
				t.Errorf("%s: troubled %v, told %v", kind, d.c.troubled(d.now, kind), told[kind])
			}
			if told[kind] && ofKind(s, kind).Begun != 1 {
				t.Errorf("%s: %+v", kind, ofKind(s, kind))
			}
		}
	}
}

func TestThroughput(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var tp throughput
	total := uint64(0)
	step := func(span time.Duration, settled uint64) float64 {
		now = now.Add(span)
		total += settled
		tp.note(now, func() Counts { return Counts{Completed: total - 1, Skipped: 1, Open: 7, Dropped: 9} })
		return tp.rate(now, total)
	}
	total = 1
	if got := tp.rate(now, total); got >= 0 {
		t.Errorf("%v before anything was seen", got)
	}
	if got := step(0, 0); got >= 0 {
		t.Errorf("%v after no time", got)
	}
	if got := step(4*time.Second, 100); got >= 0 {
		t.Errorf("%v after four seconds", got)
	}
	if got := step(6*time.Second, 100); got != 20 {
		t.Errorf("%v, want 200 in 10 s", got)
	}
	for range 300 {
		step(time.Second, 5)
	}
	if got := tp.rate(now, total); got != 5 {
		t.Errorf("%v, want the last minute's 5", got)
	}
	if got := step(30*time.Second, 0); got <= 0 || got >= 5 {
		t.Errorf("%v after half a minute of nothing", got)
	}
	if got := step(2*time.Minute, 1000); got >= 0 {
		t.Errorf("%v: nobody looked for two minutes, so it is not known how long it took", got)
	}
	for range 60 {
		step(time.Second, 0)
	}
	if got := tp.rate(now, total); got != 0 {
		t.Errorf("%v at a standstill", got)
	}
}

// The oldest record is the first unsettled one, whatever became of later ones.
func TestPlaces(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	made := func(n int64) time.Time { return time.Unix(1_700_000_000+n*60, 250_000_000) }
	for i := range int64(4) {
		ch := change(i, fmt.Sprint("m", i), `{"a":1}`)
		ch.Record.Timestamp = made(i)
		d.fetch(a, ch)
	}
	oldest := func() time.Time {
		t.Helper()
		s := d.c.Snapshot(d.now)
		if len(s.Places) != 1 || s.Places[0].Topic != "t" || s.Places[0].Partition != 0 {
			t.Fatalf("places %+v", s.Places)
		}
		return s.Places[0].Oldest
	}
	if got := oldest(); !got.Equal(made(0).Truncate(time.Second)) {
		t.Errorf("oldest is of %v", got)
	}
	b := d.put()
	r := d.complete(b, Failed, Updated, Updated, Updated)
	d.c.Reported(r)
	if got := oldest(); !got.Equal(made(0).Truncate(time.Second)) {
		t.Errorf("oldest is of %v, the first one failed", got)
	}
	d.wait(time.Minute)
	d.noPut(0) // it is ready from now on
	r = d.complete(d.put(), Updated)
	if got := oldest(); got.IsZero() {
		t.Error("settled before its result event is acknowledged")
	}
	d.c.Reported(r)
	if got := oldest(); !got.IsZero() {
		t.Errorf("oldest is of %v, nothing is open", got)
	}
	d.wait(time.Minute)
	d.committed(d.commit(), CommitDone)
	if got := d.c.Snapshot(d.now).Places[0].Committed; got != 4 {
		t.Errorf("committed %d", got)
	}
}

// A time that is not known, or that the ledger has no room for, is no time.
func TestStamp(t *testing.T) {
	for at, want := range map[time.Time]time.Time{
		{}:              {},
		time.Unix(0, 0): {},
		time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC): {},
		time.Date(2000, 1, 1, 0, 0, 1, 9, time.UTC): time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC),
		time.Date(2067, 1, 1, 0, 0, 1, 9, time.UTC): time.Date(2067, 1, 1, 0, 0, 1, 0, time.UTC),
		time.Date(9999, 1, 1, 0, 0, 1, 0, time.UTC): time.Unix(stampZero+int64(settled)-1, 0),
	} {
		if got := stampOf(at).time(); !got.Equal(want) || (stampOf(at)|settled).time() != got || stampOf(at)&settled != 0 {
			t.Errorf("%v became %v, want %v", at, got, want)
		}
	}
}

// A snapshot of many messages takes no longer than a probe may cost.
func BenchmarkSnapshot(b *testing.B) {
	cfg := testConfig()
	cfg.MaxOpenEvents, cfg.MaxOpenBytes = 1<<20, 1<<40
	c := New(cfg)
	now := time.Unix(1_800_000_000, 0)
	a := c.Assigned(now, Start{Topic: "t", Metadata: metadataClean})
	for i := range int64(20_000) {
		c.Fetched(now, a, []Change{change(i, fmt.Sprint("m", i), `{"a":1}`)})
	}
	for b.Loop() {
		c.Snapshot(now)
	}
}
