package model

import (
	"slices"

	"kafka-kustomer/batcher"
)

// put takes a request when it arrives. lost says that no reply gets back.
func (k *kustomer) put(r *request) (o batcher.Outcome, lost bool) {
	w := k.w
	k.checkRequest(r)
	w.seen.Puts++
	defer func() { k.headers(&o.Quota) }()
	if o, lost, refused := k.refuses(r); refused {
		w.tracef("   API answers %s with %v %d %v", r.batch, o.Kind, o.Status, o.Hints)
		return o, lost
	}
	op := k.accept(r)
	if !r.spared && w.trouble(ErrorAccepted) {
		op.stray = true
		w.tracef("   API accepts %s as %s and answers 500", r.batch, op.id)
		return reply(batcher.Unknown, 500), false
	}
	if !r.spared && w.trouble(LostReply) {
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

func (op *operation) complete(now tick) bool {
	return now >= op.settles && !slices.ContainsFunc(op.items, func(r *running) bool { return !r.done })
}

// look answers a GET of an operation.
func (k *kustomer) look(id string, items int) (v batcher.View) {
	w := k.w
	v = batcher.View{Calls: 1, Status: 200, Quota: batcher.NoQuota}
	defer func() { k.headers(&v.Quota) }()
	if wait, limited := k.orgLimit(); limited {
		v.Kind, v.Limited, v.Status = batcher.NoView, true, 429
		v.Quota.Limit, v.Quota.Remaining, v.Quota.Reset = 600, 0, wait
		return v
	}
	if w.trouble(LookRefused) {
		k.unreadable = w.now + w.between(5, 60)
	}
	op := k.operations[id]
	switch {
	case w.now < k.refusing:
		v.Kind, v.Status, v.Locked = batcher.NoView, 401, true
		return v
	case w.now < k.unreadable:
		v.Kind, v.Status = batcher.NoView, 403
		return v
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
