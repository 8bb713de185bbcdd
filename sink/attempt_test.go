package sink

import (
	"bufio"
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

// How many bytes of a request are all there will be, half its body, and some of
// its headers.
const (
	all     = 1 << 20
	half    = 400
	headers = 20
)

// An attempt without a whole reply, by how far it came. Only one whose body was
// never begun is NotSent.
func TestBrokenAttempts(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}
	noName := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "acme.api.example", IsNotFound: true}}
	slowName := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "i/o timeout", Name: "acme.api.example", IsTimeout: true}}
	const begin = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + opReply
	over := func() bool { return false }
	tests := []struct {
		name  string
		dial  error            // of the dialer
		serve func(peer) error // plays the server
		lease func() bool
		tls   bool
		want  want // status only where a reply has one
	}{
		{name: "dial error", dial: refused, want: want{"0", "", "", batcher.NotSent, "dial_failed", "connection refused; check kustomer.base_url"}},
		{name: "DNS error", dial: noName, want: want{"0", "", "", batcher.NotSent, "dial_failed", "no such host; check kustomer.base_url, name resolution"}},
		{name: "DNS time-out", dial: slowName, want: want{"0", "", "", batcher.NotSent, "dial_failed", "name resolution"}},
		{name: "TLS error", tls: true, serve: func(p peer) error { return errors.Join(p.some(), p.write("HTTP/1.1 400 Bad Request\r\n\r\n")) }, want: want{"0", "", "", batcher.NotSent, "dial_failed", "TLS handshake; check kustomer.base_url"}},
		{name: "TLS time-out", tls: true, serve: func(p peer) error { return p.read(all) }, want: want{"0", "", "", batcher.NotSent, "dial_failed", "TLS handshake timeout"}},
		{name: "lease over", lease: over, serve: func(p peer) error { return p.read(all) }, want: want{"0", "", "", batcher.NotSent, "lease_over", "brokers"}},

		{name: "closed amid the headers", serve: func(p peer) error { return errors.Join(p.read(headers), p.Close()) }, want: want{"0", "", "", batcher.NotSent, "dial_failed", "kustomer.proxy_url"}},
		{name: "closed amid the body", serve: func(p peer) error { return errors.Join(p.read(half), p.Close()) }, want: want{"0", "", "", batcher.Unknown, "connection_lost", "network"}},
		{name: "closed after the body", serve: func(p peer) error { return errors.Join(p.request(), p.Close()) }, want: want{"0", "", "", batcher.Unknown, "connection_lost", "network"}},
		{name: "closed in the reply", serve: func(p peer) error { return errors.Join(p.request(), p.write(begin), p.Close()) }, want: want{"200", "", "", batcher.Unknown, "foreign_reply", "proxy"}},
		{name: "closed in the reply's headers", serve: func(p peer) error { return errors.Join(p.request(), p.write(begin[:20]), p.Close()) }, want: want{"0", "", "", batcher.Unknown, "connection_lost", "network"}},

		{name: "time-out before the headers", serve: func(peer) error { return nil }, want: want{"0", "", "", batcher.NotSent, "timeout", "kustomer.base_url"}},
		{name: "time-out amid the headers", serve: func(p peer) error { return p.read(headers) }, want: want{"0", "", "", batcher.NotSent, "timeout", "kustomer.base_url"}},
		{name: "time-out amid the body", serve: func(p peer) error { return p.read(half) }, want: want{"0", "", "", batcher.Unknown, "timeout", "kustomer.timeout"}},
		{name: "time-out after the body", serve: func(p peer) error { return p.request() }, want: want{"0", "", "", batcher.Unknown, "timeout", "kustomer.timeout"}},
		{name: "time-out in the reply", serve: func(p peer) error { return errors.Join(p.request(), p.write(begin)) }, want: want{"200", "", "", batcher.Unknown, "timeout", "kustomer.timeout"}},
		{name: "time-out in the words of a refusal", serve: func(p peer) error {
			return errors.Join(p.request(), p.write(strings.Replace(begin, "200", "422", 1)))
		}, want: want{"422", "", "", batcher.Doubtful, "foreign_refusal", "kustomer.base_url"}},

		{name: "cancelled before the headers", serve: func(p peer) error { return p.end(nil) }, want: want{"0", "", "", batcher.NotSent, "cancelled", "log"}},
		{name: "cancelled after the body", serve: func(p peer) error { return p.end(p.request()) }, want: want{"0", "", "", batcher.Unknown, "cancelled", "log"}},
		{name: "cancelled in the reply", serve: func(p peer) error { return p.end(errors.Join(p.request(), p.write(begin))) }, want: want{"200", "", "", batcher.Unknown, "cancelled", "log"}},

		{name: "not HTTP", serve: func(p peer) error { return errors.Join(p.request(), p.write("SSH-2.0-OpenSSH\r\n\r\n")) }, want: want{"0", "", "", batcher.Unknown, "connection_lost", "proxy"}},
		{name: "another protocol from here on", serve: func(p peer) error {
			return errors.Join(p.request(), p.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
		}, want: want{"101", "", "", batcher.Unknown, "foreign_reply", "proxy"}},
		{name: "interim replies without end", serve: func(p peer) error {
			err := p.request()
			for err == nil {
				err = p.write("HTTP/1.1 103 Early Hints\r\n\r\n")
			}
			return nil
		}, want: want{"0", "", "", batcher.Unknown, "connection_lost", "network"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s := newSink(t, nil, func(cfg *Config) {
					cfg.Timeout = time.Minute
					if tt.tls {
						cfg.BaseURL = "https://acme.api.example"
					}
					cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
						if tt.dial != nil {
							return nil, tt.dial
						}
						client, server := net.Pipe()
						go func() {
							if err := tt.serve(peer{server, cancel}); err != nil {
								t.Errorf("the server's side: %v", err)
							}
						}()
						return client, nil
					}
				})
				out := s.Put(ctx, three(), tt.lease)
				meets(t, tt.name, out, tt.want)
				if itoa(out.Status) != tt.want.status {
					t.Errorf("status %d", out.Status)
				}
				if tt.want.code == "timeout" && out.Answered.Sub(out.Sent) != time.Minute {
					t.Errorf("took %v, want the time-out exactly", out.Answered.Sub(out.Sent))
				}
			})
		})
	}
}

