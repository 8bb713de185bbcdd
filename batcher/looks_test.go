package batcher

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestFirstLook(t *testing.T) {
	tests := []struct {
		name      string
		successor time.Duration // after the acceptance, one comes; 0: none
		want      time.Duration // after the acceptance
	}{
		{"nobody waits", 0, 9 * time.Second},
		{"a successor waits", time.Second, 5 * time.Second},
		{"a successor comes late", 7 * time.Second, 7 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			d.c.durations.calm.first, d.c.durations.awaited.first = 9*time.Second, 5*time.Second
			a := d.own()
			d.fetch(a, change(1, "m", `{"a":1}`))
			b := d.put()
			d.answer(b, Accepted)
			accepted := d.now
			if tt.successor > 0 {
				d.wait(tt.successor)
				d.fetch(a, change(2, "m", `{"a":2}`))
			}
			d.look()
			if got := d.now.Sub(accepted); got != tt.want {
				t.Errorf("looked after %v, want %v", got, tt.want)
			}
		})
	}
}

// A successor brings the next look forward, too, when the operation was looked at
// before; but not one that waits after a failure.
func TestSuccessorHurriesTheNextLook(t *testing.T) {
	for view, hurries := range map[ViewKind]bool{Running: true, NoView: false} {
		d := newDesk(t, func(c *Config) { c.RetryInitial, c.RetryMax = 20*time.Second, time.Hour })
		a := d.own()
		d.c.durations.calm.first = 10 * time.Second
		d.fetch(a, change(1, "m", `{"a":1}`))
		d.answer(d.put(), Accepted)
		op := d.look()
		looked := d.now
		d.c.Polled(d.now, op, View{Kind: view, Calls: 1, Status: 200, Quota: NoQuota})
		before := op.nextLook
		d.fetch(a, change(2, "m", `{"a":2}`))
		if !hurries {
			if !op.nextLook.Equal(before) {
				t.Error("hurried after a failed look")
			}
			continue
		}
		if got := op.nextLook.Sub(looked).Round(time.Millisecond); got != 3500*time.Millisecond {
			t.Errorf("the next look at an operation of 10s comes after %v", got)
		}
		if op.pushed != 0 {
			t.Error("what it taught of calm ones would be taken from the awaited ones")
		}
	}
}

// A successor changes nothing for an operation that is being looked at, or is
// due already.
func TestSuccessorComesTooLateToHurry(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "n", `{"a":1}`))
	d.answer(d.put(), Accepted)
	op := d.look()
	d.fetch(a, change(3, "m", `{"a":2}`))
	if len(d.c.looks) > 0 {
		t.Error("an operation that is being looked at is to be looked at again")
	}
	d.c.Polled(d.now, op, viewOf(Complete, Updated, Updated))

	d.answer(d.put(), Accepted)
	op = d.c.looks[0]
	op.awaited = false
	due := op.nextLook
	d.now = due.Add(time.Second)
	d.fetch(a, change(4, "m", `{"a":3}`))
	if !op.nextLook.Equal(due) {
		t.Errorf("a look that is due was put off by %v", op.nextLook.Sub(due))
	}
}

// However long operations run, none waits longer than the longest pause to be
// looked at.
func TestFirstLookIsInTime(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxPause = time.Minute })
	d.c.durations.calm.first = time.Hour
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	d.answer(d.put(), Accepted)
	accepted := d.now
	d.look()
	if got := d.now.Sub(accepted); got != time.Minute {
		t.Errorf("looked after %v, want the longest pause", got)
	}
}

// What is learned from one operation, by what was seen of it.
func TestDurations(t *testing.T) {
	const first = 10 * time.Second
	tests := []struct {
		name      string
		ran       time.Duration // last seen running
		over      time.Duration // seen over
		took      time.Duration // by its own times
		low, high time.Duration // of the first look then
	}{
		{"over at the first look", 0, first, 0, 9700 * time.Millisecond, 9900 * time.Millisecond},
		{"one look too many", first, 2 * first, 0, 10700 * time.Millisecond, 10900 * time.Millisecond},
		{"by its own times", 0, first, 11 * time.Second, 10700 * time.Millisecond, 11 * time.Second},
		{"by its own times, looked at too late", 0, 5 * first, 9 * time.Second, 9700 * time.Millisecond, 9900 * time.Millisecond},
		{"seen running longer than its own times say", first, 2 * first, time.Millisecond, 10700 * time.Millisecond, 10900 * time.Millisecond},
		{"looked at too late to tell", 0, 2 * first, 0, first, first},
		{"over long before", 0, first, time.Second, 9100 * time.Millisecond, 9300 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := schedule{first: first, growth: 2, cost: 0.2}
			s.ended(tt.ran, tt.over, tt.took, 0)
			if s.first < tt.low || s.first > tt.high {
				t.Errorf("the next first look after %v, want %v to %v", s.first, tt.low, tt.high)
			}
		})
	}
	s := schedule{first: first, growth: 2, cost: 0.2}
	for range 100_000 {
		s.ended(0, time.Nanosecond, time.Nanosecond, 0)
	}
	if s.first < time.Millisecond || s.again(0) < 50*time.Millisecond {
		t.Errorf("looks at once, and again after %v", s.again(0))
	}
}

