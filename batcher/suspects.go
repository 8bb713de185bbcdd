package batcher

import (
	"slices"
	"time"
)

// The levels of suspicion. A refused batch gives its items back one level
// higher, and a batch holds items of one level, half as many at each, until a
// guilty item is alone: fifteen requests for one among a hundred.
const (
	levels = 7
	alone  = levels - 1
)

// What is needed before something is suspected or given up.
const (
	unknownsToRaise  = 3                // attempts of unknown outcome, each with a success elsewhere between
	doubtsToProve    = 3                // doubtful refusals, after the first, likewise
	conflictsToRaise = 3                // 409s: it may pass by itself
	wrongHints       = 3                // in a row: then hints are not believed
	hintsRest        = 10 * time.Minute // for so long
	objectWalls      = 2 * levels       // 429s of single objects in a row: then they are the org's
	leastBytes       = 16 << 10         // bodies are never made shorter than this
	bytesRest        = time.Hour        // after which a size that was refused is tried again
)

// suspect is what the core holds against an item.
type suspect struct {
	level     uint8
	hinted    bool   // Kustomer's words were taken to mean it
	parent    string // the batch it was refused with
	conflicts uint8  // 409s of batches it was in
	clashes   int    // 409s of its own, when it was alone
	cools     uint8  // 429s of its own, in a row

	unknown  evidence // attempts of unknown outcome at this level
	solitary evidence // those in which it was alone, at any level
	doubts   evidence // doubtful refusals
}

// evidence counts what befell an item while others got through: an attempt counts
// when another batch was accepted since the last one that counted. Else it says
// more about the API, or the key, than about the item.
type evidence struct {
	n         int
	since     time.Time
	successes uint64
}

// add counts an attempt, and reports whether it did.
func (e *evidence) add(now time.Time, successes uint64) bool {
	if e.n > 0 && e.successes == successes {
		return false
	}
	if e.n == 0 {
		e.since = now
	}
	e.n++
	e.successes = successes
	return true
}

// lasted reports whether there are so many, over so long.
func (e *evidence) lasted(now time.Time, n int, over time.Duration) bool {
	return e.n >= n && now.Sub(e.since) >= over
}

// level is how much an item is suspected.
func (it *Item) level() uint8 {
	if it.suspect == nil {
		return 0
	}
	return it.suspect.level
}

// parent is the batch that an item was last refused with.
func (it *Item) parent() string {
	if it.suspect == nil {
		return ""
	}
	return it.suspect.parent
}

// suspected returns what is held against an item, to add to it. Nearly all items
// have nothing, and do without the room.
func (it *Item) suspected() *suspect {
	if it.suspect == nil {
		it.suspect = new(suspect)
	}
	return it.suspect
}

// raise moves a suspect up, so far that what was sent in a batch of so many items
// goes in halves at most: a small batch would go unchanged at the next level.
func (c *Core) raise(s *suspect, items int) {
	s.level = min(s.level+1, alone)
	for s.level < alone && c.most(s.level) > (items+1)/2 {
		s.level++
	}
	s.unknown = evidence{}
}

// suspicion is what the core knows about refusals as a whole.
type suspicion struct {
	turn        uint64
	successes   uint64 // PUTs accepted
	wrongHints  int
	hintsFrom   time.Time // before, hints are not believed
	objectWalls int       // 429s of single objects since the last success
	bytes       int       // most bytes of a body, learned from a 413; 0: not learned
	bytesUntil  time.Time
}

// most is how many items a batch of a level holds.
func (c *Core) most(level uint8) int { return max(1, c.cfg.MaxItems>>level) }

// mostBytes is how long a body may be.
func (c *Core) mostBytes(now time.Time) int {
	if s := &c.suspicion; s.bytes > 0 && now.Before(s.bytesUntil) {
		return min(s.bytes, c.cfg.MaxBytes)
	}
	return c.cfg.MaxBytes
}

// refused takes a definite refusal: nothing was accepted, and sent unchanged it
// would be refused again. It returns the items' fates. It is no settlement (I9).
func (c *Core) refused(now time.Time, b *Batch, o Outcome) []ItemFate {
	if o.Status == 413 && len(b.Items) > 1 && b.Parent == "" { // of its parts it says nothing new
		c.learnBytes(now, b)
	}
	switch hinted := c.hinted(now, b, o.Hints); {
	case !c.rules.Suspects:
		c.allBack(now, b, now.Add(c.backoff(c.batchFailures(b))))
	case o.Status == 409 && c.mayPass(now, b):
	case len(b.Items) == 1 || !c.rules.OwnRefusal && onlyOneLeft(b):
		return c.guilty(now, b, o)
	case hinted != nil:
		c.suspectHinted(b, hinted)
		c.allBack(now, b, now)
	default:
		c.suspectAll(b)
		c.allBack(now, b, now)
	}
	return returned(b)
}

// onlyOneLeft is what must not be asked: whether one item of the batch is left.
// The one that is gone may have been the guilty one.
func onlyOneLeft(b *Batch) bool {
	n := 0
	for _, it := range b.Items {
		if it.phase != gone {
			n++
		}
	}
	return n == 1
}

