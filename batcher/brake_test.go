package batcher

import (
	"fmt"
	"testing"
	"time"
)

func withBrake(c *Config) { c.Brake, c.BrakeAtLeast = 0.05, 100 }

// malformed are records that can't be decoded.
func malformed(from, n int64) (list []Change) {
	for i := range n {
		list = append(list, Change{Offset: from + i, Verdict: Reject, Reason: Reason{Code: "malformed", Text: "no JSON"}})
	}
	return list
}

// A topic of garbage: a hundred are dead-lettered, then nothing more is, however
// long it lasts; what is held is not settled, and the next run has it all.
func TestBrakeHoldsGarbage(t *testing.T) {
	tr := newTrial(t, withBrake)
	tr.answerTo = func(*Batch) Outcome { return Outcome{Kind: Accepted, Status: 200} }
	tr.fetch(tr.a, malformed(0, 5000)...)
	tr.run(time.Hour)
	if len(tr.dead) != 100 {
		t.Errorf("%d dead letters in an hour, want the first hundred", len(tr.dead))
	}
	s := tr.c.Snapshot(tr.now)
	if len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleBrake || !s.Troubles[0].Person || s.Held != 4900 {
		t.Errorf("troubles %+v, %d held", s.Troubles, s.Held)
	}
	tr.c.Revoking(tr.now, []*Assignment{tr.a}, tr.now.Add(25*time.Second))
	var last *Commit
	for _, dec := range one[*Commit](tr.desk) {
		last = dec
	}
	if last == nil || !last.Partitions[0].Last || last.Partitions[0].Offset != 100 {
		t.Fatalf("last commit %+v, want offset 100 at once", last)
	}
	tr.committed(last, CommitDone)
	if n := tr.c.Totals(); n.Dropped != 4900 || !n.Balanced() || len(tr.c.held) != 0 {
		t.Errorf("counts %+v, %d still held", n, len(tr.c.held))
	}
}

// A person who knows better releases it.
func TestBrakeReleasedByHand(t *testing.T) {
	tr := newTrial(t, withBrake)
	tr.fetch(tr.a, malformed(0, 300)...)
	tr.run(time.Minute)
	if !tr.c.ReleaseBrake(tr.now) || tr.c.ReleaseBrake(tr.now) {
		t.Error("the release does not say whether it held")
	}
	tr.fetch(tr.a, malformed(300, 300)...)
	tr.run(time.Minute)
	if len(tr.dead) != 600 || tr.c.Totals().Open != 0 {
		t.Errorf("%d dead letters, want all 600", len(tr.dead))
	}
	tr.wait(brakeFree)
	tr.fetch(tr.a, malformed(600, 300)...)
	tr.run(time.Minute)
	if len(tr.dead) != 700 {
		t.Errorf("%d dead letters, want it to hold again", len(tr.dead))
	}
}

// Too few, or too small a share, and it does not hold.
func TestBrakeLetsFewThrough(t *testing.T) {
	for name, tt := range map[string]struct{ bad, good int64 }{
		"a hundred of a hundred": {100, 0},
		"four in a hundred":      {160, 3840},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, withBrake)
			tr.answerTo = func(*Batch) Outcome { return Outcome{Kind: Accepted, Status: 200} }
			for i := range tt.good {
				tr.fetch(tr.a, change(i, fmt.Sprint("m", i), `{"a":1}`))
			}
			tr.fetch(tr.a, malformed(tt.good, tt.bad)...)
			tr.run(time.Minute)
			if int64(len(tr.dead)) != tt.bad {
				t.Errorf("%d dead letters, want %d", len(tr.dead), tt.bad)
			}
		})
	}
}

// A burst that is over releases the brake when few are concerned.
func TestBrakeReleasesItself(t *testing.T) {
	tr := newTrial(t, withBrake)
	tr.fetch(tr.a, malformed(0, 150)...)
	tr.run(30 * time.Second)
	if len(tr.dead) != 100 {
		t.Fatalf("%d dead letters, want 100 at first", len(tr.dead))
	}
	tr.run(2 * time.Minute)
	if len(tr.dead) != 150 {
		t.Errorf("%d dead letters, want all once the minute is over", len(tr.dead))
	}
}

// Something at Kustomer makes every item fail, or every batch be refused: the
// brake holds, one batch in thirty seconds tries, and when it is put right all
// goes out and nothing was lost.
func TestBrakeHoldsWhatKustomerRefuses(t *testing.T) {
	tests := map[string]func(tr *trial, wrong func() bool){
		"items fail": func(tr *trial, wrong func() bool) {
			tr.answerTo = func(*Batch) Outcome { return Outcome{Kind: Accepted, Status: 200} }
			tr.result = func(*Item) ResultStatus {
				if wrong() {
					return Failed
				}
				return Updated
			}
		},
		"batches are refused": func(tr *trial, wrong func() bool) {
			tr.answerTo = func(*Batch) Outcome {
				if wrong() {
					return badRequest
				}
				return Outcome{Kind: Accepted, Status: 200}
			}
		},
	}
	for name, api := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, withBrake)
			right := tr.now.Add(2 * time.Hour)
			api(tr, func() bool { return tr.now.Before(right) })
			for i := range int64(2000) {
				tr.fetch(tr.a, change(i, fmt.Sprint("m", i), `{"a":1}`))
			}
			tr.run(30 * time.Minute)
			if len(tr.dead) != 100 {
				t.Fatalf("%d dead letters, want the first hundred", len(tr.dead))
			}
			if s := tr.c.Snapshot(tr.now); len(s.Troubles) == 0 || s.Troubles[0].Kind != TroubleBrake {
				t.Errorf("troubles %+v, want the brake", s.Troubles)
			}
			before := len(tr.sizes)
			tr.run(10 * time.Minute)
			if n := len(tr.sizes) - before; n < 15 || n > 21 {
				t.Errorf("%d requests in ten minutes, want one each thirty seconds", n)
			}
			tr.run(right.Sub(tr.now) + 2*time.Minute)
			if n := tr.c.Totals(); len(tr.dead) != 100 || n.Completed != 1900 {
				t.Errorf("%d dead letters, counts %+v, want 1900 completed within two minutes after it was put right", len(tr.dead), n)
			}
			if tr.c.refusals.on {
				t.Error("the brake still holds")
			}
		})
	}
}

