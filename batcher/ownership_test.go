package batcher

import (
	"slices"
	"testing"
	"time"
)

func TestTakeoverMetadata(t *testing.T) {
	tests := []struct {
		name   string
		offset int64
		meta   string
		clean  bool
		ids    []string
	}{
		{"no commit at all", -1, "", true, nil},
		{"given back clean", 5, "kk1 clean", true, nil},
		{"left open", 5, "kk1 open", false, nil},
		{"left open with an operation", 5, "kk1 open op1", false, []string{"op1"}},
		{"left open with operations", 5, "kk1 open op1,op2,op3", false, []string{"op1", "op2", "op3"}},
		{"blank, as after an offset reset by hand", 5, "", false, nil},
		{"of a foreign tool", 5, "consumer-1-a6e2", false, nil},
		{"of another version of ours", 5, "kk2 clean", false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clean, ids := takeover(Start{Offset: tt.offset, Metadata: tt.meta})
			if clean != tt.clean || !slices.Equal(ids, tt.ids) {
				t.Errorf("clean %v, operations %v, want %v, %v", clean, ids, tt.clean, tt.ids)
			}
		})
	}
}

// Who takes over a partition that was left open sees the listed operations to
// their end, and waits, before the first PUT for it.
func TestTakeover(t *testing.T) {
	tests := []struct {
		name string
		ends func(d *desk, op *Operation)
		want time.Duration // from the takeover to the first PUT
	}{
		{"all over before the wait is", func(d *desk, op *Operation) { d.c.Polled(d.now, op, viewOf(Complete)) }, 90 * time.Second},
		{"one runs longer than the wait", func(d *desk, op *Operation) {
			for d.now.Sub(op.Accepted) < 200*time.Second {
				d.c.Polled(d.now, op, viewOf(Running))
				op = d.look()
			}
			d.c.Polled(d.now, op, viewOf(Complete))
		}, 200 * time.Second},
		{"a look that learns nothing ends nothing", func(d *desk, op *Operation) {
			for d.now.Sub(op.Accepted) < 200*time.Second {
				d.c.Polled(d.now, op, viewOf(NoView))
				op = d.look()
			}
			d.c.Polled(d.now, op, viewOf(Complete))
		}, 200 * time.Second},
		{"one is gone: it may still run", func(d *desk, op *Operation) {
			d.wait(60 * time.Second)
			d.c.Polled(d.now, op, viewOf(Gone))
		}, 150 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			began := d.now
			a := d.c.Assigned(d.now, Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: "kk1 open op1,op2"})
			d.fetch(a, change(5, "m", `{"a":1}`))
			looks := one[Look](d)
			if len(looks) != 2 || looks[0].Operation.ID != "op1" || looks[0].Operation.Batch != nil {
				t.Fatalf("looks at %v, want both operations at once", looks)
			}
			d.c.Polled(d.now, looks[1].Operation, viewOf(Complete))
			tt.ends(d, looks[0].Operation)
			d.waitPut(10 * time.Minute)
			if got := d.now.Sub(began); got < tt.want || got > tt.want+32*time.Second {
				t.Errorf("first PUT after %v, want %v", got, tt.want)
			}
		})
	}
}

// giveBack revokes and returns the last commit.
func (d *desk) giveBack(a *Assignment) *Commit {
	d.t.Helper()
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(25*time.Second))
	return d.lastCommit(a)
}

// lastCommit waits for the commit after which the partition is given back.
func (d *desk) lastCommit(a *Assignment) *Commit {
	d.t.Helper()
	for range 100 {
		list, until := d.decisions()
		for _, dec := range list {
			switch dec := dec.(type) {
			case Quiet:
				d.t.Fatal("given back without a commit")
			case *Commit:
				if a.phase == final {
					return dec
				}
				d.committed(dec, CommitDone)
			}
		}
		if !until.IsZero() {
			d.wait(until.Sub(d.now))
		}
	}
	d.t.Fatal("no last commit")
	return nil
}

func TestGivenBackCleanOrOpen(t *testing.T) {
	done := func(d *desk, a *Assignment) {
		d.fetch(a, change(5, "m", `{"a":1}`))
		d.c.Reported(d.complete(d.put(), Updated))
	}
	tests := []struct {
		name   string
		start  string
		before func(d *desk, a *Assignment)
		want   string
		offset int64
	}{
		{"everything settled", metadataClean, done, "kk1 clean", 6},
		{"something waits: it is dropped", metadataClean, func(d *desk, a *Assignment) {
			d.fetch(a, change(5, "m", `{"a":1}`))
		}, "kk1 clean", 5},
		{"an operation runs on", metadataClean, func(d *desk, a *Assignment) {
			d.fetch(a, change(5, "m", `{"a":1}`))
			d.answer(d.put(), Accepted)
			d.look()
		}, "kk1 open op-b-1", 5},
		{"a stray may run", metadataClean, func(d *desk, a *Assignment) {
			d.fetch(a, change(5, "m", `{"a":1}`))
			d.answer(d.put(), Unknown)
			d.c.Reported(d.complete(d.waitPut(time.Minute), Updated))
		}, "kk1 open", 6},
		{"a stray can no longer run", metadataClean, func(d *desk, a *Assignment) {
			d.fetch(a, change(5, "m", `{"a":1}`))
			d.answer(d.put(), Unknown)
			d.c.Reported(d.complete(d.waitPut(time.Minute), Updated))
			d.wait(90 * time.Second)
		}, "kk1 clean", 6},
		{"one's own takeover is not over", "kk1 open op9", func(d *desk, a *Assignment) { d.fetch(a, change(5, "m", `{"a":1}`)) }, "kk1 open op9", 5},
		{"one's own takeover is over", "kk1 open", func(d *desk, a *Assignment) { d.wait(90 * time.Second) }, "kk1 clean", 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			a := d.c.Assigned(d.now, Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: tt.start})
			a.ahead = true
			tt.before(d, a)
			c := d.giveBack(a)
			if got := c.Partitions[0]; got.Metadata != tt.want || got.Offset != tt.offset {
				t.Errorf("commits %d %q, want %d %q", got.Offset, got.Metadata, tt.offset, tt.want)
			}
			if list, _ := d.decisions(); len(list) > 0 {
				t.Errorf("%v while the last commit is in flight", list)
			}
			d.committed(c, CommitUnknown) // whatever became of it, the partition goes
			quiet := one[Quiet](d)
			if len(quiet) != 1 || quiet[0].Assignment != a {
				t.Fatalf("%v, want the partition given back", quiet)
			}
			if got := a.Counts(); got.Open != 0 || !got.Balanced() {
				t.Errorf("counts %+v", got)
			}
		})
	}
}

