package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"kafka-kustomer/batcher"
)

// Config is who is told about, and where.
type Config struct {
	Listen     string // host:port to listen on, port 0: any that is free; empty: none
	Name       string // of the connector
	Version    string // of the program
	ConfigHash string // of its configuration, without secrets

	Metrics prometheus.Gatherer // beside those made from a look at the program; nil: none
	Level   *zap.AtomicLevel    // of the log, to be read and set; nil: it is not for changing
	PProf   bool                // serve Go's profiles
}

// loopPatience is how long the loop may take to answer. It needs microseconds.
const loopPatience = 5 * time.Second

// Server answers about one program. It is an [http.Handler] that also listens by
// itself; the methods may be called from any goroutine.
type Server struct {
	cfg      Config
	log      *zap.Logger
	patience time.Duration
	handler  http.Handler
	turn     chan struct{} // holds a token while the loop is asked

	mu      sync.Mutex // guards what follows
	phase   phase
	since   time.Time
	program *Program // nil before Attach

	http   *http.Server // nil when it does not listen
	served chan error   // holds what http.Serve returned
}

// New returns a server of a program that is starting. It does not listen yet.
func New(cfg Config, log *zap.Logger) *Server {
	s := &Server{
		cfg: cfg, log: log, patience: loopPatience, turn: make(chan struct{}, 1),
		phase: starting, since: time.Now(),
	}
	s.handler = s.routes()
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Start listens, unless the configuration says not to, and returns. An error
// names the address. Call it once.
func (s *Server) Start() error {
	if s.cfg.Listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("admin.listen is %q: %w; check that the address is this machine's and that no other program, such as a second connector, has the port, or set it to \"\" to do without",
			s.cfg.Listen, err)
	}
	// What clients do wrong is no trouble of ours.
	quiet, err := zap.NewStdLogAt(s.log, zapcore.DebugLevel)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.http = &http.Server{
		Handler:           s,
		ErrorLog:          quiet,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      s.patience + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	s.served = make(chan error, 1)
	go s.serve(listener)
	s.log.Info("status page, probes and metrics", zap.Stringer("address", listener.Addr()))
	return nil
}

// serve is the goroutine that Close waits for. When it fails in between, delivery
// goes on: whoever probes us sees that nothing answers.
func (s *Server) serve(listener net.Listener) {
	err := s.http.Serve(listener)
	if !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("status page, probes and metrics have ended; delivery goes on: check the machine's sockets and file limits", zap.Error(err))
	}
	s.served <- err
}

// Attach says what to ask from now on: the program runs, unless it drains
// already. Call it once.
func (s *Server) Attach(p Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.program = &p
	if s.phase == starting {
		s.phase, s.since = running, time.Now()
	}
}

// Drain says that the program is about to end: it is not ready any more.
func (s *Server) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != draining {
		s.phase, s.since = draining, time.Now()
	}
}

// Close stops listening and waits for the requests under way, until ctx ends:
// then they are cut.
func (s *Server) Close(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("requests to the admin server were cut: %w", errors.Join(err, s.http.Close()))
	}
	<-s.served
	return err
}

func (s *Server) state() (p *Program, ph phase, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.program, s.phase, s.since
}

// look looks at the program once.
func (s *Server) look(ctx context.Context) status {
	program, _, _ := s.state()
	var st status
	if program != nil {
		st.asked = true
		st.snapshot, st.silent = s.snapshot(ctx, program)
		st.kafka, st.schemas = program.Kafka(), program.Schemas()
	}
	// The phase last: that the loop has ended is part of draining.
	_, st.phase, st.since = s.state()
	st.now = time.Now()
	if program != nil {
		st.oldest = program.Unacknowledged(st.now)
	}
	return st
}

// snapshot asks the loop, one request at a time: a question that is given up
// stays in the loop's inbox until it turns again.
func (s *Server) snapshot(ctx context.Context, p *Program) (batcher.Snapshot, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, fmt.Errorf("nothing came within %v", s.patience))
	defer cancel()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return batcher.Snapshot{}, context.Cause(ctx)
	}
	snapshot, err := p.Snapshot(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return snapshot, err
}
