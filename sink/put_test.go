package sink

import (
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

func TestPutSendsTheBatch(t *testing.T) {
	srv := always(200, `{"data":{"id":"`+opID+`","attributes":{"status":"complete","completed":"true","payload":{"api":{"data":[{"id":"x"}],"requestId":"r1","user":{"id":"u1","orgName":"acme"}}}}}}`)
	out := newSink(t, srv).Put(t.Context(), three(), func() bool { return true })
	if out.Sent.IsZero() || out.Answered.Before(out.Sent) {
		t.Errorf("times: sent %v, answered %v", out.Sent, out.Answered)
	}
	out.Sent, out.Answered = time.Time{}, time.Time{}
	want := batcher.Outcome{
		Kind: batcher.Accepted, Operation: opID, Complete: true, Status: 200, RequestID: "r1", Org: "acme", User: "u1", Quota: batcher.NoQuota,
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	wantBody := `[{"id":"64a1f0c2b7d9e30012ab1001","_clientRef":"c1x-9.0","subject":"Re: order 1041"},` +
		`{"id":"64a1f0c2b7d9e30012ab1002","_clientRef":"c1x-9.1","custom" : {"tierStr":"platinum"} },` +
		`{"id":"64a1f0c2b7d9e30012ab1003","_clientRef":"c1x-9.2","status":"sent"}]`
	if diff := cmp.Diff([]string{wantBody}, srv.bodies); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"PUT /v1/messages/bulk"}, srv.requests); diff != "" {
		t.Error(diff)
	}
	h := srv.headers[0]
	if h.Get("Authorization") != "Bearer "+testKey || h.Get("Content-Type") != "application/json" || h.Get("Idempotency-Key") != "" {
		t.Errorf("headers: %v", h)
	}
}

func TestBodyGolden(t *testing.T) {
	b := &batcher.Batch{ID: "p-1", Items: []*batcher.Item{
		{MessageID: "m\"\\é\n\x01", Patch: []byte(` {"a":1} `)},
		{MessageID: "m2", Patch: []byte("{ \n}")},
		{MessageID: "m3", Patch: []byte(`{}`)},
	}}
	want := `[{"id":"m\"\\é\n\u0001","_clientRef":"p-1.0","a":1},{"id":"m2","_clientRef":"p-1.1"},{"id":"m3","_clientRef":"p-1.2"}]`
	if diff := cmp.Diff(want, string(appendBody(nil, b, true))); diff != "" {
		t.Error(diff)
	}
}

func TestReasonSaysWhatAndWhatToCheck(t *testing.T) {
	tests := []struct {
		status           int
		body, code, text string
	}{
		{400, `{"errors":[{"status":400,"source":{"parameter":"notAnActualAttribute"},"code":"badparam","title":"Additional properties not allowed","detail":"/properties/custom/additionalProperties"}]}`, CodeBadRequest, "HTTP 400 Bad Request: badparam: Additional properties not allowed: /properties/custom/additionalProperties (notAnActualAttribute); "},
		{422, `{"errors":[{"status":"422","source":{"parameter":"64a1f0c2b7d9e30012ab1002 is not callable"},"code":"unprocessable","title":"Unprocessable Entity","detail":"WORKFLOW_NOT_CALLABLE"}]}`, CodeUnprocessable, "WORKFLOW_NOT_CALLABLE (*** is not callable)"},
		{400, `{"errors":[{"source":{"pointer":"/3/custom/tierStr"},"title":"No"},{"title":"Also"}]}`, CodeBadRequest, "No (/3/custom/tierStr); Also; "},
		{401, `{"errors":[{"status":"401","code":"unauthorized","title":"Unauthorized","source":{"parameters":"authorization"}}]}`, CodeUnauthorized, "API key"},
		{403, replies["error"], CodeForbidden, "org.permission.message.update"},
		{404, replies["path"], CodeWrongURL, "kustomer.base_url"},
		{400, replies["region"], CodeWrongRegion, "pod prod2"},
		{400, `{"errors":[{"title":"Invalid","detail":"custom.region is unknown"}]}`, CodeBadRequest, "custom.region"},
		{409, replies["error"], CodeConflict, "HTTP 409 Conflict: "},
		{409, `<html>`, CodeForeignRefusal, "HTTP 409 Conflict; "},
		{413, ``, CodeTooLarge, "batch.max_bytes"},
		{418, replies["error"], CodeRefused, "proxy"},
		{429, replies["error"], CodeLimited, "kustomer.reserve"},
		{503, `{"title":"Maintenance"}`, CodeServerError, "HTTP 503 Service Unavailable: Maintenance; "},
		{200, `<html>`, CodeForeignReply, "proxy"},
		{302, ``, CodeRedirected, "kustomer.base_url"},
		{400, `{"errors":[{"title":"a\r\nb\u2028c` + strings.Repeat("é", 400) + `"}]}`, CodeBadRequest, "a  b c" + strings.Repeat("é", 146)},
	}
	for _, tt := range tests {
		out := newSink(t, always(tt.status, tt.body)).Put(t.Context(), three(), nil)
		if out.Reason.Code != tt.code || !strings.Contains(out.Reason.Text, tt.text) {
			t.Errorf("%d %.80s:\n got %+v\nwant %s, text with %q", tt.status, tt.body, out.Reason, tt.code, tt.text)
		}
		if len(out.Reason.Text) > 600 || strings.ContainsAny(out.Reason.Text, "\r\n") {
			t.Errorf("%d: text is long or has lines: %q", tt.status, out.Reason.Text)
		}
	}
}

