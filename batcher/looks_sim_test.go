package batcher

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A simulation of an API whose operations run for a while, around a whole core:
// what does it cost to see their ends, and how late are they seen?

// runs draws how long an operation runs; mean is the mean of all.
type runs struct {
	name string
	draw func(r *rand.Rand, mean float64) float64
}

var (
	lognormal = runs{"lognormal", func(r *rand.Rand, mean float64) float64 {
		const sigma = 0.8
		return mean * math.Exp(sigma*r.NormFloat64()-sigma*sigma/2)
	}}
	exponential = runs{"exponential", func(r *rand.Rand, mean float64) float64 { return mean * r.ExpFloat64() }}
	tailed      = runs{"5% ten times", func(r *rand.Rand, mean float64) float64 {
		if r.Float64() < 0.05 {
			return 10 * mean
		}
		return lognormal.draw(r, mean)
	}}
	alike = runs{"alike", func(r *rand.Rand, mean float64) float64 { return mean * (0.9 + 0.2*r.Float64()) }}
)

// lookout is one simulation.
type lookout struct {
	runs
	mean    func(n int) float64 // seconds, of the n-th operation
	times   bool                // the API tells how long an operation ran
	lie     bool                // …but tells a thousandth of it
	awaited bool                // a successor always waits
	rate    float64             // operations a second; with successors, half as many messages as would give it
	from    int                 // the first operation that counts
	n       int                 // the last
}

// sighting is what it came to, of the counted operations.
type sighting struct {
	looks float64 // for an operation
	delay float64 // from an operation's end to being seen, in mean runs
}

func (s sighting) String() string {
	return fmt.Sprintf("%.3f looks an operation, seen %.2f mean runs late", s.looks, s.delay)
}

func (l lookout) run(t *testing.T) (s sighting) {
	t.Helper()
	d := newDesk(t, func(c *Config) {
		c.MaxItems, c.MaxOpenOperations, c.MaxInFlight = 1, 128, 100_000
		c.Linger = time.Millisecond
	})
	r := rand.New(rand.NewPCG(1, 2))
	a := d.own()
	ends := map[*Operation]time.Time{}
	number, offset, counted, looks := 0, int64(0), 0, 0
	var runs, delay float64
	feed := func(id string) {
		offset++
		d.fetch(a, change(offset, id, `{"a":1}`))
	}
	next := d.now
	if l.awaited {
		for i := range max(1, int(l.rate*l.mean(0))) {
			feed(fmt.Sprint("m", i))
			feed(fmt.Sprint("m", i))
		}
	}
	for counted < l.n-l.from {
		if !l.awaited && !d.now.Before(next) {
			feed(fmt.Sprint("m", offset))
			next = next.Add(time.Duration(r.ExpFloat64() / l.rate * float64(time.Second)))
		}
		switch dec := d.c.Next(d.now).(type) {
		case Put:
			d.answer(dec.Batch, Accepted)
			op := dec.Batch.Items[0].operation
			run := l.draw(r, l.mean(number))
			ends[op] = d.now.Add(time.Duration(run * float64(time.Second)))
			if number++; number > l.from {
				op.Outcome.Status = 1 // it counts
			}
			if l.awaited {
				feed(dec.Batch.Items[0].MessageID)
			}
		case Look:
			op := dec.Operation
			if op.Outcome.Status == 1 {
				looks++
			}
			if d.now.Before(ends[op]) {
				d.c.Polled(d.now, op, viewOf(Running, NoResult))
				continue
			}
			if op.Outcome.Status == 1 {
				counted++
				runs += ends[op].Sub(op.Accepted).Seconds()
				delay += d.now.Sub(ends[op]).Seconds()
			}
			v := viewOf(Complete, Updated)
			if l.times {
				v.Took = ends[op].Sub(op.Accepted)
				if l.lie {
					v.Took /= 1000
				}
			}
			delete(ends, op)
			d.c.Polled(d.now, op, v)
		case *Report:
			d.c.Reported(dec)
		case *Commit:
			d.committed(dec, CommitDone)
		case Wait:
			until := dec.Until
			if !l.awaited {
				until = earliest(until, next)
			}
			d.wait(max(until.Sub(d.now), time.Microsecond))
		}
	}
	return sighting{looks: float64(looks) / float64(counted), delay: delay / runs}
}

