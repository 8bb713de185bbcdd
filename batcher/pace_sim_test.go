package batcher

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// A simulation of several members of a group, each with a pace of its own, that
// call an API with one budget for all of them and for others. Time is virtual:
// an hour takes a moment, and a seed replays.

// resetHeader says on which replies the API tells when its window ends.
type resetHeader uint8

const (
	resetAlways resetHeader = iota
	resetLimited
	resetNever
	noHeaders // nothing at all but the status
)

// org is one simulation: a plan, members that come and go, and other callers.
type org struct {
	limit   int // requests a minute
	reserve float64
	members int
	reset   resetHeader
	// foreign is the rate, in calls a second, of callers that are not ours.
	foreign func(at time.Duration) float64
	// from and to are when a member is there; all the time unless set.
	present func(member int) (from, to time.Duration)
	fair    [2]time.Duration // only what is granted from and to counts for fairness
	minutes int              // counted, after a first one; 10 unless set
	fast    float64          // by so much the members' clocks run faster than the API's
}

// bill is what became of an org's calls in the counted minutes.
type bill struct {
	granted, limited int   // calls of members
	each             []int // granted by member
	budget           float64
	reserved         int // granted calls that took of the reserve
	foreignLimited   int
	longest          time.Duration // without a granted call of a member that is there
}

// used is the share of the budget that was there for members that they took.
func (b *bill) used() float64 { return float64(b.granted) / b.budget }

func (b *bill) refused() float64 { return float64(b.limited) / float64(max(1, b.granted+b.limited)) }

// jain is Jain's index of fairness: 1 when all have the same, 1/n when one has all.
func jain(each []int) float64 {
	var sum, squares float64
	for _, n := range each {
		sum += float64(n)
		squares += float64(n) * float64(n)
	}
	return sum * sum / (float64(len(each)) * squares)
}

type happening struct {
	at time.Duration
	do func(at time.Duration)
}

type happenings []happening

