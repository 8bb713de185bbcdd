package batcher

import (
	"slices"
	"time"
)

// firstGuess stands for the duration of an operation until some were measured.
const firstGuess = time.Second

// durations keeps the last operations' durations, to look at an operation when
// it is likely to be over: each look costs a request of the org's budget.
type durations struct {
	ring   [64]time.Duration
	n      int // ever added
	sorted []time.Duration
	stale  bool
}

func (d *durations) add(took time.Duration) {
	d.ring[d.n%len(d.ring)] = took
	d.n++
	d.stale = true
}

// quantile returns the duration within which the share q of the last operations
// was over.
func (d *durations) quantile(q float64) time.Duration {
	if d.n == 0 {
		return firstGuess
	}
	if d.stale {
		d.sorted = append(d.sorted[:0], d.ring[:min(d.n, len(d.ring))]...)
		slices.Sort(d.sorted)
		d.stale = false
	}
	return d.sorted[int(q*float64(len(d.sorted)-1)+0.5)]
}
