package sink

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"kafka-kustomer/batcher"
)

// Question is a request that changes nothing, whatever the answer. The set is
// closed.
type Question uint8

// The questions.
const (
	// AskAnonymously reads an operation that does not exist, without the key.
	// Only an API that says no to this proves anything by its other answers.
	AskAnonymously Question = iota
	// AskToRead reads an operation that does not exist.
	AskToRead
	// AskToWrite sends a bulk update of no items. Nothing can come of it: where
	// the role is there, Kustomer refuses it for its body.
	AskToWrite
)

// Answer is what came of a [Question].
type Answer struct {
	Kind   batcher.OutcomeKind // as of a PUT attempt; Unknown also where nothing came
	Status int                 // HTTP status, 0 without a reply
	Reason batcher.Reason      // of anything but Accepted; what to check next
	// Kustomers says that the reply is in one of the forms that Kustomer's API has.
	// A web server that knows no such path answers 404 as well.
	Kustomers bool
	Protocol  string // "HTTP/2.0" and the like
	Pod       string // the part of Kustomer that answered, when it tells: "prod1"
	Org, User string // when the reply tells
	Quota     batcher.Quota
	Date      time.Time // by the API's clock, whole seconds; zero when it does not say
	Sent      time.Time
	Answered  time.Time
}

// Ask makes one request that changes nothing. It takes at most the configured
// time-out, and never tries again.
func (s *Sink) Ask(ctx context.Context, q Question) Answer {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r, payload := s.question(ctx, q)
	a := Answer{Kind: batcher.Unknown, Quota: batcher.NoQuota, Sent: time.Now()}
	resp, err := s.transport.RoundTrip(r)
	a.Answered = time.Now()
	if err != nil {
		a.Reason = s.transportReason(ctx, err, payload)
		return a
	}
	var body bytes.Buffer
	err = readBody(&body, resp, maxReply)
	a.Status, a.Protocol, a.Quota = resp.StatusCode, resp.Proto, quota(resp.Header, a.Answered)
	a.Pod = s.clean(resp.Header.Get("X-Kustomer-Pod"), nil)
	a.Date, _ = http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		a.Reason = s.cutReply(ctx, resp.StatusCode, err, payload)
		return a
	}
	s.understand(&a, q, body.Bytes(), payload)
	return a
}

// question makes the request, and the payload that its answer might repeat.
func (s *Sink) question(ctx context.Context, q Question) (r *http.Request, payload []byte) {
	if q == AskToWrite {
		const nothing = "[]"
		r = s.bulkRequest(ctx)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(nothing)), int64(len(nothing))
		return r, []byte(nothing)
	}
	id := make([]byte, 12)
	_, _ = rand.Read(id) // never fails
	r = s.request(ctx, http.MethodGet, "/v1/bulk/"+hex.EncodeToString(id), "")
	if q == AskAnonymously {
		r.Header.Del("Authorization")
	}
	return r, nil
}

func (s *Sink) understand(a *Answer, q Question, body, payload []byte) {
	said := reply{payload: payload, look: q != AskToWrite}
	if a.Status/100 == 2 {
		var op operation
		op, said.operation = parseOperation(body)
		a.Org, a.User = s.clean(op.org, nil), s.clean(op.user, nil)
		a.Kustomers = said.operation
	} else {
		said.errors = parseErrors(body)
		a.Kustomers = said.errors.kustomers()
	}
	rule := classify(a.Status, said)
	if a.Kind = rule.kind; a.Kind == batcher.Accepted {
		return
	}
	a.Reason = reasonOf(rule, a.Status, s.clean(said.errors.words(), payload))
	if a.Kind == batcher.Unauthorized && q != AskAnonymously {
		s.key.doubt()
	}
}
