package batcher

import (
	"testing"
	"time"
)

// A message's next change waits for the last one's own result, not for the
// whole operation.
func TestHoldEndsWithTheItemsOwnResult(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "n", `{"a":1}`))
	b := d.put()
	d.fetch(a, change(3, "m", `{"a":2}`), change(4, "n", `{"a":2}`))
	d.noPut(time.Second)
	d.answer(b, Accepted)
	d.noPut(500 * time.Millisecond)
	op := d.look()
	d.c.Polled(d.now, op, viewOf(Running, Updated, NoResult))
	expect(t, d.put(), `m@3{"a":2}`)
	d.noPut(time.Minute)
}

func TestWhatEndsUnknownIsSentAgainUnchanged(t *testing.T) {
	tests := []struct {
		name  string
		end   func(d *desk, b *Batch)
		stray bool // an operation that nobody knows of may run
	}{
		{"no connection", func(d *desk, b *Batch) { d.answer(b, NotSent) }, false},
		{"the org's limit", func(d *desk, b *Batch) { d.answer(b, Limited) }, false},
		{"a conflict, which may pass", func(d *desk, b *Batch) {
			d.c.Answered(d.now, b, Outcome{Kind: Refused, Status: 409, Quota: NoQuota})
		}, false},
		{"the key is refused", func(d *desk, b *Batch) { d.answer(b, Unauthorized) }, false},
		{"time-out or 5xx", func(d *desk, b *Batch) { d.answer(b, Unknown) }, true},
		{"the operation is gone", func(d *desk, b *Batch) {
			d.answer(b, Accepted)
			d.c.Polled(d.now, d.look(), viewOf(Gone))
		}, true},
		{"complete without a result", func(d *desk, b *Batch) {
			d.answer(b, Accepted)
			d.c.Polled(d.now, d.look(), viewOf(Complete))
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			a := d.own()
			d.fetch(a, change(1, "m", `{"a":1}`), change(2, "m", `{"b":1}`))
			b := d.put()
			tt.end(d, b)
			seen := d.now
			d.fetch(a, change(3, "m", `{"a":2}`)) // must not join what was sent
			again := d.waitPut(time.Minute)
			expect(t, again, `m@1@2{"a":1,"b":1}`)
			if again.ID == b.ID {
				t.Error("the same batch was sent twice")
			}
			d.complete(again, Updated)
			next := d.waitPut(3 * time.Minute)
			expect(t, next, `m@3{"a":2}`)
			if waited := d.now.Sub(seen); (waited >= 90*time.Second) != tt.stray {
				t.Errorf("the next change was sent %v after the end was seen", waited)
			}
		})
	}
}

// waitPut waits for the next batch as long as the core says.
func (d *desk) waitPut(most time.Duration) (b *Batch) {
	d.t.Helper()
	limit := d.now.Add(most)
	for {
		list, until := d.decisions()
		for _, dec := range list {
			if p, ok := dec.(Put); ok {
				b = p.Batch
			}
			d.pass(dec)
		}
		if b != nil {
			return b
		}
		if until.IsZero() || until.After(limit) {
			d.t.Fatalf("no batch within %v", most)
		}
		d.wait(until.Sub(d.now))
	}
}

// The stray time is the message's: it outlives the item that was lost.
func TestStrayTimeOutlivesTheItem(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	b := d.put()
	d.answer(b, Unknown)
	lost := d.now
	again := d.waitPut(time.Minute)
	d.c.Reported(d.complete(again, Updated))
	if a.Counts().Open != 0 {
		t.Fatalf("counts %+v, want nothing open", a.Counts())
	}
	d.fetch(a, change(2, "m", `{"a":2}`)) // the chain was empty
	expect(t, d.waitPut(3*time.Minute), `m@2{"a":2}`)
	if waited := d.now.Sub(lost); waited < 90*time.Second {
		t.Errorf("sent %v after the loss", waited)
	}
}

