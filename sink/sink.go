package sink

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config is where the API is and how to get there. BaseURL and one of APIKey and
// APIKeyFile are required.
type Config struct {
	BaseURL    string // https://{org}.api.kustomerapp.com
	APIKey     string
	APIKeyFile string // read again when it changes, and after a 401 or 403
	ProxyURL   string // http, https or socks5; the environment is not asked
	CAFile     string // PEM certificates that are trusted instead of the system's

	Timeout     time.Duration // of one request, from the dial to the reply's last byte
	MaxInFlight int           // connections

	// Suspicious tells of a patch that it may be why a request was refused. It is
	// asked only then, and only orders the search. Nil: no patch is.
	Suspicious func(patch []byte) bool

	// Dial replaces the dialer, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Sink is the API as one org and key see it. It is safe for concurrent use.
type Sink struct {
	base      *url.URL
	timeout   time.Duration
	transport *http.Transport
	key       *apiKey
	secrets   []string // what must not be repeated, besides the key
	suspect   func(patch []byte) bool
	buffers   sync.Pool

	noReferences atomic.Bool // the org's API does not take _clientRef
}

// New checks the configuration and reads the files it names. It does not call
// the API.
func New(cfg Config) (*Sink, error) {
	base, err := parseURL("kustomer.base_url", cfg.BaseURL, "http", "https")
	if err != nil {
		return nil, err
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("kustomer.base_url must be scheme, host and path only; the API key goes into api_key or api_key_file")
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), ""
	if cfg.Timeout <= 0 || cfg.MaxInFlight <= 0 {
		return nil, errors.New("kustomer.timeout and kustomer.max_in_flight must be above zero")
	}
	key, err := newAPIKey(cfg.APIKey, cfg.APIKeyFile)
	if err != nil {
		return nil, err
	}
	s := &Sink{base: base, timeout: cfg.Timeout, key: key, suspect: cfg.Suspicious}
	s.buffers.New = func() any { return new(bytes.Buffer) }
	if s.transport, err = s.newTransport(cfg); err != nil {
		return nil, err
	}
	return s, nil
}

// Close drops idle connections. Calls under way end by their own contexts.
func (s *Sink) Close() { s.transport.CloseIdleConnections() }

func (s *Sink) newTransport(cfg Config) (*http.Transport, error) {
	dial := cfg.Dial
	if dial == nil {
		// Keep-alive probes notice a peer that is gone without a word.
		dial = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	}
	t := &http.Transport{
		DialContext:         dial,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true, // a dialer or TLS configuration of one's own switches it off
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		MaxConnsPerHost:     cfg.MaxInFlight,
		MaxIdleConns:        cfg.MaxInFlight,
		MaxIdleConnsPerHost: cfg.MaxInFlight,
		// Below the time after which servers and balancers close an idle
		// connection, 60 s mostly. A PUT that meets that close has an unknown
		// outcome, and every message in it then waits for a stray operation.
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// A request of 100 items goes out in one write, and the results of as many
		// come in with one or two reads. With the default 4 KiB net/http also takes a
		// new buffer for each body.
		WriteBufferSize: 64 << 10,
		ReadBufferSize:  16 << 10,
	}
	if cfg.ProxyURL != "" {
		proxy, err := parseURL("kustomer.proxy_url", cfg.ProxyURL, "http", "https", "socks5")
		if err != nil {
			return nil, err
		}
		t.Proxy = http.ProxyURL(proxy)
		if proxy.User != nil {
			password, _ := proxy.User.Password()
			s.secrets = append(s.secrets, proxy.User.String(), proxy.User.Username(), password)
		}
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("reading kustomer.ca_file: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kustomer.ca_file %s has no PEM certificate in it", cfg.CAFile)
		}
	}
	return t, nil
}

// parseURL does not pass on the error of net/url, which repeats the whole URL
// and with it what a user put there in front of the host.
func parseURL(key, raw string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err == nil && u.Host != "" {
		for _, s := range schemes {
			if u.Scheme == s {
				return u, nil
			}
		}
	}
	return nil, fmt.Errorf("%s is no URL of the form %s://host[:port]", key, strings.Join(schemes, " or "))
}

// request is a call to a path below the base URL. What of the path comes from
// outside has been checked by validID, so nothing in it needs escaping, and
// nothing in it can lead elsewhere.
func (s *Sink) request(ctx context.Context, method, path, query string) *http.Request {
	u := *s.base
	u.Path += path
	u.RawQuery = query
	r := &http.Request{
		Method: method, URL: &u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Accept":        {"application/json"},
			"Authorization": {"Bearer " + s.key.current()},
			"User-Agent":    {"kafka-kustomer"},
		},
	}
	return r.WithContext(ctx)
}