// What is learned while operations run is taken back at their ends, where all is
// reckoned anew: hundreds that run at a time must not each move the first look.
func TestRunningOperationsTeachOnce(t *testing.T) {
	s := schedule{first: 10 * time.Second, growth: 2, cost: 0.2}
	pushed := s.runs(0, 10*time.Second)
	if pushed < 0.9 || s.first < 10900*time.Millisecond {
		t.Fatalf("an operation that still runs moved the first look by %v to %v", pushed, s.first)
	}
	s.ended(10*time.Second, 20*time.Second, 0, pushed)
	if s.first < 10700*time.Millisecond || s.first > 10900*time.Millisecond {
		t.Errorf("in the end it moved to %v, want as far as one look too many moves it", s.first)
	}
}

// The two schedules: what is known of an operation's own times is known to both.
func TestOwnTimesTeachBoth(t *testing.T) {
	for _, took := range []time.Duration{0, 30 * time.Second} {
		d := newDurations()
		d.ended(&Operation{}, 40*time.Second, took)
		if moved := d.awaited.first > time.Second; moved != (took > 0) {
			t.Errorf("took %v: the schedule of awaited ones is at %v", took, d.awaited.first)
		}
	}
	d := newDurations()
	d.awaited.first = time.Minute
	if d.first(false) < time.Minute {
		t.Error("an operation nobody waits for is looked at before one that is awaited")
	}
}

// One that runs for hours because something stands still is no example.
func TestOverdueOperationsTeachNothing(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.OverdueAfter = time.Second })
	a := d.own()
	d.c.durations.calm.first = 10 * time.Second
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.answer(d.put(), Accepted)
	op := d.look()
	d.c.Polled(d.now, op, viewOf(Running))
	taught := d.c.durations.calm.first
	d.wait(time.Hour)
	d.look()
	d.c.Polled(d.now, op, View{Kind: Complete, Results: []ItemResult{{Status: Updated}}, Took: time.Hour, Calls: 1, Quota: NoQuota})
	if got := d.c.durations.calm.first; got != taught {
		t.Errorf("the first look moved from %v to %v", taught, got)
	}
}

// Nor is one that is gone, whose end nobody saw, nor one of an earlier owner,
// whose age nobody knows.
func TestStrangeOperationsTeachNothing(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	d.answer(d.put(), Accepted)
	d.c.Polled(d.now, d.look(), viewOf(Gone))
	d.c.Assigned(d.now, Start{Topic: "t", Partition: 1, LeaderEpoch: -1, Metadata: metadataOpen + " op1"})
	for range 3 {
		op := d.look()
		d.wait(time.Minute)
		d.c.Polled(d.now, op, viewOf(Running))
	}
	if got, want := d.c.durations, newDurations(); got != want {
		t.Errorf("learned %+v, want %+v", got, want)
	}
}

// The looks at a long operation grow rare, but never rarer than the longest pause.
func TestLooksAtALongOperationGrowRare(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxPause = time.Minute })
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	b := d.put()
	d.answer(b, Accepted)
	accepted, last := d.now, time.Duration(0)
	overdue := 0
	for i := 0; d.now.Sub(accepted) < 15*time.Minute; i++ {
		op := d.look()
		age := d.now.Sub(accepted)
		if i > 0 && (age-last > time.Minute || age-last < min(last, time.Minute)) {
			t.Errorf("look %d at %v after one at %v", i, age, last)
		}
		last = age
		d.c.Polled(d.now, op, viewOf(Running))
		for _, dec := range d.c.out {
			if n, ok := dec.(Notice); ok && n.Kind == OperationOverdue {
				overdue++
			}
		}
	}
	if overdue != 1 {
		t.Errorf("said %d times that the operation is overdue, want once", overdue)
	}
}

// At 300 calls a minute. Under a backlog of both, batches get their half: a late
// look finds more operations over, so that each costs one look, and the most get
// through. Where there is enough for both, no look waits longer than a second.
func TestLooksAndBatchesShareThePermits(t *testing.T) {
	for name, tt := range map[string]struct {
		every time.Duration // a new message
		puts  int           // in five minutes, at least
		late  time.Duration // at most
	}{
		"a backlog":         {100 * time.Millisecond, 745, 15 * time.Second},
		"enough for both":   {500 * time.Millisecond, 595, time.Second},
		"hardly any events": {5 * time.Second, 58, 250 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			puts, looks, late := shared(t, tt.every)
			t.Logf("%d batches, %d looks, the latest look %v late", puts, looks, late)
			if puts < tt.puts || puts+looks > 1505 || late > tt.late {
				t.Errorf("want %d batches at least, and no look later than %v", tt.puts, tt.late)
			}
		})
	}
}

