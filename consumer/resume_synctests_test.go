//go:build synctests

package consumer

import (
	"testing"
	"time"
)

// A partition that is resumed is fetched soon, although the one fetch that kgo
// has at a broker waits for records of the others, of which there are none. With
// kgo's own wait this took five seconds, and a backlog a multiple of its time.
func TestResumedPartitionIsFetchedSoon(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 2)
		h := m.handles()[0]
		for n := 1; n <= 5; n++ {
			m.Pause(h)
			time.Sleep(7 * time.Second) // what was under way for the partition has ended
			w.produce(0, 1)
			// Each time at another moment of the wait.
			time.Sleep(time.Duration(n) * 700 * time.Millisecond)
			if got := len(m.offsets(h)); got != n-1 {
				t.Fatalf("%d records came while it was paused, want %d", got, n-1)
			}
			begun := time.Now()
			m.Resume(h)
			w.await("the record comes", func() bool { return len(m.offsets(h)) == n })
			if took := time.Since(begun); took > fetchMaxWait+300*time.Millisecond {
				t.Errorf("round %d: it took %v", n, took)
			}
		}
		m.leave()
	})
}
