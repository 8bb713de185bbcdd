package sink

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"kafka-kustomer/batcher"
)

// The bounds of reading an operation's batches. An operation of ours has at most
// 100 items.
const (
	pageSize = 100
	maxPages = 20
	// cheapLooks is how many looks at an operation take a batch that has not ended,
	// or none at all, for the word that the operation has not ended: one call of
	// the org's budget instead of two. Later ones ask, so that an operation that
	// ends without its batches is seen to.
	cheapLooks = 3
)

// Look looks at an operation once. For one of ours it reads the results first:
// when every item has one, a single call has sufficed. Otherwise the operation
// itself tells whether more is to come; when it is complete the results are read
// once more, because they may have come in between. Of an operation taken over
// (no batch) nothing but its end matters.
//
// Each request takes at most the configured time-out. A look that fails is
// NoView and says nothing about the operation.
func (s *Sink) Look(ctx context.Context, op *batcher.Operation) batcher.View {
	l := &look{sink: s, ctx: ctx, op: op, view: batcher.View{Kind: batcher.NoView, Quota: batcher.NoQuota}}
	if !validID(op.ID) {
		// No operation can have it, so none can be running under it. It came
		// out of a commit's metadata that something else has written.
		l.view.Kind, l.view.Reason = batcher.Gone, batcher.Reason{Code: CodeNotFound, Text: "this is no operation id; check what else commits to the consumer group"}
		return l.view
	}
	if op.Batch == nil {
		if o, ok := l.operation(); ok {
			l.view.Kind, l.view.Took = kindOf(o), o.took
		}
		return l.view
	}
	l.own()
	return l.view
}

func kindOf(o operation) batcher.ViewKind {
	if o.complete {
		return batcher.Complete
	}
	return batcher.Running
}

// look is one look under way.
type look struct {
	sink *Sink
	ctx  context.Context
	op   *batcher.Operation
	view batcher.View
}

func (l *look) own() {
	t, ok := l.batches()
	if !ok && l.view.Status != http.StatusNotFound {
		return
	}
	if ok && t.full() {
		l.complete(t, t.took())
		return
	}
	if ok && l.op.Looks <= cheapLooks && (t.more || t.entries == 0) {
		l.view.Kind, l.view.Results = batcher.Running, t.results
		return
	}
	// A 404 for the batches is not yet one for the operation, and taking it for
	// gone means sending all its items again.
	found := ok
	o, ok := l.operation()
	switch {
	case !ok:
	case !o.complete:
		l.view.Kind = batcher.Running
		if found {
			l.view.Results = t.results
		}
	default:
		if t, ok = l.batches(); ok {
			l.complete(t, o.took)
		}
	}
}

func (l *look) complete(t *tally, took time.Duration) {
	l.view.Kind, l.view.Results, l.view.Took = batcher.Complete, t.results, took
}

// operation reads the operation itself. Without an answer to that, the view says
// why.
func (l *look) operation() (operation, bool) {
	var o operation
	ok := l.get("", "", func(body []byte) bool {
		var ok bool
		o, ok = parseOperation(body)
		return ok && o.id == l.op.ID && (o.complete || o.running)
	})
	if !ok && l.view.Status == http.StatusNotFound && l.view.Reason.Code == CodeNotFound {
		l.view.Kind = batcher.Gone
	}
	return o, ok
}

// batches reads all pages of the operation's batches.
func (l *look) batches() (*tally, bool) {
	t := newTally(l.sink, l.op.Batch)
	for page, pages := 1, 1; page <= min(pages, maxPages); page++ {
		query := "page=" + itoa(page) + "&pageSize=" + itoa(pageSize)
		ok := l.get("/batches", query, func(body []byte) bool {
			entries, n, ok := parsePage(body, t)
			pages = n
			if n == 0 && entries >= pageSize {
				pages = page + 1 // it does not say, but the page is full
			}
			return ok
		})
		if !ok {
			return t, false
		}
	}
	return t, true
}

// get makes one request below the operation. parse reports whether the body is
// what it should be. When get reports false, the view's reason says why.
func (l *look) get(path, query string, parse func([]byte) bool) bool {
	s := l.sink
	ctx, cancel := context.WithTimeout(l.ctx, s.timeout)
	defer cancel()
	l.view.Calls++
	l.view.Status, l.view.Limited, l.view.Locked, l.view.Reason = 0, false, false, batcher.Reason{}
	resp, err := s.transport.RoundTrip(s.request(ctx, http.MethodGet, "/v1/bulk/"+l.op.ID+path, query))
	if err != nil {
		l.view.Reason = s.transportReason(ctx, err, nil)
		return false
	}
	answer := s.buffers.Get().(*bytes.Buffer)
	defer s.giveBack(answer)
	err = readBody(answer, resp, maxReply)
	l.view.Status, l.view.Quota = resp.StatusCode, quota(resp.Header, time.Now())
	if err != nil && (resp.StatusCode/100 == 2 || resp.StatusCode == http.StatusNotFound) {
		// What would say that an operation is over, or gone, must be whole.
		l.view.Reason = s.cutReply(ctx, resp.StatusCode, err, nil)
		return false
	}
	if resp.StatusCode/100 == 2 && parse(answer.Bytes()) {
		return true
	}
	said := reply{errors: parseErrors(answer.Bytes()), payload: l.payload(), look: true}
	rule := classify(resp.StatusCode, said)
	l.view.Limited = rule.kind == batcher.Limited
	if rule.kind == batcher.Unauthorized {
		s.key.doubt()
		l.view.Locked = rule.code != CodeForbidden // the role for reading is a thing of its own
	}
	l.view.Reason = reasonOf(rule, resp.StatusCode, s.clean(said.errors.words(), said.payload))
	return false
}

// payload is what an error might echo: an operation keeps its request.
func (l *look) payload() []byte {
	if l.op.Batch == nil {
		return nil
	}
	return appendBody(nil, l.op.Batch, false)
}
