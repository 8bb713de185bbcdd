package sink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kafka-kustomer/batcher"
)

// An attempt without a reply: only one whose body was never begun is NotSent.
func TestBrokenConnections(t *testing.T) {
	readRequest := func(conn net.Conn, most int64) { _, _ = io.CopyN(io.Discard, conn, most) }
	tests := []struct {
		name string
		dial func(net.Conn) error // plays the server, in a goroutine of its own
		kind batcher.OutcomeKind
		code string
	}{
		{"refused", nil, batcher.NotSent, CodeDialFailed},
		{"closed amid the headers", func(c net.Conn) error { readRequest(c, 20); return c.Close() }, batcher.NotSent, CodeDialFailed},
		{"closed after half the body", func(c net.Conn) error { readRequest(c, 400); return c.Close() }, batcher.Unknown, CodeConnectionLost},
		{"not HTTP", func(c net.Conn) error {
			readRequest(c, 300)
			_, err := io.WriteString(c, "SSH-2.0-OpenSSH\r\n\r\n")
			return err
		}, batcher.Unknown, CodeConnectionLost},
		{"silent", func(c net.Conn) error { _, err := io.Copy(io.Discard, c); return err }, batcher.Unknown, CodeTimeout},
		{"reply without end", func(c net.Conn) error {
			readRequest(c, 300)
			go func() { _, _ = io.Copy(io.Discard, c) }()
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+opReply)
			return err
		}, batcher.Unknown, CodeTimeout},
		{"another protocol from here on", func(c net.Conn) error {
			readRequest(c, 300)
			go func() { _, _ = io.Copy(io.Discard, c) }()
			_, err := io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			return err
		}, batcher.Unknown, CodeForeignReply},
		{"interim replies without end", func(c net.Conn) error {
			readRequest(c, 300)
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
					return err
				}
			}
		}, batcher.Unknown, CodeConnectionLost},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink(t, nil, func(cfg *Config) {
					cfg.Timeout = time.Minute
					cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
						if tt.dial == nil {
							return nil, errors.New("connect: connection refused")
						}
						client, server := net.Pipe()
						go func() { _ = tt.dial(server) }()
						return client, nil
					}
				})
				out := s.Put(t.Context(), three(), nil)
				if out.Kind != tt.kind || out.Reason.Code != tt.code {
					t.Errorf("%v, %+v; want %v, %s", out.Kind, out.Reason, tt.kind, tt.code)
				}
				if tt.code == CodeTimeout && out.Answered.Sub(out.Sent) != time.Minute {
					t.Errorf("took %v, want the time-out exactly", out.Answered.Sub(out.Sent))
				}
			})
		})
	}
}

func TestNoConnectionInTimeIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(t, nil, func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.NotSent || out.Reason.Code != CodeTimeout {
			t.Errorf("%v, %+v", out.Kind, out.Reason)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if out := s.Put(ctx, three(), nil); out.Kind != batcher.NotSent || out.Reason.Code != CodeCancelled {
			t.Errorf("cancelled: %v, %+v", out.Kind, out.Reason)
		}
	})
}

func TestUntrustedCertificateIsNotSent(t *testing.T) {
	requests := 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that fails is the point
	srv.StartTLS()
	defer srv.Close()
	out := newSink(t, nil, func(cfg *Config) { cfg.BaseURL = srv.URL }).Put(t.Context(), three(), nil)
	if out.Kind != batcher.NotSent || out.Reason.Code != CodeDialFailed || !strings.Contains(out.Reason.Text, "kustomer.ca_file") {
		t.Errorf("%v, %+v", out.Kind, out.Reason)
	}
	if requests != 0 {
		t.Errorf("%d requests", requests)
	}
}

// A connection that dies idle, or under a request, is where net/http sends a
// request again. It must not do so with ours. The control shows that this server
// does provoke it.
func TestNothingIsSentTwice(t *testing.T) {
	provoke := func() *script {
		return &script{serve: func(n int, _ *http.Request, conn net.Conn) bool {
			return n != 1 && respond(conn, 200, opReply) // the second request: read, then hang up
		}}
	}
	srv := provoke()
	s := newSink(t, srv)
	if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.Accepted {
		t.Fatalf("first: %+v", out)
	}
	out := s.Put(t.Context(), three(), nil)
	if out.Kind != batcher.Unknown || out.Reason.Code != CodeConnectionLost {
		t.Errorf("second: %v, %+v, want unknown", out.Kind, out.Reason)
	}
	if srv.seen() != 2 || srv.dials != 1 {
		t.Errorf("%d requests on %d connections for two attempts on one", srv.seen(), srv.dials)
	}

	control := provoke()
	s = newSink(t, control)
	for range 2 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://acme.api.example/", bytes.NewReader([]byte("x")))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Idempotency-Key", "k")
		resp, err := s.transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if control.seen() != 3 {
		t.Errorf("the control made %d requests, want the third that net/http adds", control.seen())
	}
}

func TestLease(t *testing.T) {
	whole := make(chan bool, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		whole <- err == nil
	}))
	asked := 0
	s := newSink(t, nil, func(cfg *Config) { cfg.BaseURL = srv.URL })
	out := s.Put(t.Context(), three(), func() bool { asked++; return false })
	srv.Close() // waits for the handler, if there is one
	if out.Kind != batcher.NotSent || out.Reason.Code != CodeLeaseOver {
		t.Errorf("%v, %+v; want not sent", out.Kind, out.Reason)
	}
	select {
	case whole := <-whole:
		if whole {
			t.Error("the server got a whole body after the lease was over")
		}
	default: // the headers did not go either
	}
	if asked != 1 {
		t.Errorf("the lease was asked %d times", asked)
	}
}

// The lease is asked when the body is written, not before: a dial may take long.
func TestLeaseIsAskedAfterTheDial(t *testing.T) {
	srv := always(200, opReply)
	dialed := false
	s := newSink(t, srv, func(cfg *Config) {
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed = true
			return srv.dial(ctx, network, addr)
		}
	})
	if out := s.Put(t.Context(), three(), func() bool { return dialed }); out.Kind != batcher.Accepted {
		t.Errorf("%v, %+v", out.Kind, out.Reason)
	}
}

// After an attempt has ended its buffer belongs to another: a transport that is
// still reading must get nothing.
func TestBodyCannotBeReadAfterItsEnd(t *testing.T) {
	b := &body{data: []byte("abc")}
	if begun, _ := b.stop(); begun {
		t.Error("begun before any read")
	}
	if n, err := b.Read(make([]byte, 8)); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read %d bytes, %v, from a stopped body", n, err)
	}
}
