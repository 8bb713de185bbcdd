package batcher

import (
	"fmt"
	"testing"
	"time"
)

// A message that meets its own limit rests alone; nothing else stops, and nothing
// is ever given up for a 429.
func TestObjectLimitIsIsolated(t *testing.T) {
	tr := newTrial(t)
	limited := tr.now.Add(30 * time.Minute)
	tr.answerTo = func(b *Batch) Outcome {
		if holds(b, 95, 500) && tr.now.Before(limited) {
			q := quota(1000, 700, 0)
			q.ObjectLimit, q.ObjectRemaining = 120, 0
			return Outcome{Kind: Limited, Status: 429, Quota: q}
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	began := tr.now
	tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
	tr.fetch(tr.a, change(500, "m95", `{"a":2}`)) // waits behind it, and rests as well
	tr.run(10 * time.Second)
	if n := tr.c.Totals().Completed; n != 99 {
		t.Errorf("%d changes completed within ten seconds, want all but the limited one", n)
	}
	if n := len(tr.sizes); n > 20 {
		t.Errorf("%d requests in ten seconds: %v", n, tr.sizes)
	}
	tr.run(2 * time.Hour)
	tr.wantDead()
	if n := len(tr.puts[95]); n > 150 || tr.at[95].Sub(began) < 30*time.Minute {
		t.Errorf("the limited change was sent %d times in %v", n, tr.at[95].Sub(began))
	}
}

// A 429 for a message says when it may go on.
func TestObjectLimitRestsUntilItsReset(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	b := d.put()
	q := quota(1000, 700, 40*time.Second)
	d.c.Answered(d.now, b, Outcome{Kind: Limited, Status: 429, Quota: q})
	limited := d.now
	d.waitPut(time.Hour)
	if got := d.now.Sub(limited); got < 40*time.Second || got > 42*time.Second {
		t.Errorf("sent again after %v, want the reset", got)
	}
}

// When every batch meets an object's limit it is not the object's: the org rests.
func TestObjectLimitOfEverythingIsTheOrgs(t *testing.T) {
	tr := newTrial(t)
	tr.answerTo = func(*Batch) Outcome { return Outcome{Kind: Limited, Status: 429, Quota: quota(1000, 700, 0)} }
	tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
	tr.run(time.Minute)
	if n := len(tr.sizes); n < objectWalls || n > objectWalls+8*60 {
		t.Errorf("%d requests in a minute of nothing but 429, want eight at a time and a rest of a second or two", n)
	}
	tr.answerTo = func(*Batch) Outcome { return Outcome{Kind: Accepted, Status: 200} }
	tr.run(time.Hour)
	tr.wantDead()
}

// A 403 of a batch with audit members may be their fault or the key's: it shows in
// what becomes of the others.
func TestForbidden(t *testing.T) {
	audit := map[int64]bool{3: true, 7: true}
	tests := map[string]struct {
		others   int64 // changes without audit members
		keyFails time.Duration
		roleIn   time.Duration // the key gets org.admin; 0: never
		dead     []int64
		most     int // requests that carried an audit member
	}{
		"the items lack the role":              {10, 0, 0, []int64{3, 7}, 6},
		"the key lacks it for everything":      {10, 30 * time.Minute, 30 * time.Minute, nil, 100},
		"no other shows whether the key works": {0, 0, 30 * time.Minute, nil, 100},
		"the role comes in time":               {10, 0, time.Millisecond, nil, 2},
		"the role comes within a minute":       {10, 0, 40 * time.Second, nil, 6},
		"the role is lost now and then":        {10, -1, 20 * time.Minute, nil, 100},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			began := tr.now
			tr.answerTo = func(b *Batch) Outcome {
				o := Outcome{Kind: Doubtful, Status: 403, Reason: Reason{Code: "forbidden"}}
				for i, it := range b.Items {
					if audit[it.Events[0].Offset] {
						o.Hints = append(o.Hints, i)
					}
				}
				age := tr.now.Sub(began)
				granted, lost := tt.roleIn > 0 && age >= tt.roleIn, age < tt.keyFails
				if tt.keyFails < 0 { // half of each minute, for everything
					granted, lost = true, age < tt.roleIn && age%time.Minute < 30*time.Second
				}
				switch {
				case len(o.Hints) > 0 && (!granted || lost):
					return o
				case lost:
					return Outcome{Kind: Unauthorized, Status: 403, Reason: Reason{Code: "forbidden"}}
				}
				return Outcome{Kind: Accepted, Status: 200}
			}
			for i := range int64(10) {
				if audit[i] || i < tt.others {
					tr.fetch(tr.a, change(i, fmt.Sprint("m", i), `{"createdAt":"x"}`))
				}
			}
			if tt.others > 0 {
				tr.feed(5*time.Second, began.Add(time.Hour))
			}
			tr.run(10 * time.Second)
			if s := tr.c.Snapshot(tr.now); name == "no other shows whether the key works" && (len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleConfiguration || !s.Troubles[0].Person) {
				t.Errorf("troubles %+v, want the configuration's", s.Troubles)
			}
			tr.runAll(time.Hour)
			tr.wantDead(tt.dead...)
			if closed := !tr.c.door.since.IsZero(); closed != (tt.others == 0 || tt.keyFails != 0) {
				t.Errorf("the door was closed: %v, and others got through", closed)
			}
			if n := len(tr.puts[3]); n > tt.most {
				t.Errorf("%d requests with an audit member, want at most %d", n, tt.most)
			}
		})
	}
}

