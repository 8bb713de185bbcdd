package sink

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"kafka-kustomer/batcher"
)

// replies are the bodies that come with any status: every form of error that was
// seen in real replies or in the API's documents, and what others put in their
// place.
var replies = map[string]string{
	"operation": opReply,
	"region":    `{"errors":[{"code":"unauthorized","message":"Auth token associated with pod prod2 but request is being handled by prod1","meta":{}}]}`,
	"path":      `{"errors":[{"status":404,"source":{"parameter":"path"},"code":"notfound","title":"Not Found"}]}`,

	"operation, bad": strings.Replace(opReply, opID, "../users", 1),
	"error":          `{"errors":[{"code":"bad_request","message":"Invalid request body or parameters.","meta":{}}]}`,
	"custom":         `{"errors":[{"status":400,"source":{"parameter":"notAnActualAttribute"},"code":"badparam","title":"Additional properties not allowed","detail":"/properties/custom/additionalProperties"}]}`,
	"unauthorized":   `{"errors":[{"status":"401","code":"unauthorized","title":"Unauthorized","source":{"parameters":"authorization"}}]}`,
	"object":         `{"errors":[{"status":404,"source":{"parameter":"externalId"},"code":"notfound","title":"Not Found"}]}`,
	"unprocessable":  `{"errors":[{"status":422,"source":{"parameter":"64a1f0c2b7d9e30012ab7001 is not callable"},"code":"unprocessable","title":"Unprocessable Entity","detail":"WORKFLOW_NOT_CALLABLE"}]}`,
	"too many":       `{"errors":[{"code":"too_many_requests","message":"Too Many Requests","meta":{}}]}`,
	"flat":           `{"status":400,"title":"Bad","detail":"No"}`,
	"no errors":      `{"errors":[]}`,
	"foreign JSON":   `{"fault":{"faultstring":"Rate limit quota violation","detail":{"errorcode":"x"}}}`,
	"gateway":        `{"message":"no Route matched with those values"}`,
	"HTML":           "<html><head><title>Oh</title></head></html>",
	"empty":          "",
	"cut":            opReply[:len(opReply)/2],
}

// want is what a reply must come to.
type want struct {
	status, body, request string
	kind                  batcher.OutcomeKind
	code                  string
	check                 string // what the reason names to look at
}

// documented is the API's table of errors, row by row, not as the package has
// it: exceptions first. 4xx is any of them, a * is anything. Requests
// are a plain "put", a "put" of a batch with an "audit" member, and a "look".
var documented = []want{
	// Any 2xx with data.id is acceptance; anything else may have been one.
	{"2xx", "operation", "put", batcher.Accepted, "", ""},
	{"2xx", "operation", "audit", batcher.Accepted, "", ""},
	{"2xx", "*", "*", batcher.Unknown, "foreign_reply", "kustomer.base_url, kustomer.proxy_url"},
	// 408 is the one 4xx that proves nothing.
	{"408", "*", "*", batcher.Unknown, "request_timeout", "network"},
	// 429: the org's limit, or one object's.
	{"429", "*", "*", batcher.Limited, "limited", "kustomer.reserve"},
	// A key used in another region: any 4xx with "pods" in it; as 401.
	{"4xx", "region", "*", batcher.Unauthorized, "wrong_region", "https://{org}.api.kustomerapp.com"},
	// 401: key missing, wrong, revoked, expired.
	{"401", "*", "*", batcher.Unauthorized, "unauthorized", "API key"},
	// 403: role missing, perhaps an audit member.
	{"403", "*", "look", batcher.Unauthorized, "forbidden", "org.permission.bulk.read or org.user.bulk.read"},
	{"403", "*", "audit", batcher.Doubtful, "forbidden", "createdAt, createdBy, modifiedAt and modifiedBy, which the batch has, need org.admin"},
	{"403", "foreign", "put", batcher.Doubtful, "foreign_refusal", "kustomer.base_url"},
	{"403", "*", "put", batcher.Unauthorized, "forbidden", "org.permission.message.update"},
	// 404: wrong URL, as 401; on an operation it is gone; else an object.
	{"404", "path", "*", batcher.Unauthorized, "wrong_url", "kustomer.base_url"},
	{"404", "*", "look", batcher.Refused, "not_found", "operation"},
	{"4xx", "*", "look", batcher.Refused, "refused", "proxy"},
	// 413 says enough, whoever says it. Any other in words that are not Kustomer's
	// may be about the address, a proxy or a gateway.
	{"413", "*", "*", batcher.Refused, "too_large", "batch.max_bytes"},
	{"4xx", "foreign", "*", batcher.Doubtful, "foreign_refusal", "kustomer.base_url"},
	{"404", "*", "*", batcher.Refused, "not_found", "its changes"},
	// 400, 422: something in the body.
	{"400", "*", "*", batcher.Refused, "bad_request", "its changes"},
	{"422", "*", "*", batcher.Refused, "unprocessable", "its changes"},
	// 409: never seen in public.
	{"409", "*", "*", batcher.Refused, "conflict", "its changes"},
	{"4xx", "*", "*", batcher.Refused, "refused", "proxy"},
	// Their side, or a foreign body: outcome unknown.
	{"5xx", "*", "*", batcher.Unknown, "server_error", "status page"},
	{"3xx", "*", "*", batcher.Unknown, "redirected", "kustomer.base_url"},
	{"1xx", "*", "*", batcher.Unknown, "foreign_reply", "kustomer.base_url"},
}

