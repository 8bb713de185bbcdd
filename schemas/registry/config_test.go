package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kafka-kustomer/internal/canary"
)

func TestPasswordFileChanges(t *testing.T) {
	want := "one"
	f := newFake(t)
	f.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		if user != "u" || password != want || r.UserAgent() != "kafka-kustomer" {
			w.WriteHeader(401)
			return true
		}
		return false
	})
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one\n")
	c := newClient(t, Config{Username: "u", PasswordFile: file}, f.server.URL)
	ask := func(id uint32) error { _, err := c.Schema(t.Context(), Number(id)); return err }
	fails[*UnknownError](t, ask(1))
	want = "two two "
	fails[*RefusedError](t, ask(2))
	write("two two \r\n")
	fails[*UnknownError](t, ask(2))
	write("") // being replaced
	fails[*UnknownError](t, ask(3))
	write("wrong")
	fails[*RefusedError](t, ask(4))
	// The same size and time: only the refusal tells that it has changed.
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	want = "right"
	write(want)
	if err := os.Chtimes(file, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	fails[*UnknownError](t, ask(5))
}

func TestTLS(t *testing.T) {
	f := &fake{Registry: srfake.NewRegistry()}
	f.seed("a", 7, plain)
	server := httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range []TLS{{CAFile: ca}, {CAFile: ca, ServerName: "example.com"}, {InsecureSkipVerify: true}} {
		if s, err := newClient(t, Config{TLS: files}, server.URL).Schema(t.Context(), Number(7)); err != nil || s.Text != plain {
			t.Errorf("%+v: %v", files, err)
		}
	}
	for want, files := range map[string]TLS{
		"unknown authority": {},
		"not other.test":    {CAFile: ca, ServerName: "other.test"},
	} {
		_, err := newClient(t, Config{TLS: files}, server.URL).Schema(t.Context(), Number(7))
		if e := fails[*UnavailableError](t, err); !strings.Contains(e.Error(), want) || !strings.Contains(e.Check, "ca_file") {
			t.Errorf("%v", e)
		}
	}
	clear := newFake(t)
	_, err := newClient(t, Config{}, strings.Replace(clear.server.URL, "http", "https", 1)).Schema(t.Context(), Number(7))
	if e := fails[*UnavailableError](t, err); !strings.Contains(e.Error(), "does not speak TLS") {
		t.Errorf("%v", e)
	}
	_, err = newClient(t, Config{}, strings.Replace(server.URL, "https", "http", 1)).Schema(t.Context(), Number(7))
	fails[*UnavailableError](t, err)
}

func TestClientCertificate(t *testing.T) {
	f := &fake{Registry: srfake.NewRegistry()}
	f.seed("a", 7, plain)
	server := httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()
	own := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	files := TLS{InsecureSkipVerify: true, CertFile: filepath.Join(t.TempDir(), "cert.pem"), KeyFile: filepath.Join(t.TempDir(), "key.pem")}
	for file, block := range map[string]*pem.Block{
		files.CertFile: {Type: "CERTIFICATE", Bytes: own.Certificate[0]},
		files.KeyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := newClient(t, Config{TLS: files}, server.URL).Schema(t.Context(), Number(7)); err != nil || s.Text != plain {
		t.Error(err)
	}
	_, err = newClient(t, Config{TLS: TLS{InsecureSkipVerify: true}}, server.URL).Schema(t.Context(), Number(7))
	if e := fails[*UnavailableError](t, err); !strings.Contains(e.Error(), "certificate required") || !strings.Contains(e.Check, "cert_file") {
		t.Errorf("%v", e)
	}
}

func TestHostIsUnknown(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: canary.Secret, Name: canary.Secret, IsNotFound: true}}
	}
	_, err := newClient(t, Config{Dial: dial}, "http://registry.test").Schema(t.Context(), Number(7))
	if e := fails[*UnavailableError](t, err); !strings.Contains(e.Error(), "could not be resolved") {
		t.Errorf("%v", e)
	}
}

// The environment's proxy is not used; one that is set is, and its password stays
// out of errors.
func TestProxy(t *testing.T) {
	f := newFake(t)
	f.seed("a", 7, plain)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	c := newClient(t, Config{ProxyURL: f.server.URL}, "http://registry.test")
	if _, err := c.Schema(t.Context(), Number(7)); err != nil {
		t.Error(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	refuses := httptest.NewServer(say(http.StatusProxyAuthRequired, canary.Secret))
	defer refuses.Close()
	const up, password = "that the proxy is up", "proxy_url with its password"
	for _, test := range []struct{ scheme, addr, url, want string }{
		{"http", addr, "http://registry.test", up},
		{"http", addr, "https://registry.test", up},
		{"socks5", addr, "https://registry.test", up},
		{"http", refuses.Listener.Addr().String(), "https://registry.test", password},
	} {
		c = newClient(t, Config{ProxyURL: test.scheme + "://u:" + canary.Secret + "@" + test.addr}, test.url)
		_, err = c.Schema(t.Context(), Number(8))
		u := fails[*UnavailableError](t, err)
		if !strings.Contains(u.Check, test.want) {
			t.Errorf("%s for %s: %v; want %q", test.scheme, test.url, err, test.want)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	const s = canary.Secret
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	urls := []string{"http://r:1/path"}
	for want, cfg := range map[string]Config{
		"urls is empty":                     {},
		"urls[1] is no URL":                 {URLs: []string{"http://r", "r:" + s}},
		"urls[0] is no URL":                 {URLs: []string{"ftp://" + s + "@r"}},
		"urls[0] must be scheme, host":      {URLs: []string{"http://u:" + s + "@r"}},
		"both set":                          {URLs: urls, Username: "u", Password: s, PasswordFile: empty},
		"is empty":                          {URLs: urls, Username: "u", PasswordFile: empty},
		"no username":                       {URLs: urls, Password: s},
		"has a colon":                       {URLs: urls, Username: "u:" + s},
		"reading schema_registry.password_": {URLs: urls, Username: "u", PasswordFile: empty + "x"},
		"proxy_url is no URL":               {URLs: urls, ProxyURL: "u:" + s + "@p"},
		"no PEM certificate":                {URLs: urls, TLS: TLS{CAFile: empty}},
		"tls.ca_file":                       {URLs: urls, TLS: TLS{CAFile: empty + "x"}},
		"go together":                       {URLs: urls, TLS: TLS{CertFile: empty}},
		"tls.cert_file and key_file":        {URLs: urls, TLS: TLS{CertFile: empty, KeyFile: empty}},
	} {
		_, err := New(cfg)
		if err == nil {
			t.Errorf("%s: accepted", want)
		} else if e := fails[error](t, err); !strings.Contains(e.Error(), want) {
			t.Errorf("%v, want %q", e, want)
		}
	}
}
