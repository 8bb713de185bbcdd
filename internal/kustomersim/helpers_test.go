package kustomersim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const ms = Duration(time.Millisecond)

// start makes a server that the test closes. Without a script it has no faults.
func start(t *testing.T, opts Options) *Server {
	t.Helper()
	if opts.Script == nil {
		opts.Script = &Script{}
	}
	s := New(opts)
	t.Cleanup(s.Close)
	return s
}

func newRequest(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("Content-Type", "application/json")
	return r
}

// do makes one call without a network.
func do(s *Server, method, path, body string) *httptest.ResponseRecorder {
	return serve(s, newRequest(method, path, body))
}

// put sends items and returns the id of the operation they became.
func put(t *testing.T, s *Server, items ...string) string {
	t.Helper()
	w := do(s, "PUT", putPath, "["+strings.Join(items, ",")+"]")
	if w.Code != http.StatusOK {
		t.Fatalf("PUT answered %d: %s", w.Code, w.Body)
	}
	var reply struct{ Data struct{ ID string } }
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || len(reply.Data.ID) != 24 {
		t.Fatalf("PUT reply has no operation id: %v in %s", err, w.Body)
	}
	return reply.Data.ID
}

// subject is an item that sets one field.
func subject(id, text string) string {
	return fmt.Sprintf(`{"id":%q,"_clientRef":"r-%s","subject":%q}`, id, id, text)
}

// opState is what a client reads of an operation.
type opState struct {
	Status    string
	Completed bool
	Errors    bool `json:"batchErrors"`
}

func readOp(t *testing.T, s *Server, id string) opState {
	t.Helper()
	w := do(s, "GET", bulkPrefix+id, "")
	var reply struct{ Data struct{ Attributes opState } }
	if err := json.Unmarshal(w.Body.Bytes(), &reply); w.Code != http.StatusOK || err != nil {
		t.Fatalf("GET answered %d, %v: %s", w.Code, err, w.Body)
	}
	return reply.Data.Attributes
}

func quiesce(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Quiesce(ctx); err != nil {
		t.Fatal(err)
	}
}

// fields is a message's state as strings.
func fields(t *testing.T, s *Server, id string) map[string]string {
	t.Helper()
	got, ok := s.Message(id)
	if !ok {
		return nil
	}
	out := map[string]string{}
	for name, raw := range got {
		out[name] = string(raw)
	}
	return out
}

// listen serves s to real HTTP clients.
func listen(t *testing.T, s *Server) *httptest.Server {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return web
}

// send makes one call over the network. An error may come with the status of
// a reply whose body broke off.
func send(t *testing.T, web *httptest.Server, timeout time.Duration, method, path, body string) (status int, header http.Header, reply string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, web.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("Content-Type", "application/json")
	resp, err := web.Client().Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(b), err
}

func serve(s *Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}
