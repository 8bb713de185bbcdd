package batcher

import "time"

// Snapshot is the core's state in numbers, for people and metrics.
type Snapshot struct {
	Counts     Counts // over all assignments, past and present
	Partitions int    // assigned
	Ready      int    // items that could be sent
	Messages   int    // with a change whose fate is not known, or a stray time
	OpenBytes  int64
	InFlight   int // calls
	Operations int // accepted and not ended
	Batches    uint64
	Looks      uint64
	Paused     bool // nothing gets through of what waits
	PausedFor  time.Duration
}

// Snapshot returns the core's state in numbers.
func (c *Core) Snapshot(now time.Time) Snapshot {
	s := Snapshot{
		Counts: c.Totals(), Partitions: len(c.assignments), Ready: c.ready.n, Messages: len(c.chains),
		OpenBytes: c.openBytes, InFlight: c.puts + c.looking, Operations: c.openOperations,
		Batches: c.batches, Looks: c.lookCount, Paused: c.door.closed && len(c.chains) > 0,
	}
	if s.Paused {
		s.PausedFor = now.Sub(c.door.since)
	}
	return s
}

// Drain gives every partition back by the deadline, as a revocation does: the
// beginning of a shutdown.
func (c *Core) Drain(now, deadline time.Time) {
	c.drainBy = deadline
	c.Revoking(now, c.assignments, deadline)
	for _, a := range c.assignments {
		if a.phase == revoking && deadline.Before(a.deadline) {
			a.deadline = deadline
		}
	}
}

// LoseAll ends every partition without a commit: the group has given them away.
func (c *Core) LoseAll(now time.Time) {
	for len(c.assignments) > 0 {
		c.die(now, c.assignments[0])
	}
}
