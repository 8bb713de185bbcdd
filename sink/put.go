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
	r := s.request(ctx, http.MethodPut, "/v1/messages/bulk", "")
	r.Header.Set("Content-Type", "application/json")
	// No GetBody: with it, net/http may send the request again on another
	// connection. The same is true of an Idempotency-Key.
	r.Body, r.ContentLength = body, int64(payload.Len())

	resp, err := s.transport.RoundTrip(r)
	if err != nil {
		out.Answered = time.Now()
		begun, leaseOver := body.stop()
		return s.failed(ctx, out, err, payload.Bytes(), begun, leaseOver)
	}
	answer := s.buffers.Get().(*bytes.Buffer)
	defer s.giveBack(answer)
	err = readBody(answer, resp, maxReply+2*payload.Len())
	out.Answered = time.Now()
	body.stop()
	out = s.answered(ctx, out, resp, answer.Bytes(), err, payload.Bytes())
	if references && out.Kind == batcher.Refused && parseErrors(answer.Bytes()).nameReference() {
		return s.withoutReferences(out)
	}
	return out
}

// withoutReferences is the outcome where the org's API is too old for
// _clientRef. That is nobody's fault among the items, so they are not suspected:
// they were not taken, and go out again without it. Results are then found by
// message id.
func (s *Sink) withoutReferences(out batcher.Outcome) batcher.Outcome {
	s.noReferences.Store(true)
	out.Kind = batcher.NotSent
	out.Reason.Code = CodeNoReferences
	out.Reason.Text = statusText(out.Status) + ": this org's API does not take _clientRef yet; batches are sent without it from now on"
	return out
}

// giveBack keeps a buffer for the next call, but not one that an unusually large
// batch has grown.
func (s *Sink) giveBack(b *bytes.Buffer) {
	if b.Cap() <= maxReply {
		b.Reset()
		s.buffers.Put(b)
	}
}

// failed is the outcome of an attempt without a reply. Whether the body was
// begun decides it, not the kind of error: a request whose body never left
// cannot be accepted, and of any other nobody knows.
func (s *Sink) failed(ctx context.Context, out batcher.Outcome, err error, payload []byte, begun, leaseOver bool) batcher.Outcome {
	out.Kind, out.Reason = batcher.Unknown, s.transportReason(ctx, err, payload)
	if begun {
		return out
	}
	out.Kind = batcher.NotSent
	switch {
	case leaseOver:
		out.Reason = batcher.Reason{Code: CodeLeaseOver, Text: "Kafka has not acknowledged a heartbeat for too long, so the partitions may have another owner; check the connection to the brokers"}
	case out.Reason.Code == CodeTimeout:
		out.Reason.Text = "no connection within " + s.timeout.String() + "; check the network and kustomer.base_url"
	case out.Reason.Code != CodeCancelled:
		out.Reason = batcher.Reason{Code: CodeDialFailed, Text: "the request was not sent: " + s.clean(err.Error(), payload) + "; check kustomer.base_url, name resolution, kustomer.proxy_url and kustomer.ca_file"}
	}
	return out
}

// answered is the outcome of an attempt with a reply. readErr tells that its
// body did not come whole: then its status still counts, but not its words.
func (s *Sink) answered(ctx context.Context, out batcher.Outcome, resp *http.Response, answer []byte, readErr error, payload []byte) batcher.Outcome {
	out.Status, out.Quota = resp.StatusCode, quota(resp.Header, out.Answered)
	var op operation
	var said reply
	var words string
	if readErr == nil {
		if resp.StatusCode/100 == 2 {
			op, said.operation = parseOperation(answer)
		} else {
			errs := parseErrors(answer)
			words = s.clean(errs.words(), payload)
			said.errors = errs.scrubbed(payload)
		}
	}
	rule := classify(resp.StatusCode, said)
	out.Kind = rule.kind
	if out.Kind == batcher.Accepted {
		out.Operation, out.Complete = op.id, op.complete
		out.RequestID, out.Org, out.User = s.clean(op.requestID, nil), s.clean(op.org, nil), s.clean(op.user, nil)
		return out
	}
	if out.Kind == batcher.Unauthorized {
		s.key.doubt()
	}
	out.Reason = reasonOf(rule, resp.StatusCode, words)
	if readErr != nil && out.Kind == batcher.Unknown {
		out.Reason = s.cutReply(ctx, resp.StatusCode, readErr, payload)
	}
	return out
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
