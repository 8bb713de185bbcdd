package batcher

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// Assigned tells that a partition is ours from a position on, and returns the
// handle that every later fact about its records carries.
func (c *Core) Assigned(now time.Time, s Start) *Assignment {
	a := &Assignment{Topic: s.Topic, Partition: s.Partition}
	a.ledger = newLedger(s.Offset, s.LeaderEpoch)
	a.committed, a.movedAt, a.since = s.Offset, now, now
	if !c.drainBy.IsZero() { // it came too late: it goes back at once
		a.phase, a.deadline = revoking, c.drainBy
	}
	c.assignments = append(c.assignments, a)
	if c.commitAt.IsZero() {
		c.commitAt = now.Add(c.cfg.CommitInterval)
	}
	clean, ids := takeover(s)
	if clean {
		a.ahead = !c.rules.WriteAhead
		return a
	}
	a.ahead = true // the mark is there already
	a.takingOver = true
	if c.rules.TakeoverWait {
		a.gateUntil = now.Add(c.cfg.LostReplyWait + c.cfg.TakeoverExtra)
	}
	if c.rules.TakeoverOperations {
		for _, id := range ids {
			c.inherit(now, a, id)
		}
	}
	c.decide(Notice{Kind: TakeoverBegun, Since: now, Until: a.gateUntil, Assignment: a})
	c.tryGate(now, a)
	return a
}

// inherit follows an operation of an earlier owner. It mixes partitions, so that
// several of them list it: they share the looks at it, or a restart with twelve
// partitions would spend the org's requests on looking at each twelve times.
func (c *Core) inherit(now time.Time, a *Assignment, id string) {
	op := c.inherited[id]
	if op == nil {
		op = &Operation{ID: id, Accepted: now}
		op.inherited, op.heapIndex = true, -1
		c.inherited[id] = op
		c.looks.schedule(op, now)
	}
	op.owners = append(op.owners, a)
	a.inherited = append(a.inherited, op)
}

// disown ends a partition's interest in the operations it has taken over.
func (c *Core) disown(a *Assignment) {
	for _, op := range a.inherited {
		op.owners = slices.DeleteFunc(op.owners, func(x *Assignment) bool { return x == a })
		if len(op.owners) == 0 {
			c.looks.cancel(op)
			delete(c.inherited, op.ID)
		}
	}
}

// tryGate lets a partition's items start once nothing of an earlier owner can
// overtake them.
func (c *Core) tryGate(now time.Time, a *Assignment) {
	open, at := a.gateOpen(now)
	if !open {
		switch {
		case a.phase == revoking && at.After(a.deadline):
			c.dropWaiting(now, func(it *Item) bool { return it.Assignment == a })
		case !at.IsZero():
			heap.Push(&c.alarms, alarm{at: at, assignment: a})
		}
		return
	}
	if a.takingOver {
		a.takingOver = false
		c.decide(Notice{Kind: TakeoverOver, Assignment: a})
	}
	for it := a.parked.first; it != nil; it = a.parked.first {
		a.parked.remove(it)
		c.wake(now, it.chain)
	}
}

// polledInherited follows an operation of an earlier owner. When it is gone, it
// may still run, as any operation whose end nobody saw.
func (c *Core) polledInherited(now time.Time, op *Operation, v View) {
	if len(op.owners) == 0 {
		return
	}
	if v.Kind != Complete && v.Kind != Gone {
		c.lookAgain(now, op, v.Kind == NoView)
		return
	}
	delete(c.inherited, op.ID)
	for _, a := range op.owners {
		if a.phase == dead {
			continue
		}
		if v.Kind == Gone && c.rules.TakeoverWait {
			a.gateUntil = later(a.gateUntil, now.Add(c.cfg.LostReplyWait))
		}
		a.inherited = slices.DeleteFunc(a.inherited, func(o *Operation) bool { return o == op })
		a.changed = true
		c.tryGate(now, a)
	}
}

// current finds the assignment that is live for the same partition.
func (c *Core) current(a *Assignment) *Assignment {
	for _, x := range c.assignments {
		if x.Topic == a.Topic && x.Partition == a.Partition && x.phase == live {
			return x
		}
	}
	return nil
}

// wakeDue rings the alarms whose time has come.
func (c *Core) wakeDue(now time.Time) {
	for len(c.alarms) > 0 && !c.alarms[0].at.After(now) {
		al := heap.Pop(&c.alarms).(alarm)
		switch {
		case al.chain != nil:
			c.wake(now, al.chain)
		case al.assignment.phase != dead:
			c.tryGate(now, al.assignment)
		}
	}
}

// Revoking tells that partitions are to be given back by the deadline. What runs
// is awaited. Of what waits, only changes that stand before one already sent are
// still sent: the commit can't pass a record that is not settled, so without
// them the next owner would send again what has been applied, and a message could
// go back to an older value for a while. Everything behind is dropped, for the
// next owner reads it anyway. [Quiet] says when each may be given back.
func (c *Core) Revoking(now time.Time, as []*Assignment, deadline time.Time) {
	for _, a := range as {
		if a.phase != live {
			continue
		}
		a.phase, a.deadline = revoking, deadline
		for _, op := range a.operations {
			c.lookBefore(now, op, deadline)
		}
	}
	c.dropHeld(func(a *Assignment) bool { return a.phase == revoking })
	for _, it := range c.itemsOf(func(it *Item) bool { return it.Assignment.phase == revoking && it.phase == waiting }) {
		c.curtail(now, it)
	}
}

