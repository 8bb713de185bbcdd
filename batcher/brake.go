package batcher

import (
	"fmt"
	"slices"
	"time"
)

const (
	brakeProbe = 30 * time.Second // between two batches while the brake holds
	brakeTry   = 5 * time.Second  // between two looks whether it may be released
	// After a release by hand it does not hold again for so long, and until nothing
	// was dead-lettered for a while.
	brakeFree    = 10 * time.Minute
	brakeFreeGap = time.Minute
	brakeSlices  = 6
	brakeSlice   = 10 * time.Second
)

// brake stops dead-lettering when too large a share of the last minute's events
// would go that way. Then it is not single events that are wrong but something
// else: the mapping, a role, the topic. What it holds back stays unsettled, so
// that nothing is lost when that is put right.
type brake struct {
	share float64
	least int

	tens [brakeSlices + 1]struct {
		number      int64 // of these ten seconds, since 1970
		doomed, all int
	}
	on        bool
	since     time.Time
	why       Reason
	probeAt   time.Time // when the next batch may go
	probe     int       // items of it, at most
	tryAt     time.Time // when to see whether it may be released; zero while off
	freeUntil time.Time
}

// note counts events of which so many are to be dead-lettered.
func (b *brake) note(now time.Time, doomed, all int) {
	number := now.Unix() / int64(brakeSlice.Seconds())
	s := &b.tens[int(number%int64(len(b.tens)))]
	if s.number != number {
		s.number, s.doomed, s.all = number, 0, 0
	}
	s.doomed += doomed
	s.all += all
}

// lastMinute sums what was noted.
func (b *brake) lastMinute(now time.Time) (doomed, all int) {
	first := now.Unix()/int64(brakeSlice.Seconds()) - brakeSlices
	for _, s := range b.tens {
		if s.number >= first {
			doomed += s.doomed
			all += s.all
		}
	}
	return doomed, all
}

// tooMany reports whether the dead letters noted of late are too many.
func (b *brake) tooMany(now time.Time) bool {
	doomed, all := b.lastMinute(now)
	return doomed > b.least && float64(doomed) > b.share*float64(all)
}

// brakeHolds reports whether a brake holds a dead letter back, after it has been
// noted.
func (c *Core) brakeHolds(now time.Time, b *brake, why Reason) bool {
	if now.Before(b.freeUntil) {
		b.freeUntil = later(b.freeUntil, now.Add(brakeFreeGap)) // what a person has let go goes to the end
		return false
	}
	if b.share <= 0 || !b.on && !b.tooMany(now) {
		return false
	}
	if !b.on {
		doomed, all := b.lastMinute(now)
		b.on, b.since = true, now
		b.why = Reason{Code: why.Code, Text: fmt.Sprintf("%d of the last minute's %d events would be dead-lettered, the last one because: %s; put right what is wrong with them, the key's role or a setting, or release the brake", doomed, all, why.Text)}
		b.tryAt = now.Add(brakeTry)
		if b == &c.refusals {
			b.probeAt, b.probe = now.Add(brakeProbe), c.cfg.MaxItems
		}
		c.decide(Notice{Kind: BrakeHolds, Reason: b.why, Since: now})
	}
	return true
}

// reject dead-letters a record that can't be decoded, or holds it back.
func (c *Core) reject(now time.Time, b *Bury) {
	c.malformed.note(now, 1, 0) // it is among all already
	if c.brakeHolds(now, &c.malformed, b.Reason) {
		c.held = append(c.held, b)
		return
	}
	c.bury(b)
}

// holdBack makes an item wait that would be given up but for the brake. It is
// sent again later, as if it had never failed: when a role or a setting at
// Kustomer's is put right, it was not at fault.
func (c *Core) holdBack(now time.Time, it *Item) {
	s := it.suspected()
	level := uint8(1)
	if s.level == alone {
		level = alone / 2 // alone, thousands would take hours; all together, one poison would cost fifteen requests
	}
	*s = suspect{level: level, parent: s.parent}
	it.Failures, it.why, it.hopeless, it.chain.givenUp = 0, "", "", ""
	c.back(now, it, now)
}

// concerned is how many events or items wait that may have to be dead-lettered.
func (c *Core) concerned(b *brake) int {
	if b == &c.malformed {
		return len(c.held)
	}
	return c.ready.suspects()
}

// tryBrakes releases a brake by which few events are concerned any more.
func (c *Core) tryBrakes(now time.Time) {
	for _, b := range []*brake{&c.refusals, &c.malformed} {
		if !b.on || now.Before(b.tryAt) {
			continue
		}
		b.tryAt = now.Add(brakeTry)
		if doomed, _ := b.lastMinute(now); doomed+c.concerned(b) < b.least {
			c.releaseBrake(now, b)
		}
	}
}

// probeFailed makes the next probe half as large: among many events, of which a
// few in a hundred are at fault, no full batch would ever go through.
func (c *Core) probeFailed(b *Batch) {
	if b.probesBrake && c.refusals.on {
		c.refusals.probe = max(1, min(c.refusals.probe, len(b.Items))/2)
	}
}

// probed takes the end of an operation that was sent while the brake held.
func (c *Core) probed(now time.Time, op *Operation) {
	if slices.ContainsFunc(op.results, func(r ItemResult) bool { return r.Status != Updated }) {
		c.probeFailed(op.Batch)
	} else if op.Batch.probesBrake && c.refusals.on {
		c.releaseBrake(now, &c.refusals)
	}
}

func (c *Core) releaseBrake(now time.Time, b *brake) {
	b.on, b.tryAt, b.probeAt = false, time.Time{}, time.Time{}
	c.decide(Notice{Kind: BrakeReleased, Since: b.since})
	if b != &c.malformed {
		return
	}
	held := c.held
	c.held = nil
	for _, d := range held {
		c.reject(now, d)
	}
}

// ReleaseBrake releases the brake by hand: what it holds back goes out, and it
// does not hold again for ten minutes, and until none was dead-lettered for one. It
// reports whether it held.
func (c *Core) ReleaseBrake(now time.Time) (held bool) {
	for _, b := range []*brake{&c.refusals, &c.malformed} {
		if b.on {
			held = true
			b.freeUntil = now.Add(brakeFree)
			c.releaseBrake(now, b)
		}
	}
	return held
}

// dropHeld gives the dead letters that a brake holds back for a partition back to
// the group.
func (c *Core) dropHeld(match func(a *Assignment) bool) {
	c.held = slices.DeleteFunc(c.held, func(b *Bury) bool {
		if !match(b.Event.Assignment) {
			return false
		}
		c.drop(b.Event)
		return true
	})
}