func TestItemFailsForGood(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "m", `{"b":"bad"}`), change(3, "m", `{"c":1}`), change(4, "m", `{"d":1}`))
	var sent []string
	var dead []int64
	began := d.now
	for range 20 {
		if a.Counts().Open == 0 {
			break
		}
		b := d.waitPut(2 * time.Minute)
		sent = append(sent, describe(b))
		status := Updated
		for _, ev := range b.Items[0].Events {
			if ev.Offset == 2 {
				status = Failed
			}
		}
		d.answer(b, Accepted)
		d.c.Polled(d.now, d.look(), viewOf(Complete, status))
		list, _ := d.decisions()
		for _, dec := range list {
			switch dec := dec.(type) {
			case *Report:
				d.c.Reported(dec)
			case *Bury:
				dead = append(dead, dec.Event.Offset)
				if d.now.Sub(began) < time.Minute {
					t.Errorf("given up after %v, want a minute of patience", d.now.Sub(began))
				}
				if dec.Reason.Text != "no" || dec.MessageID != "m" || dec.BatchID != b.ID || dec.Attempts < 4 {
					t.Errorf("dead letter %+v", dec)
				}
				d.c.Buried(d.now, dec)
			}
		}
	}
	if len(dead) != 1 || dead[0] != 2 {
		t.Errorf("dead-lettered %v, want the one at 2 only", dead)
	}
	whole := `m@1@2@3@4{"a":1,"b":"bad","c":1,"d":1} `
	want := []string{whole, whole, whole, whole, `m@1@2{"a":1,"b":"bad"} `, `m@1{"a":1} `, `m@2{"b":"bad"} `, `m@3@4{"c":1,"d":1} `}
	if len(sent) != len(want) {
		t.Fatalf("sent %v, want %v", sent, want)
	}
	for i := range want {
		if sent[i] != want[i] {
			t.Errorf("attempt %d was %s, want %s", i+1, sent[i], want[i])
		}
	}
	if got := a.Counts(); got.Completed != 3 || got.DeadLettered != 1 {
		t.Errorf("counts %+v", got)
	}
}

// The next change of a message waits until the dead letter before it is in Kafka.
func TestDeadLetterHoldsItsMessage(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.ItemAttempts, c.ItemOver = 0, 0 })
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	b := d.put()
	d.fetch(a, change(2, "m", `{"a":2}`))
	d.answer(b, Accepted)
	d.c.Polled(d.now, d.look(), viewOf(Complete, Failed))
	buries := one[*Bury](d)
	if len(buries) != 1 {
		t.Fatalf("%d dead letters, want one", len(buries))
	}
	d.noPut(time.Minute)
	if a.Counts().DeadLettered != 0 {
		t.Error("settled before the dead letter was acknowledged")
	}
	d.c.Buried(d.now, buries[0])
	expect(t, d.put(), `m@2{"a":2}`)
	if a.Counts().DeadLettered != 1 {
		t.Errorf("counts %+v, want one dead letter", a.Counts())
	}
}

func TestVerdicts(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(
		a, Change{Offset: 1, Verdict: Skip, Reason: Reason{Code: "tombstone"}},
		Change{Offset: 2, Verdict: Reject, Reason: Reason{Code: "malformed", Text: "cut short"}},
	)
	if got := a.Counts(); got.Skipped != 1 || got.Open != 1 {
		t.Errorf("counts %+v", got)
	}
	buries := one[*Bury](d)
	if len(buries) != 1 || buries[0].Event.Offset != 2 || buries[0].Reason.Code != "malformed" || buries[0].MessageID != "" {
		t.Fatalf("dead letters %+v", buries)
	}
	d.c.Buried(d.now, buries[0])
	if got := a.Counts(); got.DeadLettered != 1 || got.Open != 0 {
		t.Errorf("counts %+v", got)
	}
}

