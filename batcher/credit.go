package batcher

import "time"

// Room is how many more events the core takes (I6). Polling stops at zero; a
// revocation never waits for it.
func (c *Core) Room() int {
	if !c.rules.Credit {
		return c.cfg.MaxOpenEvents
	}
	if c.openBytes >= c.cfg.MaxOpenBytes {
		return min(c.extra, 1) // an event may be large
	}
	return max(c.extra, min(c.cfg.MaxOpenEvents-c.openEvents, c.fits(c.cfg.MaxOpenBytes)), 0)
}

// fits is how many more events fit into so many bytes, at least one, if they are
// as large as those that are here.
func (c *Core) fits(bytes int64) int {
	if c.openEvents == 0 {
		return c.cfg.MaxOpenEvents
	}
	return 1 + int(max(0, bytes-c.openBytes)/max(1, c.openBytes/int64(c.openEvents)))
}

// The reserve, in parts of the credit and of a partition's span, that
// [Core.letIn] may use up.
const (
	reserveOfCredit = 4 // a quarter more
	reserveOfSpan   = 8 // eight times as long
)

// letIn lets one more poll in beyond the credit after an attempt of unknown
// outcome, or a 403 that may be the item's, when all that could be sent has been
// tried. A change that always ends so is told from an outage, or a key without its
// role, only by the success of another one. Where it has stopped its partition, or
// has all the credit wait behind it, no other would ever come.
func (c *Core) letIn(now time.Time) {
	if !c.rules.Reserve || c.puts > 0 || c.ready.untried() {
		return
	}
	if part := c.cfg.MaxOpenEvents / reserveOfCredit; c.openEvents < c.cfg.MaxOpenEvents+part &&
		c.openBytes < c.cfg.MaxOpenBytes+c.cfg.MaxOpenBytes/reserveOfCredit {
		c.extra = min(c.cfg.MaxItems, max(part, 1), c.fits(c.cfg.MaxOpenBytes+c.cfg.MaxOpenBytes/reserveOfCredit))
	}
	for _, a := range c.assignments {
		if a.paused && a.phase == live && a.ledger.span() < reserveOfSpan*c.cfg.MaxOpenEvents {
			a.paused = false
			c.decide(Resume{a})
		}
	}
}

// standstill is how long a partition's settled prefix may stand still before the
// partition counts as stuck.
const standstill = 10 * time.Second

// reconsiderShare pauses a partition that holds its share of the credit, or
// whose book is as long as the credit is large: one stuck partition must leave
// room for the others. The share is a quarter, but half while the settled prefix
// moves: a pause makes the client throw away what it has fetched and fetch it
// again, which in a backlog would happen all the time.
func (c *Core) reconsiderShare(now time.Time, a *Assignment) {
	if !c.rules.Credit || a.phase != live || a.paused {
		return
	}
	if a.ledger.head != a.seenHead || a.ledger.counts.Open == 0 {
		a.seenHead, a.movedAt = a.ledger.head, now
	}
	if c.holds(a, 2) || c.holds(a, 4) && now.Sub(a.movedAt) >= standstill {
		a.paused = true
		c.decide(Pause{a})
	}
}

// holds reports whether a partition holds one part-th of the credit.
func (c *Core) holds(a *Assignment, part int64) bool {
	return int64(a.open)*part >= int64(c.cfg.MaxOpenEvents) ||
		a.bytes*part >= c.cfg.MaxOpenBytes ||
		int64(a.ledger.span())*part >= 4*int64(c.cfg.MaxOpenEvents)
}

// resume ends a pause when the partition holds half of a quarter.
func (c *Core) resume(a *Assignment) {
	if a.paused && a.phase == live && !c.holds(a, 8) {
		a.paused = false
		c.decide(Resume{a})
	}
}
