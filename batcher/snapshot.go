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
	Troubles   []Trouble // what holds delivery up at the moment, the worst first
}

// TroubleKind is a kind of trouble, fit for a metric label. The set is closed.
type TroubleKind string

// The troubles.
const (
	TroubleConfiguration TroubleKind = "configuration" // Kustomer refuses the key, its role, the address or the region
	TroubleOutage        TroubleKind = "outage"        // nothing gets through
	TroubleUnreadable    TroubleKind = "unreadable"    // operations can't be read, so nothing can be settled
	TroubleBrake         TroubleKind = "brake"         // too much would go to the dead-letter topic
	TroubleOverdue       TroubleKind = "overdue"       // operations run for too long, and all slots are theirs
	TroubleQuota         TroubleKind = "quota"         // all calls rest until the quota's reset
)

// Trouble is one thing that holds delivery up.
type Trouble struct {
	Kind   TroubleKind
	Reason Reason    // what happened, and what to check next
	Since  time.Time // when it began
	Until  time.Time // when the next try is due, or zero
	Person bool      // it lasts until somebody sees to it
}

// Snapshot returns the core's state in numbers.
func (c *Core) Snapshot(now time.Time) Snapshot {
	s := Snapshot{
		Counts: c.Totals(), Partitions: len(c.assignments), Ready: c.ready.count(), Messages: len(c.chains),
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
