package pipeline

import (
	"sync"
	"testing"
	"time"

	"kafka-kustomer/batcher"
)

// numbered is a fact that tells which it is.
type numbered struct{ from, n int }

func (numbered) tell(*batcher.Core, time.Time) {}

func TestInboxKeepsEachSendersOrder(t *testing.T) {
	const senders, each = 4, 500
	box := newInbox()
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for n := range each {
				box.put(numbered{s, n})
			}
		})
	}
	next := [senders]int{}
	var room []fact
	for taken := 0; taken < senders*each; {
		<-box.signal
		room = box.take(room)
		for _, f := range room {
			got := f.(numbered)
			if got.n != next[got.from] {
				t.Fatalf("sender %d: fact %d came, want %d", got.from, got.n, next[got.from])
			}
			next[got.from]++
			taken++
		}
	}
	wg.Wait()
	if left := box.take(nil); len(left) > 0 {
		t.Errorf("%d facts too many", len(left))
	}
}

// A fact put after the signal was seen, before the facts were taken, must not
// wait for the next: it is taken with them, or signals again.
func TestInboxSignalIsNeverLost(t *testing.T) {
	box := newInbox()
	box.put(numbered{0, 0})
	<-box.signal
	box.put(numbered{0, 1})
	if got := box.take(nil); len(got) != 2 {
		t.Fatalf("%d facts, want 2", len(got))
	}
	select {
	case <-box.signal: // harmless: it finds nothing
	default:
		t.Error("the second put left no signal")
	}
}

func TestInboxReusesRoom(t *testing.T) {
	box := newInbox()
	first := make([]fact, 0, 8)
	box.take(first)
	box.put(numbered{0, 7})
	got := box.take(nil)
	if len(got) != 1 || got[0] != (numbered{0, 7}) || cap(got) != 8 {
		t.Errorf("got %v with room for %d, want the fact in the room for 8 that was left", got, cap(got))
	}
}
