package online

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/sink"
)

const (
	nameAddress = "api address"
	nameKey     = "api key"
	nameRegion  = "api region"
	nameRead    = "api role to read operations"
	nameWrite   = "api role to write messages"
	nameQuota   = "api quota"
	nameClock   = "clock against the api"
)

// clockOff is how far a clock may be off without a word.
const clockOff = 5 * time.Second

// checkAPI asks three harmless things, one after the other.
func checkAPI(ctx context.Context, cfg *Config) []Check {
	ask := func(name string, q sink.Question, judge func(*Check, sink.Answer)) (c Check, a sink.Answer) {
		c = timed(ctx, name, func(context.Context, *Check) { a = cfg.API.Ask(ctx, q) })
		judge(&c, a)
		return c, a
	}
	address, anonymous := ask(nameAddress, sink.AskAnonymously, func(c *Check, a sink.Answer) { judgeAddress(c, cfg, a) })
	if address.Status == Failed {
		return append([]Check{address}, skipped("the address does not answer as Kustomer does", nameKey, nameRegion, nameRead, nameWrite, nameQuota, nameClock)...)
	}
	key, read := ask(nameKey, sink.AskToRead, func(c *Check, a sink.Answer) { judgeKey(c, a, anonymous) })
	region := Check{Name: nameRegion, Status: OK}
	judgeRegion(&region, read)
	reading := Check{Name: nameRead, Status: OK}
	judgeRead(&reading, read)
	checks := []Check{address, key, region, reading}
	if key.Status == Failed {
		checks[3] = skipped("the key is not accepted", nameRead)[0]
		return append(append(checks, skipped("the key is not accepted", nameWrite, nameQuota)...), clock(cfg, anonymous, read))
	}
	writing, write := ask(nameWrite, sink.AskToWrite, judgeWrite)
	quota := Check{Name: nameQuota, Status: OK}
	judgeQuota(&quota, cfg, read, write)
	return append(checks, writing, quota, clock(cfg, anonymous, read, write))
}

// split takes what a reason of the sink says to check next, which stands behind its
// last semicolon, from the rest.
func split(r batcher.Reason) (found, next string) {
	if i := strings.LastIndex(r.Text, "; "); i >= 0 {
		return r.Text[:i], r.Text[i+2:]
	}
	return r.Text, ""
}

func (c *Check) failFor(r batcher.Reason) {
	found, next := split(r)
	c.fail(next, "%s", found)
}

// judgeAddress: whatever the API says without a key, it says it in its own words.
func judgeAddress(c *Check, cfg *Config, a sink.Answer) {
	switch {
	case a.Status == 0:
		c.failFor(a.Reason)
	case a.Reason.Code == sink.CodeWrongURL, a.Status/100 == 3:
		c.failFor(a.Reason)
	case a.Status >= 500:
		c.failFor(a.Reason)
	case !a.Kustomers:
		c.fail("check kustomer.base_url, and whether a proxy or a gateway answers in Kustomer's place",
			"%s answers HTTP %d, but not in the words of Kustomer's API", cfg.BaseURL, a.Status)
	default:
		c.found("%s answers (%s, %v)", cfg.BaseURL, a.Protocol, a.Answered.Sub(a.Sent).Round(time.Millisecond))
		if strings.HasPrefix(cfg.BaseURL, "http://") {
			c.warn("use https outside of tests", "without TLS the key can be read on the way")
		}
	}
}

func judgeKey(c *Check, a, anonymous sink.Answer) {
	switch {
	case a.Status == 0, a.Status >= 500:
		c.failFor(a.Reason)
	case a.Kind == batcher.Unauthorized && a.Reason.Code == sink.CodeWrongRegion:
		c.failFor(a.Reason)
	case a.Status == 401, a.Reason.Code == sink.CodeWrongURL:
		c.failFor(a.Reason)
	case !a.Kustomers:
		c.fail("check what stands in front of the API", "the reply, HTTP %d, is not in Kustomer's words", a.Status)
	default:
		c.found("accepted")
		if a.Org != "" || a.User != "" {
			c.found("accepted: org %s, user %s", a.Org, a.User)
		}
		if anonymous.Status != 401 {
			c.unproven("without any key the API answers HTTP %d rather than 401", anonymous.Status)
		}
		if a.Kind == batcher.Limited {
			c.unproven("the org's quota is used up (429), which may be said before the key is looked at")
		}
	}
}

