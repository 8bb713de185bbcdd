package batcher

import (
	"math"
	"time"
)

// The budget of requests is one for the whole org, in fixed windows: other
// members of our group, and users we know nothing of, call with it too, and no
// two members talk to each other. So a member's rate is a function of what all
// of them see alike, in the headers of every reply: how much of the window's
// budget is left, against how much of its time.
//
// What is left, over the time that is left, is the rate for all together. A
// member takes a share of it: half while the budget shrinks as evenly as the
// time; steeply less when it is behind, for then there are more callers; steeply
// more when it is ahead, up to all. One member alone settles a tenth ahead of
// the even course, ten of them a fifth behind, and in both cases the end of the
// window finds the budget used. The same numbers give each the same rate: they
// are fair to each other at once, and nothing has to be learned or forgotten
// when one comes or goes.
//
// Why not measure one's own part of the traffic and scale by it: that keeps
// whatever unfairness there is, and is late by the time it takes to measure.
const (
	quotaWindow = time.Minute

	evenShare = 0.5
	steepness = 7
	catchUp   = 2   // times the even rate, at most
	leastRate = 0.1 // calls a second while there is budget: without a call nothing is seen

	// No plan is as small or as large: a limit below is not believed, one above
	// only so far.
	leastLimit, mostLimit = 10, 10_000

	sureEnough = 500 * time.Millisecond // of the end of the window: about a call's time
	windowLag  = 20 * time.Millisecond  // a minute of ours may be shorter than one of the API's
)

// budget is what a process knows of the org's requests in the current window.
type budget struct {
	reserve   float64
	limit     float64       // 0 until headers tell
	remaining float64       // as the last reply said
	left      float64       // of it for us: without the reserve and the calls under way
	ends      time.Time     // of the window, not sooner; zero: not known
	unsure    time.Duration // …and the window may end so much sooner
	told      time.Time     // when the call was sent whose reply told last
}

// ours is the budget of a whole window: at least one call, or nothing would ever
// tell more.
func (b *budget) ours() float64 { return max(1, (1-b.reserve)*b.limit) }

// roll begins the next window when the current one is over.
func (b *budget) roll(now time.Time) bool {
	if b.ends.IsZero() || now.Before(b.ends) {
		return false
	}
	windows := now.Sub(b.ends)/quotaWindow + 1
	b.ends = b.ends.Add(windows * (quotaWindow + windowLag))
	b.unsure += windows * windowLag
	b.remaining, b.left = b.limit, b.ours()
	return true
}

// old reports whether a call was sent before the current window.
func (b *budget) old(sent time.Time) bool {
	return !b.ends.IsZero() && sent.Before(b.ends.Add(-quotaWindow))
}

// hear takes what a reply tells of the window, and reports whether it did. Where
// it does not say when the window ends, one is seen to have begun when there is
// more left than before. It began between two replies; the later one is believed
// at first, since a call too late costs less than many too early.
func (b *budget) hear(now, sent time.Time, q Quota) bool {
	if q.Limit < leastLimit || q.Remaining < 0 {
		return false
	}
	limit := float64(min(q.Limit, mostLimit))
	remaining := min(float64(q.Remaining), limit)
	switch {
	case q.Reset > 0 && q.Reset <= quotaWindow:
		b.ends, b.unsure = now.Add(q.Reset), 0
	case b.old(sent):
		return false // it may tell of the window before
	case limit == b.limit && remaining > b.remaining+limit/10: // replies change places by less
		b.ends, b.unsure = now.Add(quotaWindow), now.Sub(b.told)
	default:
		b.unsure = min(b.unsure, b.ends.Sub(sent))
	}
	b.limit, b.remaining, b.told = limit, remaining, sent
	b.left = remaining - b.reserve*limit
	return true
}

// peek is when to make a call whatever the rate, since its reply halves what is
// unsure of the window's end; zero when that is sure enough, or the call would
// be refused. Members who do not agree on the end would not have equal shares.
func (b *budget) peek() time.Time {
	if b.unsure <= sureEnough || b.remaining <= b.limit/50 {
		return time.Time{}
	}
	return b.ends.Add(-b.unsure / 2)
}

// rate is this process's calls a second.
func (b *budget) rate(now time.Time) float64 {
	even := b.ours() / quotaWindow.Seconds()
	course, share := b.left/quotaWindow.Seconds(), evenShare // until the window's end is known
	if !b.ends.IsZero() {
		course = b.left / b.ends.Sub(now).Seconds()
		share = min(1, evenShare*math.Pow(course/even, steepness))
	}
	return max(leastRate, min(course*share, catchUp*even))
}