// An item that fails has both so many retries and so much time.
func TestPatienceIsCountAndTime(t *testing.T) {
	tests := []struct {
		name     string
		attempts int
		over     time.Duration
		puts     int // at least
		most     int // puts, where it matters
		span     time.Duration
	}{
		{"retries only", 3, 0, 4, 4, 0},
		{"no retries, whatever the time", 0, time.Minute, 1, 1, 0},
		{"both", 5, time.Minute, 6, 0, time.Minute},
		{"neither", 0, 0, 1, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, func(c *Config) { c.ItemAttempts, c.ItemOver = tt.attempts, tt.over })
			d.fetch(d.own(), change(1, "m", `{"a":1}`))
			first := time.Time{}
			for puts := 1; puts < 50; puts++ {
				b := d.waitPut(5 * time.Minute)
				d.answer(b, Accepted)
				d.c.Polled(d.now, d.look(), viewOf(Complete, Failed))
				if first.IsZero() {
					first = d.now
				}
				if len(one[*Bury](d)) == 0 {
					continue
				}
				if span := d.now.Sub(first); puts < tt.puts || tt.most > 0 && puts > tt.most || span < tt.span {
					t.Errorf("given up after %d attempts over %v, want %d over %v", puts, span, tt.puts, tt.span)
				}
				return
			}
			t.Error("never given up")
		})
	}
}

// After a change was given up, its message's next ones have one try each, until
// one succeeds.
func TestSuccessRestoresPatience(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Merge = false })
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "m", `{"a":2}`), change(3, "m", `{"a":3}`), change(4, "m", `{"a":4}`))
	tries := map[int64]int{}
	for a.Counts().Open > 0 {
		b := d.waitPut(5 * time.Minute)
		offset := b.Items[0].Events[0].Offset
		tries[offset]++
		status := Failed
		if offset == 3 {
			status = Updated
		}
		d.answer(b, Accepted)
		d.c.Polled(d.now, d.look(), viewOf(Complete, status))
		list, _ := d.decisions()
		for _, dec := range list {
			switch dec := dec.(type) {
			case *Report:
				d.c.Reported(dec)
			case *Bury:
				d.c.Buried(d.now, dec)
			default:
				d.pass(dec)
			}
		}
	}
	if tries[1] < 4 || tries[2] != 1 || tries[3] != 1 || tries[4] < 4 {
		t.Errorf("tries by offset %v, want at least 4, 1, 1, at least 4", tries)
	}
}

// An operation is over when each of its items has a result, whatever its status
// says.
func TestOperationEndsWithItsLastResult(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "n", `{"a":1}`))
	b := d.put()
	d.answer(b, Accepted)
	d.c.Polled(d.now, d.look(), viewOf(Running, Updated, NoResult))
	if got := d.c.Snapshot(d.now).Operations; got != 1 {
		t.Fatalf("%d operations open after one of two results, want one", got)
	}
	d.c.Polled(d.now, d.look(), viewOf(Running, NoResult, Updated)) // what was seen stays seen
	for _, r := range one[*Report](d) {
		d.c.Reported(r)
	}
	if got := a.Counts(); got.Completed != 2 || d.c.Snapshot(d.now).Operations != 0 {
		t.Errorf("counts %+v, %d operations open, want both records settled", got, d.c.Snapshot(d.now).Operations)
	}
}

// A change behind a given-up one that fails for another reason has the whole
// patience: what passes must not cost a healthy change.
func TestAnotherReasonHasItsOwnPatience(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Merge = false })
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "m", `{"a":2}`))
	tries := map[int64]int{}
	for a.Counts().Open > 0 {
		b := d.waitPut(5 * time.Minute)
		offset := b.Items[0].Events[0].Offset
		tries[offset]++
		view := viewOf(Complete, Failed)
		switch {
		case offset == 1:
			view.Results[0].Reason.Text = "not valid"
		case tries[offset] < 3:
			view.Results[0].Reason.Text = "busy"
		default:
			view = viewOf(Complete, Updated)
		}
		d.answer(b, Accepted)
		d.c.Polled(d.now, d.look(), view)
		list, _ := d.decisions()
		for _, dec := range list {
			switch dec := dec.(type) {
			case *Report:
				d.c.Reported(dec)
			case *Bury:
				d.c.Buried(d.now, dec)
			default:
				d.pass(dec)
			}
		}
	}
	if got := a.Counts(); got.DeadLettered != 1 || got.Completed != 1 || tries[2] != 3 {
		t.Errorf("counts %+v after tries by offset %v, want one dead letter and one completed at the third try", got, tries)
	}
}
