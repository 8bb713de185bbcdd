package model

import "time"

// tick is a point in the time of a run, or a span of it: one tick is one second
// of the core's clock. Whole ticks make meetings of two things at one moment
// common, and those are what is looked for.
type tick int

// epoch is tick zero on the core's clock.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (t tick) time() time.Time { return epoch.Add(t.span()) }

func (t tick) span() time.Duration { return time.Duration(t) * time.Second }

// tickAt returns the first tick that is not before the given time.
func tickAt(at time.Time) tick {
	return tick((at.Sub(epoch) + time.Second - 1) / time.Second)
}

// clock runs closures in the order of their time. It is all the concurrency
// there is: what would be a goroutine, a timer or a network is a closure here,
// so that a run is one thread and a seed replays exactly.
type clock struct {
	now   tick
	queue timers
	set   int // closures ever set
	steps int // closures run
}

// after runs fn in d ticks, behind all that was set for that tick before.
func (c *clock) after(d tick, fn func()) {
	c.set++
	c.queue.push(timer{c.now + d, c.set, fn})
}

// step runs the next closure and reports whether there was one.
func (c *clock) step() bool {
	if len(c.queue) == 0 {
		return false
	}
	next := c.queue.pop()
	c.now = next.at
	c.steps++
	next.fn()
	return true
}

type timer struct {
	at  tick
	set int
	fn  func()
}

func (t *timer) before(o *timer) bool { return t.at < o.at || t.at == o.at && t.set < o.set }

// timers is a binary heap. That of the standard library boxes every value, and
// a sixth of a run went there.
type timers []timer

func (h *timers) push(t timer) {
	*h = append(*h, t)
	q := *h
	for i := len(q) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q[i].before(&q[parent]) {
			break
		}
		q[i], q[parent] = q[parent], q[i]
		i = parent
	}
}

func (h *timers) pop() timer {
	q := *h
	first, last := q[0], len(q)-1
	q[0], q[last] = q[last], timer{}
	q = q[:last]
	*h = q
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if child+1 < last && q[child+1].before(&q[child]) {
			child++
		}
		if !q[child].before(&q[i]) {
			return first
		}
		q[i], q[child] = q[child], q[i]
		i = child
	}
}
