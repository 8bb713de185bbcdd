package pipeline

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

// carryOut does what the core has decided, until it has nothing to do, and
// returns when to ask again.
func (p *Pipeline) carryOut(now time.Time) (next time.Time) {
	p.keepLease()
	p.produceAgain(now)
	for {
		switch d := p.core.Next(now).(type) {
		case batcher.Put:
			p.put(d.Batch)
		case batcher.Look:
			p.look(d.Operation)
		case *batcher.Report:
			p.report(d)
		case *batcher.Bury:
			p.bury(d)
		case *batcher.Commit:
			p.commit(d)
		case batcher.Quiet:
			p.release(d.Assignment)
		case batcher.Pause:
			p.source.Pause(d.Assignment)
		case batcher.Resume:
			p.source.Resume(d.Assignment)
		case batcher.Notice:
			p.tell(now, d)
		case batcher.Wait:
			if p.cancelCommit != nil && p.core.AwaitsCommit(now) {
				p.cancelCommit()
			}
			return p.earliestDelayed(d.Until)
		}
	}
}

// keepLease publishes until when a body may be written: the sink asks again
// when the first byte is about to go, which can be long after the decision.
func (p *Pipeline) keepLease() {
	if until := p.core.LeaseUntil(); !until.IsZero() {
		p.lease.Store(&until)
	}
}

// leaseHolds asks both clocks: the monotonic one stands still while a machine
// is suspended, the wall clock may be set back.
func (p *Pipeline) leaseHolds() bool {
	until := p.lease.Load()
	if until == nil {
		return true
	}
	now := time.Now()
	return now.Before(*until) && now.Round(0).Before(until.Round(0))
}

func (p *Pipeline) put(b *batcher.Batch) {
	p.cfg.Observer.Cut(b)
	p.calls.run(func() {
		begun := time.Now()
		outcome := p.sink.Put(p.callCtx, b, p.leaseHolds)
		p.inbox.put(answered{b, outcome, observed{p.cfg.Observer, time.Since(begun)}})
	})
}

func (p *Pipeline) look(op *batcher.Operation) {
	p.calls.run(func() {
		begun := time.Now()
		view := p.sink.Look(p.callCtx, op)
		p.inbox.put(polled{op, view, observed{p.cfg.Observer, time.Since(begun)}})
	})
}

// lastCommit is what the last commit has at least, however late it comes:
// without it the next owner would repeat everything.
const lastCommit = 500 * time.Millisecond

func (p *Pipeline) commit(c *batcher.Commit) {
	timeout := p.cfg.CommitTimeout
	if p.draining && !p.closeBy.IsZero() {
		by := p.closeBy
		if time.Now().Before(p.waitBy) {
			by = p.waitBy // others come after it, and they need their time
		}
		timeout = max(min(timeout, time.Until(by)), lastCommit)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.callCtx), timeout)
	p.cancelCommit = cancel
	if slices.ContainsFunc(c.Partitions, func(pc batcher.PartitionCommit) bool { return pc.Last }) {
		p.cancelCommit = nil // it is what a revocation waits for
	}
	p.calls.run(func() {
		defer cancel()
		begun := time.Now()
		p.source.Commit(ctx, c)
		p.inbox.put(committed{c, observed{p.cfg.Observer, time.Since(begun)}})
	})
}

// report produces a result event. Until Kafka has it, what it says is not
// settled; so an error is no end, it is tried again.
func (p *Pipeline) report(r *batcher.Report) {
	p.story(r)
	if r.Kind == batcher.ReportCompleted {
		p.cfg.Observer.Ended(r)
	}
	p.produceReport(r)
}

func (p *Pipeline) produceReport(r *batcher.Report) {
	p.results.Report(r, func(err error) {
		if err == nil {
			p.inbox.put(reported{r})
			return
		}
		p.inbox.put(again{p, func() { p.produceReport(r) }})
		// Whoever writes says what is wrong, once; this is said each time.
		p.log.Debug("result event not written; trying again",
			zap.String("batch_id", r.Batch.ID), zap.Stringer("kind", r.Kind), zap.Error(err))
	})
}

func (p *Pipeline) bury(b *batcher.Bury) {
	a := b.Event.Assignment
	fields := append(partition(a), zap.Int64("offset", b.Event.Offset),
		zap.String("reason", b.Reason.Code), zap.String("detail", b.Reason.Text))
	if b.BatchID != "" {
		fields = append(fields, zap.String("batch_id", b.BatchID))
	}
	p.log.Warn("event goes to the dead-letter topic", fields...)
	p.produceBury(b)
}

func (p *Pipeline) produceBury(b *batcher.Bury) {
	p.results.Bury(b, func(err error) {
		if err == nil {
			p.inbox.put(buried{b})
			return
		}
		p.inbox.put(again{p, func() { p.produceBury(b) }})
		a := b.Event.Assignment
		p.log.Debug("dead letter not written; trying again",
			zap.String("topic", a.Topic), zap.Int32("partition", a.Partition), zap.Int64("offset", b.Event.Offset), zap.Error(err))
	})
}

// again asks the loop to repeat a produce a little later.
type again struct {
	p  *Pipeline
	do func()
}

func (f again) tell(_ *batcher.Core, now time.Time) {
	f.p.delayed = append(f.p.delayed, delayed{now.Add(f.p.cfg.ProduceRetry), f.do})
}

func (p *Pipeline) produceAgain(now time.Time) {
	waiting := p.delayed[:0]
	for _, d := range p.delayed {
		if d.at.After(now) {
			waiting = append(waiting, d)
			continue
		}
		d.do()
	}
	clear(p.delayed[len(waiting):])
	p.delayed = waiting
}

func (p *Pipeline) earliestDelayed(at time.Time) time.Time {
	for _, d := range p.delayed {
		if at.IsZero() || d.at.Before(at) {
			at = d.at
		}
	}
	return at
}
