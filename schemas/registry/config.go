package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Config is where the registry is and how to get there. URLs is required;
// everything else that is zero takes the default its comment names.
type Config struct {
	// URLs are those of one registry's instances: http or https, with the path if
	// the registry has one, without user. The first is asked until it fails.
	URLs []string

	Username string
	Password string
	// PasswordFile is instead of Password, and read again when it changes and after
	// a 401.
	PasswordFile string

	TLS TLS
	// ProxyURL is http, https or socks5. The environment is not asked.
	ProxyURL string

	Timeout        time.Duration // of one request, from the dial to the reply's last byte; 10 s
	MaxEntries     int           // schemas kept (of 16 times MaxSchemaBytes at most), and as many unknown ids; 1,000
	MaxSchemaBytes int           // of one reply, and of one schema with all it refers to; 1 MiB

	UnknownTTL   time.Duration // after which an unknown id is asked for again; 10 s, or a sixth of UnknownGrace if that is less
	UnknownGrace time.Duration // for which Fetch goes on asking for it; 1 min
	RetryInitial time.Duration // the first pause of Fetch is at most that; 250 ms
	RetryMax     time.Duration // and a later one at most this; 10 s

	// Dial replaces the dialer, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// TLS has files of PEM. It counts for URLs with https only.
type TLS struct {
	CAFile             string // authorities to trust instead of the system's
	CertFile, KeyFile  string // client certificate, read anew for each connection
	ServerName         string // expected in the certificate instead of the URL's host
	InsecureSkipVerify bool   // accepts any certificate: for tests only
}

// cacheSchemas bounds the texts of all schemas kept, in units of MaxSchemaBytes.
const cacheSchemas = 16

func (cfg Config) withDefaults() Config {
	orDefault(&cfg.Timeout, 10*time.Second)
	orDefault(&cfg.MaxEntries, 1000)
	orDefault(&cfg.MaxSchemaBytes, 1<<20)
	orDefault(&cfg.UnknownGrace, time.Minute)
	// Were it longer than the grace time, that would be waited out without a second
	// question.
	orDefault(&cfg.UnknownTTL, max(min(10*time.Second, cfg.UnknownGrace/6), time.Millisecond))
	orDefault(&cfg.RetryInitial, 250*time.Millisecond)
	orDefault(&cfg.RetryMax, 10*time.Second)
	return cfg
}

func orDefault[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// baseURLs checks the URLs. Its errors do not repeat one: a password may be in it.
func baseURLs(raw []string) ([]*url.URL, error) {
	if len(raw) == 0 {
		return nil, errors.New("schema_registry.urls is empty; name the registry's address")
	}
	var urls []*url.URL
	for i, r := range raw {
		u, err := parseURL(fmt.Sprintf("schema_registry.urls[%d]", i), r, "http", "https")
		if err != nil {
			return nil, err
		}
		if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("schema_registry.urls[%d] must be scheme, host and path only; user and password go into username and password or password_file", i)
		}
		urls = append(urls, u)
	}
	return urls, nil
}

func parseURL(key, raw string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return nil, fmt.Errorf("%s is no URL of the form %s://host[:port]", key, strings.Join(schemes, " or "))
	}
	return u, nil
}

func newTransport(cfg Config) (*http.Transport, error) {
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: cfg.Timeout, KeepAlive: 15 * time.Second}).DialContext
	}
	t := &http.Transport{
		DialContext:         dial,
		TLSHandshakeTimeout: cfg.Timeout,
		ForceAttemptHTTP2:   true, // a dialer or TLS configuration of one's own switches it off
		MaxIdleConnsPerHost: maxLookups,
		// Schemas are asked for rarely: a connection that lies idle for long is mostly
		// one that a balancer has forgotten.
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if cfg.ProxyURL != "" {
		proxy, err := parseURL("schema_registry.proxy_url", cfg.ProxyURL, "http", "https", "socks5")
		if err != nil {
			return nil, err
		}
		t.Proxy = http.ProxyURL(proxy)
		t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, reply *http.Response) error {
			if reply.StatusCode != http.StatusOK {
				return &proxyError{reply.StatusCode}
			}
			return nil
		}
	}
	var err error
	t.TLSClientConfig, err = cfg.TLS.config()
	return t, err
}

func (f TLS) config() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName, InsecureSkipVerify: f.InsecureSkipVerify}
	if f.CAFile != "" {
		pem, err := os.ReadFile(f.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading schema_registry.tls.ca_file: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("schema_registry.tls.ca_file %s has no PEM certificate in it", f.CAFile)
		}
	}
	if (f.CertFile == "") != (f.KeyFile == "") {
		return nil, errors.New("schema_registry.tls.cert_file and key_file go together; set both or neither")
	}
	if f.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile); err != nil {
			return nil, fmt.Errorf("reading schema_registry.tls.cert_file and key_file: %w", err)
		}
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
			return &c, err
		}
	}
	return t, nil
}
