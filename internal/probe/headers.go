package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// seen is what the replies' headers said.
type seen struct {
	replies, limited          int
	limits, remainings, dates int
	resets, resetsUnlimited   int
	retryAfter                int
	limit                     string
	objectLimit               string
	resetIn                   time.Duration // of the last one that was a time to come
	resetOdd                  bool          // one was not
	skew                      time.Duration // the largest, ours less theirs
}

func (s *seen) note(status int, h http.Header, now time.Time) {
	s.replies++
	limited := status == http.StatusTooManyRequests
	date, err := http.ParseTime(h.Get("Date"))
	if err == nil {
		s.dates++
		if skew := now.Sub(date); skew.Abs() > s.skew.Abs() {
			s.skew = skew
		}
	} else {
		date = now
	}
	if limited {
		s.limited++
		if h.Get("Retry-After") != "" {
			s.retryAfter++
		}
	}
	if v := h.Get("X-Ratelimit-Limit"); v != "" {
		s.limits++
		s.limit = number(v)
	}
	if h.Get("X-Ratelimit-Remaining") != "" {
		s.remainings++
	}
	if v := h.Get("X-Ratelimit-Object-Limit"); v != "" {
		s.objectLimit = number(v)
	}
	if v := h.Get("X-Ratelimit-Reset"); v != "" {
		s.reset(v, limited, date)
	}
}

func (s *seen) reset(text string, limited bool, date time.Time) {
	s.resets++
	if !limited {
		s.resetsUnlimited++
	}
	at, err := strconv.ParseInt(text, 10, 64)
	in := time.Unix(at, 0).Sub(date)
	if err != nil || in < -2*time.Second || in > 2*time.Minute {
		s.resetOdd = true
		return
	}
	s.resetIn = in
}

// number passes on digits only: a header is a stranger's text.
func number(v string) string {
	if _, err := strconv.ParseInt(v, 10, 32); err != nil {
		return "no number"
	}
	return v
}

// answer fills in the questions about headers.
func (s *seen) answer(p *prober) {
	of := func(n int) string { return fmt.Sprintf("%d of %d replies", n, s.replies) }
	with := min(s.limits, s.remainings)
	quota := someHeaders
	switch {
	case with == s.replies:
		quota = allHeaders
	case with == 0:
		quota = noHeaders
	}
	p.answer(qQuota, quota, "x-ratelimit-limit in %s (%s), -remaining in %s, on %d replies 429 Retry-After in %d",
		of(s.limits), cmp.Or(s.limit, "no value"), of(s.remainings), s.limited, s.retryAfter)
	reset, at := noReset, "no value"
	switch {
	case s.resetOdd:
		reset, at = oddReset, "not a time within two minutes of the reply's"
	case s.resets > 0:
		at = fmt.Sprintf("the last lay %v after the reply", s.resetIn.Round(time.Second))
		reset = limitedReset
		if s.resetsUnlimited > 0 {
			reset = epochReset
		}
	}
	p.answer(qReset, reset, "x-ratelimit-reset in %s; %s", of(s.resets), at)
	object := noObject
	if s.objectLimit != "" {
		object = hasObject
	}
	p.answer(qObject, object, "x-ratelimit-object-limit: %s", cmp.Or(s.objectLimit, "none"))
	date := noDate
	switch {
	case s.dates == s.replies && s.skew.Abs() <= 3*time.Second:
		date = goodDate
	case s.dates > 0:
		date = skewedDate
	}
	p.answer(qDate, date, "Date in %s, at most %v from this machine's clock", of(s.dates), s.skew.Round(time.Second))
}
