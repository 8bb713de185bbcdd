package kustomersim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Server simulates one organisation. Make it with [New], mount it with any
// HTTP server, end it with [Server.Close].
type Server struct {
	opts     Options
	control  http.Handler
	requests sync.Pool      // *request
	done     chan struct{}  // closed by Close
	wg       sync.WaitGroup // workers, late operations and calls

	mu      sync.Mutex // guards everything below
	closed  bool
	ready   *sync.Cond // the queue has work, or the server is closed
	script  *installed
	changed chan struct{} // closed when the script changes

	// A source for each purpose: what one draws does not shift the others.
	faultRand, planRand, pickRand *rand.Rand

	store        store
	meter        meter
	rec          recorder
	seq          uint64
	lastFinished uint64
	ops          map[string]*operation
	queue        []*operation // accepted, waiting for a worker
	retired      []*operation // complete, oldest first
	open         int64
	idle         chan struct{} // closed while open is 0
}

// installed is a script in force.
type installed struct {
	Script
	since   time.Time
	failIDs map[string]struct{}
	poisons []*poison
	seen    []int64 // calls each fault has matched
	struck  []int64
}

// New starts a simulator with its workers. It panics if the script is invalid;
// check one that comes from outside with [Script.Validate] first.
func New(opts Options) *Server {
	s := &Server{
		opts:    opts.withDefaults(),
		done:    make(chan struct{}),
		changed: make(chan struct{}),
		store:   newStore(),
		rec:     newRecorder(),
		ops:     map[string]*operation{},
		idle:    make(chan struct{}),

		faultRand: rand.New(rand.NewPCG(opts.Seed, 1)),
		planRand:  rand.New(rand.NewPCG(opts.Seed, 2)),
		pickRand:  rand.New(rand.NewPCG(opts.Seed, 3)),
	}
	s.requests.New = func() any { return new(request) }
	s.ready = sync.NewCond(&s.mu)
	s.control = s.controlHandler()
	close(s.idle)
	if err := s.SetScript(*s.opts.Script); err != nil {
		panic(err)
	}
	for range s.opts.Workers {
		s.wg.Go(s.work)
	}
	return s
}

// Close stops the workers where they are, wakes calls that wait, and returns
// when all are gone. Operations still open stay unapplied. Later calls get a
// 503. It may be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
		s.ready.Broadcast()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// SetScript replaces the script; its windows and counts start afresh. An
// invalid script changes nothing. Operations keep what was drawn for them.
func (s *Server) SetScript(sc Script) error {
	if err := sc.Validate(); err != nil {
		return fmt.Errorf("fault script is invalid: %w", err)
	}
	in := &installed{
		Script: sc, since: time.Now(), failIDs: setOf(sc.FailIDs), poisons: sc.poisons(),
		seen: make([]int64, len(sc.Faults)), struck: make([]int64, len(sc.Faults)),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = in
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// Script returns the script in force.
func (s *Server) Script() Script { return s.currentScript() }

func setOf(ids []string) map[string]struct{} {
	set := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}

// Message returns the fields of a message as raw JSON values, custom members
// as "custom.name". A cleared field is null. False: it was
// neither written nor seeded.
func (s *Server) Message(id string) (map[string]jsontext.Value, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.store.messages[id]
	if !m.known() {
		return nil, false
	}
	return m.snapshot(), true
}

// Quiesce waits until no accepted operation is open. One that never ends keeps
// it waiting for ctx.
func (s *Server) Quiesce(ctx context.Context) error {
	s.mu.Lock()
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	case <-s.done:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == 0 {
		return nil
	}
	if s.closed {
		return fmt.Errorf("%d operations were open when the simulator was closed", s.open)
	}
	return fmt.Errorf("%d operations still open: %w", s.open, ctx.Err())
}

// ServeHTTP answers one call of the API or of the control endpoints.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		http.Error(w, "simulator is closed", http.StatusServiceUnavailable)
		return
	}
	defer s.wg.Done()
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control.ServeHTTP(w, r)
		return
	}
	s.arrive(w, r).serve()
}

// enter makes Close wait for the caller, unless it has begun.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	return true
}

// sleep waits for d, or until the server is closed: then it reports false.
func (s *Server) sleep(d time.Duration) bool { return s.sleepOr(d, nil) }

// sleepOr is sleep that also ends, with false, when stop is closed.
func (s *Server) sleepOr(d time.Duration, stop <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
	case <-s.done:
	}
	return false
}

// awaitNoStall waits while processing stands still.
func (s *Server) awaitNoStall() bool {
	for {
		s.mu.Lock()
		left, stalled := s.script.stall(time.Since(s.script.since))
		changed := s.changed
		s.mu.Unlock()
		if !stalled {
			return true
		}
		s.sleepOr(left, changed)
		select {
		case <-s.done:
			return false
		default:
		}
	}
}
