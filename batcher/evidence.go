package batcher

import "time"

// What this file decides has in common that a reply proves nothing by itself: it
// takes what becomes of others to tell a guilty item from an API, a key or an org
// in trouble.

// doubtful takes a refusal that may be for what some items hold, or for the key,
// the address or what is in front of Kustomer: a 403 of a batch with audit members,
// which need a role of their own, or a 4xx that is not Kustomer's. It shows in what
// becomes of others. One success is no proof: while a change of roles spreads at
// Kustomer's, refusals and successes mix.
func (c *Core) doubtful(now time.Time, b *Batch, o Outcome) []ItemFate {
	guilty, others := !c.rules.DoubtEvidence, false
	for _, i := range o.Hints {
		e := &b.Items[i].suspected().doubts
		if counted := e.add(now, c.suspicion.successes); counted && e.n > 1 {
			others = true
		}
		guilty = guilty || e.lasted(now, 1+doubtsToProve, c.cfg.ItemOver)
	}
	wait := 2 * c.cfg.Linger // the others show first what the key may do
	switch {
	case guilty && len(b.Items) == 1:
		c.answers()
		return c.guilty(now, b, o)
	case (guilty || others) && len(o.Hints) == len(b.Items) && len(b.Items) > 1:
		c.suspectAll(b)
		c.allBack(now, b, now)
		return returned(b)
	case guilty || others:
		wait = c.cfg.ItemOver / time.Duration(max(1, c.cfg.ItemAttempts))
	case len(o.Hints) == len(b.Items):
		c.failedPut(now, b, o, true)
		c.allBack(now, b, now)
		c.letIn(now)
		return returned(b)
	}
	for _, i := range o.Hints {
		s := b.Items[i].suspected()
		s.level, s.parent = alone, b.ID
		c.back(now, b.Items[i], now.Add(wait))
	}
	for _, it := range b.Items {
		if it.phase == sent {
			c.back(now, it, now)
		}
	}
	c.letIn(now)
	return returned(b)
}

// unknown takes an attempt whose end nobody saw. The items are sent again as
// they were; suspicion rises only when others get through between.
func (c *Core) unknown(now time.Time, b *Batch, o Outcome) {
	c.failedPut(now, b, o, false)
	c.unanswered(b, o)
	wait := c.backoff(min(c.batchFailures(b), c.door.failures)) // one for all, or they would come back one by one
	for _, it := range b.Items {
		if it.phase == gone {
			continue
		}
		c.strayed(it, now)
		s := it.suspected()
		s.unknown.add(now, c.suspicion.successes)
		if len(b.Items) == 1 {
			s.solitary.add(now, c.suspicion.successes)
		}
		c.unknownAgain(now, it, b, o, wait)
	}
	c.letIn(now)
}

// unknownAgain decides how an item of unknown outcome goes on.
func (c *Core) unknownAgain(now time.Time, it *Item, b *Batch, o Outcome, wait time.Duration) {
	s, solo := it.suspected(), len(b.Items) == 1
	if solo && s.unknown.n >= unknownsToRaise {
		s.level = alone // company would share its fate, and their messages the stray time
	}
	switch {
	case !solo && s.unknown.n >= unknownsToRaise && c.rules.Suspects:
		c.raise(s, len(b.Items))
		s.parent = b.ID
	case !solo:
	case len(it.Events) > 1 && c.rules.HalveInOrder:
		// Not on a few attempts: one of them may have been carried out, and then the
		// first half would put older values back until the second has followed.
		if s.solitary.n >= c.cfg.UnknownAttempts && c.rules.Suspects && !c.over(it) {
			s.level, s.parent = alone, b.ID
			c.halve(now, it)
			return
		}
	case c.hopeless(now, s):
		c.giveUp(now, it, Bury{Reason: o.Reason, BatchID: b.ID, Status: o.Status})
		return
	case s.solitary.n >= unknownsToRaise && !c.door.closed:
		// It is not bad luck any more, and the messages behind it wait for the end of
		// its patience, not of its next attempt.
		wait = max(wait, c.cfg.UnknownOver/time.Duration(max(1, c.cfg.UnknownAttempts)))
	}
	c.back(now, it, now.Add(wait))
}

// hopeless reports whether a lone change of unknown outcome is to be given up.
func (c *Core) hopeless(now time.Time, s *suspect) bool {
	if !c.rules.UnknownPatience {
		return s.solitary.n >= unknownsToRaise
	}
	return s.solitary.lasted(now, c.cfg.UnknownAttempts, c.cfg.UnknownOver)
}

// objectLimited takes a 429 of one message's own limit: the batch is split until
// that message is alone, and then it rests. Nothing else stops, and nothing is
// ever given up for it.
func (c *Core) objectLimited(now time.Time, b *Batch, o Outcome) {
	if len(b.Items) > 1 || b.Items[0].suspected().cools == 0 {
		c.suspicion.objectWalls++
	}
	if len(b.Items) > 1 && c.rules.Suspects {
		c.suspectAll(b)
		c.allBack(now, b, now)
		return
	}
	it := b.Items[0]
	if !c.rules.LimitIsNoFault && len(b.Items) == 1 {
		c.guilty(now, b, o)
		return
	}
	rest := min(max(o.Quota.Reset, o.Quota.RetryAfter), quotaWindow)
	s := it.suspected()
	if s.cools++; rest <= 0 {
		rest = c.backoff(1 + int(s.cools))
	}
	rest += time.Duration(c.random.Int64N(int64(time.Second)))
	it.chain.coolUntil = later(it.chain.coolUntil, now.Add(rest))
	c.allBack(now, b, now)
}

// isOfObject reports whether a 429 is about one object rather than the org. When
// every attempt meets one it can't be.
func (c *Core) isOfObject(q Quota) bool {
	return (q.Remaining > 0 || q.ObjectRemaining == 0 && q.Remaining != 0) && c.suspicion.objectWalls < objectWalls
}
