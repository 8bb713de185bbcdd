package model

import (
	"slices"

	"kafka-kustomer/batcher"
)

// heartbeat keeps the membership alive and learns from the answer what is ours.
func (p *process) heartbeat() {
	w := p.w
	if p.cut {
		p.later(heartbeatEvery, p.heartbeat)
		return
	}
	if p.member == nil {
		instance := -1
		if w.mode[Static] {
			instance = p.slot
		}
		p.member = w.group.join(w.now, instance)
	}
	sent, m := w.now, p.member
	w.after(w.between(0, 1), func() {
		list, ok := w.group.heartbeat(w.now, m)
		p.later(w.between(0, 1), func() {
			next := heartbeatEvery
			switch {
			case p.cut || p.member != m:
			case !ok:
				p.fenced()
				next = 1 // to join again
			default:
				p.core.Alive(sent.time())
				p.learn(list)
			}
			p.later(next, p.heartbeat)
		})
	})
}

// learn takes over what is new in a heartbeat's answer, and gives back what is
// asked for.
func (p *process) learn(list []owned) {
	var back []*batcher.Assignment
	for _, o := range list {
		for o.partition >= len(p.tenures) {
			p.tenures = append(p.tenures, nil)
		}
		t := p.tenures[o.partition]
		switch {
		case slices.Contains(p.finished[o.partition], o.tenure):
			p.release(o.partition, o.tenure)
		case t == nil && (!p.leaving || p.w.random.IntN(2) == 0):
			p.assigned(o) // while it leaves, the core is to give it back at once
		case t == nil && !p.w.mode[Static]:
			p.release(o.partition, o.tenure)
		case t != nil && o.asked && !t.revoking:
			t.revoking = true
			back = append(back, t.handle)
		}
	}
	p.revoke(back)
}

func (p *process) assigned(o owned) {
	w := p.w
	offset, metadata, ok := w.group.fetch(p.member, o.partition, o.tenure)
	if !ok {
		return // the answer was old
	}
	w.tracef("%s gets p%d at %d %q", p.name, o.partition, offset, metadata)
	a := p.core.Assigned(w.now.time(), batcher.Start{
		Topic: "changes", Partition: int32(o.partition), Offset: offset, LeaderEpoch: -1, Metadata: metadata,
	})
	if len(p.finished[o.partition]) > 0 {
		w.seen.CameBack++
	}
	p.handles = append(p.handles, a)
	first := w.log.from(o.partition, offset)
	p.tenures[o.partition] = &tenure{
		partition: o.partition, number: o.tenure, handle: a, first: first, next: first, revoking: p.leaving,
	}
}

// tenureOf finds the tenure of an assignment that is still ours.
func (p *process) tenureOf(a *batcher.Assignment) *tenure {
	if t := p.tenures[a.Partition]; t != nil && t.handle == a {
		return t
	}
	return nil
}

func (p *process) revoke(back []*batcher.Assignment) {
	if len(back) == 0 {
		return
	}
	w := p.w
	for _, a := range back {
		w.tracef("%s is to give back p%d", p.name, a.Partition)
		w.countRevoked(a)
		p.expectBack(a)
	}
	p.core.Revoking(w.now.time(), back, (w.now + revokeTimeout).time())
}

// expectBack checks that a partition is given back by the deadline and the time
// of two commits: one in flight at the deadline, and the last one.
func (p *process) expectBack(a *batcher.Assignment) {
	stops := p.stops
	p.later(revokeTimeout+2*commitTimeout+1, func() {
		if p.stops == stops && p.tenureOf(a) != nil {
			p.w.fail(CheckDeadline, "%s still has p%d", p.name, a.Partition)
		}
	})
}

func (w *world) countRevoked(a *batcher.Assignment) {
	if a.Counts().Open > 0 {
		w.seen.RevokedOpen++
	}
}

// countPartDropped counts records that a tenure leaves to the next one though some of
// their changes have settled.
func (w *world) countPartDropped(t *tenure) {
	for _, r := range w.log[t.partition][t.first:t.next] {
		settled := 0
		for _, e := range r.changes {
			if e.settled() {
				settled++
			}
		}
		if 0 < settled && settled < len(r.changes) {
			w.seen.PartDropped++
		}
	}
}

// quiet gives a partition back.
func (p *process) quiet(a *batcher.Assignment) {
	t := p.tenureOf(a)
	if t == nil {
		p.w.fail(CheckDead, "%s is quiet about p%d twice, or after it was lost", p.name, a.Partition)
		return
	}
	if p.commit != nil && slices.ContainsFunc(p.commit.Partitions, func(c batcher.PartitionCommit) bool { return c.Assignment == a }) {
		p.w.fail(CheckOneCommit, "%s gives p%d back while its commit is in flight", p.name, a.Partition)
	}
	p.w.tracef("%s has given back p%d", p.name, a.Partition)
	p.w.countPartDropped(t)
	p.tenures[t.partition] = nil
	p.finished[t.partition] = append(p.finished[t.partition], t.number)
	if !p.leaving || !p.w.mode[Static] {
		p.release(t.partition, t.number)
	}
}

func (p *process) release(partition, number int) {
	if p.cut {
		return // the next heartbeat's answer will ask again
	}
	m := p.member
	p.w.after(p.w.between(1, 2), func() { p.w.group.release(m, partition, number) })
}

// fenced learns that the group has gone on without us.
func (p *process) fenced() {
	w := p.w
	w.tracef("%s learns that it is no longer a member", p.name)
	w.seen.Fenced++
	var lost []*batcher.Assignment
	for i, t := range p.tenures {
		if t != nil {
			lost = append(lost, t.handle)
			w.countPartDropped(t)
			p.tenures[i] = nil
		}
	}
	p.core.Lost(w.now.time(), lost)
	p.member = nil
	if w.mode[Static] && w.youngest(p.slot) != p {
		p.end("was replaced and ends")
	}
}

// shutDown gives everything back and leaves.
func (p *process) shutDown() {
	w := p.w
	w.tracef("%s shuts down", p.name)
	p.leaving = true
	for _, t := range p.tenures {
		if t != nil {
			t.revoking = true
			w.countRevoked(t.handle)
		}
	}
	p.core.Drain(w.now.time(), (w.now + revokeTimeout).time())
	p.later(revokeTimeout+2*commitTimeout, func() { p.leave("shut down late") })
	p.pump()
}

func (p *process) leave(how string) {
	m := p.member
	p.end(how)
	if m != nil && !p.cut && !p.w.mode[Static] {
		p.w.after(1, func() { p.w.group.leave(m) })
	}
}
