package batcher

import "time"

// Fetched tells of records of one assignment, in partition order. They are the
// core's from now on, the slice is not.
func (c *Core) Fetched(now time.Time, a *Assignment, changes []Change) {
	if a.phase != live && c.rules.TaggedRecords {
		return // polled before the assignment ended: not ours any more
	}
	if !c.rules.TaggedRecords {
		if a = c.current(a); a == nil {
			return
		}
	}
	if a.ledger.counts.Open == 0 {
		a.movedAt = now // it did not stand still, it had nothing
	}
	for i := range changes {
		c.extra -= 1 + len(changes[i].More)
		c.take(now, a, &changes[i])
	}
	c.extra = max(0, c.extra)
	if !a.started && len(changes) > 0 {
		a.started = true
		c.commitAt = now // the write-ahead mark waits for no interval
	}
	c.reconsiderShare(now, a)
}

// Waits tells that the first record of an assignment can't be read yet, and where it
// is. A position that is not known yet is committed now, as that of a first record
// would be: without a commit, a next owner could begin behind it.
func (c *Core) Waits(now time.Time, a *Assignment, position int64) {
	if a.phase != live || a.ledger.next >= 0 {
		return
	}
	a.ledger.next, a.started = position, true
	c.commitAt = now
}

func (c *Core) take(now time.Time, a *Assignment, ch *Change) {
	if ch.Verdict == Send {
		if len(ch.More) > 0 {
			c.takeSeveral(now, a, ch)
		} else {
			c.takeToSend(now, a, ch)
		}
		return
	}
	ev := new(Event)
	c.enter(now, a, ev, ch)
	if ch.Verdict == Skip {
		c.skipped[ch.Reason.Code]++
		c.settle(ev, &a.ledger.counts.Skipped)
	} else {
		c.reject(now, &Bury{Event: ev, Reason: ch.Reason})
	}
}

// takeToSend takes a change that is to be sent. Most changes are the first of an
// item, and then the two are one allocation: they are needed for the same time.
func (c *Core) takeToSend(now time.Time, a *Assignment, ch *Change) {
	chain := c.chains.of(ch.MessageID)
	if n := len(chain.items); n > 0 && c.mayMerge(chain.items[n-1], a) {
		ev := new(Event)
		c.enter(now, a, ev, ch)
		if !c.merge(chain.items[n-1], ev) {
			c.append(now, chain, new(Item), ev)
		}
		return
	}
	both := new(struct {
		item  Item
		event Event
	})
	c.enter(now, a, &both.event, ch)
	c.append(now, chain, &both.item, &both.event)
}

// enter makes an event of a record with one change and enters it in the books.
func (c *Core) enter(now time.Time, a *Assignment, ev *Event, ch *Change) {
	seq := c.book(now, a, ch)
	c.open(now, a, ev, ch, seq, ch.size())
}

// book enters a record in its partition's ledger.
func (c *Core) book(now time.Time, a *Assignment, ch *Change) (seq uint64) {
	seq = a.ledger.add(ch.Offset, ch.LeaderEpoch)
	a.ledger.made(seq, ch.Record.Timestamp)
	c.malformed.note(now, 0, 1)
	return seq
}

// open makes an event of a change, which takes so many bytes of credit.
func (c *Core) open(now time.Time, a *Assignment, ev *Event, ch *Change, seq uint64, bytes int64) {
	*ev = Event{
		Offset: ch.Offset, EventID: ch.EventID, Patch: ch.Patch, OccurredAt: ch.OccurredAt,
		Arrived: now, Record: ch.Record, Assignment: a, bytes: bytes,
		order: c.delivered, seq: seq,
	}
	c.delivered++
	c.openEvents++
	a.open++
	c.openBytes += bytes
	a.bytes += bytes
}

// settle closes a record's book (I4), unless changes of it are still open, and frees
// credit. What belongs to a dead assignment has been dropped already.
func (c *Core) settle(ev *Event, count *uint64) {
	a := ev.Assignment
	if a.phase == dead {
		return
	}
	deadLettered := &a.ledger.counts.DeadLettered
	if s := ev.siblings; s == nil {
		a.ledger.settle(ev.seq, count)
	} else if s.settles(count, deadLettered, c.rules.WholeRecord) {
		if s.givenUp {
			count = deadLettered
		}
		a.ledger.settle(ev.seq, count)
	}
	c.release(ev)
	c.resume(a)
}

// charge takes more credit for an event that has made what is kept larger.
func (c *Core) charge(ev *Event, bytes int) {
	ev.bytes += int64(bytes)
	c.openBytes += int64(bytes)
	ev.Assignment.bytes += int64(bytes)
}

// release frees the credit of an event, and with the last of a record that of the
// record.
func (c *Core) release(ev *Event) {
	bytes := ev.bytes
	if s := ev.siblings; s != nil {
		if s.open--; s.open == 0 {
			bytes += s.bytes
		}
	}
	c.openEvents--
	ev.Assignment.open--
	c.openBytes -= bytes
	ev.Assignment.bytes -= bytes
}

// drop gives an event back to the group, and with it its whole record.
func (c *Core) drop(ev *Event) {
	if ev.Assignment.phase == dead {
		return
	}
	if s := ev.siblings; s == nil {
		ev.Assignment.ledger.drop()
	} else if !s.over {
		s.over = true
		ev.Assignment.ledger.drop()
	}
	c.release(ev)
}
