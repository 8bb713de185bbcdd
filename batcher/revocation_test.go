package batcher

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A partition that is given back takes nothing new; what was sent is finished,
// and so is what stands before it, or the commit could not pass it and the next
// owner would send again what has been applied.
func TestRevocationFinishesOnlyWhatWasBegun(t *testing.T) {
	d := newDesk(t)
	a, other := d.ownPartition(0), d.ownPartition(1)
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "n", `{"a":1}`))
	first := d.put()
	d.answer(first, Accepted)
	op := d.look()
	// A successor of m and a change of p; p goes first, with what folds into it.
	d.fetch(a, change(3, "m", `{"a":2}`), change(4, "p", `{"a":1}`))
	second := d.put()
	expect(t, second, `p@4{"a":1}`)
	d.fetch(a, change(5, "m", `{"b":3}`), change(6, "q", `{"a":1}`))
	d.fetch(other, change(1, "o", `{"a":1}`))
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(25*time.Second))
	d.fetch(a, change(7, "r", `{"a":1}`)) // polled before
	if got := a.Counts(); got.Delivered != 6 || got.Dropped != 2 {
		t.Fatalf("counts %+v, want 5 and 6 dropped and 7 refused", got)
	}
	d.answer(second, NotSent) // it is tried again
	d.c.Polled(d.now, op, viewOf(Complete, Updated, Updated))
	d.wait(time.Second)
	expect(t, d.putNow(), `o@1{"a":1} m@3{"a":2} p@4{"a":1}`)
}

// With less time left than a change must wait, it is left to the next owner.
func TestRevocationDoesNotWaitForWhatCannotEnd(t *testing.T) {
	tests := map[string]func(d *desk, b *Batch){
		"a stray may run longer": func(d *desk, b *Batch) { d.answer(b, Unknown); d.answer(d.waitPut(time.Minute), Accepted) },
		"nothing gets through": func(d *desk, b *Batch) {
			d.answer(b, Unauthorized)
		},
	}
	for name, trouble := range tests {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, func(c *Config) { c.Merge = false })
			a := d.own()
			d.fetch(a, change(1, "m", `{"a":1}`), change(2, "m", `{"a":2}`), change(3, "n", `{"a":1}`))
			trouble(d, d.put())
			deadline := d.now.Add(25 * time.Second)
			d.c.Revoking(d.now, []*Assignment{a}, deadline)
			if name == "nothing gets through" {
				if got := a.Counts(); got.Open != 0 {
					t.Errorf("counts %+v, want everything dropped at once", got)
				}
				return
			}
			d.c.Polled(d.now, d.look(), viewOf(Complete, Updated, Updated))
			for _, r := range one[*Report](d) {
				d.c.Reported(r)
			}
			if got := a.Counts(); got.Completed != 2 || got.Dropped != 1 || got.Open != 0 {
				t.Errorf("counts %+v, want the successor dropped", got)
			}
		})
	}
}

// A long operation is looked at once more before the partition goes, and what it
// has done is settled.
func TestRevocationLooksOnceMore(t *testing.T) {
	d, a := withOpen(t, 1)
	revoked := d.now
	d.c.durations.awaited.first = time.Hour
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(20*time.Second))
	d.c.Polled(d.now, d.look(), viewOf(Complete, Updated, Updated, Updated, Updated))
	if took := d.now.Sub(revoked); took < 15*time.Second || took > 19*time.Second {
		t.Errorf("looked after %v, want just before the deadline", took)
	}
	for _, r := range one[*Report](d) {
		d.c.Reported(r)
	}
	if got := a.Counts(); got.Completed != 4 {
		t.Errorf("counts %+v, want everything completed", got)
	}
}

// Operations that can't be read before the deadline hold nothing up: the next
// owner follows them.
func TestRevocationDoesNotWaitForWhatCannotBeRead(t *testing.T) {
	for name, read := range map[string]bool{"they can't be read": false, "they can": true} {
		d, a := withOpen(t, 2)
		if !read {
			d.c.reading = door{closed: true, next: d.now.Add(time.Minute)}
		}
		d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(20*time.Second))
		last := false
		for _, commit := range one[*Commit](d) {
			for _, p := range commit.Partitions {
				last = last || p.Last && strings.Contains(p.Metadata, "op-b-1,op-b-2")
			}
		}
		if last == read {
			t.Errorf("%s: given back at once with both operations named: %v", name, last)
		}
	}
}