func (h happenings) Len() int           { return len(h) }
func (h happenings) Less(i, j int) bool { return h[i].at < h[j].at }
func (h happenings) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *happenings) Push(x any)        { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

type simMember struct {
	p        pace
	inFlight int
	from, to time.Duration
	wake     time.Duration
	number   int
	last     time.Duration // granted
	fast     float64
}

type simulation struct {
	org
	random   *rand.Rand
	queue    happenings
	members  []*simMember
	phase    time.Duration // when the first whole window begins
	window   int
	used     int // of the window
	others   int // foreign calls granted in the window
	bill     bill
	from, to time.Duration // what is counted
}

// time is what a member's clock says.
func (m *simMember) time(at time.Duration) time.Time {
	return epoch.Add(at + time.Duration(m.fast*float64(at)))
}

// when is when a member's clock says so.
func (m *simMember) when(at time.Time) time.Duration {
	d := at.Sub(epoch)
	return max(d-time.Duration(m.fast/(1+m.fast)*float64(d)), 0) + time.Microsecond
}

var epoch = time.Unix(1_800_000_000, 0)

func (o org) run(seed uint64) *bill {
	s := &simulation{org: o, random: rand.New(rand.NewPCG(seed, 1)), window: -1}
	s.phase = time.Duration(s.random.Int64N(int64(time.Minute)))
	if s.org.minutes == 0 {
		s.org.minutes = 10
	}
	s.from = s.phase + time.Minute
	s.to = s.from + time.Duration(s.org.minutes)*time.Minute
	s.bill.each = make([]int, o.members)
	for i := range o.members {
		m := &simMember{number: i, to: s.to, fast: o.fast}
		if o.present != nil {
			m.from, m.to = o.present(i)
		}
		m.from += time.Duration(s.random.Int64N(int64(time.Second)))
		m.last = m.from
		m.p = newPace(Config{Reserve: o.reserve, MaxPause: 5 * time.Minute, Seed: seed<<8 + uint64(i)})
		s.members = append(s.members, m)
		s.at(m.from, func(at time.Duration) { s.serve(m, at) })
	}
	if o.foreign != nil {
		s.at(0, s.callForeign)
	}
	for len(s.queue) > 0 {
		h := heap.Pop(&s.queue).(happening)
		if h.at >= s.to {
			break
		}
		h.do(h.at)
	}
	s.roll(s.to)
	return &s.bill
}

func (s *simulation) at(at time.Duration, do func(time.Duration)) {
	heap.Push(&s.queue, happening{at, do})
}

// serve makes every call that a member's pace permits, and sets its alarm.
func (s *simulation) serve(m *simMember, at time.Duration) {
	for at >= m.from && at < m.to && m.inFlight < 8 {
		ok, next := m.p.permit(m.time(at), true)
		if ok {
			s.call(m, at)
			continue
		}
		if wake := m.when(next); m.wake <= at || wake < m.wake {
			m.wake = wake
			s.at(wake, func(at time.Duration) { s.serve(m, at) })
		}
		return
	}
}

func (s *simulation) call(m *simMember, at time.Duration) {
	m.p.spend(m.time(at), 1)
	m.inFlight++
	way := time.Duration(25+s.random.IntN(226)) * time.Millisecond
	back := time.Duration(25+s.random.IntN(226)) * time.Millisecond
	s.at(at+way, func(there time.Duration) {
		ok := s.take(there, m)
		q := s.headers(there, ok)
		s.at(there+back, func(now time.Duration) {
			m.inFlight--
			if ok {
				m.p.learn(m.time(now), m.time(at), q, m.inFlight)
			} else {
				m.p.limited(m.time(now), m.time(at), q)
			}
			s.serve(m, now)
		})
	})
}

// roll begins the window that a time is in.
func (s *simulation) roll(at time.Duration) {
	window := int((at - s.phase + time.Minute) / time.Minute)
	if window == s.window {
		return
	}
	if begun := s.phase + time.Duration(s.window-1)*time.Minute; begun >= s.from && begun < s.to {
		s.bill.budget += max(0, (1-s.reserve)*float64(s.limit)-float64(s.others))
	}
	s.window, s.used, s.others = window, 0, 0
}

// take spends a call of the window, of a member or of a foreign user.
func (s *simulation) take(at time.Duration, m *simMember) bool {
	s.roll(at)
	ok := s.used < s.limit
	if ok {
		s.used++
	}
	counted := at >= s.from
	switch {
	case m == nil && ok:
		s.others++
	case m == nil && counted:
		s.bill.foreignLimited++
	case m == nil:
	case ok:
		if counted {
			s.bill.granted++
			if s.fair[1] == 0 || at >= s.fair[0] && at < s.fair[1] {
				s.bill.each[m.number]++
			}
			if float64(s.limit-s.used) < s.reserve*float64(s.limit) {
				s.bill.reserved++
			}
			s.bill.longest = max(s.bill.longest, at-m.last)
		}
		m.last = at
	case counted:
		s.bill.limited++
	}
	return ok
}

func (s *simulation) headers(at time.Duration, ok bool) Quota {
	q := NoQuota
	if s.reset == noHeaders {
		return q
	}
	q.Limit, q.Remaining = s.limit, s.limit-s.used
	if s.reset == resetAlways || s.reset == resetLimited && !ok {
		end := s.phase + time.Duration(s.window)*time.Minute
		q.Reset = end - at.Truncate(time.Second) // Date has whole seconds
	}
	return q
}

func (s *simulation) callForeign(at time.Duration) {
	rate := s.foreign(at)
	if rate <= 0 {
		s.at(at+100*time.Millisecond, s.callForeign)
		return
	}
	s.take(at, nil)
	s.at(at+time.Duration(s.random.ExpFloat64()/rate*float64(time.Second)), s.callForeign)
}

func (b *bill) String() string {
	return fmt.Sprintf("used %5.1f%%  429s %5.2f%%  of the reserve %4.1f%%  fairness %.3f  longest gap %5.1fs",
		100*b.used(), 100*b.refused(), 100*float64(b.reserved)/max(1, b.budget), jain(b.each), b.longest.Seconds())
}
