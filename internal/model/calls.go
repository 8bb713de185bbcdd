package model

import (
	"slices"

	"kafka-kustomer/batcher"
)

// put carries out one PUT attempt: the lease is checked again when the body is
// written, the request may be long on its way, the attempt ends with the reply
// or the time-out.
func (p *process) put(b *batcher.Batch) {
	w := p.w
	p.checkPut(b)
	r := p.request(b)
	if w.tracing {
		w.tracef("%s PUT %s %v", p.name, b.ID, itemEvents(r))
	}
	p.puts++
	ended := false
	answer := func(o batcher.Outcome) {
		if !ended {
			ended = true
			p.puts--
			p.answered(b, o)
		}
	}
	r.spared = slices.ContainsFunc(r.items, func(it requestItem) bool {
		return slices.ContainsFunc(it.events, func(e *event) bool { return e.unlucky >= mostUnlucky })
	})
	p.later(putTimeout, func() { answer(reply(batcher.Unknown, 0)) })
	if w.trouble(DialFailure) {
		p.later(1, func() { answer(reply(batcher.NotSent, 0)) })
		return
	}
	write, way := p.way(r)
	p.later(write, func() {
		if ended {
			return
		}
		if until := p.core.LeaseUntil(); w.cfg.Shell.LeaseAtWrite && !until.IsZero() && !w.now.time().Before(until) {
			w.seen.LeaseAtWrite++
			answer(reply(batcher.NotSent, 0))
			return
		}
		p.writeRequest(r, way, answer)
	})
}

// writeRequest sends a request on its way; the answer comes back unless it is
// lost.
func (p *process) writeRequest(r *request, way tick, answer func(batcher.Outcome)) {
	w := p.w
	r.sent = w.now
	w.after(way, func() {
		p.countZombie(r)
		if o, lost := w.api.put(r); !lost {
			back := w.between(1, 2)
			if !r.spared && w.trouble(SlowReply) {
				back = w.between(3, putTimeout)
			}
			p.later(back, func() {
				o.Sent = r.sent.time()
				answer(o)
			})
		}
	})
}

// way draws how long it takes to write a request, and how long it is under way.
func (p *process) way(r *request) (write, way tick) {
	w := p.w
	if !r.spared && w.trouble(SlowPut) {
		return w.between(0, 6), w.between(1, longestWay)
	}
	return w.between(0, 1), w.between(1, 2)
}

// countZombie counts requests that arrive from a process whose partition has
// another owner by now.
func (p *process) countZombie(r *request) {
	for _, it := range r.items {
		if owner := p.w.group.partitions[it.events[0].partition].owner; owner != nil && owner != p.member {
			p.w.seen.Zombies++
			return
		}
	}
}

// request copies what a batch says at this moment.
func (p *process) request(b *batcher.Batch) *request {
	r := &request{from: p, batch: b.ID, sent: p.w.now}
	for _, it := range b.Items {
		item := requestItem{message: it.MessageID, events: p.w.eventsOf(it.Events), patch: slices.Clone(it.Patch)}
		if t := p.tenureOf(it.Assignment); t != nil {
			item.tenure = t.number
		}
		r.items = append(r.items, item)
	}
	return r
}

func itemEvents(r *request) (list [][]*event) {
	for _, it := range r.items {
		list = append(list, it.events)
	}
	return list
}

func (w *world) eventsOf(events []*batcher.Event) []*event {
	list := make([]*event, len(events))
	for i, ev := range events {
		list[i] = w.log.of(ev)
	}
	return list
}

func (p *process) answered(b *batcher.Batch, o batcher.Outcome) {
	w := p.w
	w.tracef("%s %s is %v %d %s", p.name, b.ID, o.Kind, o.Status, o.Operation)
	if o.Kind != batcher.Accepted {
		for _, it := range b.Items {
			p.sent[it].open = false
		}
	}
	p.countUnlucky(b, o.Kind)
	if o.Kind != batcher.Limited {
		p.locked = o.Status == 401
	}
	p.rest(o.Kind == batcher.Limited, o.Quota)
	if o.Kind == batcher.Limited && len(b.Items) == 1 && o.Quota.Remaining > 0 && p.tenureOf(b.Items[0].Assignment) != nil {
		p.restOf[b.Items[0].MessageID] = w.now + min(minute, tick(o.Quota.Reset.Seconds()))
	}
	o.Answered = w.now.time()
	p.core.Answered(w.now.time(), b, o)
}