// shared runs a core for five minutes with a new message that often, whose
// operations run for two seconds on average.
func shared(t *testing.T, every time.Duration) (puts, looks int, late time.Duration) {
	d := newDesk(t, func(c *Config) { c.RequestsPerMinute, c.MaxItems, c.Linger = 300, 1, time.Millisecond })
	d.c.pace.permits = 1
	a, r := d.own(), rand.New(rand.NewPCG(1, 1))
	ends := map[*Operation]time.Time{}
	next, offset, lastWasLook := d.now, int64(0), false
	for end := d.now.Add(5 * time.Minute); d.now.Before(end); {
		for !d.now.Before(next) {
			d.fetch(a, change(offset, fmt.Sprint("m", offset), `{"a":1}`))
			next, offset = next.Add(every), offset+1
		}
		switch dec := d.c.Next(d.now).(type) {
		case Put:
			puts, lastWasLook = puts+1, false
			d.answer(dec.Batch, Accepted)
			op := dec.Batch.Items[0].operation
			ends[op] = d.now.Add(time.Duration(r.ExpFloat64() * float64(2*time.Second)))
		case Look:
			if _, due := d.c.putDue(d.now); lastWasLook && due.IsZero() && d.c.ready.count() > 0 {
				t.Fatalf("two looks in a row %v before the end, with batches waiting", end.Sub(d.now))
			}
			looks, lastWasLook = looks+1, true
			op := dec.Operation
			late = max(late, d.now.Sub(op.nextLook))
			if d.now.Before(ends[op]) {
				d.c.Polled(d.now, op, viewOf(Running, NoResult))
				continue
			}
			v := viewOf(Complete, Updated)
			v.Took = ends[op].Sub(op.Accepted)
			d.c.Polled(d.now, op, v)
		case *Report:
			d.c.Reported(dec)
		case *Commit:
			d.committed(dec, CommitDone)
		case Wait:
			d.wait(max(earliest(dec.Until, next).Sub(d.now), time.Microsecond))
		}
	}
	return puts, looks, late
}

// Looks go first, but leave every second call to the batches.
func TestLooksTakeAtMostHalf(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, numbered(8, `{"a":1}`)...)
	for _, p := range one[Put](d) {
		d.answer(p.Batch, Accepted)
	}
	d.decisions()
	list := numbered(16, `{"a":1}`)
	for i := range list {
		list[i].MessageID = append([]byte("x"), list[i].MessageID...)
	}
	d.wait(time.Minute)
	d.fetch(a, list...)
	var kinds string
	got, _ := d.decisions()
	for _, dec := range got {
		switch dec.(type) {
		case Look:
			kinds += "l"
		case Put:
			kinds += "p"
		}
	}
	if kinds != "lplppp" {
		t.Errorf("calls in the order %s, want looks and batches in turn", kinds)
	}
}

// A key that may write but not read stops everything once the slots are taken:
// that must be said, with the reason, and not once a look.
func TestFailingLooksAreTold(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.answer(d.put(), Accepted)
	var told []Notice
	looks := 0
	ask := func(view View, until func() bool) {
		for !until() {
			switch dec := d.c.Next(d.now).(type) {
			case Look:
				looks++
				d.c.Polled(d.now, dec.Operation, view)
			case Notice:
				if dec.Kind == LooksFail || dec.Kind == LooksGoOn {
					told = append(told, dec)
				}
			case *Commit:
				d.committed(dec, CommitDone)
			case Wait:
				d.wait(max(dec.Until.Sub(d.now), time.Millisecond))
			}
		}
	}
	failed := View{Kind: NoView, Status: 403, Calls: 1, Quota: NoQuota, Reason: Reason{Code: "forbidden", Text: "bulk.read"}}
	ask(failed, func() bool { return looks == 20 })
	if len(told) != 1 || told[0].Kind != LooksFail || told[0].Reason.Code != "forbidden" {
		t.Fatalf("told %+v after 20 failed looks, want the reason once", told)
	}
	ask(viewOf(Complete, Updated), func() bool { return looks == 21 })
	ask(failed, func() bool { return len(told) == 2 || d.c.outHead == len(d.c.out) })
	if len(told) != 2 || told[1].Kind != LooksGoOn {
		t.Errorf("told %+v, want the end too", told)
	}
}
