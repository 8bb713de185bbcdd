package batcher

import "time"

const (
	startPerMinute = 300         // the smallest documented plan, until headers tell more
	maxRest        = time.Minute // the quota's window: no rest is longer
	burst          = 250 * time.Millisecond
	regain         = 4 * time.Minute // from a standstill to the full rate
)

// pace spreads the calls of this process over the org's request budget: a
// bucket of permits that fills at a rate, which is fixed or follows the quota
// headers of the replies, and a rest after a 429.
type pace struct {
	fixed   bool
	longest time.Duration // rest that a Retry-After may ask for
	reserve float64
	rate    float64 // permits a second, before the brake of earlier 429s
	factor  float64 // halved by a 429, regained with time; at most 1
	permits float64
	filled  time.Time
	rest    time.Time // no call before
}

func newPace(cfg Config) pace {
	p := pace{longest: cfg.MaxPause, reserve: cfg.Reserve, rate: startPerMinute / 60.0, factor: 1, permits: 1}
	if cfg.RequestsPerMinute > 0 {
		p.fixed, p.rate = true, float64(cfg.RequestsPerMinute)/60
	}
	return p
}

// permit reports whether a call may be made now, and otherwise when.
func (p *pace) permit(now time.Time, rests bool) (ok bool, at time.Time) {
	if rests && now.Before(p.rest) {
		return false, p.rest
	}
	p.fill(now)
	if p.permits >= 1 {
		return true, time.Time{}
	}
	missing := time.Duration((1 - p.permits) / p.speed() * float64(time.Second))
	return false, now.Add(max(missing, time.Microsecond))
}

// fill adds what has accrued, up to a quarter of a second's worth: a process
// that slept must not make up for it at once.
func (p *pace) fill(now time.Time) {
	rate := p.speed()
	if !p.filled.IsZero() {
		p.permits += now.Sub(p.filled).Seconds() * rate
		if quiet := now.Sub(later(p.filled, p.rest)); quiet > 0 {
			p.factor = min(1, p.factor+quiet.Seconds()/regain.Seconds())
		}
	}
	p.filled = now
	p.permits = min(p.permits, max(1, rate*burst.Seconds()))
}

// speed is permits a second: at least one a minute, or nothing would ever tell
// that the trouble is over.
func (p *pace) speed() float64 { return max(p.rate*p.factor, 1/maxRest.Seconds()) }

// spend takes the permits of calls that are made or were made beyond the one
// permitted.
func (p *pace) spend(now time.Time, calls int) {
	p.fill(now)
	p.permits -= float64(calls)
}

// learn follows the headers of a reply that was no 429.
func (p *pace) learn(now time.Time, q Quota) {
	if p.fixed || q.Limit <= 0 || q.Remaining < 0 {
		return
	}
	left := float64(q.Remaining) - p.reserve*float64(q.Limit)
	switch {
	case q.Reset > 0 && left <= 0:
		p.rest = later(p.rest, now.Add(min(q.Reset, maxRest)))
	case q.Reset > 0:
		p.rate = left / q.Reset.Seconds()
	case left <= 0:
		// When the window ends is not known: go on at a crawl, and look.
		p.rate = 1
	default:
		p.rate = (1 - p.reserve) * float64(q.Limit) / 60
	}
	p.rate = max(p.rate, 0.1)
}

// limited rests after a 429 of the org's quota until its reset, never longer
// than the quota's minute, or for as long as Retry-After asks, up to the longest
// pause; and halves the rate, once however many calls met the same wall.
func (p *pace) limited(now time.Time, q Quota, jitter float64) (until time.Time) {
	rest := min(q.Reset, maxRest)
	if q.RetryAfter > 0 {
		rest = min(q.RetryAfter, p.longest)
	}
	if rest <= 0 {
		rest = time.Second
	}
	rest += time.Duration(jitter * float64(time.Second))
	if !now.Before(p.rest) { // else it is one of those sent before the first told
		p.factor /= 2
	}
	p.permits = min(p.permits, 1)
	p.rest = later(p.rest, now.Add(rest))
	return p.rest
}