// judgeRegion: Kustomer refuses the key of another region in words of its own.
func judgeRegion(c *Check, a sink.Answer) {
	switch {
	case a.Reason.Code == sink.CodeWrongRegion:
		c.failFor(a.Reason)
	case a.Kind == batcher.Unauthorized && a.Reason.Code != sink.CodeForbidden, a.Status == 0:
		c.skip("unknown as long as the key is not accepted")
	case a.Pod != "":
		c.found("the key belongs to the region that answers (%s)", a.Pod)
	default:
		c.found("the key belongs to the region that answers")
	}
}

func judgeRead(c *Check, a sink.Answer) {
	switch {
	case a.Status == 403:
		c.failFor(a.Reason)
	case a.Status == 404 && a.Kustomers:
		c.found("an operation that does not exist is not found (404), rather than forbidden")
		c.unproven("that Kustomer looks at the role before it looks for the operation")
	case a.Status == 429:
		c.warn("try again in a minute", "the quota is used up (429)")
	default:
		found, next := split(a.Reason)
		c.warn(next, "unexpected: HTTP %d: %s", a.Status, found)
	}
}

// judgeWrite: a bulk update of no items can only be refused. If it is for the body,
// it got past the role.
func judgeWrite(c *Check, a sink.Answer) {
	switch {
	case a.Status == 0, a.Status >= 500, a.Status == 401, a.Status == 403, a.Reason.Code == sink.CodeWrongURL, a.Reason.Code == sink.CodeWrongRegion:
		c.failFor(a.Reason)
	case (a.Status == 400 || a.Status == 422) && a.Kustomers:
		c.found("an update of no items is refused for its body (%d), rather than forbidden", a.Status)
		c.unproven("that Kustomer looks at the role before it looks at the body")
	case a.Status/100 == 2:
		c.found("an update of no items is accepted (%d)", a.Status)
		if a.Org != "" || a.User != "" {
			c.found("an update of no items is accepted (%d): org %s, user %s", a.Status, a.Org, a.User)
		}
	case a.Status == 429:
		c.warn("try again in a minute", "the quota is used up (429)")
	default:
		found, next := split(a.Reason)
		c.warn(next, "unexpected: HTTP %d: %s", a.Status, found)
	}
}

func judgeQuota(c *Check, cfg *Config, answers ...sink.Answer) {
	q := batcher.NoQuota
	limited := false
	for _, a := range answers {
		if a.Quota.Limit >= 0 {
			q = a.Quota
		}
		limited = limited || a.Kind == batcher.Limited
	}
	if limited {
		c.warn("see who else calls the API, and try again in a minute", "the quota of the org is used up (429)")
	}
	if q.Limit < 0 {
		if cfg.RequestsPerMinute > 0 {
			c.add("", fmt.Sprintf("the replies tell none; kustomer.requests_per_minute is %d", cfg.RequestsPerMinute))
			return
		}
		c.warn("set kustomer.requests_per_minute to what your plan has", "the replies tell none, so the pace is that of 300 a minute")
		return
	}
	left := "unknown"
	if q.Remaining >= 0 {
		left = fmt.Sprint(q.Remaining)
	}
	c.add("", fmt.Sprintf("%d requests a minute, of which %s are left", q.Limit, left))
	if cfg.RequestsPerMinute > q.Limit {
		c.warn("set it to auto, or to a share of the quota", "kustomer.requests_per_minute is %d, more than that", cfg.RequestsPerMinute)
	}
}

// clock compares this machine's clock with the Date of the replies, which is whole
// seconds, cut off, of some moment between the request and the reply.
func clock(cfg *Config, answers ...sink.Answer) Check {
	c := Check{Name: nameClock, Status: OK}
	var off, within time.Duration
	known := false
	for _, a := range answers {
		if a.Date.IsZero() {
			continue
		}
		// The Date is right for a clock that was anywhere in this span.
		ahead, behind := a.Sent.Sub(a.Date.Add(time.Second)), a.Date.Sub(a.Answered)
		by := max(ahead, behind, 0)
		if behind > ahead {
			by = -by
		}
		if !known || by.Abs() < off.Abs() {
			off, within = by, a.Answered.Sub(a.Sent)
		}
		known = true
	}
	const next = "check the time synchronisation (NTP) of this machine"
	switch by := off.Abs().Round(time.Second); {
	case !known:
		c.skip("no reply has a Date")
	case off.Abs() > cfg.Lease:
		c.fail(next, "this machine's clock is %v %s Kustomer's, more than a member's lease (%v)", by, direction(off), cfg.Lease)
	case off.Abs() > clockOff:
		c.warn(next, "this machine's clock is %v %s Kustomer's", by, direction(off))
	default:
		c.found("within %v", (off.Abs() + within + time.Second).Round(time.Second))
	}
	return c
}

func direction(off time.Duration) string {
	if off < 0 {
		return "behind"
	}
	return "ahead of"
}
