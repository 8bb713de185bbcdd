package batcher

import "time"

// readyLists are the items that may be sent, in the order they became so, by
// level of suspicion. Level 0 is fresh work, and what failed for no fault of its
// own.
type readyLists [levels]itemList

func (r *readyLists) push(it *Item) { r[it.level()].push(it) }

func (r *readyLists) count() (n int) {
	for i := range r {
		n += r[i].n
	}
	return n
}

// suspects counts the items that were refused before.
func (r *readyLists) suspects() int { return r.count() - r[0].n }

// untried reports whether an item is ready that no request has carried yet.
func (r *readyLists) untried() bool {
	for it := r[0].first; it != nil; it = it.next {
		if it.Attempts == 0 {
			return true
		}
	}
	return false
}

// best returns the list whose first item comes before those of the others, of
// the lists from a level on; nil when all are empty.
func (r *readyLists) best(from int, before func(a, b *Item) bool) (l *itemList) {
	for i := from; i < len(r); i++ {
		if r[i].first != nil && (l == nil || before(r[i].first, l.first)) {
			l = &r[i]
		}
	}
	return l
}

func older(a, b *Item) bool { return a.Events[0].order < b.Events[0].order }

func triedLess(a, b *Item) bool {
	return a.Attempts < b.Attempts || a.Attempts == b.Attempts && older(a, b)
}

// putDue reports whether a batch may be cut, were there a permit for it: a
// window is full or old enough, a slot is free, the lease holds and the door is
// open. When only time is missing, at is when to ask again.
func (c *Core) putDue(now time.Time) (due bool, at time.Time) {
	if c.ready.count() == 0 || c.openOperations+c.puts >= c.cfg.MaxOpenOperations || c.leaseOver(now) {
		return false, time.Time{}
	}
	inFlight := c.puts
	if c.door.locked {
		inFlight += c.looking
	}
	if open, at := c.door.lets(now, inFlight); !open {
		return false, at
	}
	if c.refusals.on && now.Before(c.refusals.probeAt) {
		return false, c.refusals.probeAt
	}
	if c.door.closed || c.refusals.on || c.ready.best(1, older) != nil {
		return true, time.Time{} // a probe or a suspect wants no company
	}
	return c.freshDue(now)
}

// freshDue reports whether the window of fresh work is to be closed.
func (c *Core) freshDue(now time.Time) (due bool, at time.Time) {
	fresh := &c.ready[0]
	if fresh.first == nil {
		return false, time.Time{}
	}
	if fresh.n >= c.cfg.MaxItems || fresh.bytes >= c.mostBytes(now) || fresh.first.Assignment.phase == revoking {
		return true, time.Time{} // in a revocation there is no time to wait for company
	}
	if at = fresh.first.readyAt.Add(c.cfg.Linger); at.After(now) {
		return false, at
	}
	return true, time.Time{}
}

// turn chooses what the next batch is made of, and of how many items at most.
// Fresh work and suspects share the turns two to one: if either always came
// first, it could keep the other waiting for ever.
func (c *Core) turn(now time.Time) (from *itemList, most int, why CloseReason) {
	fresh := &c.ready[0]
	switch {
	case c.door.closed && c.rules.ProbeOne:
		// One item, another each time: a poison among healthy items must not keep
		// the door closed for them.
		return c.ready.best(0, triedLess), 1, ClosedToProbe
	case c.door.closed || c.refusals.on:
		// Fresh work first: of what was refused once a refusal says nothing new. And
		// then what was tried least, or one old poison would take every probe.
		why = ClosedToProbe
		if from = fresh; fresh.first == nil {
			from = c.ready.best(1, triedLess)
		}
	default:
		why = ClosedToSplit
		from = c.ready.best(1, older)
		due, _ := c.freshDue(now)
		if c.suspicion.turn++; from == nil || due && c.suspicion.turn%3 != 0 {
			from, why = fresh, ClosedByTime
		}
	}
	most = c.most(from.first.level())
	if c.refusals.on {
		most = min(most, c.refusals.probe)
	}
	return from, most, why
}

// cut forms a batch of what has waited longest. It happens when the call may be
// made, not before: until then the items go on merging, and a short budget is
// spent on full requests.
func (c *Core) cut(now time.Time) Decision {
	from, most, why := c.turn(now)
	b := &Batch{ID: c.nextBatchID(), Parent: from.first.parent(), Cut: now, Reason: why, Bytes: 2}
	b.Items = make([]*Item, 0, min(from.n, most))
	mostBytes := c.mostBytes(now)
	for it := from.first; it != nil && len(b.Items) < most; it = from.first {
		if len(b.Items) > 0 && b.Bytes+it.bytes > mostBytes {
			b.Reason = closedBy(why, ClosedByBytes)
			break
		}
		from.remove(it)
		c.freeze(it)
		it.phase = sent
		a := it.Assignment
		a.sent = max(a.sent, it.Events[len(it.Events)-1].seq+1)
		it.Attempts++
		b.Items = append(b.Items, it)
		b.Bytes += it.bytes
	}
	if len(b.Items) == c.cfg.MaxItems {
		b.Reason = closedBy(why, ClosedBySize)
	}
	if c.refusals.on {
		b.probesBrake, c.refusals.probeAt = true, now.Add(brakeProbe)
	}
	c.puts++
	c.pace.spend(now, 1)
	return Put{b}
}

// closedBy is the reason of a window of fresh work; that of others stays.
func closedBy(why, fresh CloseReason) CloseReason {
	if why == ClosedByTime {
		return fresh
	}
	return why
}
