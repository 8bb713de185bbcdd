package model

import (
	"slices"
	"time"

	"kafka-kustomer/batcher"
)

// refuses answers a request that is not accepted: first for the org or the key,
// then for what is in it. lost says that no reply gets back.
func (k *kustomer) refuses(r *request) (o batcher.Outcome, lost, refused bool) {
	w := k.w
	if wait, limited := k.orgLimit(); limited {
		o = reply(batcher.Limited, 429)
		o.Quota.Limit, o.Quota.Remaining, o.Quota.Reset = 600, 0, wait
		return o, false, true
	}
	if o, refused = k.refusesKey(r); refused {
		return o, false, true
	}
	if !r.spared && w.trouble(ErrorRefused) {
		return reply(batcher.Unknown, 500), false, true
	}
	if len(r.holding(isKind(failing))) > 0 {
		return reply(batcher.Unknown, 500), w.random.IntN(4) == 0, true
	}
	if o, refused = k.refusesContent(r); refused {
		w.seen.Refusals++
		return o, false, true
	}
	if audit := r.holding(isAudit); len(audit) > 0 && k.missesAudit() {
		return forbidden(audit), false, true
	}
	o, refused = k.limitsObject(r)
	return o, false, refused
}

// orgLimit reports whether the org has no calls left, and for how long.
func (k *kustomer) orgLimit() (wait time.Duration, limited bool) {
	w := k.w
	if w.now >= k.orgLimited && w.trouble(OrgLimit) {
		k.orgLimited = w.now + w.between(3, 20)
	}
	if w.mode[Quota] && !k.budget.spend(w.now) {
		k.orgLimited = max(k.orgLimited, w.now+k.budget.reset(w.now))
	}
	return (k.orgLimited - w.now).span(), w.now < k.orgLimited
}

// refusesKey answers for the key, whatever is in the request.
func (k *kustomer) refusesKey(r *request) (o batcher.Outcome, refused bool) {
	w := k.w
	if w.trouble(KeyRefused) {
		k.refusing = w.now + w.between(5, 30)
	}
	if w.now >= k.roleless+2*minute && w.trouble(LostRole) {
		k.roleless = w.now + w.between(5, 60)
	}
	switch {
	case w.now < k.refusing:
		return reply(batcher.Unauthorized, 401), true
	case w.now >= k.roleless:
		return o, false
	}
	if audit := r.holding(isAudit); len(audit) > 0 {
		return forbidden(audit), true // the client can't tell what the key may not do
	}
	return reply(batcher.Unauthorized, 403), true
}

func forbidden(audit []int) batcher.Outcome {
	o := reply(batcher.Doubtful, 403)
	o.Hints = audit
	return o
}

// missesAudit reports whether the key lacks the role for audit members.
func (k *kustomer) missesAudit() bool {
	w := k.w
	if w.trouble(AuditLost) {
		k.auditless, k.noAudit = w.now+w.between(10, 100), true
	}
	return w.mode[AuditForbidden] || w.now < k.auditless
}

// refusesContent answers for what is in the request.
func (k *kustomer) refusesContent(r *request) (o batcher.Outcome, refused bool) {
	w := k.w
	if w.mode[Braked] && !k.wasBroken && w.trouble(Broken) {
		k.broken, k.wasBroken, k.brokenItem = w.now+w.between(60, 200), true, w.random.IntN(2) == 0
	}
	if w.now < k.broken && !k.brokenItem {
		return reply(batcher.Refused, 400), true
	}
	if w.mode[TooLarge] && r.bytes() > bodyLimit {
		return reply(batcher.Refused, 413), true
	}
	if guilty := r.holding(isKind(badRequest)); len(guilty) > 0 {
		o = reply(batcher.Refused, 400)
		o.Hints = k.hints(r, guilty)
		return o, true
	}
	return o, k.meetsConflict(r, &o)
}

