package batcher

import "time"

// Hold is what the next change of a message waits for. The set is closed.
type Hold uint8

// The holds.
const (
	HoldRequest    Hold   = iota // nothing of its own: company, or the next request
	HoldCall                     // the reply to a call that carries it
	HoldOperation                // the end of an operation that carries it
	HoldDeadLetter               // Kafka, to acknowledge its dead letter
	HoldTakeover                 // its partition: the mark is not committed, or the last owner left something running
	HoldStray                    // the longest time that a request without a reply may run
	HoldCooling                  // the end of a 429 of its own
	HoldRetry                    // the time of its next attempt
	Holds          = iota        // how many there are
)

// String returns the hold as a metric label.
func (h Hold) String() string {
	return [...]string{"request", "call", "operation", "dead_letter", "takeover", "stray", "cooling", "retry"}[h]
}

// heldBy counts the messages by what they wait for: each once, so that the sum is
// the number of messages. It goes through all of them, some fifty nanoseconds each;
// that is for a scrape, not for every turn.
func (c *Core) heldBy(now time.Time) (by [Holds]int, strays int) {
	for ch := range c.chains.all() {
		by[ch.hold(now)]++
		if ch.strayUntil.After(now) {
			strays++
		}
	}
	return by, strays
}

// hold is what the message's first change waits for, or what the next one would
// when there is none.
func (ch *chain) hold(now time.Time) Hold {
	if len(ch.items) == 0 {
		if ch.coolUntil.After(ch.strayUntil) {
			return HoldCooling
		}
		return HoldStray
	}
	it := ch.items[0]
	switch it.phase {
	case sent:
		return HoldCall
	case open:
		return HoldOperation
	case burying:
		return HoldDeadLetter
	}
	switch a := it.Assignment; {
	case it.list == &a.parked:
		return HoldTakeover
	case it.list != nil:
		return HoldRequest
	case a.phase <= revoking && now.Before(a.gateUntil):
		return HoldTakeover
	case !it.stray && ch.strayUntil.After(now):
		return HoldStray
	case ch.coolUntil.After(now):
		return HoldCooling
	}
	return HoldRetry
}