// countUnlucky counts attempts of unknown outcome, which a healthy event meets
// only so many of in a row.
func (p *process) countUnlucky(b *batcher.Batch, kind batcher.OutcomeKind) {
	for _, it := range b.Items {
		for _, e := range p.w.eventsOf(it.Events) {
			switch kind {
			case batcher.Unknown:
				e.unlucky++
			case batcher.Accepted:
				e.unlucky = 0
			}
		}
	}
	if kind == batcher.Unknown || kind == batcher.Doubtful {
		p.sawUnknown = true
	}
}

// rest notes until when this process was told to make no call: by a 429, or by
// the last headers, if they leave nothing but the share of others.
func (p *process) rest(limited bool, q batcher.Quota) {
	until := p.w.now + tick(q.Reset.Seconds())
	switch {
	case limited && q.Remaining == 0:
		p.restUntil = max(p.restUntil, until)
	case q.Reset <= 0:
	case float64(q.Remaining)-quotaReserve*float64(q.Limit) < 1:
		p.dryUntil = until
	default:
		p.dryUntil = 0
	}
}

// look carries out one look at an operation.
func (p *process) look(op *batcher.Operation) {
	w := p.w
	p.checkLook(op)
	p.looks++
	if w.trouble(LookFails) {
		p.later(w.between(1, 5), func() {
			p.looked(op, batcher.View{Kind: batcher.NoView, Calls: 1, Quota: batcher.NoQuota})
		})
		return
	}
	items := 0
	if op.Batch != nil {
		items = len(op.Batch.Items)
	} else {
		w.seen.Inherited++
	}
	way := w.between(0, 2)
	if w.trouble(SlowLook) {
		way = w.between(10, 60)
	}
	w.after(way, func() {
		v := w.api.look(op.ID, items)
		p.later(w.between(0, 2), func() { p.looked(op, v) })
	})
}

func (p *process) looked(op *batcher.Operation, v batcher.View) {
	w := p.w
	p.looks--
	w.tracef("%s sees %s %v %v", p.name, op.ID, v.Kind, v.Results)
	if op.Batch != nil && v.Kind != batcher.NoView {
		for i, it := range op.Batch.Items {
			if v.Kind != batcher.Running || i < len(v.Results) && v.Results[i].Status != batcher.NoResult {
				p.sent[it].open = false
			}
		}
	}
	p.rest(v.Limited, v.Quota)
	p.locked = v.Locked || p.locked && v.Kind == batcher.NoView
	p.core.Polled(w.now.time(), op, v)
}

// report produces a result event.
func (p *process) report(r *batcher.Report) {
	w := p.w
	var updated []*event
	settled := map[*batcher.Assignment]int{}
	for _, f := range r.Fates {
		if p.tenureOf(f.Item.Assignment) == nil {
			w.fail(CheckDead, "%s reports on %s/%v of a partition that is not its own", p.name, f.Item.MessageID, offsets(f.Item.Events))
		}
		switch f.Fate {
		case batcher.FateUpdated:
			updated = append(updated, w.eventsOf(f.Item.Events)...)
			settled[f.Item.Assignment] += len(f.Item.Events)
		case batcher.FateDeadLettered:
			p.gaveUp(r, f)
		}
	}
	w.tracef("%s reports %s %v %v", p.name, r.Batch.ID, r.Kind, updated)
	p.produce(func() {
		for _, e := range updated {
			e.resultAcked = true
		}
	}, func() {
		for a, n := range settled {
			p.settled(a, n)
		}
		p.core.Reported(r)
	})
}

// settled counts changes of an assignment that have settled.
func (p *process) settled(a *batcher.Assignment, changes int) {
	if t := p.tenureOf(a); t != nil {
		t.open -= changes
	}
}

// produce writes to Kafka until it is acknowledged, in any order: written is
// called when Kafka has it, told when the process knows.
func (p *process) produce(written, told func()) {
	w := p.w
	if p.cut || w.trouble(FailProduce) {
		p.later(w.between(2, 6), func() { p.produce(written, told) })
		return
	}
	delay := w.between(1, 3)
	if w.trouble(SlowProduce) {
		delay = w.between(5, 40)
	}
	w.after(delay, func() {
		written()
		p.later(w.between(0, 2), told)
	})
}
