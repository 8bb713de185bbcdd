package batcher

import (
	"testing"
	"time"
)

// A refused key is refused for every call: looks stop as well, one probe at a
// time goes out, and whichever gets through opens the door for all.
func TestRefusedKeyStopsEveryCall(t *testing.T) {
	for name, tt := range map[string]struct {
		byLook bool // it is a look that tells
		ready  bool // there is something to PUT
	}{
		"a PUT tells":                       {false, true},
		"a look tells":                      {true, true},
		"a look tells, and there is no PUT": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			ops := 5
			if tt.byLook {
				ops = 1
			}
			d, a := withOpen(t, ops)
			if tt.ready && !tt.byLook {
				d.fetch(a, change(100, "new", `{"a":1}`))
			}
			locked := View{Kind: NoView, Status: 401, Locked: true, Calls: 1, Quota: NoQuota, Reason: Reason{Code: "unauthorized"}}
			if tt.byLook {
				d.c.Polled(d.now, d.look(), locked)
				if tt.ready {
					d.fetch(a, change(100, "new", `{"a":1}`))
				}
			} else {
				d.c.Answered(d.now, d.put(), Outcome{Kind: Unauthorized, Status: 401, Quota: NoQuota})
			}
			calls := 0
			probe := func(result bool) {
				list, until := d.decisions()
				inFlight := 0
				for _, dec := range list {
					switch dec := dec.(type) {
					case Put:
						o := Outcome{Kind: Unauthorized, Status: 401, Quota: NoQuota}
						if result {
							o = Outcome{Kind: Accepted, Status: 200, Operation: "x", Quota: NoQuota}
						}
						d.c.Answered(d.now, dec.Batch, o)
						inFlight++
					case Look:
						view := locked
						if result {
							view = viewOf(Running)
						}
						d.c.Polled(d.now, dec.Operation, view)
						inFlight++
					default:
						d.pass(dec)
					}
				}
				if calls += inFlight; inFlight > 1 && !result {
					t.Errorf("%d calls at once", inFlight)
				}
				d.wait(min(max(until.Sub(d.now), time.Millisecond), time.Minute))
			}
			for began := d.now; d.now.Sub(began) < 10*time.Minute; {
				probe(false)
			}
			if calls < 10 || calls > 100 {
				t.Errorf("%d calls in ten minutes with a refused key", calls)
			}
			s := d.c.Snapshot(d.now)
			if len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleConfiguration || !s.Troubles[0].Person {
				t.Errorf("troubles %+v, want the configuration's alone", s.Troubles)
			}
			for range 100 {
				probe(true)
			}
			if s := d.c.Snapshot(d.now); len(s.Troubles) != 0 {
				t.Errorf("troubles %+v after the key was put right", s.Troubles)
			}
		})
	}
}

// withOpen is a desk with operations at which nobody looks for a while.
func withOpen(t *testing.T, operations int) (*desk, *Assignment) {
	d := newDesk(t)
	a := d.own()
	d.c.durations.calm.first, d.c.durations.awaited.first = 30*time.Second, 30*time.Second
	d.fetch(a, numbered(4*operations, `{"a":1}`)...)
	for _, p := range one[Put](d) {
		d.answer(p.Batch, Accepted)
	}
	return d, a
}

// A key that may not write may read: what is open is followed to its end.
func TestForbiddenPutsLetLooksGoOn(t *testing.T) {
	d, a := withOpen(t, 1)
	d.fetch(a, change(100, "new", `{"a":1}`))
	b := d.waitPut(2 * time.Second)
	d.c.Answered(d.now, b, Outcome{Kind: Unauthorized, Status: 403, Quota: NoQuota})
	closed := d.now
	d.c.door.next = d.now.Add(time.Hour)
	d.look()
	if d.now.Sub(closed) > time.Minute {
		t.Errorf("looked only after %v", d.now.Sub(closed))
	}
}

// Operations that can't be read are looked at rarely, however many there are.
func TestFailingLooksAreRare(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), numbered(200, `{"a":1}`)...)
	for _, p := range one[Put](d) {
		d.answer(p.Batch, Accepted)
	}
	for range 20 {
		for _, p := range one[Put](d) {
			d.answer(p.Batch, Accepted)
		}
	}
	looks := 0
	for began := d.now; d.now.Sub(began) < 10*time.Minute; {
		list, until := d.decisions()
		for _, dec := range list {
			if l, ok := dec.(Look); ok {
				looks++
				d.c.Polled(d.now, l.Operation, View{Kind: NoView, Status: 403, Calls: 1, Quota: NoQuota})
			} else {
				d.pass(dec)
			}
		}
		d.wait(min(max(until.Sub(d.now), time.Millisecond), time.Minute))
	}
	if d.c.openOperations < 40 || looks > 120 {
		t.Errorf("%d looks in ten minutes at %d operations that can't be read", looks, d.c.openOperations)
	}
}

// The calls that were under way when the quota ended meet the same wall: it is
// told once.
func TestAWallIsToldOnce(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), numbered(32, `{"a":1}`)...)
	told := 0
	for _, p := range one[Put](d) {
		d.c.Answered(d.now, p.Batch, Outcome{Kind: Limited, Status: 429, Quota: quota(300, 0, 20*time.Second)})
	}
	for _, dec := range d.c.out {
		if n, ok := dec.(Notice); ok && n.Kind == QuotaExhausted {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
}

// A member that has nothing to do is not in trouble for a key that was refused
// before: no call of its would ever find out that it works again.
func TestIdleMemberIsNotInTrouble(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.c.Answered(d.now, d.put(), Outcome{Kind: Unauthorized, Status: 401, Quota: NoQuota})
	if s := d.c.Snapshot(d.now); len(s.Troubles) != 1 {
		t.Fatalf("troubles %+v, want the configuration's", s.Troubles)
	}
	d.c.Lost(d.now, []*Assignment{a})
	if s := d.c.Snapshot(d.now); len(s.Troubles) != 0 {
		t.Errorf("troubles %+v, and nothing waits", s.Troubles)
	}
}

// A process that is cut off from Kafka says why it sends nothing.
func TestLeaseOverIsTold(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	d.now = d.now.Add(time.Minute) // without a heartbeat
	if s := d.c.Snapshot(d.now); len(s.Troubles) != 1 || s.Troubles[0].Kind != TroubleLease {
		t.Errorf("troubles %+v, want the lease's", s.Troubles)
	}
	d.c.Alive(d.now)
	if s := d.c.Snapshot(d.now); len(s.Troubles) != 0 {
		t.Errorf("troubles %+v after a heartbeat", s.Troubles)
	}
}

// An outage behind a refused key does not open the door for looks.
func TestOutageKeepsTheLock(t *testing.T) {
	d, a := withOpen(t, 1)
	d.fetch(a, change(100, "new", `{"a":1}`))
	b := d.put()
	d.c.Answered(d.now, b, Outcome{Kind: Unauthorized, Status: 401, Quota: NoQuota})
	b = d.waitPut(time.Minute)
	d.answer(b, Unknown)
	if !d.c.door.locked || !d.c.door.next.After(d.now) {
		t.Errorf("door %+v, want it locked and the next probe later", d.c.door)
	}
}
