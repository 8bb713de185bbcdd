package batcher

import (
	"slices"
	"time"
)

// Answered tells what became of one PUT attempt, when it ended.
func (c *Core) Answered(now time.Time, b *Batch, o Outcome) {
	c.puts--
	ofObject := c.isOfObject(o.Quota)
	if o.Kind == Limited {
		c.limited(now, o.Sent, o.Quota, o.Reason, ofObject)
	} else if o.Status > 0 {
		c.pace.learn(now, o.Sent, o.Quota, c.puts+c.looking)
		c.rested(now)
	}
	switch o.Kind {
	case Accepted:
		c.accepted(now, b, o)
	case Unknown:
		c.unknown(now, b, o)
	case NotSent:
		if !c.leaseOver(now) { // that is no trouble with the API
			c.failedPut(now, b, o, false)
			c.unanswered(b, o)
		}
		c.allBack(now, b, now.Add(c.backoff(c.door.failures)))
	case Limited:
		if ofObject {
			c.objectLimited(now, b, o)
			return
		}
		c.allBack(now, b, now)
	case Refused:
		c.answers()
		c.refusal(now, b, o, c.refused)
	case Doubtful:
		c.refusal(now, b, o, c.doubtful)
	case Unauthorized:
		c.failedPut(now, b, o, true)
		c.allBack(now, b, now)
	}
}

// refusal takes a refusal of what is in a batch, and reports it.
func (c *Core) refusal(now time.Time, b *Batch, o Outcome, take func(time.Time, *Batch, Outcome) []ItemFate) {
	c.probeFailed(b)
	fates := slices.DeleteFunc(take(now, b, o), func(f ItemFate) bool {
		return f.Item.Assignment.phase == dead && c.rules.DeadStartsNothing
	})
	if len(fates) > 0 { // else nothing of ours is in it any more (I8)
		c.decide(&Report{Kind: ReportRefused, Batch: b, Outcome: o, At: now, Fates: fates})
	}
}

func (c *Core) allBack(now time.Time, b *Batch, notBefore time.Time) {
	for _, it := range b.Items {
		c.back(now, it, notBefore)
	}
}

func (c *Core) batchFailures(b *Batch) (most int) {
	for _, it := range b.Items {
		most = max(most, it.Attempts)
	}
	return most
}

func (c *Core) backoff(failures int) time.Duration {
	return backoff(c.random, c.cfg.RetryInitial, c.cfg.RetryMax, failures)
}

// failedPut notes a PUT that did not get through.
func (c *Core) failedPut(now time.Time, b *Batch, o Outcome, certain bool) {
	c.failedCall(now, b, o.Reason, certain, o.Kind == Unauthorized && o.Status != 403)
}

// failedCall closes the door when attempts fail in a row, and says so.
func (c *Core) failedCall(now time.Time, b *Batch, why Reason, certain, locked bool) {
	if !c.door.failed(now, certain, why, c.backoff(c.door.failures)) {
		return
	}
	c.door.locked = locked || c.door.locked && !certain // an outage proves nothing about the key
	if c.door.failures > failuresToClose && c.puts > 0 {
		return // it was under way when the door was closed
	}
	if !c.door.tells() {
		return
	}
	c.decide(Notice{
		Kind: DeliveryPaused, Reason: why, Since: c.door.since, Until: c.door.next,
		Attempts: c.door.failures, Certain: certain, Batch: b,
	})
}

// unanswered tells of a batch that came to nothing, of which something is sent again,
// and is no pause: that one is told of as a whole.
func (c *Core) unanswered(b *Batch, o Outcome) {
	ours := slices.ContainsFunc(b.Items, func(it *Item) bool { return it.phase != gone })
	if ours && !c.door.closed {
		c.decide(Notice{Kind: BatchUnanswered, Reason: o.Reason, Since: b.Cut, Attempts: c.batchFailures(b), Batch: b})
	}
}

