package batcher

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var badRequest = Outcome{Kind: Refused, Status: 400}

// One poison in a hundred: at most fifteen requests without any hint, two until
// it is found with one.
func TestOnePoisonInAHundred(t *testing.T) {
	for _, hint := range []bool{false, true} {
		worst, found := 0, 0
		for guilty := range int64(100) {
			tr := newTrial(t)
			tr.poison(badRequest, hint, guilty)
			tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
			tr.run(time.Hour)
			tr.wantDead(guilty)
			if tr.reasons[guilty].Text != "Kustomer's words" {
				t.Errorf("the dead letter's reason is %+v, want Kustomer's words", tr.reasons[guilty])
			}
			worst, found = max(worst, len(tr.sizes)), max(found, len(tr.puts[guilty]))
		}
		t.Logf("hint %v: at most %d requests in all, %d with the guilty one", hint, worst, found)
		if !hint && worst > 15 || hint && (found > 2 || worst > 3) {
			t.Errorf("hint %v: %d requests, %d with the guilty one", hint, worst, found)
		}
	}
}

// The smaller the batch, the fewer requests: at least halves are sent each time.
func TestOnePoisonInAFew(t *testing.T) {
	for n, most := range map[int]int{2: 3, 3: 4, 5: 7, 7: 8, 12: 9, 30: 12} {
		worst := 0
		for guilty := range int64(n) {
			tr := newTrial(t)
			tr.poison(badRequest, false, guilty)
			tr.fetch(tr.a, numbered(n, `{"a":1}`)...)
			tr.run(time.Hour)
			tr.wantDead(guilty)
			worst = max(worst, len(tr.sizes))
		}
		t.Logf("%d items: at most %d requests", n, worst)
		if worst > most {
			t.Errorf("%d items: %d requests, want at most %d", n, worst, most)
		}
	}
}

func TestPoisonsIsolated(t *testing.T) {
	tests := []struct {
		name   string
		guilty []int64
		hint   bool
		most   int // requests
	}{
		{"three apart", []int64{3, 50, 97}, false, 37},
		{"three side by side", []int64{40, 41, 42}, false, 21},
		{"three with hints", []int64{3, 50, 97}, true, 7},
		{"every tenth", []int64{0, 10, 20, 30, 40, 50, 60, 70, 80, 90}, false, 85},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTrial(t)
			tr.poison(badRequest, tt.hint, tt.guilty...)
			tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
			tr.run(time.Hour)
			tr.wantDead(tt.guilty...)
			t.Logf("%d requests", len(tr.sizes))
			if len(tr.sizes) > tt.most {
				t.Errorf("%d requests, want at most %d: %v", len(tr.sizes), tt.most, tr.sizes)
			}
		})
	}
}

// 150 changes of one message, merged into one item: the guilty one alone is given
// up, and the others are applied in order.
func TestPoisonInAMergedItem(t *testing.T) {
	for name, guilty := range map[string]int64{"first": 0, "middle": 75, "last": 149} {
		for _, company := range []int{0, 99} {
			t.Run(fmt.Sprintf("%s, %d others", name, company), func(t *testing.T) {
				tr := newTrial(t)
				tr.poison(badRequest, false, guilty)
				for i := range int64(150) {
					tr.fetch(tr.a, change(i, "hot", fmt.Sprintf(`{"custom":{"n%dNum":1}}`, i)))
				}
				for i := range int64(company) {
					tr.fetch(tr.a, change(150+i, fmt.Sprint("m", i), `{"a":1}`))
				}
				tr.run(time.Hour)
				tr.wantDead(guilty)
				inOrder(t, tr, 150)
				t.Logf("%d requests", len(tr.sizes))
				if most := 32; len(tr.sizes) > most {
					t.Errorf("%d requests, want at most %d", len(tr.sizes), most)
				}
			})
		}
	}
}

// inOrder checks that no change was applied after a later one of the same
// message.
func inOrder(t *testing.T, tr *trial, n int64) {
	t.Helper()
	for i := int64(1); i < n; i++ {
		if a, b := tr.at[i-1], tr.at[i]; b.Before(a) {
			t.Errorf("change %d was settled at %v, before change %d at %v", i, b, i-1, a)
		}
	}
}