// Neither a PUT nor a look goes where a reply sends it, whatever kind of redirect
// it is: 301 to 303 would turn a PUT into a GET, whose reply is none to the batch.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv := always(status, "", "Location: http://elsewhere.example/v1/messages/bulk")
		s := newSink(t, srv)
		if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.Unknown || out.Status != status || srv.seen() != 1 {
			t.Errorf("PUT: %v, HTTP %d after %d requests; want unknown, HTTP %d after one", out.Kind, out.Status, srv.seen(), status)
		}
		before := srv.seen()
		if view := s.Look(t.Context(), own()); view.Kind != batcher.NoView || view.Reason.Code != CodeRedirected || srv.seen() != before+1 {
			t.Errorf("look: %v, %+v after %d requests; want no view of HTTP %d after one", view.Kind, view.Reason, srv.seen()-before, status)
		}
	}
}

func TestRepliesAreBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write([]byte(`{"data":{"id":"` + opID + `","x":"` + strings.Repeat("a", 8<<20) + `"}}`))
	z.Close()
	out := newSink(t, always(200, bomb.String(), "Content-Encoding: gzip")).Put(t.Context(), three(), nil)
	if out.Kind != batcher.Unknown || out.Reason.Code != CodeForeignReply || !strings.Contains(out.Reason.Text, "larger than any") {
		t.Errorf("%v, %+v", out.Kind, out.Reason)
	}
	// One that would be whole at the bound, but for what follows.
	long := opReply + strings.Repeat(" ", maxReply+10_000) + "x"
	if out := newSink(t, always(200, long)).Put(t.Context(), three(), nil); out.Kind != batcher.Unknown || out.Reason.Code != CodeForeignReply {
		t.Errorf("cut at the bound: %v, %+v", out.Kind, out.Reason)
	}
	// One without end is not read on and on.
	endless := &script{serve: func(_ int, _ *http.Request, conn net.Conn) bool {
		_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for chunk := "8000\r\n" + strings.Repeat("a", 0x8000) + "\r\n"; err == nil; {
			_, err = io.WriteString(conn, chunk)
		}
		return false
	}}
	if out := newSink(t, endless).Put(t.Context(), three(), nil); out.Kind != batcher.Unknown || out.Reason.Code != CodeForeignReply {
		t.Errorf("without end: %v, %+v", out.Kind, out.Reason)
	}
	// A reply may echo a large request.
	b := three()
	b.Items[0].Patch = []byte(`{"preview":"` + strings.Repeat("a", 3<<19) + `"}`)
	echo := strings.Replace(opReply, `"attributes":{`, `"attributes":{"payload":{"api":{"data":`+string(appendBody(nil, b, true))+`}},`, 1)
	if out := newSink(t, always(200, echo)).Put(t.Context(), b, nil); out.Kind != batcher.Accepted {
		t.Errorf("echo of the request: %v, %+v", out.Kind, out.Reason)
	}
}

// An org whose API is older than _clientRef refuses the member. The batch is not
// to blame: it goes out again without it.
func TestReferencesAreLeftOutWhereUnknown(t *testing.T) {
	const refusal = `{"errors":[{"status":400,"source":{"parameter":"_clientRef"},"code":"badparam","title":"Additional properties not allowed"}]}`
	srv := &script{serve: func(n int, _ *http.Request, conn net.Conn) bool {
		if n == 1 {
			return respond(conn, 200, opReply)
		}
		return respond(conn, 400, refusal)
	}}
	s := newSink(t, srv)
	if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.NotSent || out.Reason.Code != CodeNoReferences || out.Status != 400 {
		t.Errorf("first: %v, %+v", out.Kind, out.Reason)
	}
	if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.Accepted || strings.Contains(srv.bodies[1], "_clientRef") {
		t.Errorf("second: %v, body %s", out.Kind, srv.bodies[1])
	}
	// Said of a request that had none, it is a refusal like any other.
	if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.Refused {
		t.Errorf("third: %v, %+v", out.Kind, out.Reason)
	}
}

func TestHTTP2AndOwnCA(t *testing.T) {
	whole := make(chan bool, 2)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		whole <- err == nil
		if r.ProtoMajor != 2 {
			t.Errorf("the request came by %s", r.Proto)
		}
		_, _ = io.WriteString(w, opReply)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSink(t, nil, func(cfg *Config) { cfg.BaseURL, cfg.CAFile = srv.URL, ca })
	if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.Accepted || !<-whole {
		t.Errorf("%v, %+v", out.Kind, out.Reason)
	}
	if out := s.Put(t.Context(), three(), func() bool { return false }); out.Kind != batcher.NotSent || out.Reason.Code != CodeLeaseOver {
		t.Errorf("without lease: %v, %+v", out.Kind, out.Reason)
	}
	s.Close()
	srv.Close()
	select {
	case whole := <-whole:
		if whole {
			t.Error("the server got a whole body after the lease was over")
		}
	default:
	}
}
