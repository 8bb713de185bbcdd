package batcher

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Snapshot is the core's state in numbers, for people and metrics.
type Snapshot struct {
	Counts     Counts // over all assignments, past and present
	Partitions int    // assigned
	Ready      int    // items that could be sent
	Messages   int    // with a change whose fate is not known, or a stray time
	OpenBytes  int64
	InFlight   int // calls
	Operations int // accepted and not ended
	Overdue    int // of them, those that run longer than they should
	Suspects   int // items that could be sent, and were refused before
	Held       int // events that can't be decoded, and that the brake holds back
	Batches    uint64
	Looks      uint64
	Paused     bool // nothing gets through of what waits
	PausedFor  time.Duration
	Troubles   []Trouble // what holds delivery up at the moment, the worst first

	Buried     map[string]uint64         // dead letters acknowledged, by the code of the reason; a record of several changes may have several
	Skipped    map[string]uint64         // Counts.Skipped by the code of the reason
	Holds      [Holds]int                // Messages by what holds their next change
	Strays     int                       // of them, those that an operation we don't know of may write to
	Pace       Pace                      // of all calls
	Throughput float64                   // records settled a second, over the last minute; negative: not known yet
	Pauses     [len(TroubleKinds)]Pauses // by kind of trouble
	Places     []Place                   // of each partition that is ours
}

// Place is how far a partition is.
type Place struct {
	Topic     string
	Partition int32
	Committed int64     // offset, negative: none
	Oldest    time.Time // when its oldest unsettled record was made, to the second; zero: there is none, or it is not known
}

// TroubleKind is a kind of trouble, fit for a metric label. The set is closed.
type TroubleKind string

// The troubles.
const (
	TroubleConfiguration TroubleKind = "configuration" // Kustomer refuses the key, its role, the address or the region
	TroubleLease         TroubleKind = "lease"         // cut off from Kafka for too long to write
	TroubleOutage        TroubleKind = "outage"        // nothing gets through
	TroubleUnreadable    TroubleKind = "unreadable"    // operations can't be read, so nothing can be settled
	TroubleBrake         TroubleKind = "brake"         // too much would go to the dead-letter topic
	TroubleOverdue       TroubleKind = "overdue"       // operations run for too long, and all slots are theirs
	TroubleQuota         TroubleKind = "quota"         // all calls rest until the quota's reset
	TroubleTakeover      TroubleKind = "takeover"      // partitions wait for what an earlier owner left running
)

// TroubleKinds are all troubles.
var TroubleKinds = [...]TroubleKind{
	TroubleConfiguration, TroubleLease, TroubleOutage, TroubleUnreadable, TroubleBrake, TroubleOverdue, TroubleQuota, TroubleTakeover,
}

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
		Counts: c.Totals(), Partitions: len(c.assignments), Ready: c.ready.count(), Messages: c.chains.n,
		Overdue: c.overdue, Suspects: c.ready.suspects(), Held: len(c.held),
		OpenBytes: c.openBytes, InFlight: c.puts + c.looking, Operations: c.openOperations,
		Batches: c.batches, Looks: c.lookCount, Paused: c.door.closed && c.chains.n > 0,
	}
	c.keepTime(now)
	s.Troubles, s.Pauses = c.troubles(now), c.pauses.of()
	s.Buried, s.Skipped = maps.Clone(c.buried), maps.Clone(c.skipped)
	s.Holds, s.Strays = c.heldBy(now)
	s.Pace, s.Throughput = c.pace.tell(now), c.throughput.rate(now, s.Counts.settled())
	for _, a := range c.assignments {
		s.Places = append(s.Places, Place{a.Topic, a.Partition, a.committed, a.ledger.oldest()})
	}
	if s.Paused {
		s.PausedFor = now.Sub(c.door.since)
	}
	return s
}

