package batcher

import "time"

// putDue reports whether a batch may be cut, were there a permit for it: a
// window is full or old enough, a slot is free, the lease holds and the door is
// open. When only time is missing, at is when to ask again.
func (c *Core) putDue(now time.Time) (due bool, at time.Time) {
	if c.ready.n == 0 || c.openOperations+c.puts >= c.cfg.MaxOpenOperations || c.leaseOver(now) {
		return false, time.Time{}
	}
	if open, at := c.door.mayPut(now, c.puts); !open {
		return false, at
	}
	if c.ready.n >= c.cfg.MaxItems || c.ready.bytes >= c.cfg.MaxBytes {
		return true, time.Time{}
	}
	if c.ready.first.Assignment.phase == revoking || c.door.closed {
		return true, time.Time{} // no time to wait for company; a probe needs none
	}
	if at = c.ready.first.readyAt.Add(c.cfg.Linger); at.After(now) {
		return false, at
	}
	return true, time.Time{}
}

// cut forms a batch of what has waited longest. It happens when the call may be
// made, not before: until then the items go on merging, and a short budget is
// spent on full requests.
func (c *Core) cut(now time.Time) Decision {
	b := &Batch{ID: c.nextBatchID(), Cut: now, Reason: ClosedByTime, Bytes: 2}
	b.Items = make([]*Item, 0, min(c.ready.n, c.cfg.MaxItems))
	for it := c.ready.first; it != nil; it = c.ready.first {
		if len(b.Items) == c.cfg.MaxItems {
			b.Reason = ClosedBySize
			break
		}
		if len(b.Items) > 0 && b.Bytes+it.bytes > c.cfg.MaxBytes {
			b.Reason = ClosedByBytes
			break
		}
		c.ready.remove(it)
		c.freeze(it)
		it.phase = sent
		a := it.Assignment
		a.sent = max(a.sent, it.Events[len(it.Events)-1].seq+1)
		it.Attempts++
		b.Items = append(b.Items, it)
		b.Bytes += it.bytes
	}
	if len(b.Items) == c.cfg.MaxItems {
		b.Reason = ClosedBySize
	}
	c.puts++
	c.pace.spend(now, 1)
	return Put{b}
}