// A suspect on a key that goes on receiving: what comes later waits, joins no
// suspect, and goes out.
func TestSuspectOnAHotKey(t *testing.T) {
	tr := newTrial(t)
	tr.poison(badRequest, false, 5)
	for i := range int64(20) {
		tr.fetch(tr.a, change(i, "hot", fmt.Sprintf(`{"custom":{"n%dNum":1}}`, i)))
	}
	next := int64(20)
	tr.each = func() {
		if next < 400 {
			tr.fetch(tr.a, change(next, "hot", fmt.Sprintf(`{"custom":{"n%dNum":1}}`, next)), change(next+1, fmt.Sprint("m", next), `{"a":1}`))
			next += 2
		}
	}
	tr.run(time.Hour)
	tr.wantDead(5)
	if next < 400 {
		t.Fatalf("only %d changes came", next)
	}
	t.Logf("%d requests", len(tr.sizes))
	if len(tr.sizes) > 60 {
		t.Errorf("%d requests", len(tr.sizes))
	}
}

// Suspects and fresh work share the turns: neither starves the other.
func TestSuspectsAndFreshWorkTakeTurns(t *testing.T) {
	tr := newTrial(t, func(c *Config) { c.MaxOpenOperations, c.MaxInFlight = 1, 1 })
	tr.poison(badRequest, false, 0, 13, 26, 39, 52, 65, 78, 91)
	tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
	next := int64(100)
	tr.each = func() {
		for len(tr.sizes) < 60 && tr.c.ready[0].n < 100 {
			tr.fetch(tr.a, change(next, fmt.Sprint("f", next), `{"a":1}`))
			next++
		}
	}
	tr.run(time.Hour)
	fresh := 0
	for _, n := range tr.sizes[:45] {
		if n == 100 {
			fresh++
		}
	}
	if fresh < 28 || fresh > 32 {
		t.Errorf("%d of 45 requests were fresh work, want two of three", fresh)
	}
}

// A hint that is wrong costs no more than a few requests.
func TestWrongHintsAreNotBelieved(t *testing.T) {
	tr := newTrial(t)
	tr.answerTo = func(b *Batch) Outcome {
		if guilty := within(b, 77); len(guilty) > 0 {
			o := badRequest
			o.Hints = []int{(guilty[0] + 1) % len(b.Items)}
			return o
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
	tr.run(time.Hour)
	tr.wantDead(77)
	t.Logf("%d requests", len(tr.sizes))
	if len(tr.sizes) > 15+2*wrongHints+2 {
		t.Errorf("%d requests: %v", len(tr.sizes), tr.sizes)
	}
}

// A 409 may pass by itself; only when it lasts is somebody suspected, and one that
// is alone has a minute.
func TestConflictMayPass(t *testing.T) {
	tests := map[string]struct {
		conflicts int
		sizes     []int
		dead      bool
	}{
		"it passes":            {2, []int{10, 10, 10}, false},
		"it passes when alone": {5 + 3, nil, false},
		"it lasts":             {1 << 30, nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, func(c *Config) { c.MaxItems = 10 })
			began, left := tr.now, tt.conflicts
			tr.answerTo = func(b *Batch) Outcome {
				if holds(b, 7) && left > 0 {
					left--
					return Outcome{Kind: Refused, Status: 409}
				}
				return Outcome{Kind: Accepted, Status: 200}
			}
			tr.fetch(tr.a, numbered(10, `{"a":1}`)...)
			tr.run(time.Hour)
			if tt.sizes != nil && !slices.Equal(tr.sizes, tt.sizes) {
				t.Errorf("sent %v, want %v", tr.sizes, tt.sizes)
			}
			if !tt.dead {
				tr.wantDead()
				return
			}
			tr.wantDead(7)
			if took := tr.at[7].Sub(began); took < time.Minute || took > 3*time.Minute {
				t.Errorf("given up after %v", took)
			}
		})
	}
}

