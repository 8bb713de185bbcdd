package registry

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

func TestSchemaIsAskedForOnce(t *testing.T) {
	f := newFake(t)
	f.seed("a", 7, plain)
	f.SeedSchema("j", 1, 8, sr.Schema{Schema: `{"type":"object"}`, Type: sr.TypeJSON})
	f.SeedSchema("p", 1, 9, sr.Schema{Schema: `syntax = "proto3";`, Type: sr.TypeProtobuf})
	c := newClient(t, Config{}, f.server.URL+"/")
	if s, ok := c.Known(Number(7)); ok {
		t.Errorf("known before it was asked for: %v", s)
	}
	for range 3 {
		for _, want := range []Schema{
			{Number(7), Avro, plain},
			{Number(8), JSON, `{"type":"object"}`},
			{Number(9), Protobuf, `syntax = "proto3";`},
		} {
			if s, err := c.Schema(t.Context(), want.ID); err != nil || s != want {
				t.Errorf("got %v %v, want %v", s, err, want)
			}
			if s, ok := c.Known(want.ID); !ok || s != want {
				t.Errorf("known: %v %v, want %v", s, ok, want)
			}
		}
	}
	f.expect(t, "GET /schemas/ids/7", "GET /schemas/ids/8", "GET /schemas/ids/9")
	if s := c.State(); s.Schemas != 3 || s.Unknown != 0 || s.Err != nil || !s.Since.IsZero() || s.URL != f.server.URL {
		t.Errorf("%+v", s)
	}
}

func TestSchemaByGUID(t *testing.T) {
	f := newFake(t)
	f.seed("a", 7, plain)
	known, ok := f.GetSchema("a", 1)
	if !ok || len(known.GUID) != 36 {
		t.Fatalf("%+v", known)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(known.GUID, "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	id := GUID([16]byte(raw))
	c := newClient(t, Config{}, f.server.URL)
	if s, err := c.Schema(t.Context(), id); err != nil || s != (Schema{id, Avro, plain}) {
		t.Errorf("%v %v", s, err)
	}
	f.expect(t, "GET /schemas/guids/"+known.GUID)
	e := fails[*UnknownError](t, func() error { _, err := c.Schema(t.Context(), GUID(someGUID)); return err }())
	if e.ID != GUID(someGUID) || !strings.Contains(e.Error(), "89791032-0001-0203-0405-060708090aff") {
		t.Errorf("%v", e)
	}
}

// A hundred who want one schema make one request, and all get it.
func TestOneRequestForAll(t *testing.T) {
	f := newFake(t)
	f.seed("a", 7, plain)
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	f.Intercept(func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-release
		return false
	})
	c := newClient(t, Config{}, f.server.URL)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if s, err := c.Schema(t.Context(), Number(7)); err != nil || s.Text != plain {
				t.Errorf("%v %v", s, err)
			}
		})
	}
	<-arrived
	close(release)
	all.Wait()
	f.expect(t, "GET /schemas/ids/7")
}

// However many ids come, few requests are under way at a time.
func TestLookupsAreLimited(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	now, most := 0, 0
	add := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		now += n
		most = max(most, now)
	}
	f.Intercept(func(http.ResponseWriter, *http.Request) bool {
		add(1)
		time.Sleep(time.Millisecond)
		add(-1)
		return false
	})
	c := newClient(t, Config{}, f.server.URL)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() { _, _ = c.Schema(t.Context(), Number(uint32(i))) })
	}
	all.Wait()
	if n := len(f.asked()); n != 40 || most > maxLookups {
		t.Errorf("%d requests, at most %d at a time", n, most)
	}
}

// Who asked first may go: the others still get the schema.
func TestCallerGoesLookupStays(t *testing.T) {
	f := newFake(t)
	f.seed("a", 7, plain)
	arrived, release := make(chan struct{}), make(chan struct{})
	f.Intercept(func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-release
		return false
	})
	c := newClient(t, Config{}, f.server.URL)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := c.Schema(ctx, Number(7))
		first <- err
	}()
	<-arrived
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	settle(t, "the schema is known", func() bool { _, ok := c.Known(Number(7)); return ok })
	if s := c.State(); s.Err != nil {
		t.Errorf("a caller that went counts as trouble: %v", s.Err)
	}
}