// troubles lists what holds delivery up, the worst first.
func (c *Core) troubles(now time.Time) (list []Trouble) {
	if c.troubled(now, TroubleLease) {
		list = append(list, Trouble{Kind: TroubleLease, Since: c.leaseEnd(), Reason: Reason{
			Code: "lease_over", Text: "Kafka has not acknowledged a heartbeat for too long, so the partitions may have another owner and nothing is sent; check the connection to the brokers, and the machine's clock",
		}})
	}
	if c.doorHolds() {
		t := Trouble{Kind: TroubleOutage, Reason: c.door.why, Since: c.door.since, Until: c.door.next, Person: c.door.certain}
		if t.Person {
			t.Kind = TroubleConfiguration
		}
		list = append(list, t)
	}
	if c.troubled(now, TroubleUnreadable) {
		list = append(list, Trouble{Kind: TroubleUnreadable, Reason: c.reading.why, Since: c.reading.since, Until: c.reading.next, Person: c.reading.certain})
	}
	for _, b := range []*brake{&c.refusals, &c.malformed} {
		if b.on {
			list = append(list, Trouble{Kind: TroubleBrake, Reason: b.why, Since: b.since, Until: b.probeAt, Person: true})
		}
	}
	if c.troubled(now, TroubleOverdue) {
		list = append(list, Trouble{Kind: TroubleOverdue, Since: c.overdueSince, Person: true, Reason: Reason{
			Code: "overdue", Text: "every open operation runs longer than kustomer.overdue_after, so nothing new is sent; check Kustomer's status page for bulk jobs",
		}})
	}
	if c.troubled(now, TroubleQuota) {
		list = append(list, Trouble{Kind: TroubleQuota, Since: c.limitedAt, Until: c.pace.rest, Reason: c.limitedWhy})
	}
	list = append(list, c.takeovers(now)...)
	for i := range list {
		if t := &list[i]; !t.Until.After(now) {
			t.Until = time.Time{} // it is due, and waits for something else
		}
	}
	return list
}

// troubled reports whether there is trouble of a kind. It is asked at every turn
// of the loop.
func (c *Core) troubled(now time.Time, kind TroubleKind) bool {
	switch kind {
	case TroubleLease:
		return c.leaseOver(now) && c.chains.n > 0 && !now.Before(c.leaseEnd())
	case TroubleConfiguration:
		return c.doorHolds() && c.door.certain
	case TroubleOutage:
		return c.doorHolds() && !c.door.certain
	case TroubleUnreadable:
		return c.reading.closed && !c.door.locked && len(c.looks)+c.looking > 0
	case TroubleBrake:
		return c.refusals.on || c.malformed.on
	case TroubleOverdue:
		return c.overdue > 0 && c.overdue >= c.cfg.MaxOpenOperations
	case TroubleQuota:
		return now.Before(c.pace.rest)
	case TroubleTakeover:
		return slices.ContainsFunc(c.assignments, func(a *Assignment) bool { return a.takingOver })
	}
	return false
}

// leaseEnd is since when the lease is over. Before the first heartbeat of all has
// been acknowledged, which takes less than a second, nothing is sent either; but
// that is trouble only when it lasts.
func (c *Core) leaseEnd() time.Time {
	from := c.alive
	if from.IsZero() && len(c.assignments) > 0 {
		from = c.assignments[0].since
	}
	return from.Add(c.cfg.Lease)
}

// doorHolds reports whether something waits that the door of PUTs keeps back.
func (c *Core) doorHolds() bool {
	return c.door.closed && (c.chains.n > 0 || c.door.locked && len(c.looks)+c.looking > 0)
}

// takeovers tells of partitions that wait for what an earlier owner left running.
func (c *Core) takeovers(now time.Time) []Trouble {
	n, t := 0, Trouble{Kind: TroubleTakeover}
	for _, a := range c.assignments {
		if !a.takingOver {
			continue
		}
		n++
		t.Since, t.Until = earliest(t.Since, a.since), later(t.Until, a.gateUntil)
	}
	if n == 0 {
		return nil
	}
	t.Reason = Reason{Code: "takeover", Text: fmt.Sprintf("partitions that were not given back clean by their last owner: %d; nothing is sent for them until what it left running has ended", n)}
	return []Trouble{t}
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
