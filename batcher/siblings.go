package batcher

import "time"

// siblings are the changes of one record that has several. Each goes its own way,
// in its message's chain; what they share is the record. It settles when all of
// them have: its offset may not be passed before, and as completed only when none
// was given up. Each that is given up has a dead letter of its own, which says what
// was wrong with it. Given back to the group is all of the record when one of them is.
//
// One dead letter for all of the record would do for sending it again. But then
// nothing would name the fate of a second change that is given up after an attempt of
// unknown outcome, of which no result event tells.
type siblings struct {
	n       int   // changes of the record
	open    int   // of them, those neither settled nor dropped
	bytes   int64 // credit that the record itself holds
	over    bool  // the record's book is closed though changes are open
	givenUp bool  // one of them was dead-lettered
}

// Part says which of its record's changes an event is, counted from 1, and how many
// there are: nearly always 1 of 1.
func (ev *Event) Part() (n, of int) {
	if ev.siblings == nil {
		return 1, 1
	}
	return int(ev.part), ev.siblings.n
}

// takeSeveral takes a record that changes several messages, or one several times.
func (c *Core) takeSeveral(now time.Time, a *Assignment, ch *Change) {
	s := &siblings{n: 1 + len(ch.More), open: 1 + len(ch.More), bytes: ch.size() - structures}
	c.openBytes += s.bytes
	a.bytes += s.bytes
	seq := c.book(now, a, ch)
	for i := range s.n {
		one := *ch
		if i > 0 {
			u := &ch.More[i-1]
			one.MessageID, one.EventID, one.Patch, one.OccurredAt = u.MessageID, u.EventID, u.Patch, u.OccurredAt
		}
		ev := new(Event)
		c.open(now, a, ev, &one, seq, structures)
		ev.siblings, ev.part = s, uint32(i+1)
		c.chained(now, a, one.MessageID, ev)
	}
}

// chained puts an event into its message's chain.
func (c *Core) chained(now time.Time, a *Assignment, id []byte, ev *Event) {
	chain := c.chains.of(id)
	if n := len(chain.items); n > 0 && c.mayMerge(chain.items[n-1], a) && c.merge(chain.items[n-1], ev) {
		return
	}
	c.append(now, chain, new(Item), ev)
}

// settles takes the end of one change and reports whether the record ends with it.
func (s *siblings) settles(count, deadLettered *uint64, wholeRecord bool) bool {
	s.givenUp = s.givenUp || count == deadLettered
	if s.over || wholeRecord && s.open > 1 {
		return false
	}
	s.over = true
	return true
}
