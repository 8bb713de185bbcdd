package model

import (
	"slices"
	"time"

	"kafka-kustomer/batcher"
)

// put takes a request when it arrives. lost says that no reply gets back.
func (k *kustomer) put(r *request) (o batcher.Outcome, lost bool) {
	w := k.w
	k.checkRequest(r)
	if o, refused := k.refuses(r); refused {
		w.tracef("   API answers %s with %v %d", r.batch, o.Kind, o.Status)
		return o, false
	}
	op := k.accept(r)
	if w.trouble(ErrorAccepted) {
		op.stray = true
		w.tracef("   API accepts %s as %s and answers 500", r.batch, op.id)
		return reply(batcher.Unknown, 500), false
	}
	if w.trouble(LostReply) {
		op.stray = true
		w.tracef("   API accepts %s as %s, the reply is lost", r.batch, op.id)
		return o, true
	}
	w.tracef("   API accepts %s as %s", r.batch, op.id)
	o = reply(batcher.Accepted, 201)
	o.Operation = op.id
	o.Complete = op.complete(w.now)
	return o, false
}

func reply(kind batcher.OutcomeKind, status int) batcher.Outcome {
	return batcher.Outcome{Kind: kind, Status: status, Quota: batcher.NoQuota}
}

// refuses answers a request that is not accepted.
func (k *kustomer) refuses(r *request) (o batcher.Outcome, refused bool) {
	w := k.w
	if wait, limited := k.orgLimit(); limited {
		o = reply(batcher.Limited, 429)
		o.Quota.Limit, o.Quota.Remaining, o.Quota.Reset = 600, 0, wait
		return o, true
	}
	if w.trouble(KeyRefused) {
		k.refusing = w.now + w.between(5, 30)
	}
	if w.now < k.refusing {
		return reply(batcher.Unauthorized, 401), true
	}
	if w.trouble(ErrorRefused) {
		return reply(batcher.Unknown, 500), true
	}
	for _, it := range r.items {
		if w.trouble(ObjectLimit) {
			k.limited[it.message] = w.now + w.between(3, 20)
		}
		if w.now < k.limited[it.message] {
			o = reply(batcher.Limited, 429)
			o.Quota.Limit, o.Quota.Remaining = 600, 300
			return o, true
		}
	}
	return o, false
}

// orgLimit reports whether the org has no calls left, and for how long.
func (k *kustomer) orgLimit() (wait time.Duration, limited bool) {
	w := k.w
	if w.now >= k.orgLimited && w.trouble(OrgLimit) {
		k.orgLimited = w.now + w.between(3, 20)
	}
	return (k.orgLimited - w.now).span(), w.now < k.orgLimited
}

func (op *operation) complete(now tick) bool {
	return now >= op.settles && !slices.ContainsFunc(op.items, func(r *running) bool { return !r.done })
}

// look answers a GET of an operation.
func (k *kustomer) look(id string, items int) batcher.View {
	w := k.w
	v := batcher.View{Calls: 1, Status: 200, Quota: batcher.NoQuota}
	if wait, limited := k.orgLimit(); limited {
		v.Kind, v.Limited, v.Status = batcher.NoView, true, 429
		v.Quota.Limit, v.Quota.Remaining, v.Quota.Reset = 600, 0, wait
		return v
	}
	op := k.operations[id]
	switch {
	case op.vanishes > 0 && w.now >= op.vanishes:
		v.Kind, v.Status = batcher.Gone, 404
		return v
	case op.complete(w.now):
		v.Kind = batcher.Complete
		if k.tellsTimes {
			v.Took = max(op.ended, op.settles).time().Sub(op.accepted.time())
		}
	case op.hangs && w.now < op.settles:
		return v
	}
	for _, run := range op.items[:min(items, len(op.items))] {
		r := batcher.ItemResult{}
		switch {
		case !run.done || run.silent:
		case run.failure != "":
			r = batcher.ItemResult{Status: batcher.Failed, Reason: batcher.Reason{Code: "invalid", Text: run.failure}}
		default:
			r.Status = batcher.Updated
		}
		v.Results = append(v.Results, r)
	}
	return v
}