// foreign are the replies that are in none of Kustomer's forms.
var foreign = []string{"foreign JSON", "gateway", "HTML", "empty", "cut", "no errors", "operation", "operation, bad"}

func lookUp(t *testing.T, status int, body, request string) want {
	t.Helper()
	for _, w := range documented {
		code := w.status == strconv.Itoa(status) || w.status == strconv.Itoa(status/100)+"xx"
		said := w.body == "*" || w.body == body || w.body == "foreign" && slices.Contains(foreign, body)
		if code && said && (w.request == "*" || w.request == request) {
			return w
		}
	}
	t.Fatalf("the table has no row for %d, %s, %s", status, body, request)
	return want{}
}

// codes is the closed set.
var codes = []string{
	"foreign_reply", "redirected", "unauthorized", "forbidden", "wrong_url", "wrong_region", "bad_request", "not_found", "conflict",
	"too_large", "unprocessable", "refused", "foreign_refusal", "no_references", "request_timeout", "limited", "server_error", "dial_failed", "lease_over", "timeout",
	"cancelled", "connection_lost", "item_failed",
}

// sound asserts what holds for any outcome.
func sound(t *testing.T, label string, out batcher.Outcome) {
	t.Helper()
	accepted := out.Kind == batcher.Accepted
	if accepted != (out.Operation != "") || accepted != (out.Reason == batcher.Reason{}) {
		t.Errorf("%s: %v with operation %q and reason %+v", label, out.Kind, out.Operation, out.Reason)
	}
	if !accepted && !slices.Contains(codes, out.Reason.Code) {
		t.Errorf("%s: code %q is not of the set", label, out.Reason.Code)
	}
	if !accepted && !strings.Contains(out.Reason.Text, "check ") {
		t.Errorf("%s: the text does not say what to check: %s", label, out.Reason.Text)
	}
	if out.Status/100 == 4 && out.Status != 408 && (out.Kind == batcher.Unknown || accepted) {
		t.Errorf("%s: a 4xx is said to be %v", label, out.Kind)
	}
	if len(out.Hints) > 0 && out.Kind != batcher.Refused && out.Kind != batcher.Doubtful {
		t.Errorf("%s: %v has hints", label, out.Kind)
	}
}

// meets asserts that an outcome is the one documented.
func meets(t *testing.T, label string, out batcher.Outcome, w want) {
	t.Helper()
	sound(t, label, out)
	if out.Kind != w.kind || out.Reason.Code != w.code || !strings.Contains(out.Reason.Text, w.check) {
		t.Errorf("%s: %v, %+v; want %v, %s, text with %q", label, out.Kind, out.Reason, w.kind, w.code, w.check)
	}
}

