package batcher

import (
	"container/heap"
	"time"
)

// scheduleFirst sets when an operation is first looked at.
func (c *Core) scheduleFirst(now time.Time, op *Operation, complete bool) {
	at := now
	if !complete {
		at = op.Accepted.Add(min(c.durations.first(op.awaited), c.cfg.MaxPause))
	}
	c.looks.schedule(op, at)
}

// hurry brings an operation's next look forward when a change begins to wait
// for it.
func (c *Core) hurry(now time.Time, op *Operation) {
	if op.awaited {
		return
	}
	op.awaited, op.pushed = true, 0
	if op.failures > 0 {
		return
	}
	age := c.durations.first(true)
	if op.Looks > 0 {
		age = op.ran + c.durations.awaited.again(op.ran)
	}
	if at := later(now, op.Accepted.Add(age)); at.Before(op.nextLook) { // not so when it is being looked at
		c.looks.schedule(op, at)
	}
}

func (c *Core) lookDue(now time.Time) (due bool, at time.Time) {
	if len(c.looks) == 0 {
		return false, time.Time{}
	}
	for _, d := range []*door{&c.reading, &c.door} {
		inFlight := c.looking
		if d == &c.door {
			if !d.locked {
				continue // of no concern to looks
			}
			inFlight += c.puts
		}
		if open, at := d.lets(now, inFlight); !open {
			return false, at
		}
	}
	at = c.looks[0].nextLook
	return !at.After(now), at
}

// nextLookAt is when an operation will be looked at, at the earliest.
func (c *Core) nextLookAt(op *Operation) time.Time {
	at := later(op.nextLook, c.pace.until())
	if c.reading.closed {
		at = later(at, c.reading.next)
	}
	if c.door.locked {
		at = later(at, c.door.next)
	}
	return at
}

// look asks for one look at the operation that is due first.
func (c *Core) look(now time.Time) Decision {
	op := heap.Pop(&c.looks).(*Operation)
	op.looking, op.lookedAt = true, now
	op.Looks++
	c.looking++
	c.lookCount++
	c.pace.spend(now, 1)
	return Look{op}
}

// readable closes the door of looks when they fail in a row, and says so: without
// it, a key that may write but not read would stop everything in silence, once all
// slots are taken, while each of a hundred operations was looked at again and
// again.
func (c *Core) readable(now time.Time, v View) {
	switch {
	case v.Limited:
	case v.Kind != NoView:
		if c.reading.succeeded() {
			c.decide(Notice{Kind: LooksGoOn, Since: c.reading.since})
		}
		if c.door.locked {
			c.answers()
		}
	default:
		closed := c.reading.failed(now, v.Status == 403, v.Reason, c.backoff(c.reading.failures))
		if closed && !v.Locked && c.reading.tells() {
			c.decide(Notice{Kind: LooksFail, Reason: v.Reason, Since: c.reading.since, Until: c.reading.next, Attempts: c.reading.failures})
		}
		if v.Locked {
			c.failedCall(now, nil, v.Reason, true, true)
		}
	}
}

// lookAgain sets the next look, so that the looks at a long operation grow rare,
// but never rarer than the longest pause.
func (c *Core) lookAgain(now time.Time, op *Operation, failed bool) {
	if failed {
		op.failures++
		c.looks.schedule(op, now.Add(min(c.cfg.RetryInitial+c.backoff(op.failures), c.cfg.RetryMax)))
	} else {
		age := op.nextLook.Sub(op.Accepted)
		if !op.inherited { // else partitions wait for it, and its true age is not known
			op.pushed += c.durations.of(op.awaited).runs(op.ran, age)
		}
		op.failures, op.ran = 0, age
		wait := c.durations.of(op.awaited || op.inherited).again(now.Sub(op.Accepted))
		c.looks.schedule(op, now.Add(min(wait, c.cfg.MaxPause)))
	}
	if !op.overdue && now.Sub(op.Accepted) >= c.cfg.OverdueAfter {
		c.becameOverdue(now, op)
	}
}

// becameOverdue tells of an operation that runs too long. It keeps its holds and
// its slot: sent again, its changes could be applied twice, the second time over
// newer ones.
func (c *Core) becameOverdue(now time.Time, op *Operation) {
	op.overdue = true
	c.decide(Notice{Kind: OperationOverdue, Since: op.Accepted, Operation: op})
	if op.Batch == nil {
		return
	}
	c.decide(&Report{Kind: ReportOverdue, Batch: op.Batch, Operation: op, Outcome: op.Outcome, At: now, Looks: op.Looks})
	if c.overdue++; c.overdue == c.cfg.MaxOpenOperations {
		c.overdueSince = now
		c.decide(Notice{Kind: AllOverdue, Since: now, Attempts: c.overdue})
	}
}

// slotFreed notes the end of an operation that ran too long.
func (c *Core) slotFreed(now time.Time) {
	if c.overdue == c.cfg.MaxOpenOperations {
		c.decide(Notice{Kind: SlotsFree, Since: c.overdueSince})
	}
	c.overdue--
}
