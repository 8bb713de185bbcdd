package batcher

import (
	"slices"
	"time"
)

// Answered tells what became of one PUT attempt, when it ended.
func (c *Core) Answered(now time.Time, b *Batch, o Outcome) {
	c.puts--
	if o.Kind == Limited {
		c.limited(now, o.Quota, o.Reason)
	} else if o.Status > 0 {
		c.pace.learn(now, o.Quota)
	}
	switch o.Kind {
	case Accepted:
		c.accepted(now, b, o)
	case Unknown:
		c.failedPut(now, b, o, false)
		for _, it := range b.Items {
			c.strayed(it, now)
			c.back(now, it, now.Add(c.backoff(min(it.Attempts, c.door.failures))))
		}
	case NotSent:
		if !c.leaseOver(now) { // that is no trouble with the API
			c.failedPut(now, b, o, false)
		}
		c.allBack(now, b, now.Add(c.backoff(c.door.failures)))
	case Limited:
		notBefore := now
		if o.Quota.Remaining > 0 { // one object's limit: that message is among these
			notBefore = now.Add(c.backoff(2 + c.batchFailures(b)))
		}
		c.allBack(now, b, notBefore)
	case Refused:
		c.refused(now, b, o)
		fallthrough
	case Forbidden, Unauthorized:
		c.failedPut(now, b, o, true)
		c.allBack(now, b, now)
	}
}

// refused tells of a batch that Kustomer would not take. Its items wait.
func (c *Core) refused(now time.Time, b *Batch, o Outcome) {
	if !slices.ContainsFunc(b.Items, func(it *Item) bool { return it.phase != gone }) {
		return // nothing of ours is in it any more (I8)
	}
	r := &Report{Kind: ReportRefused, Batch: b, Outcome: o, At: now}
	for _, it := range b.Items {
		r.Fates = append(r.Fates, ItemFate{Item: it, Fate: FateReturned})
	}
	c.decide(r)
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

// failedPut closes the door when attempts fail in a row, and says so once a
// probe.
func (c *Core) failedPut(now time.Time, b *Batch, o Outcome, certain bool) {
	if !c.door.failed(now, certain, c.backoff(c.door.failures)) {
		return
	}
	c.decide(Notice{
		Kind: DeliveryPaused, Reason: o.Reason, Since: c.door.since, Until: c.door.next,
		Attempts: c.door.failures, Certain: certain, Batch: b,
	})
}

func (c *Core) limited(now time.Time, q Quota, why Reason) {
	if q.Remaining > 0 {
		return // the limit of one object, not the org's
	}
	until := c.pace.limited(now, q, c.random.Float64())
	c.decide(Notice{Kind: QuotaExhausted, Reason: why, Since: now, Until: until})
}

func (c *Core) accepted(now time.Time, b *Batch, o Outcome) {
	if c.door.succeeded() {
		c.decide(Notice{Kind: DeliveryResumed, Since: c.door.since})
	}
	op := &Operation{ID: o.Operation, Batch: b, Accepted: now, Outcome: o}
	op.heapIndex = -1
	op.results = make([]ItemResult, len(b.Items))
	for _, it := range b.Items {
		if it.phase == gone {
			continue
		}
		it.phase, it.operation = open, op
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
		c.settle(b.Event, &b.Event.Assignment.ledger.counts.DeadLettered)
	}
}

// Buried tells that Kafka acknowledged a dead letter: its record is settled,
// and the message's next change may go.
func (c *Core) Buried(now time.Time, b *Bury) {
	if c.rules.SettleAfterBurial {
		c.settle(b.Event, &b.Event.Assignment.ledger.counts.DeadLettered)
	}
	if b.item != nil && b.item.phase != gone {
		c.remove(now, b.item)
	}
}