func returned(b *Batch) []ItemFate {
	fates := make([]ItemFate, len(b.Items))
	for i, it := range b.Items {
		fates[i] = ItemFate{Item: it, Fate: FateReturned}
	}
	return fates
}

func (c *Core) suspectAll(b *Batch) {
	for _, it := range b.Items {
		s := it.suspected()
		c.raise(s, len(b.Items))
		s.parent = b.ID
	}
}

// mayPass sends a batch again unchanged after a 409, which may pass by itself: a
// few times, and an item that is alone for as long as one that Kustomer failed. It
// reports false when that has been done.
func (c *Core) mayPass(now time.Time, b *Batch) bool {
	if len(b.Items) == 1 {
		if s := b.Items[0].suspected(); s.clashes < c.cfg.ItemAttempts {
			s.clashes++
			c.allBack(now, b, now.Add(c.cfg.ItemOver/time.Duration(c.cfg.ItemAttempts)))
			return true
		}
		return false
	}
	most := uint8(0)
	for _, it := range b.Items {
		s := it.suspected()
		s.conflicts = min(s.conflicts+1, conflictsToRaise)
		most = max(most, s.conflicts)
	}
	if most == conflictsToRaise {
		return false
	}
	c.allBack(now, b, now.Add(c.backoff(1+c.batchFailures(b))))
	return true
}

// learnBytes makes bodies half as long as one that was too large. Without it
// every full batch would be refused once. It has a floor: where it is a single
// item that is refused for its size, whatever its company, smaller bodies help
// nobody, and cost everybody.
func (c *Core) learnBytes(now time.Time, b *Batch) {
	largest := 0
	for _, it := range b.Items {
		largest = max(largest, it.bytes)
	}
	s := &c.suspicion
	s.bytes = min(c.mostBytes(now), max(b.Bytes/2, 4*largest, leastBytes)) // others were under way when the first was refused
	s.bytesUntil = now.Add(bytesRest)
	c.decide(Notice{Kind: BytesLearned, Batch: b, Since: now, Until: s.bytesUntil, Bytes: s.bytes})
}

// hinted returns the items that a refusal speaks of, when they are few enough to
// be worth a request of their own, and hints have not been wrong of late.
func (c *Core) hinted(now time.Time, b *Batch, hints []int) (items []*Item) {
	if len(hints) == 0 || len(hints) > max(1, len(b.Items)/4) || now.Before(c.suspicion.hintsFrom) {
		return nil
	}
	for _, i := range hints {
		items = append(items, b.Items[i])
	}
	return items
}

// suspectHinted sends hinted items on their own: one or two each alone, more of
// them in small groups. The others stay as they were.
func (c *Core) suspectHinted(b *Batch, hinted []*Item) {
	level := uint8(0)
	for level < alone && c.most(level) > max(1, len(hinted)/2) {
		level++
	}
	for _, it := range hinted {
		s := it.suspected()
		s.level, s.hinted = max(s.level, level), true
		s.parent, s.unknown = b.ID, evidence{}
	}
}

// hintWas notes whether a hint was right, when its item was sent alone.
func (c *Core) hintWas(now time.Time, b *Batch, right bool) {
	item := b.Items[0].suspect
	if len(b.Items) > 1 || item == nil || !item.hinted {
		return
	}
	item.hinted = false
	s := &c.suspicion
	if right {
		s.wrongHints = 0
	} else if s.wrongHints++; s.wrongHints == wrongHints {
		s.wrongHints, s.hintsFrom = 0, now.Add(hintsRest)
	}
}

// guilty takes the refusal of an item that was sent alone: of several changes it
// is halved in order, one is given up with Kustomer's words.
func (c *Core) guilty(now time.Time, b *Batch, o Outcome) []ItemFate {
	c.hintWas(now, b, true)
	fates := returned(b)
	for i, it := range b.Items {
		if it.phase == gone {
			continue
		}
		if it.suspected().level = alone; len(it.Events) > 1 && c.rules.HalveInOrder && !c.over(it) {
			it.suspect.parent = b.ID
			c.halve(now, it)
			continue
		}
		fates[i].Fate = c.giveUp(now, it, Bury{Reason: o.Reason, BatchID: b.ID, Status: o.Status})
		fates[i].Reason = o.Reason
	}
	return fates
}

// over reports whether nothing may start for the item's partition any more.
func (c *Core) over(it *Item) bool {
	return it.Assignment.phase >= final && c.rules.NothingAfterFinal
}

// giveUp sends an item's changes to the dead-letter topic, with the reason in d,
// unless the brake holds.
func (c *Core) giveUp(now time.Time, it *Item, d Bury) Fate {
	if c.over(it) {
		c.back(now, it, now) // it is dropped there
		return FateReturned
	}
	c.refusals.note(now, len(it.Events), len(it.Events))
	if c.brakeHolds(now, &c.refusals, d.Reason) {
		c.holdBack(now, it)
		return FateFailed
	}
	it.phase = burying
	d.MessageID, d.Attempts, d.item = it.MessageID, it.Attempts, it
	for _, ev := range slices.Clone(it.Events) {
		one := d
		one.Event = ev
		c.bury(&one)
	}
	return FateDeadLettered
}
