package sink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"kafka-kustomer/batcher"
)

// maxReply is the most that is read of a reply, decoded. The reply to a PUT may
// echo the request, so twice that is added to it there.
const maxReply = 1 << 20

var (
	errReplyTooLarge = errors.New("the reply is larger than any of Kustomer's")
	errNoReply       = errors.New("the reply has no end (1xx)")
)

// readBody reads a reply's body to its end. That of a 101 is the connection
// itself, which no context closes.
func readBody(into *bytes.Buffer, r *http.Response, most int) error {
	defer r.Body.Close()
	if r.StatusCode < 200 {
		return errNoReply
	}
	n, err := io.Copy(into, io.LimitReader(r.Body, int64(most)+1))
	if err == nil && n > int64(most) {
		return errReplyTooLarge
	}
	return err
}

// operation is what a reply says of a bulk operation.
type operation struct {
	id       string
	complete bool
	running  bool // queued or running

	requestID, org, user string
	took                 time.Duration
}

// parseOperation reads {"data": {id, attributes}}. It reports false when the
// body is anything else, or when its id is none.
func parseOperation(body []byte) (operation, bool) {
	var doc struct {
		Data object[struct {
			ID         text `json:"id"`
			Attributes object[struct {
				Status      text `json:"status"`
				Completed   text `json:"completed"`
				CreatedAt   text `json:"createdAt"`
				CompletedAt text `json:"completedAt"`
				Payload     object[struct {
					API object[struct {
						RequestID text `json:"requestId"`
						User      object[struct {
							ID      text `json:"id"`
							OrgName text `json:"orgName"`
						}] `json:"user"`
					}] `json:"api"`
				}] `json:"payload"`
			}] `json:"attributes"`
		}] `json:"data"`
	}
	if lenient(body, &doc) != nil || !validID(string(doc.Data.v.ID)) {
		return operation{}, false
	}
	a := &doc.Data.v.Attributes.v
	op := operation{
		id:       string(doc.Data.v.ID),
		complete: a.Status == "complete" || a.Completed == "true",
		running:  a.Status == "queued" || a.Status == "running" || a.Status == "scheduled",
		took:     elapsed(string(a.CreatedAt), string(a.CompletedAt)),
	}
	api := &a.Payload.v.API.v
	op.requestID, op.org, op.user = string(api.RequestID), string(api.User.v.OrgName), string(api.User.v.ID)
	return op, true
}

// validID accepts what an operation id may look like. The id goes into paths,
// into commit metadata and into results, so it is no free text.
func validID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for _, b := range []byte(id) {
		switch {
		case b >= '0' && b <= '9', b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}

// elapsed is how long an operation ran by its own times, 0 when it does not say
// or says what cannot be.
func elapsed(created, completed string) time.Duration {
	from, err := time.Parse(time.RFC3339, created)
	if err != nil {
		return 0
	}
	to, err := time.Parse(time.RFC3339, completed)
	if took := to.Sub(from); err == nil && took > 0 && took < maxWait {
		return took
	}
	return 0
}

// transportReason words an error without a reply.
func (s *Sink) transportReason(ctx context.Context, err error, payload []byte) batcher.Reason {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return batcher.Reason{Code: CodeTimeout, Text: "no whole reply within " + s.timeout.String() + "; check the network, Kustomer's status page, and kustomer.timeout"}
	case ctx.Err() != nil:
		return batcher.Reason{Code: CodeCancelled, Text: "this program ended the call; check its log for why it stops"}
	}
	return batcher.Reason{Code: CodeConnectionLost, Text: s.clean(err.Error(), payload) + "; check the network and the proxy between here and Kustomer"}
}