// The conflicts of a batch are not held against the innocent when they are alone.
func TestConflictsOfOthersDoNotCount(t *testing.T) {
	tr := newTrial(t, func(c *Config) { c.MaxItems = 2 })
	passing := 1
	tr.answerTo = func(b *Batch) Outcome {
		switch {
		case holds(b, 0):
			return Outcome{Kind: Refused, Status: 409}
		case passing > 0:
			passing--
			return Outcome{Kind: Refused, Status: 409}
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	tr.fetch(tr.a, numbered(2, `{"a":1}`)...)
	tr.run(time.Hour)
	tr.wantDead(0)
}

// A refused batch is reported for the partitions that are still ours.
func TestRefusalIsToldOfWhatIsOurs(t *testing.T) {
	d := newDesk(t)
	a, other := d.own(), d.ownPartition(1)
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.fetch(other, change(1, "n", `{"a":1}`))
	b := d.put()
	d.c.Lost(d.now, []*Assignment{other})
	d.answer(b, Refused)
	reports := one[*Report](d)
	if len(reports) != 1 || len(reports[0].Fates) != 1 || reports[0].Fates[0].Item.Assignment != a {
		t.Errorf("reports %+v, want one of the item that is ours", reports)
	}
}

// After a 413 batches are smaller for a while, and then as large as before.
func TestTooLargeIsLearned(t *testing.T) {
	tr := newTrial(t)
	const most = 65_000
	tr.answerTo = func(b *Batch) Outcome {
		if b.Bytes > most {
			return Outcome{Kind: Refused, Status: 413}
		}
		return Outcome{Kind: Accepted, Status: 200}
	}
	patch := fmt.Sprintf(`{"a":"%01000d"}`, 0)
	refused := 0
	send := func(from int64) {
		tr.sizes = nil
		for i := range int64(400) {
			tr.fetch(tr.a, change(from+i, fmt.Sprint("m", from+i), patch))
		}
		tr.run(time.Minute)
	}
	count := func() { refused = tr.fates[FateReturned]; tr.fates[FateReturned] = 0 }
	send(0)
	count()
	if refused == 0 || refused > 400 {
		t.Errorf("%d items came back, want those of the first batches", refused)
	}
	send(1000)
	if count(); refused > 0 {
		t.Errorf("%d items came back once the size was known", refused)
	}
	tr.wait(2 * time.Hour)
	send(2000)
	if count(); refused == 0 {
		t.Error("the size was never tried again")
	}
	tr.wantDead()
}

// One item that is too large whatever its company teaches nothing: others go on in
// full batches.
func TestOneTooLargeItemTeachesLittle(t *testing.T) {
	tr := newTrial(t)
	tr.poison(Outcome{Kind: Refused, Status: 413}, false, 42)
	tr.fetch(tr.a, numbered(100, `{"a":1}`)...)
	tr.run(time.Hour)
	if len(tr.sizes) > 15 {
		t.Errorf("%d requests to find it: %v", len(tr.sizes), tr.sizes)
	}
	tr.sizes = nil
	for i := range int64(1000) {
		tr.fetch(tr.a, change(1000+i, fmt.Sprint("f", i), `{"a":1}`))
	}
	tr.run(time.Hour)
	tr.wantDead(42)
	if len(tr.sizes) > 11 {
		t.Errorf("%d requests for 1000 items after it: %v", len(tr.sizes), tr.sizes)
	}
}

// What is left of a refused batch is not what was refused: when the guilty item
// has gone with its partition, the innocent one beside it is no proof.
func TestOneItemLeftIsNoProof(t *testing.T) {
	tr := newTrial(t)
	other := tr.ownPartition(1)
	tr.poison(badRequest, false, 100)
	tr.fetch(tr.a, change(1, "healthy", `{"a":1}`))
	tr.fetch(other, change(100, "poison", `{"a":1}`))
	b := tr.desk.put()
	tr.c.Lost(tr.now, []*Assignment{other})
	tr.put(b)
	tr.run(time.Hour)
	if len(tr.dead) != 0 || tr.c.Totals().Completed != 1 {
		t.Errorf("dead-lettered %v, counts %+v", tr.dead, tr.c.Totals())
	}
}

// A split names its parent.
func TestSplitNamesItsParent(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), numbered(4, `{"a":1}`)...)
	b := d.putNow()
	d.answer(b, Refused)
	parts := one[Put](d)
	if b.Parent != "" || len(parts) != 2 {
		t.Fatalf("parent %q, %d parts, want none and two", b.Parent, len(parts))
	}
	for _, p := range parts {
		if p.Batch.Parent != b.ID || p.Batch.Reason != ClosedToSplit || len(p.Batch.Items) != 2 {
			t.Errorf("part %+v of %s", p.Batch, b.ID)
		}
	}
}
