package batcher

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// Core decides. It is plain data: facts go in with the time, decisions come out
// of [Core.Next], and between the two nothing happens. It must be used by one
// goroutine only (I1); it starts none, reads no clock and waits for nothing.
type Core struct {
	cfg    Config
	rules  Rules
	fold   foldRules
	random *rand.Rand

	assignments []*Assignment // not dead
	retired     Counts        // of the dead ones
	chains      chains
	inherited   map[string]*Operation // of earlier owners, not yet seen to their end
	folds       []*fold               // to be used again
	ready       readyLists
	alarms      alarms
	looks       looks
	out         []Decision // decided, not yet handed out
	outHead     int

	puts, looking  int  // calls in flight
	openOperations int  // ours, accepted and not ended
	overdue        int  // of them, those that run longer than they should
	lastWasLook    bool // looks take at most every second call
	batches        uint64
	delivered      uint64
	lookCount      uint64
	overdueSince   time.Time // all slots are held by overdue operations, if they are

	alive       time.Time // when the last acknowledged heartbeat was sent
	pace        pace
	limitedAt   time.Time // beginning and reason of the last rest
	limitedWhy  Reason
	limitedTold time.Time     // when a rest was told of the last time
	restTold    bool          // and its end was not yet
	limitedGap  time.Duration // until the next one is told of, while one comes after the other
	door        door          // of PUTs
	reading     door          // of looks
	durations   durations
	suspicion   suspicion
	refusals    brake   // of what Kustomer refuses or fails
	malformed   brake   // of what can't be decoded
	held        []*Bury // dead letters of malformed records that the brake holds back
	committing  *Commit
	commitAt    time.Time // when partitions are looked over for a commit

	pauses     pauses
	throughput throughput
	buried     map[string]uint64 // dead letters acknowledged, by the code of their reason
	skipped    map[string]uint64 // records, likewise

	openEvents int
	openBytes  int64
	extra      int       // events that one more poll may bring beyond the credit
	drainBy    time.Time // when everything must be given back; zero until a shutdown
}

// New returns a core that owns nothing yet.
func New(cfg Config) *Core {
	return &Core{
		cfg:       cfg,
		rules:     cfg.Rules,
		fold:      foldRules{replaceObjects: cfg.ReplaceObjects, barrier: cfg.Barrier},
		random:    rand.New(rand.NewPCG(cfg.Seed, 0x6b6b)),
		chains:    newChains(),
		inherited: make(map[string]*Operation),
		pace:      newPace(cfg),
		refusals:  brake{share: cfg.Brake, least: cfg.BrakeAtLeast},
		malformed: brake{share: cfg.Brake, least: cfg.BrakeAtLeast},
		durations: newDurations(),
		buried:    make(map[string]uint64),
		skipped:   make(map[string]uint64),
	}
}

func (c *Core) decide(d Decision) { c.out = append(c.out, d) }

// pop hands out a decision that was taken while a fact was told.
func (c *Core) pop() Decision {
	d := c.out[c.outHead]
	c.out[c.outHead] = nil
	c.outHead++
	if c.outHead == len(c.out) {
		c.out, c.outHead = c.out[:0], 0
	}
	return d
}

// Next returns the next decision. It is to be called after every fact, and when
// the time of the last Wait has come, until it returns a Wait.
func (c *Core) Next(now time.Time) Decision {
	if now.After(c.pauses.seen) {
		c.keepTime(now)
	}
	for {
		if c.outHead < len(c.out) {
			return c.pop()
		}
		c.wakeDue(now)
		c.tryBrakes(now)
		c.finishRevocations(now)
		if commit := c.nextCommit(now); commit != nil {
			return commit
		}
		if c.outHead < len(c.out) {
			continue
		}
		return c.nextCall(now)
	}
}

// nextCall spends one permit, or says when the next one may be spent.
func (c *Core) nextCall(now time.Time) Decision {
	look, lookAt := c.lookDue(now)
	put, putAt := c.putDue(now)
	if !look && !put || c.puts+c.looking >= c.cfg.MaxInFlight {
		return Wait{c.nextWake(now, lookAt, putAt)}
	}
	if ok, at := c.pace.permit(now, c.rules.RestAfter429); !ok {
		return Wait{c.nextWake(now, at)}
	}
	if look && (!put || !c.lastWasLook) {
		c.lastWasLook = true
		return c.look(now)
	}
	c.lastWasLook = false
	return c.cut(now)
}

// nextWake is when time alone may bring something to do. What is overdue
// already waits for a fact (a free slot, an answer), not for time.
func (c *Core) nextWake(now time.Time, times ...time.Time) time.Time {
	var at time.Time
	consider := func(t time.Time) {
		if t.After(now) {
			at = earliest(at, t)
		}
	}
	for _, t := range times {
		consider(t)
	}
	if len(c.alarms) > 0 {
		consider(c.alarms[0].at)
	}
	consider(c.refusals.tryAt)
	consider(c.malformed.tryAt)
	if c.committing == nil && len(c.assignments) > 0 {
		consider(c.commitAt)
	}
	for _, a := range c.assignments {
		if a.phase == revoking {
			consider(a.deadline)
		}
	}
	return at
}

// earliest returns the earlier of two times, of which the zero one is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Alive tells that a heartbeat sent at that time was acknowledged.
func (c *Core) Alive(sent time.Time) {
	if sent.After(c.alive) {
		c.alive = sent
	}
}

// leaseOver reports whether the process may have lost its partitions without
// knowing: the last acknowledged heartbeat is too old.
func (c *Core) leaseOver(now time.Time) bool {
	return c.rules.Lease && c.cfg.Lease > 0 && now.Sub(c.alive) >= c.cfg.Lease
}

// LeaseUntil is the time from which no PUT may be written, by what is known so
// far; zero without a lease.
func (c *Core) LeaseUntil() time.Time {
	if !c.rules.Lease || c.cfg.Lease <= 0 {
		return time.Time{}
	}
	return c.alive.Add(c.cfg.Lease)
}

func (c *Core) nextBatchID() string {
	c.batches++
	return c.cfg.BatchPrefix + "-" + strconv.FormatUint(c.batches, 36)
}

// Totals returns the count identity's terms over all assignments, past and
// present.
func (c *Core) Totals() Counts {
	t := c.retired
	for _, a := range c.assignments {
		t.Add(a.ledger.counts)
	}
	return t
}

// Partitions is how many partitions are this process's.
func (c *Core) Partitions() int { return len(c.assignments) }

// Idle reports whether nothing of the core's is under way: no partition, no
// call, no operation.
func (c *Core) Idle() bool {
	return len(c.assignments) == 0 && c.puts+c.looking == 0 && c.committing == nil && c.outHead == len(c.out)
}
