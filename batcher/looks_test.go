package batcher

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	var d durations
	if got := d.quantile(.9); got != firstGuess {
		t.Errorf("with nothing measured %v, want %v", got, firstGuess)
	}
	for i := range 11 {
		d.add(time.Duration(10-i) * time.Second)
	}
	for q, want := range map[float64]time.Duration{0: 0, .5: 5 * time.Second, .9: 9 * time.Second, 1: 10 * time.Second} {
		if got := d.quantile(q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	for range 64 {
		d.add(time.Minute)
	}
	if got := d.quantile(0); got != time.Minute {
		t.Errorf("an old measurement is still there: %v", got)
	}
}

func TestFirstLook(t *testing.T) {
	measure := func(d *desk) {
		for i := range 11 {
			d.c.durations.add(time.Duration(i) * time.Second)
		}
	}
	tests := []struct {
		name      string
		successor bool
		want      time.Duration
	}{
		{"nobody waits", false, 9 * time.Second},
		{"a successor waits", true, 5 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t)
			measure(d)
			a := d.own()
			d.fetch(a, change(1, "m", `{"a":1}`))
			b := d.put()
			d.answer(b, Accepted)
			accepted := d.now
			d.wait(time.Second)
			if tt.successor {
				d.fetch(a, change(2, "m", `{"a":2}`))
			}
			d.look()
			if got := d.now.Sub(accepted); got != tt.want {
				t.Errorf("looked after %v, want %v", got, tt.want)
			}
		})
	}
}

// Where the API does not say how long an operation took, our own waiting must
// not be learned: after one slow operation every first look would stay as late.
func TestOneSlowOperationIsForgotten(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.c.durations.add(5 * time.Minute)
	var waited time.Duration
	for i := range int64(10) {
		d.fetch(a, change(i, "m", `{"a":1}`))
		b := d.put()
		accepted := d.now
		d.c.Reported(d.complete(b, Updated))
		waited = d.now.Sub(accepted)
		d.c.durations = durationsOf(d.c.durations.ring[(d.c.durations.n-1)%64]) // as if it were the only one
	}
	if waited > 2*time.Second {
		t.Errorf("ten operations later the first look still comes after %v", waited)
	}
}

func durationsOf(took time.Duration) (d durations) {
	d.add(took)
	return d
}

func TestLooksAtALongOperationGrowRare(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	b := d.put()
	d.answer(b, Accepted)
	accepted, last := d.now, time.Duration(0)
	overdue := 0
	for i := 0; d.now.Sub(accepted) < 15*time.Minute; i++ {
		op := d.look()
		age := d.now.Sub(accepted)
		if i > 0 && (age-last > 30*time.Second || age-last < min(last/2, 30*time.Second)) {
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