// curtail drops what an item that waits need not be sent for any more.
func (c *Core) curtail(now time.Time, it *Item) {
	if it.phase != waiting {
		return // the fall of the one before it has taken it along
	}
	a := it.Assignment
	keep := 0
	for keep < len(it.Events) && it.Events[keep].seq < a.sent {
		keep++
	}
	if it.frozen {
		keep = len(it.Events)
	}
	if keep == 0 || c.stopped(a) {
		c.dropItem(now, it)
		return
	}
	c.shorten(it, keep)
	if c.candidate(it.chain) != it {
		return
	}
	if start, at := c.mayStart(now, it); !start && !at.IsZero() && at.After(a.deadline) {
		c.giveBack(now, it)
	}
}

func (c *Core) itemsOf(match func(*Item) bool) (items []*Item) {
	for ch := range c.chains.all() {
		for _, it := range ch.items {
			if match(it) {
				items = append(items, it)
			}
		}
	}
	// A hash table has no order, and a seed must replay.
	slices.SortFunc(items, func(a, b *Item) int { return cmp.Compare(a.Events[0].order, b.Events[0].order) })
	return items
}

// finishRevocations decides the last commit of partitions that have become
// quiet, or whose time is up.
func (c *Core) finishRevocations(now time.Time) {
	c.giveUpWaiting(now)
	for _, a := range c.assignments {
		if a.phase != revoking || c.committing != nil || a.open > 0 && now.Before(a.deadline) && c.mayEnd(a) {
			continue
		}
		a.phase = final
		c.commitAt = now
		if c.rules.NothingAfterFinal {
			c.dropWaiting(now, func(it *Item) bool { return it.Assignment == a })
		}
	}
}

// stopped reports whether next to nothing gets through before a partition is to be
// given back.
func (c *Core) stopped(a *Assignment) bool {
	return c.door.closed || c.refusals.on || c.pace.until().After(a.deadline)
}

// lookBefore sees to it that an operation is looked at before a deadline: what is
// not seen to have ended by then is left to the next owner, who sends it again.
func (c *Core) lookBefore(now time.Time, op *Operation, deadline time.Time) {
	c.hurry(now, op)
	last := deadline.Add(-lastLook)
	if !op.looking && op.failures == 0 && last.After(now) && op.nextLook.After(last) {
		c.looks.schedule(op, last)
	}
}

// lastLook is how long before the end of a revocation an operation is looked at
// for the last time: time enough for the reply, the result event and the commit.
const lastLook = 2 * time.Second

// mayEnd reports whether something of what is open of a partition can still end
// before its deadline. Operations at which nobody looks before then cannot.
func (c *Core) mayEnd(a *Assignment) bool {
	unseen := 0
	for _, op := range a.operations {
		if op.looking || !c.nextLookAt(op).After(a.deadline) {
			return true
		}
		for _, it := range op.Batch.Items {
			if it.Assignment == a {
				unseen += len(it.Events)
			}
		}
	}
	return unseen != a.open // else there is nothing but operations
}

func (c *Core) dropWaiting(now time.Time, match func(*Item) bool) {
	for _, it := range c.itemsOf(match) {
		if it.phase == waiting {
			c.dropItem(now, it)
		}
	}
}

// giveUpWaiting drops what waits for partitions that are to be given back, when
// nothing gets through: it could not end in time.
func (c *Core) giveUpWaiting(now time.Time) {
	hopeless := func(a *Assignment) bool { return a.phase == revoking && c.stopped(a) }
	if slices.ContainsFunc(c.assignments, hopeless) {
		c.dropWaiting(now, func(it *Item) bool { return hopeless(it.Assignment) })
	}
}

// Lost tells that partitions are not ours any more. They die at once; there is
// no commit.
func (c *Core) Lost(now time.Time, as []*Assignment) {
	for _, a := range as {
		c.die(now, a)
	}
}

// die ends an assignment (I8): its records are dropped, its items leave their
// chains, and operations that hold nothing else are forgotten.
func (c *Core) die(now time.Time, a *Assignment) {
	if a.phase == dead {
		return
	}
	c.dropHeld(func(x *Assignment) bool { return x == a })
	a.phase = dead
	c.openEvents -= a.open
	c.openBytes -= a.bytes
	a.open, a.bytes = 0, 0
	a.ledger.counts.Dropped += a.ledger.counts.Open
	a.ledger.counts.Open = 0
	c.retired.Add(a.ledger.counts)
	c.assignments = slices.DeleteFunc(c.assignments, func(x *Assignment) bool { return x == a })
	if !c.rules.DeadStartsNothing {
		return
	}
	c.disown(a)
	for _, it := range c.itemsOf(func(it *Item) bool { return it.Assignment == a }) {
		c.remove(now, it)
	}
	for _, op := range slices.Clone(a.operations) {
		if op.ours() == 0 {
			c.forgetOperation(now, op)
		}
	}
}
