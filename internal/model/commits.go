package model

import "kafka-kustomer/batcher"

// sendCommit carries out one commit: it may be held up before it is sent, as
// behind another member's slow revocation, be long on its way, or be lost. What
// has no answer at the time-out is unknown and may still be applied.
func (p *process) sendCommit(c *batcher.Commit) {
	w := p.w
	if p.commit != nil {
		w.fail(CheckOneCommit, "%s decides on a second commit", p.name)
	}
	p.commit = c
	for i := range c.Partitions {
		if t := p.tenureOf(c.Partitions[i].Assignment); t != nil && c.Partitions[i].Last {
			t.last = true
		}
	}
	ended := false
	answer := func(results []batcher.CommitResult) {
		if ended {
			return
		}
		ended = true
		p.commit = nil
		for i := range c.Partitions {
			c.Partitions[i].Result = results[i]
		}
		w.tracef("%s commit is %v", p.name, results)
		p.core.Committed(w.now.time(), c)
	}
	unknown := make([]batcher.CommitResult, len(c.Partitions))
	for i := range unknown {
		unknown[i] = batcher.CommitUnknown
	}
	p.later(commitTimeout, func() { answer(unknown) })
	wait, delay := tick(0), w.between(1, 2)
	if w.trouble(LateCommit) {
		wait, delay = w.between(0, commitTimeout-1), w.between(1, latestCommit)
	}
	p.later(wait, func() {
		if ended {
			return
		}
		requests := p.commitRequests(c)
		for i, r := range requests {
			if r.member == nil {
				unknown[i] = batcher.CommitRefused
			}
		}
		p.commitOnItsWay(requests, delay, answer)
	})
}

func (p *process) commitOnItsWay(requests []commitRequest, delay tick, answer func([]batcher.CommitResult)) {
	w := p.w
	dropped := p.cut || w.random.IntN(2) == 0 && w.trouble(LostCommit)
	lost := w.trouble(LostCommit)
	w.after(delay, func() {
		if dropped {
			return
		}
		results := p.applyCommit(requests)
		if !lost {
			p.later(w.between(0, 2), func() {
				if !p.cut {
					answer(results)
				}
			})
		}
	})
}

// commitRequest is one partition of a commit as it was sent; without a member
// it is not sent.
type commitRequest struct {
	member                        *member
	generation, partition, tenure int
	offset                        int64
	metadata                      string
	after                         int // commits applied before it was sent
}

func (p *process) commitRequests(c *batcher.Commit) []commitRequest {
	requests := make([]commitRequest, len(c.Partitions))
	for i, part := range c.Partitions {
		t := p.tenureOf(part.Assignment)
		r := commitRequest{partition: int(part.Assignment.Partition), offset: part.Offset, metadata: part.Metadata}
		if t != nil {
			r.tenure = t.number
		}
		if p.member != nil && (t != nil || !p.w.cfg.Shell.Fence) {
			r.member, r.generation = p.member, p.member.generation
		}
		r.after = p.w.group.partitions[r.partition].committed
		requests[i] = r
		p.w.tracef("%s commits p%d %d %q", p.name, r.partition, r.offset, r.metadata)
	}
	return requests
}

func (p *process) applyCommit(requests []commitRequest) []batcher.CommitResult {
	w := p.w
	results := make([]batcher.CommitResult, len(requests))
	for i, r := range requests {
		was := w.group.partitions[r.partition].offset
		if r.member == nil || !w.group.commit(r.member, r.generation, r.partition, r.tenure, r.offset, r.metadata) {
			results[i] = batcher.CommitRefused
			continue
		}
		if w.group.partitions[r.partition].committed > r.after+1 {
			w.seen.LateCommits++
		}
		w.checkFence(p, r, was)
		w.checkCommit(p, r.partition, r.offset)
	}
	return results
}
