package registry

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"golang.org/x/sync/singleflight"
)

// The types of schemas.
const (
	Avro     = "AVRO"
	JSON     = "JSON"
	Protobuf = "PROTOBUF"
)

// Schema is one as the registry has it. It never changes.
type Schema struct {
	ID   ID
	Type string // Avro, JSON or Protobuf
	// Text is the registry's, byte for byte. Only that of an Avro schema which
	// refers to others is ours: it has their types in it.
	Text string
}

// maxLookups is how many schemas are asked for at the same time. Ids come with
// records, so whoever can produce one decides how many there are.
const maxLookups = 4

// Client asks a registry, and keeps what it said. It is safe for concurrent use.
type Client struct {
	cfg         Config
	endpoints   []endpoint
	preferred   atomic.Int32 // the endpoint that answered last
	credentials *credentials
	transport   *http.Transport
	health      health
	cache       *cache
	flights     singleflight.Group
	turns       chan struct{} // one for each lookup under way
	vain        atomic.Int64  // until when unknown ids are not waited for, in ns since 1970

	root   context.Context // of the lookups: they outlive who asked first
	cancel context.CancelFunc
	mu     sync.Mutex
	closed bool
	under  sync.WaitGroup // lookups under way
}

// endpoint is one URL.
type endpoint struct {
	label string
	api   *sr.Client
}

// New checks the configuration and reads the files it names. It does not call the
// registry.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	urls, err := baseURLs(cfg.URLs)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, cache: newCache(cfg), turns: make(chan struct{}, maxLookups)}
	if c.credentials, err = newCredentials(cfg); err != nil {
		return nil, err
	}
	if c.transport, err = newTransport(cfg); err != nil {
		return nil, err
	}
	if err := c.connect(urls, c.transport); err != nil {
		return nil, err
	}
	c.root, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// connect makes a client of sr for each URL. sr can go from one URL to the next by
// itself, but only when there was no reply at all.
func (c *Client) connect(urls []*url.URL, rt http.RoundTripper) error {
	c.endpoints = nil
	httpClient := &http.Client{Transport: &bounded{next: rt, max: c.cfg.MaxSchemaBytes}}
	for _, u := range urls {
		api, err := sr.NewClient(sr.URLs(u.String()), sr.HTTPClient(httpClient), sr.UserAgent("kafka-kustomer"), sr.PreReq(c.credentials.sign))
		if err != nil {
			return err
		}
		c.endpoints = append(c.endpoints, endpoint{label: label(u), api: api})
	}
	return nil
}

// Close ends the lookups under way, waits for them and drops idle connections.
// Later calls that need the registry return [ErrClosed].
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.under.Wait()
	c.transport.CloseIdleConnections()
}

// enter reports whether something new may start; if so, c.under.Done must follow.
func (c *Client) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.under.Add(1)
	}
	return !c.closed
}

// Known returns a schema that has been asked for before. It does no I/O.
func (c *Client) Known(id ID) (Schema, bool) { return c.cache.known(id) }

// Schema returns a schema, from what is kept or from the registry. All who ask for
// one id at the same time share one lookup, which goes on when a caller's context
// ends; it has a deadline of its own. Each URL is tried once.
//
// Errors are [*UnavailableError], [*RefusedError], [*UnknownError],
// [*UnusableError], [ErrClosed] or the context's.
func (c *Client) Schema(ctx context.Context, id ID) (Schema, error) {
	if s, err, ok := c.cache.find(id, time.Now()); ok {
		return s, err
	}
	shared := c.flights.DoChan(id.String(), func() (any, error) { return c.lookUp(id) })
	select {
	case r := <-shared:
		s, _ := r.Val.(Schema)
		return s, r.Err
	case <-ctx.Done():
		return Schema{}, ctx.Err()
	}
}

// lookUp is the lookup that callers share.
func (c *Client) lookUp(id ID) (Schema, error) {
	if !c.enter() {
		return Schema{}, ErrClosed
	}
	defer c.under.Done()
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-c.root.Done():
		return Schema{}, ErrClosed
	}
	// Who came just after a lookup had ended would ask again.
	if s, err, ok := c.cache.find(id, time.Now()); ok {
		return s, err
	}
	// Each URL may take its time, and there may be references to ask for then.
	ctx, cancel := context.WithTimeout(c.root, time.Duration(len(c.endpoints)+2)*c.cfg.Timeout)
	defer cancel()
	s, err := c.load(ctx, id)
	switch {
	case c.root.Err() != nil:
		return Schema{}, ErrClosed
	case ctx.Err() != nil:
		err = &UnavailableError{
			URL:  c.endpoints[c.preferred.Load()].label,
			What: "schema " + id.String() + " with what it refers to took too long", Check: "check the registry's load",
		}
		c.health.note(err)
		return Schema{}, err
	}
	return c.cache.keep(id, s, err, time.Now())
}

// load asks for a schema and for what it refers to.
func (c *Client) load(ctx context.Context, id ID) (Schema, error) {
	// Registries count with a signed number, and some answer to more than that as if
	// the path were wrong.
	if id.IsZero() || id.form == byNumber && id.number > math.MaxInt32 {
		return Schema{}, &UnknownError{ID: id}
	}
	path := "/schemas/ids/" + id.String()
	if id.form == byGUID {
		path = "/schemas/guids/" + id.String()
	}
	r, err := c.get(ctx, path)
	switch err {
	case nil:
	case errNotFound:
		return Schema{}, &UnknownError{ID: id}
	case errTooLarge:
		return Schema{}, &UnusableError{ID: id, Why: tooLarge(c.cfg.MaxSchemaBytes)}
	default:
		return Schema{}, err
	}
	s := Schema{ID: id, Type: r.Type, Text: r.Schema}
	switch s.Type {
	case "":
		s.Type = Avro
	case Avro, JSON, Protobuf:
	default:
		return Schema{}, &UnusableError{ID: id, Why: "its type is none of AVRO, JSON and PROTOBUF"}
	}
	if s.Type == Avro && len(r.References) > 0 {
		s.Text, err = c.selfContained(ctx, id, r)
	}
	return s, err
}

// reply is what a registry says of a schema.
type reply struct {
	Schema     string               `json:"schema"`
	Type       string               `json:"schemaType"`
	References []sr.SchemaReference `json:"references"`
}

// get asks for a schema at a path. Of the errors, errNotFound and errTooLarge are
// about that schema.
func (c *Client) get(ctx context.Context, path string) (reply, error) {
	var r reply
	err := c.ask(ctx, func(ctx context.Context, api *sr.Client) error {
		r = reply{}
		// Not SchemaByID: it fails on a type that it does not know.
		err := api.Do(ctx, http.MethodGet, path, nil, &r)
		var reply *sr.ResponseError
		switch {
		case errors.As(err, &reply) && reply.StatusCode != http.StatusNotFound:
			return &statusError{status: reply.StatusCode} // a conflict in a GET?
		case err == nil && r.Schema == "":
			return errForeign
		}
		return err
	})
	return r, err
}
