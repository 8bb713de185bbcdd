package batcher

// mayMerge reports whether changes of a partition may go into an item, if they fold.
func (c *Core) mayMerge(it *Item, a *Assignment) bool {
	return c.cfg.Merge && it.phase == waiting && !(it.frozen && c.rules.Frozen) &&
		(it.Assignment == a || !c.rules.OnePartition)
}

// merge folds a change into an item that it may go into, if folding says the same
// as sending one after the other.
func (c *Core) merge(it *Item, ev *Event) bool {
	if it.fold == nil {
		it.fold = c.foldOf(it.Events)
	}
	before := it.fold.size()
	if before+len(ev.Patch) > c.cfg.MaxBytes || !it.fold.add(ev.Patch, &c.fold) {
		if len(it.Events) == 1 {
			c.retireFold(it) // the successor takes what comes next
		}
		return false
	}
	if len(it.Events) == 1 {
		c.charge(ev, foldBytes+before)
	}
	c.charge(ev, max(0, it.fold.size()-before))
	it.Events = append(it.Events, ev)
	it.resize(it.patchSize())
	return true
}

// foldBytes is what a fold of a few members takes, beside its bytes.
const foldBytes = 200

// foldOf folds events that are known to fold.
func (c *Core) foldOf(events []*Event) *fold {
	f := c.newFold(events[0].Patch)
	for _, ev := range events[1:] {
		f.add(ev.Patch, &c.fold)
	}
	return f
}

// newFold returns the fold of one patch, made of one that is no longer needed
// where there is one: a fold lives for a second, and is most of what an item that
// merges costs.
func (c *Core) newFold(first []byte) *fold {
	n := len(c.folds)
	if n == 0 {
		return newFold(first)
	}
	f := c.folds[n-1]
	c.folds[n-1] = nil
	c.folds = c.folds[:n-1]
	f.add(first, &foldRules{})
	return f
}

// retireFold takes an item's fold for later use. What a hot message has grown
// large is left to the collector.
func (c *Core) retireFold(it *Item) {
	f := it.fold
	it.fold = nil
	if f != nil && len(c.folds) < maxRetiredFolds && f.reset() {
		c.folds = append(c.folds, f)
	}
}

const maxRetiredFolds = 1000

// patchSize is the length of what the item would be sent with.
func (it *Item) patchSize() int {
	switch {
	case it.fold != nil:
		return it.fold.size()
	case len(it.Events) == 1:
		return len(it.Events[0].Patch)
	}
	return len(it.Patch)
}

// resize notes how long an item is, in its list too.
func (it *Item) resize(patch int) {
	size := entrySize(it.MessageID, patch)
	if it.list != nil {
		it.list.bytes += size - it.bytes
	}
	it.bytes = size
}

// entrySize bounds the bytes that an item takes in a request's body: its id
// (escaped at worst sixfold only for control characters, which the decoder has
// counted as one), the reference, the patch and the punctuation.
func entrySize(id string, patch int) int { return 6*len(id) + patch + 96 }

// freeze fixes the bytes of an item that is about to be sent.
func (c *Core) freeze(it *Item) {
	rules := &c.rules
	if it.frozen && (rules.Frozen || it.fold == nil) {
		return
	}
	it.frozen = true
	if len(it.Events) == 1 {
		it.Patch = it.Events[0].Patch
		c.retireFold(it) // of a change that would not fold
		return
	}
	it.Patch = it.fold.appendTo(make([]byte, 0, it.fold.size()))
	if rules.Frozen {
		c.retireFold(it)
	}
	it.bytes = entrySize(it.MessageID, len(it.Patch))
}

// shorten drops the events of a waiting item from n on.
func (c *Core) shorten(it *Item, n int) {
	if n == len(it.Events) {
		return
	}
	for _, ev := range it.Events[n:] {
		c.drop(ev)
	}
	clear(it.Events[n:]) // or they would be kept as long as the item
	it.Events = it.Events[:n]
	c.retireFold(it)
	if n > 1 {
		it.fold = c.foldOf(it.Events)
	}
	it.resize(it.patchSize())
}
