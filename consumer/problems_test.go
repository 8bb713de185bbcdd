package consumer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestAdviceNamesTheSetting(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("x: %w", kerr.SaslAuthenticationFailed), "kafka.sasl"},
		{kerr.OffsetOutOfRange, "on_reset"},
		{kerr.GroupAuthorizationFailed, "READ"},
		{x509.UnknownAuthorityError{}, "ca_file"},
		{fmt.Errorf("tls: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "kafka"}), "server_name"},
		{errors.New("dial tcp 127.0.0.1:1: connect: connection refused"), "kafka.brokers"},
		{errors.New("… is SASL missing?"), "kafka.sasl"},
		{errors.New("… appear to be a tls alert record for TLS v1.2; …"), "kafka.tls.enabled"},
		{context.DeadlineExceeded, "network"},
		{errors.New("never seen before"), "brokers"},
	} {
		if got := advice(tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v: %q does not name %s", tt.err, got, tt.want)
		}
	}
}

func TestProblemIsLoggedOnceUntilItChanges(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	ps := newProblems(zap.New(core))
	key := partitionProblem(Partition{"in", 3})
	for range 1000 {
		ps.report(key, kerr.OffsetOutOfRange)
	}
	ps.report(partitionProblem(Partition{"in", 4}), kerr.OffsetOutOfRange)
	if n := logs.Len(); n != 2 {
		t.Errorf("logged %d times, want once for each partition", n)
	}
	if got := ps.list(); len(got) != 2 || got[0].Partition != 3 || got[0].Since.IsZero() || got[0].Check == "" {
		t.Errorf("list: %+v", got)
	}
	// Texts that differ each time (a port, a time) must not fill the log.
	for i := range 1000 {
		ps.report(key, fmt.Errorf("reset by peer %d", i))
	}
	if n := logs.Len(); n != 2 {
		t.Errorf("logged %d times within %v, want 2", n, relogAfter)
	}
	if got := ps.list()[0].Text; got != "reset by peer 999" {
		t.Errorf("text %q, want the newest", got)
	}
	ps.mu.Lock()
	ps.byKey[key].loggedAt = time.Now().Add(-relogAfter)
	ps.mu.Unlock()
	ps.report(key, errors.New("another"))
	ps.report(key, errors.New("another"))
	if n := logs.Len(); n != 3 {
		t.Errorf("logged %d times, want 3", n)
	}
	ps.clear(key)
	ps.clear(key)
	if n := logs.FilterMessageSnippet("over").Len(); n != 1 || len(ps.list()) != 1 {
		t.Errorf("its end was logged %d times, and %d problems are left; want 1, 1", n, len(ps.list()))
	}
}
