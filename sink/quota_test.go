package sink

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

// headerLines turns lines into headers, keeping empty ones.
func headerLines(lines string) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(lines, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Set(name, strings.TrimSpace(value))
		}
	}
	return h
}

// quotaOf is a quota of which only the edit is known.
func quotaOf(edit func(*batcher.Quota)) batcher.Quota {
	q := batcher.NoQuota
	edit(&q)
	return q
}

var noon = time.Date(2026, 10, 21, 14, 0, 0, 0, time.UTC) // 1792591200

func TestQuotaCounts(t *testing.T) {
	counts := func(limit, remaining, objectLimit, objectRemaining int) batcher.Quota {
		return batcher.Quota{Limit: limit, Remaining: remaining, ObjectLimit: objectLimit, ObjectRemaining: objectRemaining}
	}
	tests := []struct {
		name, headers string
		want          batcher.Quota
	}{
		{"none", "", counts(-1, -1, -1, -1)},
		{"usual", "x-ratelimit-limit: 1000\nx-ratelimit-remaining: 999", counts(1000, 999, -1, -1)},
		{"used up", "x-ratelimit-limit: 1000\nx-ratelimit-remaining: 0", counts(1000, 0, -1, -1)},
		{"untouched", "x-ratelimit-limit: 1000\nx-ratelimit-remaining: 1000", counts(1000, 1000, -1, -1)},
		{"limit alone", "x-ratelimit-limit: 1000", counts(1000, -1, -1, -1)},
		{"remaining alone", "x-ratelimit-remaining: 7", counts(-1, 7, -1, -1)},
		{"one object's", "X-Ratelimit-Object-Limit: 120\nX-Ratelimit-Object-Remaining: 0", counts(-1, -1, 120, 0)},
		{"both apart", "x-ratelimit-limit: 1000\nx-ratelimit-remaining: 998\nx-ratelimit-object-limit: 120\nx-ratelimit-object-remaining: 3", counts(1000, 998, 120, 3)},
		{"empty", "x-ratelimit-limit:\nx-ratelimit-remaining:\nx-ratelimit-object-limit:\nx-ratelimit-object-remaining:", counts(-1, -1, -1, -1)},
		{"negative", "x-ratelimit-limit: -1000\nx-ratelimit-remaining: -5\nx-ratelimit-object-limit: -0.5\nx-ratelimit-object-remaining: -Inf", counts(-1, -1, -1, -1)},
		{"words", "x-ratelimit-limit: many\nx-ratelimit-remaining: 1000, 1000", counts(-1, -1, -1, -1)},
		{"no numbers", "x-ratelimit-limit: NaN\nx-ratelimit-remaining: Inf\nx-ratelimit-object-limit: Infinity\nx-ratelimit-object-remaining: nan", counts(-1, -1, -1, -1)},
		{"huge", "x-ratelimit-limit: 99999999999\nx-ratelimit-remaining: 2147483647\nx-ratelimit-object-limit: 9223372036854775808\nx-ratelimit-object-remaining: 1e300", counts(-1, -1, -1, -1)},
		{"the most believed", "x-ratelimit-limit: 1000000\nx-ratelimit-remaining: 1000001", counts(1_000_000, -1, -1, -1)},
		{"fractions", "x-ratelimit-limit: 1000.0\nx-ratelimit-remaining: 0.9", counts(1000, 0, -1, -1)},
		{"more than the limit", "x-ratelimit-limit: 300\nx-ratelimit-remaining: 301\nx-ratelimit-object-limit: 0\nx-ratelimit-object-remaining: 1", counts(300, -1, 0, -1)},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, quota(headerLines(tt.headers), noon)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestQuotaReset(t *testing.T) {
	const dated = "\nDate: Wed, 21 Oct 2026 14:00:20 GMT" // 1792591220
	tests := []struct {
		name, headers string
		here          time.Duration // by how much the clock here is wrong
		want          time.Duration
	}{
		{"by our clock", "x-ratelimit-reset: 1792591230", 0, 30 * time.Second},
		{"by the reply's date", "x-ratelimit-reset: 1792591230" + dated, 0, 10 * time.Second},
		{"the clock here is 7 minutes ahead", "x-ratelimit-reset: 1792591230" + dated, 7 * time.Minute, 10 * time.Second},
		{"the clock here is 7 minutes behind", "x-ratelimit-reset: 1792591230" + dated, -7 * time.Minute, 10 * time.Second},
		{"the clock here is at its epoch", "x-ratelimit-reset: 1792591230" + dated, -noon.Sub(time.Unix(0, 0)), 10 * time.Second},
		{"date of another form", "x-ratelimit-reset: 1792591230\nDate: Wednesday, 21-Oct-26 14:00:20 GMT", time.Hour, 10 * time.Second},
		{"no date at all", "x-ratelimit-reset: 1792591230\nDate: today", 0, 30 * time.Second},
		{"date empty", "x-ratelimit-reset: 1792591230\nDate:", 0, 30 * time.Second},
		{"fraction", "x-ratelimit-reset: 1792591230.5" + dated, 0, 10500 * time.Millisecond},
		{"in powers", "x-ratelimit-reset: 1.79259123e9" + dated, 0, 10 * time.Second},
		{"now", "x-ratelimit-reset: 1792591220" + dated, 0, 0},
		{"over", "x-ratelimit-reset: 1792591000" + dated, 0, 0},
		{"empty", "x-ratelimit-reset:" + dated, 0, 0},
		{"negative", "x-ratelimit-reset: -1792591230" + dated, 0, 0},
		{"a day", "x-ratelimit-reset: 1792677620" + dated, 0, 24 * time.Hour},
		{"more than a day", "x-ratelimit-reset: 1792677621" + dated, 0, 0},
		{"in milliseconds", "x-ratelimit-reset: 1792591230000" + dated, 0, 0},
		{"huge", "x-ratelimit-reset: 1e300" + dated, 0, 0},
		{"beyond any number", "x-ratelimit-reset: 1e999" + dated, 0, 0},
		{"NaN", "x-ratelimit-reset: NaN" + dated, 0, 0},
		{"Inf", "x-ratelimit-reset: +Inf" + dated, 0, 0},
		{"a date", "x-ratelimit-reset: Wed, 21 Oct 2026 14:00:30 GMT" + dated, 0, 0},
	}
	for _, tt := range tests {
		want := quotaOf(func(q *batcher.Quota) { q.Reset = tt.want })
		if diff := cmp.Diff(want, quota(headerLines(tt.headers), noon.Add(tt.here))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const dated = "\nDate: Wed, 21 Oct 2026 14:00:20 GMT"
	tests := []struct {
		name, headers string
		here          time.Duration
		want          time.Duration
	}{
		{"seconds", "Retry-After: 7", 0, 7 * time.Second},
		{"seconds need no clock", "Retry-After: 7" + dated, time.Hour, 7 * time.Second},
		{"fraction", "Retry-After: 0.25", 0, 250 * time.Millisecond},
		{"zero", "Retry-After: 0", 0, 0},
		{"negative", "Retry-After: -7", 0, 0},
		{"empty", "Retry-After:", 0, 0},
		{"words", "Retry-After: soon", 0, 0},
		{"NaN", "Retry-After: NaN", 0, 0},
		{"huge", "Retry-After: 1e300", 0, 24 * time.Hour},
		{"a year of seconds", "Retry-After: 31536000", 0, 24 * time.Hour},
		{"date", "Retry-After: Wed, 21 Oct 2026 14:01:00 GMT" + dated, 0, 40 * time.Second},
		{"date, the clock here is 7 minutes ahead", "Retry-After: Wed, 21 Oct 2026 14:01:00 GMT" + dated, 7 * time.Minute, 40 * time.Second},
		{"date, the clock here is 7 minutes behind", "Retry-After: Wed, 21 Oct 2026 14:01:00 GMT" + dated, -7 * time.Minute, 40 * time.Second},
		{"date, by our clock", "Retry-After: Wed, 21 Oct 2026 14:01:00 GMT", 0, time.Minute},
		{"date of the past", "Retry-After: Wed, 21 Oct 2026 13:00:00 GMT" + dated, 0, 0},
		{"date of the distant past", "Retry-After: Mon, 01 Jan 0001 00:00:00 GMT" + dated, 0, 0},
		{"date a year ahead", "Retry-After: Thu, 21 Oct 2027 14:01:00 GMT" + dated, 0, 24 * time.Hour},
		{"date beyond any duration", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT" + dated, 0, 24 * time.Hour},
	}
	for _, tt := range tests {
		want := quotaOf(func(q *batcher.Quota) { q.RetryAfter = tt.want })
		if diff := cmp.Diff(want, quota(headerLines(tt.headers), noon.Add(tt.here))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// The headers come with errors too, and count there above all.
func TestQuotaComesWithEveryReply(t *testing.T) {
	for _, status := range []int{200, 400, 403, 429, 503} {
		out := newSink(t, always(status, opReply, "X-Ratelimit-Limit: 1000", "X-Ratelimit-Remaining: 0", "X-Ratelimit-Reset: 1792591230", "Date: Wed, 21 Oct 2026 14:00:20 GMT")).Put(t.Context(), three(), nil)
		want := batcher.Quota{Limit: 1000, Remaining: 0, ObjectLimit: -1, ObjectRemaining: -1, Reset: 10 * time.Second}
		if diff := cmp.Diff(want, out.Quota); diff != "" {
			t.Errorf("%d (-want +got):\n%s", status, diff)
		}
	}
}
