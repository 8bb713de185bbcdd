package sink

import (
	"net/http"
	"strconv"
	"time"

	"kafka-kustomer/batcher"
)

const (
	// maxWait is the longest wait that is believed. A Retry-After beyond it still
	// means a long wait; a reset beyond it is no time of a quota that is counted by
	// the minute, but another unit, or a clock that is wrong.
	maxWait = 24 * time.Hour
	// maxCount is the most requests a minute that are believed, some hundred times
	// the largest plan.
	maxCount = 1_000_000
)

// quota reads the rate-limit headers. Times are measured against the reply's own
// Date, so that a wrong clock here does not make us wait for hours, or not at
// all; now stands in when there is none.
func quota(h http.Header, now time.Time) batcher.Quota {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	q := batcher.Quota{
		Limit:           count(h.Get("X-Ratelimit-Limit")),
		Remaining:       count(h.Get("X-Ratelimit-Remaining")),
		ObjectLimit:     count(h.Get("X-Ratelimit-Object-Limit")),
		ObjectRemaining: count(h.Get("X-Ratelimit-Object-Remaining")),
		Reset:           reset(h.Get("X-Ratelimit-Reset"), now),
		RetryAfter:      retryAfter(h.Get("Retry-After"), now),
	}
	q.Remaining = within(q.Limit, q.Remaining)
	q.ObjectRemaining = within(q.ObjectLimit, q.ObjectRemaining)
	return q
}

// within forgets what remains where it is more than the limit: who follows it
// would be limited at once.
func within(limit, remaining int) int {
	if limit >= 0 && remaining > limit {
		return -1
	}
	return remaining
}

// count reads a number of requests, -1 when there is none. A fraction is cut off.
func count(s string) int {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n <= maxCount) { // so that NaN is none either
		return -1
	}
	return int(n)
}

// reset reads UTC epoch seconds as the time from now. Fractions are accepted:
// the value is seen only when limited, a bad moment to fail at.
func reset(s string, now time.Time) time.Duration {
	at, err := strconv.ParseFloat(s, 64)
	if wait := at - float64(now.Unix()); err == nil && wait <= maxWait.Seconds() {
		return clamp(wait)
	}
	return 0
}

// retryAfter reads seconds or a date.
func retryAfter(s string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return clamp(seconds)
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	return clamp(at.Sub(now).Seconds())
}

// clamp also turns NaN, which no comparison holds for, into nothing.
func clamp(seconds float64) time.Duration {
	switch {
	case seconds >= maxWait.Seconds():
		return maxWait
	case seconds > 0:
		return time.Duration(seconds * float64(time.Second))
	}
	return 0
}
