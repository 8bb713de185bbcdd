package sink

import (
	"net/http"
	"strconv"
	"time"

	"kafka-kustomer/batcher"
)

// maxWait is the longest wait that a header is believed.
const maxWait = 24 * time.Hour

// quota reads the rate-limit headers. Times are measured against the reply's own
// Date, so that a wrong clock here does not make us wait for hours, or not at
// all; now stands in when there is none.
func quota(h http.Header, now time.Time) batcher.Quota {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return batcher.Quota{
		Limit:           count(h.Get("X-Ratelimit-Limit")),
		Remaining:       count(h.Get("X-Ratelimit-Remaining")),
		ObjectLimit:     count(h.Get("X-Ratelimit-Object-Limit")),
		ObjectRemaining: count(h.Get("X-Ratelimit-Object-Remaining")),
		Reset:           reset(h.Get("X-Ratelimit-Reset"), now),
		RetryAfter:      retryAfter(h.Get("Retry-After"), now),
	}
}

// count reads a number of requests, -1 when there is none.
func count(s string) int {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return -1
	}
	return int(n)
}

// reset reads UTC epoch seconds as the time from now. Fractions are accepted:
// the value is seen only when limited, a bad moment to fail at.
func reset(s string, now time.Time) time.Duration {
	at, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return clamp(at - float64(now.Unix()))
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
