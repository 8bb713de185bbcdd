package kustomersim

import (
	"errors"
	"fmt"
	"time"
)

// Quota limits calls in fixed windows that begin at whole multiples of Window.
type Quota struct {
	// PerMinute is the calls a window has for the whole org. 0: no limit and no
	// quota headers.
	PerMinute int `json:"perMinute,omitempty"`
	// Foreign calls a window are made by somebody else, evenly over its time.
	Foreign int `json:"foreign,omitempty"`
	// ForeignBurst calls more are made by somebody else as a window begins.
	ForeignBurst int `json:"foreignBurst,omitempty"`
	// Object is the accepted updates a window has for one message. 0: no limit.
	Object int `json:"object,omitempty"`
	// Window is a minute unless set.
	Window Duration `json:"window,omitempty"`

	// ResetAlways puts x-ratelimit-reset on every reply, not only on a 429.
	ResetAlways bool `json:"resetAlways,omitempty"`
	// NoHeaders leaves all x-ratelimit headers out.
	NoHeaders bool `json:"noHeaders,omitempty"`
	// RetryAfter is the form of a Retry-After on a 429. Default: none.
	RetryAfter RetryAfter `json:"retryAfter,omitempty"`
}

// RetryAfter is a form of the header Retry-After.
type RetryAfter string

// The forms.
const (
	RetryNone    RetryAfter = ""
	RetrySeconds RetryAfter = "seconds"
	RetryDate    RetryAfter = "date"
)

func (q Quota) validate() error {
	if min(q.PerMinute, q.Foreign, q.ForeignBurst, q.Object) < 0 || q.Window < 0 {
		return errors.New("a number of calls or the window is negative")
	}
	switch q.RetryAfter {
	case RetryNone, RetrySeconds, RetryDate:
		return nil
	}
	return fmt.Errorf("retryAfter is %q: want seconds, date or nothing", q.RetryAfter)
}

func (q Quota) window() time.Duration {
	if q.Window > 0 {
		return time.Duration(q.Window)
	}
	return time.Minute
}

// meter counts the calls of the current window.
type meter struct {
	start time.Time
	used  int
}

// standing is what a reply's headers say. A limit of 0 says nothing.
type standing struct {
	limit, remaining int
	reset            time.Time

	objectLimit, objectRemaining int
}

// take spends one call and reports whether there was one left.
func (m *meter) take(q Quota, now time.Time) (standing, bool) {
	if q.PerMinute <= 0 {
		return standing{}, true
	}
	start := now.Truncate(q.window())
	if !start.Equal(m.start) {
		m.start, m.used = start, 0
	}
	foreign := q.ForeignBurst + int(int64(q.Foreign)*int64(now.Sub(start))/int64(q.window()))
	left := q.PerMinute - foreign - m.used
	ok := left > 0
	if ok {
		m.used++
		left--
	}
	return standing{limit: q.PerMinute, remaining: max(left, 0), reset: start.Add(q.window())}, ok
}

// updatesLeft is how many updates the window still has for m.
func (m *message) updatesLeft(q Quota, now time.Time) int {
	start := now.Truncate(q.window()).UnixNano()
	if m.windowStart != start {
		m.windowStart, m.windowUsed = start, 0
	}
	return q.Object - m.windowUsed
}

// takeObjects spends one update of every message of a request, or, if one of
// them has none left, of none: a refused request accepts nothing.
func takeObjects(items []item, q Quota, now time.Time, st *standing) bool {
	if q.Object <= 0 {
		return true
	}
	least := q.Object
	for i := range items {
		least = min(least, items[i].msg.updatesLeft(q, now))
	}
	st.objectLimit, st.objectRemaining = q.Object, max(least-1, 0)
	st.reset = now.Truncate(q.window()).Add(q.window())
	if least <= 0 {
		return false
	}
	for i := range items {
		items[i].msg.windowUsed++
	}
	return true
}