// Once the last commit is decided nothing starts, whatever is ready.
func TestNothingStartsAfterTheLastCommit(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Merge = false })
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "n", `{"a":1}`))
	b := d.put()
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(5*time.Second))
	d.wait(4900 * time.Millisecond)
	d.answer(b, NotSent) // ready again just before the deadline, after its backoff
	d.wait(100 * time.Millisecond)
	list, _ := d.decisions()
	for _, dec := range list {
		if _, ok := dec.(Put); ok {
			t.Error("a PUT after the deadline")
		}
	}
	if got := a.Counts(); a.phase != final || got.Open != 0 || got.Dropped != 2 {
		t.Errorf("phase %d, counts %+v", a.phase, got)
	}
}

// What an operation brings while its partition is being given back is settled
// and committed; at the deadline the rest is left to the next owner.
func TestRevocationAwaitsWhatRuns(t *testing.T) {
	tests := []struct {
		name   string
		ends   bool
		offset int64
		meta   string
	}{
		{"it ends in time", true, 2, "kk1 clean"},
		{"it does not", false, 1, "kk1 open op-b-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			a := d.own()
			d.fetch(a, change(1, "m", `{"a":1}`))
			b := d.put()
			d.answer(b, Accepted)
			deadline := d.now.Add(25 * time.Second)
			d.c.Revoking(d.now, []*Assignment{a}, deadline)
			op := d.look()
			if tt.ends {
				d.c.Polled(d.now, op, viewOf(Complete, Updated))
				for _, r := range one[*Report](d) {
					d.c.Reported(r)
				}
			}
			c := d.lastCommit(a)
			if got := c.Partitions[0]; got.Offset != tt.offset || got.Metadata != tt.meta {
				t.Errorf("commits %d %q, want %d %q", got.Offset, got.Metadata, tt.offset, tt.meta)
			}
			if late := !d.now.Before(deadline); late == tt.ends {
				t.Errorf("decided %v before the deadline", deadline.Sub(d.now))
			}
		})
	}
}

// What belongs to a dead assignment changes nothing and starts nothing.
func TestDeadStartsNothing(t *testing.T) {
	d := newDesk(t)
	a, other := d.ownPartition(0), d.ownPartition(1)
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.fetch(other, change(1, "o", `{"a":1}`))
	b := d.put()
	d.fetch(a, change(2, "m", `{"a":2}`))
	d.answer(b, Accepted)
	op := d.look()
	d.c.Lost(d.now, []*Assignment{a})
	d.c.Polled(d.now, op, viewOf(Complete, NoResult, Updated))
	for _, r := range one[*Report](d) {
		for _, f := range r.Fates {
			if f.Item.Assignment == a {
				t.Errorf("reports on %s of a dead assignment", f.Item.MessageID)
			}
		}
		d.c.Reported(r)
	}
	d.noPut(time.Hour)
	if got := a.Counts(); got.Dropped != 2 || got.Completed != 0 {
		t.Errorf("counts %+v, want both records dropped", got)
	}
	if got := other.Counts(); got.Completed != 1 {
		t.Errorf("counts of the other %+v, want its record completed", got)
	}
	if diff := cmp.Diff(Counts{Delivered: 3, Completed: 1, Dropped: 2}, d.c.Totals()); diff != "" {
		t.Errorf("totals (-want +got)\n%s", diff)
	}
}

// What comes back after its partition was lost starts nothing.
func TestAnswersToTheDead(t *testing.T) {
	t.Run("an accepted PUT", func(t *testing.T) {
		d := newDesk(t)
		a := d.own()
		d.fetch(a, change(1, "m", `{"a":1}`))
		b := d.put()
		d.c.Lost(d.now, []*Assignment{a})
		d.answer(b, Accepted)
		d.wait(time.Hour)
		if list, _ := d.decisions(); len(list) > 0 || !d.c.Idle() || d.c.Snapshot(d.now).Operations != 0 {
			t.Errorf("decided %v, left %+v", list, d.c.Snapshot(d.now))
		}
	})
	t.Run("a look", func(t *testing.T) {
		d := newDesk(t)
		a := d.own()
		d.fetch(a, change(1, "m", `{"a":1}`))
		d.answer(d.put(), Accepted)
		op := d.look()
		d.c.Lost(d.now, []*Assignment{a})
		d.c.Polled(d.now, op, viewOf(Complete, Updated))
		d.wait(time.Hour)
		if list, _ := d.decisions(); len(list) > 0 || !d.c.Idle() || d.c.Snapshot(d.now).Operations != 0 {
			t.Errorf("decided %v, left %+v", list, d.c.Snapshot(d.now))
		}
	})
	t.Run("a look at an earlier owner's operation", func(t *testing.T) {
		d := newDesk(t)
		a := d.c.Assigned(d.now, Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: "kk1 open op1"})
		op := d.look()
		d.c.Lost(d.now, []*Assignment{a})
		d.c.Polled(d.now, op, viewOf(Running))
		d.wait(time.Hour)
		if list, _ := d.decisions(); len(list) > 0 {
			t.Errorf("decided %v", list)
		}
	})
}

