package online_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
)

// With the rights that the README names, and no other, nothing fails.
func TestAllIsWell(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{Quota: kustomersim.Quota{PerMinute: 1000}})
	checks := w.check(t)
	for _, c := range checks {
		// The test's API has no TLS.
		if c.Status != online.OK && c.Name != "api address" && c.Name != "session time-out" {
			t.Errorf("%s is %s: %s -> %s", c.Name, c.Status, c.Found, c.Next)
		}
	}
	must(t, checks, "offsets and lag", online.OK, "0 of 2 partitions have a commit, 10 records behind")
	must(t, checks, "kafka login", online.OK, "plain as connector")
	must(t, checks, "api role to write messages", online.OK, "that Kustomer looks at the role before")
}

func TestBrokersThatCantBeReached(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	listener.Close()
	web := httptest.NewServer(nil)
	defer web.Close()
	for _, tc := range []struct {
		name   string
		edit   func(*online.Config)
		check  string // the broker's when empty
		words  string
		others bool // the other broker answers, and all else is checked
	}{
		{"nobody listens", func(c *online.Config) { c.Brokers = []string{nobody} }, "", "nothing listens there", false},
		{"one of two", func(c *online.Config) { c.Brokers = []string{nobody, c.Brokers[0]} }, "", "nothing listens there", true},
		{"no such name", func(c *online.Config) { c.Brokers = []string{"broker.invalid:9092"} }, "", "name", false},
		{"a broker that hangs up on a wrong password", func(c *online.Config) { c.Opts = []kgo.Opt{login("nobody")} }, "", "kafka.sasl", false},
		{"no login", func(c *online.Config) { c.Opts, c.Login = nil, "" }, "", "kafka.sasl", false},
		{"TLS where there is none", func(c *online.Config) { c.Opts = append(c.Opts, kgo.DialTLSConfig(&tls.Config{})) }, "", "TLS", false},
		{"a web server", func(c *online.Config) { c.Brokers = []string{strings.TrimPrefix(web.URL, "http://")} }, "", "check", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			w.timeout = 2 * time.Second
			tc.edit(&w.cfg)
			checks := w.check(t)
			broker := "kafka broker " + w.cfg.Brokers[0]
			if tc.check == "" {
				tc.check = broker
			}
			must(t, checks, tc.check, online.Failed, tc.words, broker, "kafka login")
			want := online.Skipped
			if tc.others {
				want = online.OK
			}
			for _, name := range []string{"consumer group", "source topic message-changes", "kafka cluster", "idempotent writes"} {
				if checks[name].Status != want {
					t.Errorf("%s is %s (%s), want %s", name, checks[name].Status, checks[name].Found, want)
				}
			}
		})
	}
}

// A server with TLS, which need not be a broker: what is wrong shows before Kafka is
// spoken.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of each handshake that fails
	server.StartTLS()
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	for _, tc := range []struct {
		name, words string
		opts        []kgo.Opt
	}{
		{"an authority that is not trusted", "check kafka.tls.ca_file", []kgo.Opt{kgo.DialTLSConfig(&tls.Config{})}},
		{"another name", "kafka.tls.server_name", []kgo.Opt{kgo.DialTLSConfig(&tls.Config{RootCAs: trusted, ServerName: "broker.invalid"})}},
		{"no TLS where it is wanted", "kafka.tls", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			w.timeout = 2 * time.Second
			w.cfg.Brokers, w.cfg.Opts = []string{server.Listener.Addr().String()}, tc.opts
			must(t, w.check(t), "kafka broker "+w.cfg.Brokers[0], online.Failed, tc.words)
		})
	}
}

func TestRefusedLogin(t *testing.T) {
	for _, tc := range []struct {
		name  string
		key   kmsg.Key
		code  *kerr.Error
		words string
	}{
		{"password", kmsg.SASLAuthenticate, kerr.SaslAuthenticationFailed, "check kafka.sasl.username and password"},
		{"mechanism", kmsg.SASLHandshake, kerr.UnsupportedSaslMechanism, "check kafka.sasl.mechanism"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			if _, err := w.admin.ListBrokers(t.Context()); err != nil { // the test's own client is in
				t.Fatal(err)
			}
			w.cluster.ControlKey(int16(tc.key), func(req kmsg.Request) (kmsg.Response, error, bool) {
				w.cluster.KeepControl()
				switch resp := req.ResponseKind().(type) {
				case *kmsg.SASLAuthenticateResponse:
					resp.ErrorCode = tc.code.Code
					return resp, nil, true
				case *kmsg.SASLHandshakeResponse:
					resp.ErrorCode = tc.code.Code
					return resp, nil, true
				}
				return nil, nil, false
			})
			checks := make(map[string]online.Check)
			for _, c := range online.Run(t.Context(), w.cfg) {
				checks[c.Name] = c
			}
			must(t, checks, "kafka login", online.Failed, tc.words, "kafka broker "+w.cfg.Brokers[0])
		})
	}
}

// Advertised addresses that lead nowhere are the most common fault of a Kafka in
// containers: the seed answers, and nothing else does.
func TestAdvertisedAddressThatLeadsNowhere(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	w.cluster.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = 0, "127.0.0.1", 1
		resp.Brokers = append(resp.Brokers, b)
		return resp, nil, true
	})
	w.cfg.Brokers = w.cluster.ListenAddrs()
	checks := make(map[string]online.Check)
	for _, c := range online.Run(t.Context(), w.cfg) {
		checks[c.Name] = c
	}
	c := checks["kafka cluster"]
	if c.Status != online.Failed || !strings.Contains(c.Found, "127.0.0.1:1") || !strings.Contains(c.Next, "advertised.listeners") {
		t.Errorf("kafka cluster is %+v", c)
	}
}

// A broker that takes the connection and says nothing must not hold up the rest, nor
// outlive the context.
func TestSilentBrokerEndsWithTheContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	w.cfg.Brokers = []string{listener.Addr().String()}
	ctx, cancel := contextWithTimeout(t, 500*time.Millisecond)
	defer cancel()
	begin := time.Now()
	checks := online.Run(ctx, w.cfg)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if c := checks[0]; c.Status != online.Failed || !strings.Contains(c.Found, "no answer in time") {
		t.Errorf("%+v", c)
	}
}