// audited is a batch of which the second item has an audit member.
func audited() *batcher.Batch {
	b := three()
	b.Items[1].Patch = []byte(`{"custom":{"createdByStr":"x"},"modifiedBy":null}`)
	return b
}

func TestEveryStatusIsClassified(t *testing.T) {
	payload := appendBody(nil, three(), true)
	for status := 100; status <= 599; status++ {
		for name, body := range replies {
			for _, request := range []string{"put", "audit", "look"} {
				said := reply{errors: parseErrors([]byte(body)), payload: payload, look: request == "look"}
				if request == "audit" {
					said.audit = []int{1}
				}
				if status/100 == 2 && request != "look" {
					_, said.operation = parseOperation([]byte(body))
				}
				rule := classify(status, said)
				out := batcher.Outcome{Kind: rule.kind, Status: status}
				if out.Kind == batcher.Accepted {
					out.Operation = opID
				} else {
					out.Reason = reasonOf(rule, status, "")
				}
				meets(t, fmt.Sprintf("%s, %d %s", request, status, name), out, lookUp(t, status, name, request))
			}
		}
	}
}

// answer is what a server says: a reply, or one of which the end is missing.
type answer struct {
	status int
	body   string
	cut    bool
}

// empty reports whether the reply has no body, whatever it should have been.
func (a answer) empty() bool { return a.status < 200 || a.status == 204 || a.status == 304 }

func (a answer) give(conn net.Conn) bool {
	if a.cut {
		fmt.Fprintf(conn, "HTTP/1.1 %d Text\r\nContent-Length: %d\r\n\r\n%s", a.status, len(a.body)+1, a.body)
		return false
	}
	return respond(conn, a.status, a.body) && a.status >= 200
}

// documented is what the answer must come to when it is of the replies.
func (a answer) documented(t *testing.T, name, request string) want {
	t.Helper()
	switch {
	case a.cut:
		name = "cut" // the status counts, but no word
	case a.empty():
		name = "empty"
	}
	w := lookUp(t, a.status, name, request)
	switch {
	case a.status == 101:
		w.check = "proxy"
	case a.status/100 == 1: // an interim reply: the one to come never does
		w.code, w.check = "connection_lost", "network"
	case a.cut && w.kind == batcher.Unknown:
		w.code, w.check = "foreign_reply", "proxy"
	}
	return w
}

// The same over connections, with replies whose end is missing among them.
func TestEveryStatusIsAnswered(t *testing.T) {
	var next atomic.Pointer[answer]
	srv := &script{serve: func(_ int, _ *http.Request, conn net.Conn) bool { return next.Load().give(conn) }}
	s := newSink(t, nil, srv.overTCP(t))
	n := 0
	put := func(a answer, name, request string, b *batcher.Batch) {
		t.Helper()
		next.Store(&a)
		out := s.Put(t.Context(), b, nil)
		n++
		label := fmt.Sprintf("%s, %d %s, cut %v", request, a.status, name, a.cut)
		meets(t, label, out, a.documented(t, name, request))
		if a.status >= 200 && out.Status != a.status {
			t.Errorf("%s: status %d", label, out.Status)
		}
		hints := []int{1}
		if out.Reason.Code == CodeForeignRefusal {
			hints = []int{0, 1, 2}[:len(b.Items)]
		}
		if out.Kind == batcher.Doubtful && !slices.Equal(out.Hints, hints) {
			t.Errorf("%s: hints %v", label, out.Hints)
		}
	}
	for status := 100; status <= 599; status++ {
		for name, body := range replies {
			a := answer{status: status, body: body}
			put(a, name, "put", three())
			if status/100 == 4 {
				put(a, name, "audit", audited())
			}
			if a.cut = !a.empty() && (name == "operation" || name == "path" || name == "region"); a.cut {
				put(a, name, "put", three())
			}
		}
	}
	if srv.seen() != n {
		t.Errorf("%d attempts made %d requests", n, srv.seen())
	}
}
