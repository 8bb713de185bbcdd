package batcher

import (
	"testing"
	"time"
)

// notices takes what the core has to tell until it waits, and leaves the rest.
func notices(d *desk) (told []Notice) {
	for {
		switch dec := d.c.Next(d.now).(type) {
		case Notice:
			told = append(told, dec)
		case Wait:
			return told
		}
	}
}

func onlyNotice(t *testing.T, told []Notice, kind NoticeKind, since time.Time) {
	t.Helper()
	n := 0
	for _, notice := range told {
		if notice.Kind == kind {
			n++
			if !notice.Since.Equal(since) {
				t.Errorf("since %v, want %v", notice.Since, since)
			}
		}
	}
	if n != 1 {
		t.Errorf("told %d times, want once: %+v", n, told)
	}
}

// A standstill because all operations run too long has an end that is told.
func TestEndOfAllOverdueIsTold(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxOpenOperations = 1 })
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	b := d.put()
	d.answer(b, Accepted)
	var op *Operation
	for begun := d.now; d.c.overdue == 0; {
		if d.now.Sub(begun) > time.Hour {
			t.Fatal("it is never overdue")
		}
		op = d.look()
		d.c.Polled(d.now, op, viewOf(Running))
	}
	since := d.now
	onlyNotice(t, notices(d), AllOverdue, since)
	op = d.look()
	d.c.Polled(d.now, op, viewOf(Complete, Updated))
	onlyNotice(t, notices(d), SlotsFree, since)
}

// So has a rest of the quota, once, when the first call gets through.
func TestEndOfARestIsTold(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	d.answer(d.put(), Limited)
	since := d.now
	onlyNotice(t, notices(d), QuotaExhausted, since)
	d.noPut(100 * time.Millisecond)
	d.wait(time.Minute)
	b := d.putNow()
	d.c.Answered(d.now, b, Outcome{Kind: Accepted, Status: 202, Operation: "op", Sent: d.now, Answered: d.now, Quota: NoQuota})
	onlyNotice(t, notices(d), QuotaBack, since)
	if d.c.restTold {
		t.Error("it would be told again")
	}
}

// Every call under way meets the same wall: the rest began with the first.
func TestAWallIsOneRest(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	first := d.put()
	d.fetch(a, change(2, "n", `{"a":1}`))
	second := d.put()
	d.answer(first, Limited)
	since := d.now
	d.wait(100 * time.Millisecond)
	d.answer(second, Limited)
	told := d.c.Snapshot(d.now).Troubles
	if len(told) != 1 || told[0].Kind != TroubleQuota || !told[0].Since.Equal(since) {
		t.Errorf("troubles %+v, want one rest since %v", told, since)
	}
	onlyNotice(t, notices(d), QuotaExhausted, since)
}

// A reply of a call that was under way when the rest began is not its end.
func TestARestIsNotEndedByWhatWasUnderWay(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	first := d.put()
	d.fetch(a, change(2, "n", `{"a":1}`))
	second := d.put()
	d.answer(first, Limited)
	d.c.Answered(d.now, second, Outcome{Kind: Accepted, Status: 202, Operation: "op", Sent: d.now, Answered: d.now, Quota: NoQuota})
	for _, n := range notices(d) {
		if n.Kind == QuotaBack {
			t.Errorf("the rest is said to be over: %+v", n)
		}
	}
}

// An item that is sent again because its operation came to nothing says why.
func TestReturnedItemsSayWhy(t *testing.T) {
	for kind, code := range map[ViewKind]string{Gone: "operation_gone", Complete: "no_result"} {
		d := newDesk(t)
		d.fetch(d.own(), change(1, "m", `{"a":1}`))
		d.answer(d.put(), Accepted)
		d.c.Polled(d.now, d.look(), viewOf(kind))
		told := false
		for _, r := range one[*Report](d) {
			for _, f := range r.Fates {
				told = true
				if f.Fate != FateReturned || f.Reason.Code != code || f.Reason.Text == "" {
					t.Errorf("%v: %+v, want returned for %s", kind, f, code)
				}
			}
		}
		if !told {
			t.Errorf("%v: no fate was told", kind)
		}
	}
}
