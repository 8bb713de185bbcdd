package batcher

import (
	"slices"
	"time"
)

// nextCommit decides on a commit: of partitions that must be marked open before
// their first PUT, at once; of those to be given back, at once; of the others
// when their settled prefix or their open operations changed, at the interval.
// One commit is in flight at a time (I5).
func (c *Core) nextCommit(now time.Time) *Commit {
	if c.committing != nil || now.Before(c.commitAt) || len(c.assignments) == 0 {
		return nil
	}
	c.commitAt = now.Add(c.cfg.CommitInterval)
	commit := &Commit{}
	for _, a := range c.assignments {
		if p, due := c.partitionCommit(now, a); due {
			commit.Partitions = append(commit.Partitions, p)
		}
	}
	c.buryNothingToCommit(now)
	if len(commit.Partitions) == 0 {
		return nil
	}
	c.committing = commit
	return commit
}

func (c *Core) partitionCommit(now time.Time, a *Assignment) (p PartitionCommit, due bool) {
	offset, epoch := a.ledger.frontier()
	if !c.rules.PrefixCommit {
		offset = max(offset, a.ledger.highest)
	}
	p = PartitionCommit{Assignment: a, Offset: offset, LeaderEpoch: epoch, Last: a.phase == final}
	switch {
	case a.phase == dead || offset < 0:
		return p, false
	case a.phase == final:
		due = a.ahead || a.started
	case !a.ahead:
		due = a.started
	default:
		due = offset != a.committed || a.changed || !a.recommit.IsZero() && !now.Before(a.recommit)
	}
	p.Metadata = a.openMetadata()
	if p.Last && c.clean(now, a) {
		p.Metadata = metadataClean
	}
	if due {
		a.changed = false
	}
	return p, due
}

// clean reports whether the next owner may send at once: nothing of ours is
// open, no stray of ours may run, and no takeover of ours was under way. What was
// taken over clean and never marked open has had no PUT of ours. The ledger's counts
// would not do: they close a record with the first change that is dropped, while a
// request may hold another one.
func (c *Core) clean(now time.Time, a *Assignment) bool {
	gate, _ := a.gateOpen(now)
	return a.open == 0 && len(a.operations) == 0 &&
		(!now.Before(a.strayUntil) || !c.rules.CleanWithoutStray) &&
		(gate || !a.ahead || !c.rules.CleanAfterTakeover)
}

// buryNothingToCommit ends partitions to be given back that need no commit.
func (c *Core) buryNothingToCommit(now time.Time) {
	for i := 0; i < len(c.assignments); {
		a := c.assignments[i]
		if offset, _ := a.ledger.frontier(); a.phase == final && (offset < 0 || !a.ahead && !a.started) {
			c.die(now, a)
			c.decide(Quiet{a})
			continue
		}
		i++
	}
}

// AwaitsCommit reports whether a revocation whose time is up waits for the commit
// in flight, which may be held up by another member's: it is better cut short.
func (c *Core) AwaitsCommit(now time.Time) bool {
	return c.committing != nil && slices.ContainsFunc(c.assignments, func(a *Assignment) bool {
		return a.phase == revoking && !now.Before(a.deadline)
	})
}

// Committed tells what became of a commit. The result of each partition is in
// it.
func (c *Core) Committed(now time.Time, commit *Commit) {
	c.committing = nil
	for i := range commit.Partitions {
		p := &commit.Partitions[i]
		if p.Assignment.phase == dead {
			continue
		}
		c.partitionCommitted(now, p)
		if p.Last {
			c.die(now, p.Assignment)
			c.decide(Quiet{p.Assignment})
		}
	}
}

func (c *Core) partitionCommitted(now time.Time, p *PartitionCommit) {
	a := p.Assignment
	switch p.Result {
	case CommitDone:
		a.committed = p.Offset
		if !a.recommit.IsZero() && !now.Before(a.recommit) {
			a.recommit = time.Time{}
		}
		if !a.ahead {
			a.ahead = true
			c.tryGate(now, a)
		}
	case CommitUnknown:
		// It may be applied later and move the offset back: once it can no longer
		// be under way, commit again even if nothing has changed.
		a.changed = true
		if c.rules.Recommit {
			a.recommit = now.Add(c.cfg.Recommit)
		}
	case CommitRefused:
		a.changed = true
	}
}