// peer is the server's side of one connection.
type peer struct {
	net.Conn
	cancel context.CancelFunc // of the attempt
}

// end cancels the attempt once it waits for more.
func (p peer) end(err error) error {
	synctest.Wait()
	p.cancel()
	return err
}

// read reads that many bytes, or all there are.
func (p peer) read(most int64) error {
	_, err := io.CopyN(io.Discard, p, most)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// request reads one whole request.
func (p peer) request() error {
	r, err := http.ReadRequest(bufio.NewReader(p))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// some reads what comes in one piece.
func (p peer) some() error {
	_, err := p.Read(make([]byte, 1<<14))
	return err
}

func (p peer) write(s string) error {
	_, err := io.WriteString(p, s)
	return err
}

// A real connection that is reset, by how far the attempt came.
func TestReset(t *testing.T) {
	reset := func(conn net.Conn) {
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil { // then Close resets
			t.Error(err)
		}
	}
	part := func(conn net.Conn) {
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+opReply); err != nil {
			t.Error(err)
		}
	}
	for name, serve := range map[string]func(net.Conn){
		"after the body": reset,
		"in the reply":   func(conn net.Conn) { part(conn); reset(conn) },
	} {
		srv := &script{serve: func(_ int, _ *http.Request, conn net.Conn) bool { serve(conn); return false }}
		out := newSink(t, nil, srv.overTCP(t)).Put(t.Context(), three(), nil)
		meets(t, name, out, want{"", "", "", batcher.Unknown, "connection_lost", "network"})
	}

	// Before any byte: the connection is handed over when the reset has arrived.
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := newSink(t, nil, func(cfg *Config) {
		cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			client, err := (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
			if err != nil {
				return nil, err
			}
			server, err := listener.Accept()
			if err != nil {
				return nil, err
			}
			reset(server)
			server.Close()
			if _, err := client.Read(make([]byte, 1)); err == nil {
				t.Error("read from a connection that was reset")
			}
			return client, nil
		}
	})
	out := s.Put(t.Context(), three(), nil)
	meets(t, "before any byte", out, want{"", "", "", batcher.NotSent, "dial_failed", "kustomer.base_url"})

	// And where nobody listens any more.
	srv := always(200, opReply)
	s = newSink(t, nil, srv.overTCP(t))
	listener.Close()
	s.base.Host = listener.Addr().String()
	meets(t, "closed port", s.Put(t.Context(), three(), nil), want{"", "", "", batcher.NotSent, "dial_failed", "connection refused"})
}

func TestNoConnectionInTimeIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(t, nil, func(cfg *Config) {
			cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		meets(t, "in time", s.Put(t.Context(), three(), nil), want{"", "", "", batcher.NotSent, "timeout", "no connection within 10s"})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		meets(t, "cancelled", s.Put(ctx, three(), nil), want{"", "", "", batcher.NotSent, "cancelled", "log"})
		meets(t, "cancelled before", s.Put(ctx, three(), nil), want{"", "", "", batcher.NotSent, "cancelled", "log"})
	})
}

func TestUntrustedCertificateIsNotSent(t *testing.T) {
	requests := 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that fails is the point
	srv.StartTLS()
	defer srv.Close()
	out := newSink(t, nil, func(cfg *Config) { cfg.BaseURL = srv.URL }).Put(t.Context(), three(), nil)
	meets(t, "untrusted", out, want{"", "", "", batcher.NotSent, "dial_failed", "kustomer.ca_file"})
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