func always(mean float64) func(int) float64 { return func(int) float64 { return mean } }

// What operations cost that nobody waits for, and how late their ends are seen.
func TestLooksCostLittle(t *testing.T) {
	for _, times := range []bool{true, false} {
		for _, runs := range []runs{lognormal, exponential, tailed} {
			for _, mean := range []float64{2, 5, 10, 30} {
				s := lookout{runs: runs, mean: always(mean), times: times, rate: 2, from: 200, n: 1500}.run(t)
				t.Logf("own times %-5v %-14s mean %3.0fs: %v", times, runs.name, mean, s)
				if s.looks > 1.25 || s.delay > 1.7 {
					t.Errorf("want at most 1.25 looks, and not later than 1.7 mean runs")
				}
			}
		}
	}
}

// Where all run for about the same time, many under way at once are all seen too
// early together, unless their own times are known.
func TestLooksAtOperationsThatAreAlike(t *testing.T) {
	for times, most := range map[bool]float64{true: 1.25, false: 1.4} {
		for _, mean := range []float64{2, 30} {
			s := lookout{runs: alike, mean: always(mean), times: times, rate: 2, from: 100, n: 1500}.run(t)
			t.Logf("own times %-5v mean %3.0fs: %v", times, mean, s)
			if s.looks > most || s.delay > 0.5 {
				t.Errorf("want at most %v looks, and not later than half a run", most)
			}
		}
	}
}

// A successor waits for little longer than the operation runs.
func TestSuccessorsWaitLittle(t *testing.T) {
	for _, times := range []bool{true, false} {
		var sum, n float64
		for _, runs := range []runs{lognormal, exponential, tailed, alike} {
			for _, mean := range []float64{2, 5, 10, 30} {
				s := lookout{runs: runs, mean: always(mean), times: times, awaited: true, rate: 2, from: 100, n: 1000}.run(t)
				t.Logf("own times %-5v %-14s mean %3.0fs: %v", times, runs.name, mean, s)
				if s.looks > 3.2 || s.delay > 0.4 {
					t.Errorf("want at most 3.2 looks, and not later than 0.4 of a run")
				}
				sum, n = sum+s.delay, n+1
			}
		}
		if sum/n > 0.35 {
			t.Errorf("successors wait %.2f of a run on average", sum/n)
		}
	}
}

// Operations that run for minutes are no reason for looks twice a minute.
func TestLongOperationsCostLittle(t *testing.T) {
	s := lookout{runs: lognormal, mean: always(100), times: true, rate: 0.5, from: 200, n: 800}.run(t)
	t.Log(s)
	if s.looks > 1.3 {
		t.Error("want at most 1.3 looks")
	}
}

// An API whose own times are wrong, or in another unit, costs no more looks.
func TestWrongTimesCostNothing(t *testing.T) {
	s := lookout{runs: lognormal, mean: always(10), times: true, lie: true, rate: 2, from: 100, n: 1500}.run(t)
	t.Log(s)
	if s.looks > 1.4 {
		t.Error("want at most 1.4 looks")
	}
}

// The mean run grows from two seconds to thirty, and back.
func TestLooksAdapt(t *testing.T) {
	const step = 800
	mean := func(n int) float64 {
		if n/step == 1 {
			return 30
		}
		return 2
	}
	for _, times := range []bool{true, false} {
		sim := func(from, n int) sighting {
			return lookout{runs: lognormal, mean: mean, times: times, rate: 2, from: from, n: n}.run(t)
		}
		whole, slow, fast := sim(100, 3*step), sim(step+300, 2*step), sim(2*step+400, 3*step)
		t.Logf("own times %v: %v; slow: %v; fast again: %v", times, whole, slow, fast)
		if whole.looks > 1.35 || slow.looks > 1.3 || fast.looks > 1.25 || fast.delay > 1.6 {
			t.Error("want at most 1.35 looks in all, 1.3 and 1.25 once used to it, and no more than 1.6 mean runs late in the end")
		}
	}
}
