package batcher

import (
	"container/heap"
	"time"
)

// chain is one message: its items in order, of which at most one is open (I7).
// The stray time belongs to the message, not to the item that was sent: it
// survives a split, a dead letter, a completion, and an empty chain, because an
// operation we don't know of may still write to the message in all of them.
type chain struct {
	id         string
	items      []*Item
	strayUntil time.Time
	coolUntil  time.Time // end of a rest after a 429 of its own
	givenUp    string    // why its last change was given up, if none succeeded since

	room [1]*Item // of items, which most messages never outgrow

	hash   uint64 // of id
	next   *chain // in its bucket
	listed bool   // it is among the core's chains
}

type itemPhase uint8

const (
	waiting itemPhase = iota
	sent              // in a PUT that has not been answered
	open              // in an operation that has not ended for it
	burying           // its dead letter is on its way
	gone              // no longer in its chain
)

// itemState is what the core alone knows of an item.
type itemState struct {
	chain      *chain
	phase      itemPhase
	fold       *fold // of a waiting item with several events
	frozen     bool  // sent before: takes no more changes
	stray      bool  // a stray operation may hold this very item: sent again, it need not wait for it
	notBefore  time.Time
	readyAt    time.Time
	why        string // the reason that all its failures had; empty when they differ
	hopeless   string // the reason for which what it was part of was tried long enough
	bytes      int    // of its entry in a body, at most
	operation  *Operation
	suspect    *suspect // what is held against it; nil: nothing
	list       *itemList
	prev, next *Item

	room [1]*Event // of Events, which most items never outgrow
}

// append makes a change a new item at the end of its message's chain: there is
// nothing waiting that it could be folded into.
func (c *Core) append(now time.Time, ch *chain, it *Item, ev *Event) {
	it.MessageID, it.Assignment = ch.id, ev.Assignment
	it.chain = ch
	it.Events = append(it.room[:0], ev)
	it.bytes = entrySize(it.MessageID, len(ev.Patch))
	ch.items = append(ch.items, it)
	if len(ch.items) == 1 || !c.rules.Hold {
		c.wake(now, ch)
	}
	if first := ch.items[0]; first != it && first.operation != nil {
		c.hurry(now, first.operation)
	}
}

// candidate is the item of the chain that is next to be sent.
func (c *Core) candidate(ch *chain) *Item {
	if c.rules.Hold {
		if len(ch.items) > 0 && ch.items[0].phase == waiting {
			return ch.items[0]
		}
		return nil
	}
	for _, it := range ch.items {
		if it.phase == waiting {
			return it
		}
	}
	return nil
}

// wake looks at a message again, after anything that may let its next item
// start: it goes to the ready list, to the partition's parked list, or sets an
// alarm. It is the only place that makes an item ready.
func (c *Core) wake(now time.Time, ch *chain) {
	if len(ch.items) == 0 {
		if until := later(ch.strayUntil, ch.coolUntil); until.After(now) {
			heap.Push(&c.alarms, alarm{at: until, chain: ch})
		} else {
			c.chains.remove(ch)
		}
		return
	}
	it := c.candidate(ch)
	if it == nil || it.list != nil {
		return
	}
	switch start, at := c.mayStart(now, it); {
	case start:
		it.readyAt = now
		c.ready.push(it)
	case it.Assignment.phase == revoking && at.After(it.Assignment.deadline):
		c.giveBack(now, it) // it can't end in time
	case !at.IsZero():
		heap.Push(&c.alarms, alarm{at: at, chain: ch})
	default:
		it.Assignment.parked.push(it)
	}
}

// mayStart is the one place that says whether an item may be sent. When only
// time is missing, at is when to ask again.
func (c *Core) mayStart(now time.Time, it *Item) (start bool, at time.Time) {
	a := it.Assignment
	if a.phase <= revoking {
		if open, at := a.gateOpen(now); !open {
			return false, at
		}
	}
	if c.rules.StrayWait && !it.stray && it.chain.strayUntil.After(now) {
		return false, it.chain.strayUntil
	}
	if at = later(it.notBefore, it.chain.coolUntil); at.After(now) {
		return false, at
	}
	return true, time.Time{}
}

