package batcher

import (
	"math"
	"time"
)

// Each look costs a request of the org's budget, and each moment between an
// operation's end and the look that sees it holds changes back. The fewest looks
// for the least delay: the first when most operations are over, each next one
// when the operation is a certain number of times older. So what an operation
// costs depends on one time, that of the first look, and that is learned from
// the looks themselves: an operation that cost more than it should moves it
// back, one that was over at the first look moves it forward a little. In
// balance both cancel out, whatever the durations are like, and however long
// their tail.
//
// Why not take a quantile of the last durations: a tail costs more looks than
// the quantile tells, and where the API does not say how long an operation ran,
// only our own waiting is known.

// durations learns when to look at an operation.
type durations struct {
	calm    schedule // nobody waits for it: few looks
	awaited schedule // a change of one of its messages does: little delay
}

func newDurations() durations {
	return durations{
		calm:    schedule{first: time.Second, growth: 2, cost: 0.18},
		awaited: schedule{first: time.Second, growth: 1.35, cost: 1.4},
	}
}

// of is the schedule of an operation for which a change waits, or none.
func (d *durations) of(awaited bool) *schedule {
	if awaited {
		return &d.awaited
	}
	return &d.calm
}

// first is how old an operation should be when it is first looked at. Nothing is
// learned of calm ones while all are awaited, but they can wait as long.
func (d *durations) first(awaited bool) time.Duration {
	if awaited {
		return d.awaited.first
	}
	return max(d.calm.first, d.awaited.first)
}

// ended learns of an operation that was over when it was looked at at the age
// over; took is what its own times say, or 0.
func (d *durations) ended(op *Operation, over, took time.Duration) {
	d.of(op.awaited).ended(op.ran, over, took, op.pushed)
	if took > 0 {
		d.of(!op.awaited).ended(0, over, max(took, op.ran), 0)
	}
}

const (
	learning = 0.1 // how far one operation moves the first look: 10% for each look too many
	hurryUp  = 4   // times as fast forward when all operations are over long before
	memory   = 32  // operations
)

// schedule is when operations are looked at: the first time, and then each time
// they are so many times older.
type schedule struct {
	first  time.Duration
	growth float64
	cost   float64 // looks beyond the first that an operation should cost on average
	costs  float64 // …that the last ones cost
}

// looks is how many looks beyond the first an operation costs that runs so long.
func (s *schedule) looks(run time.Duration) float64 {
	if run < s.first {
		return 0
	}
	return 1 + math.Floor(math.Log(float64(run)/float64(s.first))/math.Log(s.growth))
}

// again is how long to wait for the next look at an operation that has run so long.
func (s *schedule) again(age time.Duration) time.Duration {
	return max(time.Duration((s.growth-1)*float64(age)), 50*time.Millisecond)
}

// likely is how long an operation runs that still ran at that age: a little longer.
func (s *schedule) likely(ran time.Duration) time.Duration {
	return time.Duration((3 + s.growth) / 4 * float64(ran))
}

// runs learns of an operation that still runs at that age, and was looked at
// before at the age ran, or never: until its end, others would be looked at too
// early, too. It returns by how much the first look was moved.
func (s *schedule) runs(ran, age time.Duration) (pushed float64) {
	if more := s.looks(s.likely(age)) - s.looks(s.likely(ran)); more > 0 {
		return s.move(more)
	}
	return 0
}

// ended learns of an operation's end. What it cost is reckoned anew, by the first
// look of now: many operations run at a time, and each that learned from the same
// would move it further.
func (s *schedule) ended(ran, over, took time.Duration, pushed float64) {
	cost := s.looks(s.likely(ran))
	step := cost - s.cost
	switch {
	case took > 0:
		took = max(took, ran)
		cost = s.looks(took)
		step = cost - s.cost
		if took < s.first/2 && s.costs < s.cost/4 {
			step *= hurryUp
		}
	case cost == 0 && over > s.likely(s.first):
		step = 0 // looked at too late to tell what a look at the first would have seen
	}
	s.costs += (cost - s.costs) / memory
	s.move(step - pushed)
}

// move moves the first look, and returns by how much.
func (s *schedule) move(step float64) (moved float64) {
	before := s.first
	s.first = max(time.Duration(float64(before)*math.Exp(learning*step)), time.Millisecond)
	return math.Log(float64(s.first)/float64(before)) / learning
}
