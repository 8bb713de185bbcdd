package sink

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

const (
	testKey = canary.Secret + "-0123456789abcdef"
	opID    = "64a1f0c2b7d9e30012ab4001"
	opReply = `{"data":{"type":"bulk","id":"` + opID + `","attributes":{"status":"queued"}}}`
)

// script is a server in memory that is free to break the rules of HTTP: it
// reads whole requests and does with the connection what the test says.
type script struct {
	mu       sync.Mutex
	dials    int
	requests []string // method and path
	bodies   []string
	headers  []http.Header

	// serve answers request number n of all. It reports whether the connection
	// goes on.
	serve func(n int, r *http.Request, conn net.Conn) bool
	wg    sync.WaitGroup
}

func (s *script) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	s.wg.Go(func() { s.converse(server) })
	return client, nil
}

// converse answers the requests of one connection.
func (s *script) converse(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // cut: it is no request
		}
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, r.Method+" "+r.RequestURI)
		s.bodies = append(s.bodies, string(body))
		s.headers = append(s.headers, r.Header)
		s.mu.Unlock()
		if !s.serve(n, r, conn) {
			return
		}
	}
}

// overTCP makes a sink call the script over connections of the local network.
func (s *script) overTCP(t *testing.T) func(*Config) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.converse(conn) })
		}
	})
	t.Cleanup(func() { listener.Close(); s.wg.Wait() })
	return func(cfg *Config) { cfg.BaseURL, cfg.Dial = "http://"+listener.Addr().String(), nil }
}

func (s *script) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// respond writes a reply with its length, and keeps the connection.
func respond(conn net.Conn, status int, body string, headers ...string) bool {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d Some Text\r\nContent-Length: %d\r\n", status, len(body))
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	if status/100 != 1 && status != 204 && status != 304 {
		b.WriteString(body)
	}
	_, err := io.WriteString(conn, b.String())
	return err == nil
}

// always is a script with one answer.
func always(status int, body string, headers ...string) *script {
	return &script{serve: func(_ int, _ *http.Request, conn net.Conn) bool { return respond(conn, status, body, headers...) }}
}

// routes is a script that answers by path and query; what it does not know is 404.
func routes(replies map[string]string) *script {
	return &script{serve: func(_ int, r *http.Request, conn net.Conn) bool {
		if body, ok := replies[r.URL.RequestURI()]; ok {
			return respond(conn, 200, body)
		}
		return respond(conn, 404, `{"errors":[{"status":404,"source":{"parameter":"id"},"code":"notfound","title":"Not Found"}]}`)
	}}
}

func newSink(t testing.TB, s *script, edit ...func(*Config)) *Sink {
	t.Helper()
	cfg := Config{BaseURL: "http://acme.api.example/", APIKey: testKey, Timeout: 10 * time.Second, MaxInFlight: 2}
	if s != nil {
		cfg.Dial = s.dial
	}
	for _, e := range edit {
		e(&cfg)
	}
	sink, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sink.Close()
		if s != nil {
			s.wg.Wait()
		}
	})
	return sink
}

// three is a batch of three messages.
func three() *batcher.Batch {
	b := &batcher.Batch{ID: "c1x-9"}
	for i, patch := range []string{`{"subject":"Re: order 1041"}`, "{ \"custom\" : {\"tierStr\":\"platinum\"} }", `{"status":"sent"}`} {
		b.Items = append(b.Items, &batcher.Item{MessageID: fmt.Sprintf("64a1f0c2b7d9e30012ab100%d", i+1), Patch: []byte(patch)})
	}
	return b
}