// hints are what an answer says about who is guilty.
func (k *kustomer) hints(r *request, guilty []int) []int {
	switch w := k.w; {
	case w.chance(RightHint):
		w.seen.Faults[RightHint]++
		return guilty
	case w.chance(WrongHint):
		w.seen.Faults[WrongHint]++
		return []int{w.random.IntN(len(r.items))}
	}
	return nil
}

// conflict is what else writes to a message at the moment.
type conflict struct {
	left      int  // so many PUTs more are answered 409
	restUntil tick // none begins before
}

// meetsConflict answers 409: once or twice for a message that something else writes
// to at the moment, always for an event that can't be applied.
func (k *kustomer) meetsConflict(r *request, o *batcher.Outcome) (refused bool) {
	w := k.w
	*o = reply(batcher.Refused, 409)
	for _, it := range r.items {
		c := k.conflicts[it.message]
		if c.left == 0 && w.now >= c.restUntil && w.trouble(Conflict) {
			c.left = 1 + w.random.IntN(2)
		}
		if c.left > 0 {
			c.left--
			c.restUntil = w.now + 4*minute
			k.conflicts[it.message] = c
			return true
		}
	}
	return len(r.holding(isKind(conflicting))) > 0
}

// limitsObject answers 429 for one message.
func (k *kustomer) limitsObject(r *request) (o batcher.Outcome, refused bool) {
	w := k.w
	for _, it := range r.items {
		switch {
		case w.trouble(ObjectLimit):
			k.limited[it.message] = w.now + w.between(3, 20)
		case w.trouble(LongLimit):
			k.limited[it.message] = w.now + w.between(50, 200)
		}
		if w.now < k.limited[it.message] {
			return k.objectLimited(it.message), true
		}
	}
	return o, false
}

// objectLimited is a 429 of a message's own. Its headers tell of the org's budget, as
// all do. Where no more is left in that than the share of others, the reset is the
// budget's: a client that leaves that share rests until then, and one time is told.
func (k *kustomer) objectLimited(message string) batcher.Outcome {
	o := reply(batcher.Limited, 429)
	o.Quota.Limit, o.Quota.Remaining = 600, 300
	reset := k.limited[message] - k.w.now
	if b := &k.budget; k.w.mode[Quota] {
		o.Quota.Limit, o.Quota.Remaining = b.limit, b.limit-b.used
		if float64(o.Quota.Remaining)-quotaReserve*float64(b.limit) < 1 {
			reset = b.reset(k.w.now)
		}
	}
	if k.tellsTimes {
		o.Quota.Reset = reset.span()
	}
	return o
}

// holding lists the items that hold an event of some kind.
func (r *request) holding(match func(*event) bool) (items []int) {
	for i, it := range r.items {
		if slices.ContainsFunc(it.events, match) {
			items = append(items, i)
		}
	}
	return items
}

func isKind(k eventKind) func(*event) bool { return func(e *event) bool { return e.kind == k } }

func isAudit(e *event) bool { return e.audit }

// bytes is the length of the request's body.
func (r *request) bytes() (n int) {
	for _, it := range r.items {
		n += len(it.message) + len(it.patch) + 40
	}
	return n
}

// budget is what the org may call a minute, together.
type budget struct {
	limit, used int
	minute      tick // the minute in which so many were used
}

const minute tick = 60

// spend takes one call, and reports whether there was one left.
func (b *budget) spend(now tick) bool {
	if m := now / minute; m != b.minute {
		b.minute, b.used = m, 0
	}
	if b.used >= b.limit {
		return false
	}
	b.used++
	return true
}

// reset is how long it is to the next minute.
func (b *budget) reset(now tick) tick { return minute - now%minute }

// headers tell of the budget where a reply tells nothing else.
func (k *kustomer) headers(q *batcher.Quota) {
	if b := &k.budget; k.w.mode[Quota] && *q == batcher.NoQuota {
		q.Limit, q.Remaining, q.Reset = b.limit, b.limit-b.used, b.reset(k.w.now).span()
	}
}
