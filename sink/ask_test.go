package sink

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kafka-kustomer/batcher"
)

func TestPreviewIsWhatPutSends(t *testing.T) {
	s := always(200, opReply)
	sink := newSink(t, s)
	preview := sink.Preview(three())
	sink.Put(t.Context(), three(), nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(preview.Body) != s.bodies[0] {
		t.Errorf("preview\n%s, sent\n%s", preview.Body, s.bodies[0])
	}
	if got := preview.Method + " " + strings.TrimPrefix(preview.URL, "http://acme.api.example"); got != s.requests[0] {
		t.Errorf("preview %s, sent %s", got, s.requests[0])
	}
	for name := range s.headers[0] {
		switch name {
		case "Authorization":
			if preview.Header.Get(name) != "Bearer ***" || s.headers[0].Get(name) != "Bearer "+testKey {
				t.Errorf("Authorization: preview %q, sent %q", preview.Header.Get(name), s.headers[0].Get(name))
			}
		case "Accept-Encoding", "Content-Length", "Connection": // by net/http
		default:
			if preview.Header.Get(name) != s.headers[0].Get(name) {
				t.Errorf("%s: preview %q, sent %q", name, preview.Header.Get(name), s.headers[0].Get(name))
			}
		}
	}
}

func TestAsk(t *testing.T) {
	const notFound = `{"errors":[{"status":404,"source":{"parameter":"id"},"code":"notfound","title":"Not Found"}]}`
	for _, tc := range []struct {
		name     string
		question Question
		status   int
		body     string
		kind     batcher.OutcomeKind
		code     string
		ours     bool // in Kustomer's words
	}{
		{"nobody's operation", AskToRead, 404, notFound, batcher.Refused, CodeNotFound, true},
		{"a web server", AskToRead, 404, "<html>", batcher.Refused, CodeNotFound, false},
		{"no key", AskAnonymously, 401, `{"errors":[{"code":"unauthorized"}]}`, batcher.Unauthorized, CodeUnauthorized, true},
		{"no role to read", AskToRead, 403, `{"errors":[{"code":"forbidden"}]}`, batcher.Unauthorized, CodeForbidden, true},
		{"no role to write", AskToWrite, 403, `{"errors":[{"code":"forbidden"}]}`, batcher.Unauthorized, CodeForbidden, true},
		{"refused for its body", AskToWrite, 400, `{"errors":[{"code":"badparam"}]}`, batcher.Refused, CodeBadRequest, true},
		{"accepted all the same", AskToWrite, 200, opReply, batcher.Accepted, "", true},
		{"anything but an operation", AskToRead, 200, `{}`, batcher.Unknown, CodeForeignReply, false},
		{"the quota is used up", AskToRead, 429, `{"errors":[{"code":"ratelimit"}]}`, batcher.Limited, CodeLimited, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := always(tc.status, tc.body, "Date: Wed, 25 Nov 2026 12:00:00 GMT", "X-Ratelimit-Limit: 500", "X-Kustomer-Pod: prod2")
			a := newSink(t, s).Ask(t.Context(), tc.question)
			if a.Kind != tc.kind || a.Status != tc.status || a.Reason.Code != tc.code || a.Kustomers != tc.ours {
				t.Errorf("%v %d %q Kustomer's %v: %s", a.Kind, a.Status, a.Reason.Code, a.Kustomers, a.Reason.Text)
			}
			if !a.Date.Equal(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)) || a.Quota.Limit != 500 || a.Pod != "prod2" {
				t.Errorf("date %v, quota %v, pod %q", a.Date, a.Quota, a.Pod)
			}
			if strings.Contains(a.Reason.Text, testKey) {
				t.Error("the reason tells the key")
			}
		})
	}
}

// What is asked can change nothing: a read of what is not there, or a write of no item.
func TestQuestionsAreHarmless(t *testing.T) {
	s := always(404, "")
	sink := newSink(t, s)
	for _, q := range []Question{AskAnonymously, AskToRead, AskToRead, AskToWrite} {
		sink.Ask(t.Context(), q)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, prefix := range []string{"GET /v1/bulk/", "GET /v1/bulk/", "GET /v1/bulk/", "PUT /v1/messages/bulk"} {
		if !strings.HasPrefix(s.requests[i], prefix) {
			t.Errorf("request %d is %s", i, s.requests[i])
		}
	}
	if s.requests[1] == s.requests[2] || len(s.requests[1]) != len("GET /v1/bulk/")+24 {
		t.Errorf("asked for %s and %s", s.requests[1], s.requests[2])
	}
	if s.bodies[3] != "[]" || s.bodies[0]+s.bodies[1] != "" {
		t.Errorf("bodies %q", s.bodies)
	}
	auth := func(h http.Header) string { return h.Get("Authorization") }
	if auth(s.headers[0]) != "" || auth(s.headers[1]) != "Bearer "+testKey || auth(s.headers[3]) != "Bearer "+testKey {
		t.Errorf("keys: %q, %q, %q", auth(s.headers[0]), auth(s.headers[1]), auth(s.headers[3]))
	}
}

func TestAskWithoutReply(t *testing.T) {
	silent := &script{serve: func(int, *http.Request, net.Conn) bool { return false }}
	a := newSink(t, silent).Ask(t.Context(), AskToRead)
	if a.Status != 0 || a.Kind != batcher.Unknown || a.Reason.Code != CodeConnectionLost {
		t.Errorf("%+v", a)
	}
}
