package pipeline

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A call does not wait for one that runs; a goroutine that has made one waits for the
// next; and dismiss waits for all.
func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew()
		var ended atomic.Int32
		call := func() {
			time.Sleep(time.Second)
			ended.Add(1)
		}
		begun := time.Now()
		for range 5 {
			for range 3 {
				c.run(call)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if took := time.Since(begun); ended.Load() != 15 || took != 5*time.Second {
			t.Errorf("%d calls ended after %v, want 15 after 5s", ended.Load(), took)
		}
		waiting := 0
		for range 4 {
			select {
			case c.calls <- call:
				waiting++
			default:
			}
		}
		if waiting != 3 {
			t.Errorf("%d goroutines waited for a call after 15, three at a time", waiting)
		}
		c.dismiss()
		if ended.Load() != 18 {
			t.Errorf("%d calls had ended when all were dismissed, want 18", ended.Load())
		}
	})
}