// A second word about the same revocation changes nothing, nor does it call
// back a partition whose last commit is decided.
func TestRevokedTwice(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.put()
	began := d.now
	for _, seconds := range []time.Duration{25, 500} {
		d.c.Revoking(d.now, []*Assignment{a}, began.Add(seconds*time.Second))
	}
	c := d.lastCommit(a)
	if got := d.now.Sub(began); got != 25*time.Second {
		t.Errorf("last commit after %v, want 25s", got)
	}
	// A PUT is in flight: whether it was accepted is not known.
	if got := c.Partitions[0].Metadata; got != "kk1 open" {
		t.Errorf("commits %q", got)
	}
	d.c.Revoking(d.now, []*Assignment{a}, began.Add(time.Hour))
	d.committed(c, CommitDone)
	if got := one[Quiet](d); len(got) != 1 || a.phase != dead {
		t.Errorf("%v, want the partition given back", got)
	}
}

// An operation that holds nothing but the dead is not looked at any more.
func TestDeadOperationIsForgotten(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.answer(d.put(), Accepted)
	one[*Report](d)
	d.c.LoseAll(d.now)
	d.wait(time.Hour)
	if looks := one[Look](d); len(looks) > 0 {
		t.Errorf("looks at %v", looks)
	}
	if s := d.c.Snapshot(d.now); s.Operations != 0 || !d.c.Idle() {
		t.Errorf("left behind: %+v", s)
	}
}

// After a shutdown began, a partition that comes goes back at once.
func TestDrain(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.c.Drain(d.now, d.now.Add(25*time.Second))
	late := d.c.Assigned(d.now, Start{Topic: "t", Partition: 1, Offset: 7, LeaderEpoch: -1, Metadata: metadataClean})
	d.fetch(late, change(7, "m", `{"a":1}`))
	for range 10 {
		for _, c := range one[*Commit](d) {
			d.committed(c, CommitDone)
		}
	}
	if a.phase != dead || late.phase != dead || !d.c.Idle() || d.c.Totals().Delivered != 0 {
		t.Errorf("not given back: %+v", d.c.Snapshot(d.now))
	}
}

// What can't end in time takes along what waits behind it: the next owner must
// not find a newer change of the message applied.
func TestSuccessorIsGivenBackWithItsElder(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Merge, c.ItemAttempts, c.ItemOver = false, 3, 3*time.Minute })
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "m", `{"a":2}`), change(3, "z", `{"a":1}`))
	d.answer(d.put(), Accepted)
	op := d.look()
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(25*time.Second))
	d.c.Polled(d.now, op, viewOf(Complete, Failed, Updated))
	for range 5 {
		list, _ := d.decisions()
		for _, dec := range list {
			switch x := dec.(type) {
			case Put:
				t.Errorf("sent %s", describe(x.Batch))
			case *Report:
				if x.Kind == ReportCompleted && x.Fates[0].Fate != FateReturned {
					t.Errorf("the result says %v, want returned", x.Fates[0].Fate)
				}
				d.c.Reported(x)
			default:
				d.pass(dec)
			}
		}
		d.wait(time.Second)
	}
	if got := a.Counts(); got.Dropped != 2 || got.Completed != 1 {
		t.Errorf("counts %+v", got)
	}
}

// A rest that outlasts the revocation leaves nothing to wait for.
func TestRevocationDoesNotWaitForARest(t *testing.T) {
	d, a := withOpen(t, 1)
	d.fetch(a, change(100, "new", `{"a":1}`))
	b := d.put()
	q := quota(1000, 0, 0)
	q.RetryAfter = 5 * time.Minute
	d.c.Answered(d.now, b, Outcome{Kind: Limited, Status: 429, Quota: q})
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(25*time.Second))
	last := false
	for _, commit := range one[*Commit](d) {
		last = last || commit.Partitions[0].Last
	}
	if got := a.Counts(); !last || got.Dropped == 0 {
		t.Errorf("counts %+v, last commit decided: %v; want it at once", got, last)
	}
}
