package sink

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"kafka-kustomer/batcher"
)

// Put sends a batch in one attempt and tells what came of it. It never tries
// again. lease is asked when the first byte of the body is about to be written;
// where it says no, the outcome is NotSent. A nil lease always holds.
//
// Put blocks for at most the configured time-out, or until ctx is done.
func (s *Sink) Put(ctx context.Context, b *batcher.Batch, lease func() bool) batcher.Outcome {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	payload := s.buffers.Get().(*bytes.Buffer)
	defer s.giveBack(payload)
	references := !s.noReferences.Load()
	payload.Write(appendBody(payload.AvailableBuffer(), b, references))

	out := batcher.Outcome{Sent: time.Now(), Quota: batcher.NoQuota}
	body := &body{lease: lease, data: payload.Bytes()}
	r := s.bulkRequest(ctx)
	// No GetBody: with it, net/http may send the request again on another
	// connection. The same is true of an Idempotency-Key.
	r.Body, r.ContentLength = body, int64(payload.Len())

	a := attempt{sink: s, ctx: ctx, batch: b, payload: payload.Bytes(), references: references, out: out}
	resp, err := s.transport.RoundTrip(r)
	if err != nil {
		a.out.Answered = time.Now()
		begun, leaseOver := body.stop()
		a.failed(err, begun, leaseOver)
		return a.out
	}
	answer := s.buffers.Get().(*bytes.Buffer)
	defer s.giveBack(answer)
	err = readBody(answer, resp, maxReply+2*payload.Len())
	a.out.Answered = time.Now()
	body.stop()
	a.answered(resp, answer.Bytes(), err)
	return a.out
}

// giveBack keeps a buffer for the next call, but not one that an unusually large
// batch has grown.
func (s *Sink) giveBack(b *bytes.Buffer) {
	if b.Cap() <= maxReply {
		b.Reset()
		s.buffers.Put(b)
	}
}

// attempt is one PUT under way, and what is known of it.
type attempt struct {
	sink       *Sink
	ctx        context.Context
	batch      *batcher.Batch
	payload    []byte
	references bool // the payload has ours
	out        batcher.Outcome
}

// failed notes an attempt without a reply. Whether the body was begun decides
// it, not the kind of error: a request whose body never left cannot be accepted,
// and of any other nobody knows.
func (a *attempt) failed(err error, begun, leaseOver bool) {
	a.out.Kind, a.out.Reason = batcher.Unknown, a.sink.transportReason(a.ctx, err, a.payload)
	if begun {
		return
	}
	a.out.Kind = batcher.NotSent
	switch {
	case leaseOver:
		a.out.Reason = batcher.Reason{Code: CodeLeaseOver, Text: "Kafka has not acknowledged a heartbeat for too long, so the partitions may have another owner; check the connection to the brokers"}
	case a.out.Reason.Code == CodeTimeout:
		a.out.Reason.Text = "no connection within " + a.sink.timeout.String() + "; check the network and kustomer.base_url"
	case a.out.Reason.Code != CodeCancelled:
		a.out.Reason = batcher.Reason{Code: CodeDialFailed, Text: "the request was not sent: " + a.sink.clean(err.Error(), a.payload) + "; check kustomer.base_url, name resolution, kustomer.proxy_url and kustomer.ca_file"}
	}
}

// answered notes the reply. readErr tells that its body did not come whole: then
// its status still counts, but not its words.
func (a *attempt) answered(resp *http.Response, answer []byte, readErr error) {
	status := resp.StatusCode
	a.out.Status, a.out.Quota = status, quota(resp.Header, a.out.Answered)
	if readErr != nil {
		answer = nil
	}
	op, said := a.read(status, answer)
	rule := classify(status, said)
	a.out.Kind = rule.kind
	if rule.kind == batcher.Accepted {
		a.accepted(op)
		return
	}
	a.out.Reason = reasonOf(rule, status, a.sink.clean(said.errors.words(), a.payload))
	switch {
	case rule.kind == batcher.Refused && a.references && said.errors.nameReference():
		a.withoutReferences()
	case rule.kind == batcher.Refused:
		a.out.Hints = a.suspects(status, hints(a.batch, said.errors))
	case rule.kind == batcher.Doubtful:
		if a.out.Hints = said.audit; rule.code == CodeForeignRefusal {
			a.out.Hints = everyItem(a.batch)
		}
		a.sink.key.doubt()
	case rule.kind == batcher.Unauthorized:
		a.sink.key.doubt()
	case rule.kind == batcher.Unknown && readErr != nil:
		a.out.Reason = a.sink.cutReply(a.ctx, status, readErr, a.payload)
	}
}

// suspects narrows what a refusal's words name, or the whole batch where they name
// nothing, to the items whose patches are suspicious themselves. Words mostly name a
// member, and many items have it. Where no named item is suspicious, or all are, the
// words stand. A status that says something else than "this is not well-formed" is
// not asked about.
func (a *attempt) suspects(status int, named []int) []int {
	if a.sink.suspect == nil || status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		return named
	}
	among := named
	if among == nil {
		among = everyItem(a.batch)
	}
	var narrowed []int
	for _, i := range among {
		if a.sink.suspect(a.batch.Items[i].Patch) {
			narrowed = append(narrowed, i)
		}
	}
	if len(narrowed) == 0 || len(narrowed) == len(among) {
		return named
	}
	return narrowed
}

// everyItem names all items of a batch.
func everyItem(b *batcher.Batch) []int {
	list := make([]int, len(b.Items))
	for i := range list {
		list[i] = i
	}
	return list
}

func (a *attempt) read(status int, answer []byte) (op operation, said reply) {
	said.payload = a.payload
	if status/100 == 2 {
		op, said.operation = parseOperation(answer)
	} else {
		said.errors = parseErrors(answer)
	}
	if status == http.StatusForbidden {
		said.audit = auditItems(a.batch)
	}
	return op, said
}

func (a *attempt) accepted(op operation) {
	clean := func(s string) string { return a.sink.clean(s, nil) }
	a.out.Operation, a.out.Complete = op.id, op.complete
	a.out.RequestID, a.out.Org, a.out.User = clean(op.requestID), clean(op.org), clean(op.user)
}

// withoutReferences is for an org whose API is too old for _clientRef. That is
// nobody's fault among the items, so they are not suspected: they were not
// taken, and go out again without it. Results are then found by message id.
func (a *attempt) withoutReferences() {
	a.sink.noReferences.Store(true)
	a.out.Kind = batcher.NotSent
	a.out.Reason.Code = CodeNoReferences
	a.out.Reason.Text = statusText(a.out.Status) + ": this org's API does not take _clientRef yet; batches are sent without it from now on"
}

// cutReply is for a reply whose end is missing.
func (s *Sink) cutReply(ctx context.Context, status int, err error, payload []byte) batcher.Reason {
	if err == io.ErrUnexpectedEOF || err == errReplyTooLarge || err == errNoReply {
		return batcher.Reason{Code: CodeForeignReply, Text: statusText(status) + ", and its body: " + err.Error() + "; check the proxy between here and Kustomer"}
	}
	reason := s.transportReason(ctx, err, payload)
	reason.Text = statusText(status) + ", but its body did not come: " + reason.Text
	return reason
}

// reasonOf is "HTTP 400 Bad Request: Kustomer's words; what to check".
func reasonOf(r rule, status int, words string) batcher.Reason {
	text := statusText(status)
	if words != "" {
		text += ": " + words
	}
	return batcher.Reason{Code: r.code, Text: text + "; " + r.next}
}
