package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"go.uber.org/goleak"

	"kafka-kustomer/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const plain = `{"type":"record","name":"Plain","fields":[{"name":"a","type":"int"}]}`

// fake is srfake behind a server that counts.
type fake struct {
	*srfake.Registry
	server *httptest.Server
	mu     sync.Mutex
	paths  []string
}

func newFake(t *testing.T, opts ...srfake.Option) *fake {
	t.Helper()
	f := &fake{Registry: srfake.NewRegistry(opts...)}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.server.Close)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.paths = append(f.paths, r.Method+" "+r.URL.RequestURI())
	f.mu.Unlock()
	f.Handler().ServeHTTP(w, r)
}

// asked returns the requests since the last call.
func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	paths := f.paths
	f.paths = nil
	return paths
}

func (f *fake) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := f.asked(); !slices.Equal(got, want) {
		t.Errorf("requests: %q, want %q", got, want)
	}
}

// answer makes the fake say the same to everything.
func (f *fake) answer(h http.HandlerFunc) {
	f.ClearInterceptors()
	f.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		h(w, r)
		return true
	})
}

func newClient(t *testing.T, cfg Config, urls ...string) *Client {
	t.Helper()
	if urls != nil {
		cfg.URLs = urls
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// inMemory is a client whose requests go straight to a handler, so that it can be
// used where time is not real.
func inMemory(t *testing.T, cfg Config, h http.Handler) *Client {
	t.Helper()
	c := newClient(t, cfg, "http://registry.test")
	u, err := url.Parse("http://registry.test")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.connect([]*url.URL{u}, handlerTransport{h}); err != nil {
		t.Fatal(err)
	}
	return c
}

type handlerTransport struct{ http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

func (f *fake) seed(subject string, id int, text string, refs ...sr.SchemaReference) {
	f.SeedSchema(subject, 1, id, sr.Schema{Schema: text, References: refs})
}

// plant is a schema that srfake would not take, as it checks references.
func (f *fake) plant(subject string, id int, text string, refs ...sr.SchemaReference) {
	body, err := json.Marshal(sr.Schema{Schema: text, References: refs})
	if err != nil {
		panic(err)
	}
	paths := []string{fmt.Sprintf("/schemas/ids/%d", id), "/subjects/" + url.PathEscape(subject) + "/versions/1"}
	f.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mine := slices.Contains(paths, r.URL.EscapedPath())
		if mine {
			_, _ = w.Write(body)
		}
		return mine
	})
}

// fails is an error of a type, which holds no canary.
func fails[E error](t *testing.T, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Fatalf("got %T %v, want a %T", err, err, e)
	}
	if at, as := canary.Find([]byte(err.Error())); at >= 0 {
		t.Errorf("the error has a canary %s: %v", as, err)
	}
	return e
}

// settle waits for what another goroutine is about to do.
func settle(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