// A revocation does not wait for what the brake holds.
func TestBrakeAndRevocation(t *testing.T) {
	tr := newTrial(t, withBrake)
	tr.answerTo = func(*Batch) Outcome { return badRequest }
	for i := range int64(400) {
		tr.fetch(tr.a, change(i, fmt.Sprint("m", i), `{"a":1}`))
	}
	tr.run(5 * time.Minute)
	if !tr.c.refusals.on {
		t.Fatal("the brake does not hold")
	}
	tr.c.Revoking(tr.now, []*Assignment{tr.a}, tr.now.Add(25*time.Second))
	if got := tr.a.Counts(); got.Open != 0 || got.Dropped != 300 {
		t.Errorf("counts %+v, want what is held dropped at once", got)
	}
}

// A partition that is lost takes what the brake holds for it along.
func TestBrakeAndLoss(t *testing.T) {
	tr := newTrial(t, withBrake)
	other := tr.ownPartition(1)
	tr.fetch(tr.a, malformed(0, 150)...)
	tr.fetch(other, malformed(0, 150)...)
	tr.run(time.Second)
	tr.c.Lost(tr.now, []*Assignment{other})
	if s := tr.c.Snapshot(tr.now); s.Held != 50 || tr.a.Counts().Open != 50 || other.Counts().Dropped != 150 {
		t.Errorf("%d held, %+v and %+v, want the 50 of the partition that is left", s.Held, tr.a.Counts(), other.Counts())
	}
}

// While the brake holds, what was tried least is tried: one old poison does not
// take every probe from the healthy ones behind it.
func TestBrakeProbesAnotherEachTime(t *testing.T) {
	tr := newTrial(t, withBrake)
	tr.answerTo = func(b *Batch) Outcome {
		for _, it := range b.Items {
			if at := it.Events[0].Offset; at <= 100 || at == 150 {
				return badRequest
			}
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	send := func(from, to int64) {
		for i := from; i < to; i++ {
			tr.fetch(tr.a, change(i, fmt.Sprint("m", i), `{"a":1}`))
		}
	}
	send(0, 101)
	tr.run(20 * time.Second)
	if !tr.c.refusals.on || len(tr.dead) != 100 {
		t.Fatalf("%d dead letters, brake %v: the trouble did not happen", len(tr.dead), tr.c.refusals.on)
	}
	send(101, 201)
	tr.run(time.Hour)
	if n := tr.c.Totals(); n.Open > 2 {
		t.Errorf("counts %+v after an hour, want all but the poison completed", n)
	}
}

// Six in a hundred are poison, and no full batch would ever go through: smaller
// probes do, and most of what is healthy goes out while the brake comes and goes.
func TestBrakeProbesGrowSmaller(t *testing.T) {
	tr := newTrial(t, withBrake)
	tr.answerTo = func(b *Batch) Outcome {
		for _, it := range b.Items {
			if it.Events[0].Offset%16 == 3 {
				return badRequest
			}
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	for i := range int64(4000) {
		tr.fetch(tr.a, change(i, fmt.Sprint("m", i), `{"a":1}`))
	}
	tr.run(time.Minute)
	if !tr.c.refusals.on {
		t.Fatal("the brake does not hold: the trouble did not happen")
	}
	tr.run(2 * time.Hour)
	if n := tr.c.Totals(); n.Completed < 3000 {
		t.Errorf("counts %+v after two hours", n)
	}
}

// What a person lets go goes to the end, however long that takes.
func TestBrakeReleasedByHandLetsAllGo(t *testing.T) {
	tr := newTrial(t, withBrake, func(c *Config) { c.RequestsPerMinute = 240 })
	tr.c.pace.permits = 0
	tr.answerTo = func(*Batch) Outcome { return badRequest }
	for i := range int64(3000) {
		tr.fetch(tr.a, change(i, fmt.Sprint("m", i), `{"a":1}`))
	}
	tr.run(10 * time.Minute)
	if !tr.c.ReleaseBrake(tr.now) {
		t.Fatal("the brake does not hold")
	}
	tr.run(3 * time.Hour)
	if len(tr.dead) != 3000 {
		t.Errorf("%d dead letters three hours after the release, want all 3000", len(tr.dead))
	}
}