// A partition that never had a PUT of ours goes back clean though its mark was
// not acknowledged yet: there is nothing to wait for.
func TestGivenBackBeforeItsMark(t *testing.T) {
	d := newDesk(t)
	a := d.c.Assigned(d.now, Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: metadataClean})
	d.fetch(a, change(5, "m", `{"a":1}`))
	mark := d.commit()
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(25*time.Second))
	if list, _ := d.decisions(); len(list) > 0 {
		t.Fatalf("%v beside a commit in flight", list)
	}
	d.committed(mark, CommitUnknown)
	if got := d.lastCommit(a).Partitions[0].Metadata; got != "kk1 clean" {
		t.Errorf("commits %q", got)
	}
}

// Where a member can be replaced while its lease runs, a takeover waits longer.
func TestTakeoverExtra(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.TakeoverExtra = 40 * time.Second })
	began := d.now
	a := d.c.Assigned(d.now, Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: "kk1 open"})
	d.fetch(a, change(5, "m", `{"a":1}`))
	d.waitPut(10 * time.Minute)
	if got := d.now.Sub(began); got < 130*time.Second || got > 132*time.Second {
		t.Errorf("first PUT after %v, want 130s", got)
	}
}

// A takeover is told of while it lasts, with its end.
func TestTakeoverIsTold(t *testing.T) {
	d := newDesk(t)
	a := d.c.Assigned(d.now, Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: metadataOpen})
	s := d.c.Snapshot(d.now)
	if len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleTakeover || !s.Troubles[0].Until.Equal(d.now.Add(90*time.Second)) || s.Troubles[0].Person {
		t.Errorf("troubles %+v, want the takeover until the wait is over", s.Troubles)
	}
	d.wait(100 * time.Second)
	if s := d.c.Snapshot(d.now); len(s.Troubles) != 1 || !s.Troubles[0].Until.IsZero() {
		t.Errorf("troubles %+v, want no time that has passed", s.Troubles)
	}
	d.decisions()
	if s := d.c.Snapshot(d.now); len(s.Troubles) != 0 || a.takingOver {
		t.Errorf("troubles %+v after it was over", s.Troubles)
	}
}

// An operation mixes partitions, so several of them list it. They share the looks
// at it, and each goes on when it has ended.
func TestInheritedOperationsAreSharedByPartitions(t *testing.T) {
	d := newDesk(t)
	var as []*Assignment
	for p := range int32(4) {
		as = append(as, d.c.Assigned(d.now, Start{Topic: "t", Partition: p, Offset: 5, LeaderEpoch: -1, Metadata: metadataOpen + " op1,op2"}))
	}
	d.c.Lost(d.now, as[3:])
	looks := map[string]int{}
	for range 200 {
		list, until := d.decisions()
		for _, dec := range list {
			l, ok := dec.(Look)
			if !ok {
				d.pass(dec)
				continue
			}
			if looks[l.Operation.ID]++; looks[l.Operation.ID] == 2 {
				d.c.Polled(d.now, l.Operation, viewOf(Complete))
			} else {
				d.c.Polled(d.now, l.Operation, viewOf(Running))
			}
		}
		d.wait(min(max(until.Sub(d.now), time.Millisecond), time.Second))
	}
	if looks["op1"] != 2 || looks["op2"] != 2 {
		t.Errorf("looks %v, want two at each", looks)
	}
	for _, a := range as[:3] {
		if open, _ := a.gateOpen(d.now); !open || a.takingOver {
			t.Errorf("partition %d still waits", a.Partition)
		}
	}
	if len(d.c.inherited) > 0 || len(d.c.looks) > 0 {
		t.Errorf("%d operations are still followed, %d looks due", len(d.c.inherited), len(d.c.looks))
	}
}

// The last partition that waits for an operation takes the looks at it along.
func TestInheritedOperationsEndWithTheLastPartition(t *testing.T) {
	d := newDesk(t)
	start := Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: metadataOpen + " op1"}
	one := d.c.Assigned(d.now, start)
	start.Partition = 1
	two := d.c.Assigned(d.now, start)
	d.c.Lost(d.now, []*Assignment{one})
	if len(d.c.looks) != 1 {
		t.Errorf("%d looks due while a partition waits", len(d.c.looks))
	}
	d.c.Lost(d.now, []*Assignment{two})
	if len(d.c.looks) != 0 || len(d.c.inherited) != 0 {
		t.Errorf("%d looks due, %d operations followed, and nobody waits", len(d.c.looks), len(d.c.inherited))
	}
}
