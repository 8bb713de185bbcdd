package pipeline

import (
	"sync"
	"time"

	"kafka-kustomer/batcher"
)

// fact is something that happened, to be told to the core by the loop.
type fact interface {
	tell(core *batcher.Core, now time.Time)
}

// inbox collects facts for the loop. Putting never blocks, so that no callback
// of a client library can wait for a loop that is itself about to call that
// library. It is bounded by what is under way: a fact answers a call, a produce
// or a callback, and the core's credit bounds those.
type inbox struct {
	mu     sync.Mutex
	facts  []fact
	signal chan struct{} // holds a token while there are facts
}

func newInbox() *inbox { return &inbox{signal: make(chan struct{}, 1)} }

func (b *inbox) put(f fact) {
	b.mu.Lock()
	b.facts = append(b.facts, f)
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

// take returns the facts in the order they came, and leaves room for the next
// in a slice that was taken before.
func (b *inbox) take(room []fact) []fact {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.facts
	b.facts = room[:0]
	return taken
}
