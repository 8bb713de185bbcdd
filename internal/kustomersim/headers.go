package kustomersim

import (
	"net/http"
	"strconv"
	"time"
)

// Values of headers that never change, shared by all replies.
var (
	jsonType     = []string{"application/json; charset=utf-8"}
	varyHeader   = []string{"X-HTTP-Method-Override, Accept-Encoding"}
	podHeader    = []string{"prod1"}
	cacheControl = []string{"no-cache,private"}
	viaHeader    = []string{"1.1 0000.cloudfront.net (CloudFront)"}
)

// headers sets those of a reply by the API itself.
func (c *call) headers(status, length int) {
	h := c.w.Header()
	h["Content-Type"] = jsonType
	h["Vary"] = varyHeader
	h["X-Kustomer-Pod"] = podHeader
	h["Cache-Control"] = cacheControl
	h["Via"] = viaHeader
	h["Content-Length"] = []string{strconv.Itoa(length)}
	h["Date"] = []string{c.clock(time.Now()).Format(http.TimeFormat)}
	limited := status == http.StatusTooManyRequests
	if !c.script.Quota.NoHeaders {
		c.quotaHeaders(h, limited)
	}
	if limited {
		c.retryAfter(h)
	}
}

// clock is a time as the API sees it.
func (c *call) clock(t time.Time) time.Time {
	return t.Add(time.Duration(c.script.Clock)).UTC()
}

func (c *call) quotaHeaders(h http.Header, limited bool) {
	st := c.standing
	if st.limit > 0 {
		h["X-Ratelimit-Limit"] = []string{strconv.Itoa(st.limit)}
		h["X-Ratelimit-Remaining"] = []string{strconv.Itoa(st.remaining)}
	}
	if st.objectLimit > 0 {
		h["X-Ratelimit-Object-Limit"] = []string{strconv.Itoa(st.objectLimit)}
		h["X-Ratelimit-Object-Remaining"] = []string{strconv.Itoa(st.objectRemaining)}
	}
	if !st.reset.IsZero() && (limited || c.script.Quota.ResetAlways) {
		h["X-Ratelimit-Reset"] = []string{strconv.FormatInt(c.clock(st.reset).Unix(), 10)}
	}
}

// retryAfter adds the header to a 429 if the quota has one, and a fault has not
// set its own. It is rounded up, so that who waits so long has waited enough.
func (c *call) retryAfter(h http.Header) {
	st := c.standing
	if st.reset.IsZero() || h.Get("Retry-After") != "" {
		return
	}
	switch c.script.Quota.RetryAfter {
	case RetrySeconds:
		left := time.Until(st.reset) + time.Second - 1
		h.Set("Retry-After", strconv.FormatInt(int64(max(left, 0)/time.Second), 10))
	case RetryDate:
		h.Set("Retry-After", c.clock(st.reset.Add(time.Second-1)).Format(http.TimeFormat))
	}
}
