package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// listening starts a server on a free port and returns its base URL, as logged.
func listening(t *testing.T) (s *Server, base string) {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	s = New(Config{Listen: "127.0.0.1:0", Name: "mine", Version: "v1"}, zap.New(core))
	s.patience = testPatience
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for _, entry := range logs.All() {
		if address, ok := entry.ContextMap()["address"].(string); ok {
			return s, "http://" + address
		}
	}
	t.Fatalf("no address in the log: %v", logs.All())
	return nil, ""
}

func TestStartServesUntilClose(t *testing.T) {
	s, base := listening(t)
	s.Attach((&fake{}).program())
	if code, _, body := ask(t, http.MethodGet, base+"/healthz"); code != 200 || body != "running\n" {
		t.Errorf("status %d, %q", code, body)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")); err == nil {
		conn.Close()
		t.Error("it still listens after Close")
	}
}

func TestStartNamesTheAddress(t *testing.T) {
	s, base := listening(t)
	defer s.Close(t.Context())
	taken := strings.TrimPrefix(base, "http://")
	err := New(Config{Listen: taken}, zap.NewNop()).Start()
	if err == nil || !strings.Contains(err.Error(), taken) || !strings.Contains(err.Error(), "admin.listen") {
		t.Errorf("on a port that is taken: %v", err)
	}
}

func TestNotListening(t *testing.T) {
	s := New(Config{}, zap.NewNop())
	if err := s.Start(); err != nil {
		t.Error(err)
	}
	s.Attach((&fake{}).program())
	s.Drain()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A client that never finishes its request does not hold up the end.
func TestCloseHasADeadline(t *testing.T) {
	s, base := listening(t)
	release := make(chan struct{})
	entered := make(chan struct{})
	f := &fake{release: func(context.Context) (bool, error) {
		close(entered)
		<-release
		return true, nil
	}}
	s.Attach(f.program())
	done := make(chan error, 1)
	go func() {
		reply, err := http.Post(base+"/brake/release", "", nil)
		if err == nil {
			reply.Body.Close()
		}
		done <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	begun := time.Now()
	err := s.Close(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := <-done; err == nil {
		t.Error("the request was answered although it was cut")
	}
	close(release)
}
