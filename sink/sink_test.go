package sink

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKeyFileIsReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	stamp := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	write := func(key string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write(" first-key \n", stamp)
	status := 200
	srv := &script{serve: func(_ int, _ *http.Request, conn net.Conn) bool { return respond(conn, status, opReply) }}
	s := newSink(t, srv, func(cfg *Config) { cfg.APIKey, cfg.APIKeyFile = "", file })
	uses := func(want string) {
		t.Helper()
		s.Put(t.Context(), three(), nil)
		if got := srv.headers[len(srv.headers)-1].Get("Authorization"); got != "Bearer "+want {
			t.Errorf("sent %q, want the key %q", got, want)
		}
	}
	uses("first-key")
	write("second-key", stamp.Add(time.Second))
	uses("second-key")
	write("", stamp.Add(2*time.Second)) // being replaced
	uses("second-key")
	write("two\nkeys", stamp.Add(3*time.Second))
	uses("second-key")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	uses("second-key")
	write("third--key", stamp.Add(4*time.Second))
	uses("third--key")
	// Neither time nor size tell of this change; a refusal makes up for it.
	write("fourth-key", stamp.Add(4*time.Second))
	uses("third--key")
	status = 401
	s.Put(t.Context(), three(), nil)
	uses("fourth-key")
	write("fifth--key", stamp.Add(4*time.Second))
	status = 403
	s.Put(t.Context(), three(), nil)
	uses("fifth--key")
	status = 200
	uses("fifth--key") // no doubt is left
	write("sixth--key", stamp.Add(4*time.Second))
	status = 403
	if out := s.Put(t.Context(), audited(), nil); out.Kind != batcher.Doubtful {
		t.Errorf("%v, want forbidden", out.Kind)
	}
	uses("sixth--key")
	status = 200
	uses("sixth--key")
	write("seventhkey", stamp.Add(4*time.Second))
	status = 401
	s.Look(t.Context(), own())
	status = 200
	uses("seventhkey")
	if srv.seen() != 17 {
		t.Errorf("%d requests: a refused attempt is not repeated", srv.seen())
	}
}

// A reply to a call that was under way when the key changed speaks of the old one.
func TestThePreviousKeyIsNotRepeated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write := func(key string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const before, now = "c4nary-before", "c4nary-the-new-one"
	write(before)
	s := newSink(t, always(400, `{"errors":[{"title":"no `+before+`, no `+now+`"}]}`), func(cfg *Config) {
		cfg.APIKey, cfg.APIKeyFile = "", file
	})
	for range 2 {
		if out := s.Put(t.Context(), three(), nil); strings.Contains(out.Reason.Text, before) {
			t.Errorf("the reason repeats the key: %s", out.Reason.Text)
		}
		write(now)
	}
	if out := s.Put(t.Context(), three(), nil); !strings.Contains(out.Reason.Text, "no ***, no ***") {
		t.Errorf("the reason: %s", out.Reason.Text)
	}
}

func TestNewRefuses(t *testing.T) {
	const secret = canary.Secret
	good := Config{BaseURL: "https://acme.api.kustomerapp.com", APIKey: testKey, Timeout: time.Minute, MaxInFlight: 8}
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"no URL", func(c *Config) { c.BaseURL = "" }, "kustomer.base_url"},
		{"no scheme", func(c *Config) { c.BaseURL = "acme.api.kustomerapp.com" }, "kustomer.base_url"},
		{"other scheme", func(c *Config) { c.BaseURL = "ftp://x" }, "http or https"},
		{"user in URL", func(c *Config) { c.BaseURL = "https://u:" + secret + "@x" }, "scheme, host and path only"},
		{"bad URL with user", func(c *Config) { c.BaseURL = "https://u:" + secret + "@x:port" }, "kustomer.base_url"},
		{"query", func(c *Config) { c.BaseURL += "?key=" + secret }, "scheme, host and path only"},
		{"no key", func(c *Config) { c.APIKey = " \n" }, "is empty"},
		{"two keys", func(c *Config) { c.APIKeyFile = "f" }, "both set"},
		{"key with line", func(c *Config) { c.APIKey = secret + "\nX-Header: 1" }, "one key on one line"},
		{"key file missing", func(c *Config) { c.APIKey, c.APIKeyFile = "", "no-such-file" }, "no-such-file"},
		{"proxy", func(c *Config) { c.ProxyURL = "proxy://u:" + secret + "@x" }, "kustomer.proxy_url"},
		{"CA missing", func(c *Config) { c.CAFile = "no-such-file" }, "kustomer.ca_file"},
		{"CA empty", func(c *Config) { c.CAFile = notPEM }, "no PEM certificate"},
		{"no time-out", func(c *Config) { c.Timeout = 0 }, "kustomer.timeout"},
		{"no calls", func(c *Config) { c.MaxInFlight = 0 }, "kustomer.max_in_flight"},
	}
	for _, tt := range tests {
		cfg := good
		tt.edit(&cfg)
		_, err := New(cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error repeats a secret: %v", tt.name, err)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

// The environment names a proxy for many programs; ours is the configured one.
func TestProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://env-proxy.example:1")
	t.Setenv("http_proxy", "http://env-proxy.example:1")
	srv := always(200, opReply)
	if out := newSink(t, srv).Put(t.Context(), three(), nil); out.Kind != batcher.Accepted || srv.requests[0] != "PUT /v1/messages/bulk" {
		t.Errorf("%v, %v: %+v", out.Kind, srv.requests, out.Reason)
	}
	srv = always(200, opReply)
	s := newSink(t, srv, func(cfg *Config) { cfg.ProxyURL = "http://user:" + canary.Secret + "-proxy@proxy.example:3128" })
	if out := s.Put(t.Context(), three(), nil); out.Kind != batcher.Accepted || srv.requests[0] != "PUT http://acme.api.example/v1/messages/bulk" {
		t.Errorf("%v, %v: %+v", out.Kind, srv.requests, out.Reason)
	}
	if diff := cmp.Diff([]string{"user:" + canary.Secret + "-proxy", "user", canary.Secret + "-proxy"}, s.secrets); diff != "" {
		t.Error(diff)
	}
}

func TestBasePathIsKept(t *testing.T) {
	srv := always(200, opReply)
	s := newSink(t, srv, func(cfg *Config) { cfg.BaseURL = "http://gateway.example/kustomer/" })
	s.Put(t.Context(), three(), nil)
	s.Look(t.Context(), &batcher.Operation{ID: opID})
	if diff := cmp.Diff([]string{"PUT /kustomer/v1/messages/bulk", "GET /kustomer" + opPath}, srv.requests); diff != "" {
		t.Error(diff)
	}
}
