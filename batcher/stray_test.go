package batcher

import (
	"testing"
	"time"
)

// An operation that was seen to run for long and is then gone may still run: the
// wait counts from when the loss was seen, not from when it was accepted.
func TestStrayCountsFromWhenTheLossWasSeen(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.answer(d.put(), Accepted)
	accepted := d.now
	op := d.look()
	for d.now.Sub(accepted) < 5*time.Minute {
		d.c.Polled(d.now, op, viewOf(Running))
		op = d.look()
	}
	d.fetch(a, change(2, "m", `{"a":2}`))
	d.c.Polled(d.now, op, viewOf(Gone))
	seen := d.now
	again := d.waitPut(time.Minute)
	expect(t, again, `m@1{"a":1}`)
	d.complete(again, Updated)
	expect(t, d.waitPut(time.Hour), `m@2{"a":2}`)
	if waited := d.now.Sub(seen); waited < 90*time.Second {
		t.Errorf("the successor was sent %v after the loss was seen", waited)
	}
}

// The parts of an item whose stray may run are successors of it: they wait, as it
// had not to.
func TestPartsWaitForTheStray(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.ItemAttempts = 0 })
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`), change(2, "m", `{"b":1}`))
	d.answer(d.put(), Unknown)
	lost := d.now
	again := d.waitPut(time.Minute)
	expect(t, again, `m@1@2{"a":1,"b":1}`)
	d.complete(again, Failed)
	if d.now.Sub(lost) > 30*time.Second {
		t.Fatalf("it failed only after %v", d.now.Sub(lost))
	}
	expect(t, d.waitPut(time.Hour), `m@1{"a":1}`)
	if waited := d.now.Sub(lost); waited < 90*time.Second {
		t.Errorf("the first part was sent %v after the attempt whose end nobody saw", waited)
	}
}

// Records that were polled for a tenure that has ended are not those of the next
// one, though the partition is the same.
func TestRecordsOfAnEndedTenureAreRefused(t *testing.T) {
	d := newDesk(t)
	old := d.own()
	d.c.Lost(d.now, []*Assignment{old})
	a := d.own()
	d.fetch(old, change(7, "m", `{"a":1}`))
	d.fetch(a, change(3, "m", `{"a":0}`))
	b := d.put()
	expect(t, b, `m@3{"a":0}`)
	if n := d.c.Totals(); n.Delivered != 1 {
		t.Errorf("counts %+v, want one record delivered", n)
	}
}