// Audit members that lack their role stop their partition, and nothing else waits:
// one more poll shows that the key works.
func TestForbiddenLetsOneMorePollIn(t *testing.T) {
	tr := newTrial(t, func(c *Config) { c.MaxOpenEvents = 4 })
	tr.answerTo = func(b *Batch) Outcome {
		if guilty := within(b, 0, 1, 2, 3); len(guilty) > 0 {
			return Outcome{Kind: Doubtful, Status: 403, Hints: guilty}
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	next := int64(0)
	tr.each = func() {
		for range min(tr.c.Room(), 1) {
			if !tr.a.paused && next < 100 {
				tr.fetch(tr.a, change(next, fmt.Sprint("m", next), `{"createdAt":"x"}`))
				next++
			}
		}
	}
	tr.each()
	tr.run(24 * time.Hour)
	if tr.wantDead(0, 1, 2, 3); next < 5 {
		t.Errorf("only %d events came", next)
	}
}

// A 4xx in words that are not Kustomer's may be about everything: a wrong address
// gives nothing up, however few events there are; something in one change is found
// when others get through.
func TestForeignRefusals(t *testing.T) {
	everything := func(b *Batch) (hints []int) {
		for i := range b.Items {
			hints = append(hints, i)
		}
		return hints
	}
	foreign := func(b *Batch) Outcome {
		return Outcome{Kind: Doubtful, Status: 404, Hints: everything(b), Reason: Reason{Code: "foreign_refusal"}}
	}
	t.Run("the address is wrong", func(t *testing.T) {
		tr := newTrial(t)
		right := tr.now.Add(2 * time.Hour)
		tr.answerTo = func(b *Batch) Outcome {
			if tr.now.Before(right) {
				return foreign(b)
			}
			return Outcome{Kind: Accepted, Status: 200}
		}
		tr.feed(5*time.Second, right)
		tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
		tr.run(2*time.Hour - time.Minute)
		if s := tr.c.Snapshot(tr.now); len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleConfiguration {
			t.Errorf("troubles %+v", s.Troubles)
		}
		if n := len(tr.sizes); n > 1000 {
			t.Errorf("%d requests in two hours", n)
		}
		tr.runAll(time.Hour)
		tr.wantDead()
	})
	t.Run("a firewall does not like one change", func(t *testing.T) {
		tr := newTrial(t)
		tr.answerTo = func(b *Batch) Outcome {
			if holds(b, 42) {
				return foreign(b)
			}
			return Outcome{Kind: Accepted, Status: 200}
		}
		tr.feed(5*time.Second, tr.now.Add(10*time.Minute))
		tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
		tr.runAll(15 * time.Minute)
		tr.wantDead(42)
		if n := len(tr.puts[42]); n > 16 {
			t.Errorf("%d requests with it", n)
		}
	})
}

// A look has no object's limit: its 429 is the org's, whatever is left.
func TestLooksHaveNoObjectLimit(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), numbered(4, `{"a":1}`)...)
	d.answer(d.putNow(), Accepted)
	d.c.Polled(d.now, d.look(), View{Kind: NoView, Status: 429, Limited: true, Calls: 1, Quota: quota(1000, 500, 30*time.Second)})
	if s := d.c.Snapshot(d.now); len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleQuota {
		t.Errorf("troubles %+v, want the quota's", s.Troubles)
	}
}