// limited rests after a 429, unless it is one object's.
func (c *Core) limited(now, sent time.Time, q Quota, why Reason, ofObject bool) {
	if ofObject {
		c.pace.learn(now, sent, q, c.puts+c.looking)
		return
	}
	resting := now.Before(c.pace.rest)
	n := Notice{Kind: QuotaExhausted, Reason: why, Since: now, Until: c.pace.limited(now, sent, q)}
	if c.limitedWhy = why; resting {
		return // it was under way when the first was told
	}
	if q.RetryAfter > c.cfg.MaxPause {
		n.Asked = q.RetryAfter
	}
	if c.tellsOfRest(now) {
		c.decide(n)
	}
}

// restsApart is how long after a rest another one is no longer the same trouble.
const restsApart = 5 * time.Minute

// tellsOfRest notes a rest and reports whether it is to be told of. Where the quota
// does not do, there is one each minute, for hours: they are told of ever more
// seldom.
func (c *Core) tellsOfRest(now time.Time) bool {
	if now.Sub(c.limitedAt) > restsApart {
		c.limitedGap = 0
	}
	c.limitedAt = now
	if now.Sub(c.limitedTold) < c.limitedGap {
		return false
	}
	c.limitedTold, c.limitedGap = now, max(2*time.Minute, 2*c.limitedGap)
	c.restTold = true
	return true
}

// rested tells that calls get through again after a rest that was told.
func (c *Core) rested(now time.Time) {
	if c.restTold && !now.Before(c.pace.rest) {
		c.restTold = false
		c.decide(Notice{Kind: QuotaBack, Since: c.limitedTold})
	}
}

// answers opens the door: the reply shows the API at work.
func (c *Core) answers() {
	if c.door.succeeded() {
		c.decide(Notice{Kind: DeliveryResumed, Since: c.door.since})
	}
}

func (c *Core) accepted(now time.Time, b *Batch, o Outcome) {
	c.answers()
	c.hintWas(now, b, false)
	c.suspicion.successes++
	c.suspicion.objectWalls, c.extra = 0, 0
	op := &Operation{ID: o.Operation, Batch: b, Accepted: now, Outcome: o}
	op.heapIndex = -1
	op.results = make([]ItemResult, len(b.Items))
	for _, it := range b.Items {
		if it.phase == gone {
			continue
		}
		it.phase, it.operation = open, op
		if it.suspect != nil {
			it.suspect.cools = 0
		}
		if len(it.chain.items) > 1 {
			op.awaited = true
		}
		op.involve(it.Assignment)
		if !c.rules.Hold {
			c.wake(now, it.chain)
		}
	}
	if op.ours() == 0 && c.rules.DeadStartsNothing {
		return // nothing of ours is in it any more (I8)
	}
	c.openOperations++
	c.scheduleFirst(now, op, o.Complete)
	c.decide(&Report{Kind: ReportAccepted, Batch: b, Operation: op, Outcome: o, At: now})
}

// Reported tells that Kafka acknowledged a result event: the changes that it
// says were applied are settled.
func (c *Core) Reported(r *Report) {
	if c.rules.SettleAfterReport {
		c.settleReported(r)
	}
}

func (c *Core) settleReported(r *Report) {
	for _, ev := range r.settles {
		c.settle(ev, &ev.Assignment.ledger.counts.Completed)
	}
	r.settles = nil
}

// bury decides on a dead letter.
func (c *Core) bury(b *Bury) {
	a := b.Event.Assignment
	a.sent = max(a.sent, b.Event.seq+1)
	c.decide(b)
	if !c.rules.SettleAfterBurial {
		c.settleBuried(b)
	}
}

func (c *Core) settleBuried(b *Bury) {
	if b.Event.Assignment.phase != dead {
		c.buried[b.Reason.Code]++
	}
	c.settle(b.Event, &b.Event.Assignment.ledger.counts.DeadLettered)
}

// Buried tells that Kafka acknowledged a dead letter: its record is settled,
// and the message's next change may go.
func (c *Core) Buried(now time.Time, b *Bury) {
	if c.rules.SettleAfterBurial {
		c.settleBuried(b)
	}
	if b.item != nil && b.item.phase != gone {
		c.remove(now, b.item)
	}
}
