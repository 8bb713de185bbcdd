package batcher

import (
	"math/rand/v2"
	"time"
)

const (
	startPerMinute = 300 // the smallest documented plan, until headers tell more
	burst          = 250 * time.Millisecond

	// From a standstill to the full rate. Where quota headers steer, the brake
	// only helps them; where none come, it is all there is.
	regain      = time.Minute
	regainBlind = 8 * time.Minute

	comeBack  = 2 * time.Second  // jitter of a rest's end, so that members do not come back together
	firstRest = time.Second      // after a 429, at least
	blindRest = 10 * time.Second // …and where nothing tells when the budget's window ends
	probeWait = 5 * time.Second  // for the reply to the one call after a rest
)

// pace spreads the calls of this process over the org's request budget: a
// bucket of permits that fills at a rate, and rests. The rate is fixed, or
// follows the budget that the quota headers tell of, or, where none come, is
// halved by each 429 and slowly regained.
type pace struct {
	fixed   bool
	longest time.Duration // rest that a Retry-After may ask for
	random  *rand.Rand    // of the jitter

	budget  budget
	rate    float64 // permits a second, before the brake of earlier 429s
	factor  float64 // halved by a 429, regained with time; at most 1
	permits float64
	filled  time.Time
	called  time.Time // when the last call was made

	heard Quota     // what a reply told last, for people
	dry   time.Time // no call before: the window's budget is used up
	rest  time.Time // no call before: a 429
	walls int       // 429s in a row, those of one moment counted once
	probe bool      // the one call after a rest is under way
}

func newPace(cfg Config) pace {
	p := pace{
		longest: cfg.MaxPause, budget: budget{reserve: cfg.Reserve},
		rate: startPerMinute / 60.0, factor: 1, permits: 1, heard: NoQuota,
		random: rand.New(rand.NewPCG(cfg.Seed, 0x7061)),
	}
	if cfg.RequestsPerMinute > 0 {
		p.fixed, p.rate = true, float64(cfg.RequestsPerMinute)/60
	}
	return p
}

// permit reports whether a call may be made now, and otherwise when to ask again.
func (p *pace) permit(now time.Time, rests bool) (ok bool, at time.Time) {
	p.fill(now)
	if rests && now.Before(p.rest) {
		return false, p.rest
	}
	at = p.dry
	if !now.Before(p.dry) {
		if p.permits >= 1 {
			return true, time.Time{}
		}
		missing := time.Duration((1 - p.permits) / p.speed() * float64(time.Second))
		at = now.Add(max(missing, time.Microsecond))
	}
	if peek := p.budget.peek(); p.called.Before(peek) {
		if !now.Before(peek) {
			return true, time.Time{}
		}
		at = earliest(at, peek)
	}
	if now.Before(p.budget.ends) { // then the rate is another one
		at = earliest(at, p.budget.ends)
	}
	return false, at
}

// until is before when no call is made, whatever is due.
func (p *pace) until() time.Time { return later(p.rest, p.dry) }

// fill adds what has accrued, up to a quarter of a second's worth: a process
// that slept must not make up for it at once.
func (p *pace) fill(now time.Time) {
	if !p.filled.IsZero() {
		p.permits += now.Sub(p.filled).Seconds() * p.speed()
		if quiet := now.Sub(later(p.filled, p.rest)); quiet > 0 {
			span := regain
			if p.budget.limit == 0 {
				span = regainBlind
			}
			p.factor = min(1, p.factor+quiet.Seconds()/span.Seconds())
		}
	}
	p.filled = now
	p.permits = min(p.permits, max(1, p.speed()*burst.Seconds()))
	if p.budget.roll(now) {
		p.steer(now)
	}
}

// speed is permits a second: at least one a minute, or nothing would ever tell
// that the trouble is over.
func (p *pace) speed() float64 { return max(p.rate*p.factor, 1/quotaWindow.Seconds()) }

// steer sets the rate by what is left of the budget, or waits for the next window.
func (p *pace) steer(now time.Time) {
	if p.budget.left >= 1 {
		p.rate, p.dry = p.budget.rate(now), time.Time{}
		return
	}
	if p.dry = p.budget.ends; p.dry.IsZero() {
		p.dry = now.Add(blindRest + p.jitter(comeBack))
	}
}

// spend takes the permits of calls that are made, or were made beyond the one
// permitted. Nothing gives one back: a call without a reply may have been counted.
func (p *pace) spend(now time.Time, calls int) {
	p.fill(now)
	p.called = now
	p.permits -= float64(calls)
	p.budget.left -= float64(calls)
	if p.budget.limit > 0 && p.budget.left < 1 {
		p.steer(now)
	}
	if p.walls > 0 && !now.Before(p.rest) {
		p.probe, p.rest = true, now.Add(probeWait)
	}
}

// learn follows the headers of a reply that was no 429, to a call sent at that
// time; open is the calls that are still under way.
func (p *pace) learn(now, sent time.Time, q Quota, open int) {
	p.fill(now)
	p.hear(q)
	if p.probe {
		p.probe, p.walls, p.rest = false, 0, time.Time{}
	}
	if !p.fixed && p.budget.hear(now, sent, q) {
		p.budget.left -= float64(open)
		p.steer(now)
	}
}

// limited rests after a 429 of the org's quota: until the window ends, or for as
// long as Retry-After asks, up to the longest pause. The rate is halved once,
// however many calls met the same wall. After the rest one call goes alone to
// see whether it is over: if not, what was told was not true, or others were
// faster, and each rest is at least twice the one before.
func (p *pace) limited(now, sent time.Time, q Quota) (until time.Time) {
	p.fill(now)
	p.hear(q)
	if p.probe || !now.Before(p.rest) { // else it was sent before the first told
		p.factor /= 2
		p.walls++
		p.probe, p.rest = false, time.Time{}
	}
	old := p.budget.old(sent)
	if !p.fixed {
		p.budget.hear(now, sent, q)
	}
	rest := firstRest
	switch {
	case q.RetryAfter > 0:
		rest = min(q.RetryAfter, p.longest)
	case q.Reset > 0:
		rest = min(q.Reset, quotaWindow)
	case old: // the window in which it was refused is over
	case now.Before(p.budget.ends):
		rest = p.budget.ends.Sub(now)
	default:
		rest = blindRest
	}
	again := min(firstRest<<min(p.walls-1, 6), quotaWindow)
	p.rest = later(p.rest, now.Add(max(rest, again)+p.jitter(comeBack)))
	return p.rest
}

// Pace is how fast this process calls.
type Pace struct {
	Allowed float64   // requests a minute at this moment; 0 while all calls rest
	Learned float64   // requests a minute by configuration or quota, before 429s slow it
	Rest    time.Time // no call before; zero or past: no rest
	Quota   Quota     // Limit and Remaining as the last reply told that did; negative: none did
}

func (p *pace) hear(q Quota) {
	if q.Limit >= 0 && q.Remaining >= 0 {
		p.heard = q
	}
}

func (p *pace) tell(now time.Time) Pace {
	t := Pace{Allowed: p.speed() * 60, Learned: p.rate * 60, Rest: p.until(), Quota: p.heard}
	if now.Before(t.Rest) {
		t.Allowed = 0
	}
	return t
}

func (p *pace) jitter(span time.Duration) time.Duration {
	return time.Duration(p.random.Int64N(int64(span)))
}