// back makes an item wait again after a call or an operation that did not
// settle it, or drops it when nothing may start for its partition any more. It
// reports whether the item is still in its chain.
func (c *Core) back(now time.Time, it *Item, notBefore time.Time) bool {
	if it.phase == gone {
		return false
	}
	it.phase = waiting
	it.operation = nil
	it.notBefore = notBefore
	if it.Assignment.phase >= final && c.rules.NothingAfterFinal {
		c.dropItem(now, it)
		return false
	}
	c.wake(now, it.chain)
	return it.phase != gone
}

// giveBack gives an item back to the group, with all that waits behind it for the
// same partition: the next owner will send it again, and must not find a newer
// change of the message applied already.
func (c *Core) giveBack(now time.Time, it *Item) {
	ch, behind := it.chain, false
	kept := ch.items[:0]
	for _, x := range ch.items {
		behind = behind || x == it
		if !behind || x.phase != waiting || x.Assignment != it.Assignment {
			kept = append(kept, x)
			continue
		}
		for _, ev := range x.Events {
			c.drop(ev)
		}
		if x.list != nil {
			x.list.remove(x)
		}
		x.phase, x.operation = gone, nil
	}
	clear(ch.items[len(kept):])
	ch.items = kept
	if ch.room[0] != nil && ch.room[0].phase == gone {
		ch.room[0] = nil
	}
	c.wake(now, ch)
}

// dropItem gives an item's events back to the group.
func (c *Core) dropItem(now time.Time, it *Item) {
	for _, ev := range it.Events {
		c.drop(ev)
	}
	c.remove(now, it)
}

// remove takes an item out of its chain, with others in its place, and wakes
// the message.
func (c *Core) remove(now time.Time, it *Item, parts ...*Item) {
	if it.list != nil {
		it.list.remove(it)
	}
	it.phase = gone
	it.operation = nil // it holds the whole batch, and through its messages all before
	ch := it.chain
	for i, x := range ch.items {
		if x != it {
			continue
		}
		if len(parts) == 0 {
			copy(ch.items[i:], ch.items[i+1:])
			ch.items[len(ch.items)-1] = nil
			ch.items = ch.items[:len(ch.items)-1]
		} else {
			ch.items = append(append(append([]*Item(nil), ch.items[:i]...), parts...), ch.items[i+1:]...)
		}
		break
	}
	if ch.room[0] == it { // the list has outgrown its room, where the item still stands
		ch.room[0] = nil
	}
	c.wake(now, ch)
}

// strayed notes that an operation we don't know of may still write to the
// item's message, until the longest way in and the longest run are over,
// counted from the time the attempt ended or the loss was seen.
func (c *Core) strayed(it *Item, since time.Time) {
	if it.phase == gone {
		return
	}
	until := since.Add(c.cfg.LostReplyWait)
	it.stray = true
	it.chain.strayUntil = later(it.chain.strayUntil, until)
	it.Assignment.strayUntil = later(it.Assignment.strayUntil, until)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// halve splits an item that fails as a whole, oldest events first, so that only
// the guilty change is given up. The parts are successors of each other.
func (c *Core) halve(now time.Time, it *Item) {
	half := len(it.Events) / 2
	part := func(events []*Event) *Item {
		p := &Item{MessageID: it.MessageID, Assignment: it.Assignment, Events: events, Attempts: it.Attempts}
		p.itemState = itemState{chain: it.chain, frozen: true, stray: it.stray && !c.rules.StrayOfChain, hopeless: it.hopeless}
		if it.suspect != nil {
			p.suspect = &suspect{level: it.suspect.level, parent: it.suspect.parent}
		}
		if len(events) == 1 {
			p.Patch = events[0].Patch
		} else {
			f := c.foldOf(events)
			p.Patch = f.appendTo(make([]byte, 0, f.size()))
		}
		p.bytes = entrySize(p.MessageID, len(p.Patch))
		return p
	}
	c.remove(now, it, part(it.Events[:half:half]), part(it.Events[half:]))
}
