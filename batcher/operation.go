package batcher

import "time"

// operationState is what the core alone knows of an operation.
type operationState struct {
	inherited bool          // it was taken over from an earlier owner
	owners    []*Assignment // the partitions that wait for it, of one that was taken over
	involved  []*Assignment
	results   []ItemResult
	awaited   bool // a successor waits for it
	overdue   bool // said so
	looking   bool
	nextLook  time.Time
	lookedAt  time.Time     // the last time
	ran       time.Duration // its age when it was last seen running, had that look been in time
	pushed    float64       // what it taught while it ran
	heapIndex int
	failures  int // looks that learned nothing, in a row
}

// involve notes that the operation carries changes of the partition, whose
// commits name it until it ends.
func (op *Operation) involve(a *Assignment) {
	for _, x := range op.involved {
		if x == a {
			return
		}
	}
	op.involved = append(op.involved, a)
	a.operations = append(a.operations, op)
	a.changed = true
}

// ours counts the items whose partition is still ours.
func (op *Operation) ours() (n int) {
	for _, it := range op.Batch.Items {
		if it.Assignment.phase != dead {
			n++
		}
	}
	return n
}

// Polled tells what one look at an operation saw.
func (c *Core) Polled(now time.Time, op *Operation, v View) {
	c.looking--
	op.looking = false
	if v.Calls > 1 {
		c.pace.spend(now, v.Calls-1)
	}
	if v.Limited {
		c.limited(now, op.lookedAt, v.Quota, v.Reason, false)
	} else if v.Status > 0 {
		c.pace.learn(now, op.lookedAt, v.Quota, c.puts+c.looking)
		c.rested(now)
	}
	c.readable(now, v)
	switch {
	case op.inherited:
		c.polledInherited(now, op, v)
	case op.ours() == 0 && c.rules.DeadStartsNothing:
		// Its partitions are gone (I8); it is in no list any more.
	case v.Kind == NoView:
		c.lookAgain(now, op, true)
	default:
		c.polledOwn(now, op, v)
	}
}

// polledOwn takes what is new in a view. A message's hold ends with the item's
// own result, the operation's records wait for its end.
func (c *Core) polledOwn(now time.Time, op *Operation, v View) {
	missing := false
	for i, it := range op.Batch.Items {
		if op.results[i].Status != NoResult {
			continue
		}
		switch {
		case i < len(v.Results) && v.Results[i].Status != NoResult:
			op.results[i] = v.Results[i]
		case v.Kind == Complete && !c.rules.ResultsNotStatus:
			op.results[i].Status = Updated
		default:
			missing = true
			continue
		}
		if op.results[i].Status == Updated && it.phase == open {
			it.chain.givenUp = ""
			c.remove(now, it)
		}
	}
	if missing && v.Kind == Running {
		c.lookAgain(now, op, false)
		return
	}
	c.end(now, op, v)
}

// end closes an operation of ours: what was applied is reported, what failed is
// tried again or given up, and what has no result is sent again as a stray.
func (c *Core) end(now time.Time, op *Operation, v View) {
	c.forgetOperation(now, op)
	took := v.Took
	if took <= 0 {
		took = now.Sub(op.Accepted)
	}
	if v.Kind == Complete && !op.overdue {
		c.durations.ended(op, op.nextLook.Sub(op.Accepted), v.Took)
	}
	r := &Report{
		Kind: ReportCompleted, Batch: op.Batch, Operation: op, Outcome: op.Outcome,
		At: now, Took: took, Looks: op.Looks, Fates: make([]ItemFate, 0, len(op.Batch.Items)),
	}
	r.settles = make([]*Event, 0, len(op.Batch.Items)+len(op.Batch.Items)/4)
	for i, it := range op.Batch.Items {
		if it.Assignment.phase == dead && c.rules.DeadStartsNothing {
			continue
		}
		fate := ItemFate{Item: it, Reason: op.results[i].Reason}
		switch op.results[i].Status {
		case Updated:
			fate.Fate = FateUpdated
			c.refusals.note(now, 0, len(it.Events))
			r.settles = append(r.settles, it.Events...)
		case Failed:
			fate.Fate = c.itemFailed(now, op, it, fate.Reason)
		case NoResult:
			fate.Fate, fate.Reason = FateReturned, noResult(v)
			c.lostResult(now, op, it)
		}
		r.Fates = append(r.Fates, fate)
	}
	c.decide(r)
	c.probed(now, op)
	if !c.rules.SettleAfterReport {
		c.settleReported(r)
	}
}

// noResult is why an item is sent again whose operation said nothing of it.
func noResult(v View) Reason {
	if v.Kind == Gone {
		return Reason{Code: "operation_gone", Text: "Kustomer does not know the operation any more, so whether the item was updated is not known"}
	}
	return Reason{Code: "no_result", Text: "the operation ended without a result for the item"}
}

// lostResult sends an item again whose operation ended without a result for it.
func (c *Core) lostResult(now time.Time, op *Operation, it *Item) {
	since := now
	if !c.rules.StrayFromSeen {
		since = op.Accepted
	}
	c.strayed(it, since)
	c.back(now, it, now.Add(c.backoff(it.Attempts)))
}

// itemFailed tries an item again that Kustomer failed, a few times over a
// while; then halves it; a lone event is given up. The parts of a halved item,
// and the changes of a message whose last one was given up, have one attempt
// each when they fail for the same reason: patience has been tried for it, and
// their message waits behind them.
func (c *Core) itemFailed(now time.Time, op *Operation, it *Item, why Reason) Fate {
	if it.phase == gone {
		return FateReturned
	}
	if it.Failures == 0 {
		it.why = why.Text
	}
	if it.why != why.Text {
		it.why = "" // no one reason was given all the time
	}
	it.Failures++
	step := c.cfg.ItemOver / time.Duration(max(1, c.cfg.ItemAttempts))
	tried := why.Text != "" && (why.Text == it.hopeless || why.Text == it.chain.givenUp)
	if !tried && it.Failures <= c.cfg.ItemAttempts {
		if !c.back(now, it, now.Add(step)) {
			return FateReturned
		}
		return FateFailed
	}
	if len(it.Events) > 1 && c.rules.HalveInOrder && !c.over(it) {
		it.hopeless = it.why
		c.halve(now, it)
		return FateFailed
	}
	given := it.why
	fate := c.giveUp(now, it, Bury{
		Reason:  Reason{Code: "item_failed", Text: why.Text},
		BatchID: op.Batch.ID, Operation: op.ID, Status: op.Outcome.Status,
	})
	if fate == FateDeadLettered {
		it.chain.givenUp = given
	}
	return fate
}

// forgetOperation takes an operation of ours out of every list.
func (c *Core) forgetOperation(now time.Time, op *Operation) {
	c.looks.cancel(op)
	c.openOperations--
	if op.overdue {
		c.slotFreed(now)
	}
	for _, a := range op.involved {
		a.forget(op)
	}
	op.involved = nil
}