func TestCloseEndsLookups(t *testing.T) {
	f := newFake(t)
	arrived := make(chan struct{})
	f.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		// Until it is read, the server does not notice that the client has gone.
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
		return true
	})
	c := newClient(t, Config{}, f.server.URL)
	errs := make(chan error)
	go func() { _, err := c.Fetch(t.Context(), Number(7)); errs <- err }()
	<-arrived
	go func() { _, err := c.Register(t.Context(), "s", plain); errs <- err }()
	<-arrived
	c.Close()
	for range 2 {
		if err := <-errs; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	if _, err := c.Schema(t.Context(), Number(8)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := c.Lookup(t.Context(), "s", plain); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// An unknown id is asked for again when its time is over, and remembers since when
// it is unknown.
func TestUnknownIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{Registry: srfake.NewRegistry()}
		c := inMemory(t, Config{UnknownTTL: 10 * time.Second}, http.HandlerFunc(f.serve))
		start := time.Now()
		ask := func() error { _, err := c.Schema(t.Context(), Number(7)); return err }
		for range 5 {
			if e := fails[*UnknownError](t, ask()); !e.Since.Equal(start) || e.ID != Number(7) || e.Subject != "" {
				t.Errorf("%+v", e)
			}
			time.Sleep(time.Second)
		}
		f.expect(t, "GET /schemas/ids/7")
		time.Sleep(5*time.Second - 1)
		_ = ask()
		f.expect(t)
		time.Sleep(time.Nanosecond)
		if e := fails[*UnknownError](t, ask()); !e.Since.Equal(start) {
			t.Errorf("since %v, want %v", e.Since, start)
		}
		f.expect(t, "GET /schemas/ids/7")
		if s := c.State(); s.Unknown != 1 || s.Err != nil || len(c.Problems()) != 0 {
			t.Errorf("an unknown id is no trouble with the registry: %+v", s)
		}
		time.Sleep(10 * time.Second)
		f.seed("a", 7, plain)
		if err := ask(); err != nil {
			t.Error(err)
		}
		if s := c.State(); s.Unknown != 0 || s.Schemas != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// No registry has such a number; a path with it may not even be one.
func TestNumbersThatNoRegistryHas(t *testing.T) {
	f := newFake(t)
	c := newClient(t, Config{}, f.server.URL)
	for _, id := range []ID{Number(1 << 31), Number(1<<32 - 1), {}} {
		_, err := c.Schema(t.Context(), id)
		fails[*UnknownError](t, err)
	}
	f.expect(t)
}

func TestCacheIsBounded(t *testing.T) {
	f := newFake(t)
	for i := range 6 {
		f.seed(fmt.Sprint(i), i+1, strings.Repeat(" ", 300)+plain)
	}
	c := newClient(t, Config{MaxEntries: 4}, f.server.URL)
	for i := range 6 {
		if _, err := c.Schema(t.Context(), Number(uint32(i+1))); err != nil {
			t.Fatal(err)
		}
		_, err := c.Schema(t.Context(), Number(uint32(100+i)))
		fails[*UnknownError](t, err)
	}
	if s := c.State(); s.Schemas != 4 || s.Unknown != 4 {
		t.Errorf("%+v", s)
	}
	var kept []int
	for i := range 6 {
		if _, ok := c.Known(Number(uint32(i + 1))); ok {
			kept = append(kept, i+1)
		}
	}
	if !slices.Equal(kept, []int{3, 4, 5, 6}) {
		t.Errorf("kept %v", kept)
	}
	cache := newCache(Config{MaxEntries: 100, MaxSchemaBytes: 10, UnknownTTL: 1})
	for i := range 50 {
		_, _ = cache.keep(Number(uint32(i)), Schema{Text: "ten bytes!"}, nil, time.Now())
		_, _ = cache.keep(Number(uint32(i)), Schema{Text: "ten bytes!"}, nil, time.Now())
	}
	if n, _ := cache.size(); n != cacheSchemas || cache.schemas.weight != 10*cacheSchemas {
		t.Errorf("%d schemas of %d bytes", n, cache.schemas.weight)
	}
}
