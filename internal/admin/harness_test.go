package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a program whose state a test sets before it asks.
type fake struct {
	snapshot batcher.Snapshot
	kafka    Kafka
	oldest   time.Duration
	hang     bool                                // the loop does not answer
	err      error                               // it answers with that
	release  func(context.Context) (bool, error) // nil: no brake

	schemas      Schemas
	asking, most atomic.Int32 // snapshots asked for at this moment, and at most
	kafkaAsked   atomic.Int32
}

func (f *fake) program() Program {
	return Program{
		Snapshot: func(ctx context.Context) (batcher.Snapshot, error) {
			defer f.asking.Add(-1)
			if n := f.asking.Add(1); n > f.most.Load() {
				f.most.Store(n)
			}
			if f.hang {
				<-ctx.Done()
				return batcher.Snapshot{}, ctx.Err()
			}
			return f.snapshot, f.err
		},
		Kafka: func() Kafka {
			f.kafkaAsked.Add(1)
			return f.kafka
		},
		Schemas:        func() Schemas { return f.schemas },
		Unacknowledged: func(time.Time) time.Duration { return f.oldest },
		Release:        f.release,
	}
}

var errStopped = errors.New("the pipeline has stopped")

// testPatience is how long a loop that hangs holds up a test.
const testPatience = 20 * time.Millisecond

func newServer(t *testing.T) *Server {
	t.Helper()
	s := New(Config{Name: "mine", Version: "v1.2.3", ConfigHash: "abc123"}, zap.NewNop())
	s.patience = testPatience
	return s
}

// serve serves over real HTTP; its address is base.
func serve(t *testing.T, s *Server) (base string) {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return web.URL
}

// ask makes one request. headers are names and values in turn.
func ask(t *testing.T, method, url string, headers ...string) (code int, header http.Header, body string) {
	t.Helper()
	return askWith(t, method, url, "", headers...)
}

// askWith is ask with a body.
func askWith(t *testing.T, method, url, sent string, headers ...string) (code int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, reply.Header, string(text)
}
