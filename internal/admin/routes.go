package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// maxScrapes is how many requests for metrics are served at a time.
const maxScrapes = 4

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("POST /brake/release", s.release)
	if s.cfg.Level != nil {
		mux.HandleFunc("GET /log/level", s.logLevel)
		mux.HandleFunc("PUT /log/level", s.logLevel)
	}
	if s.cfg.PProf {
		profiles(mux)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.gatherer(), promhttp.HandlerOpts{
		ErrorLog: zap.NewStdLog(s.log.Named("metrics")), MaxRequestsInFlight: maxScrapes,
		ErrorHandling: promhttp.ContinueOnError, // one bad series must not hide the others
	}))
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		guarded.ServeHTTP(w, r)
	})
}

// healthz asks the loop for a sign of life, and neither Kafka nor the API.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	program, phase, _ := s.state()
	if phase == running {
		_, err := s.snapshot(r.Context(), program)
		if _, phase, _ = s.state(); err != nil && phase == running {
			text(w, http.StatusServiceUnavailable, "the loop does not answer: "+err.Error())
			return
		}
	}
	text(w, http.StatusOK, string(phase))
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	readiness := assess(s.look(r.Context()))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code(readiness))
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(readiness) // whoever asked has gone
}

// code is the HTTP status for a readiness.
func code(r Readiness) int {
	if r.Ready {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}

// release releases the brake. That it is on record who did is what the log is for.
func (s *Server) release(w http.ResponseWriter, r *http.Request) {
	program, _, _ := s.state()
	switch {
	case program == nil:
		text(w, http.StatusServiceUnavailable, "the program is starting: there is no brake to release yet")
		return
	case program.Release == nil:
		text(w, http.StatusNotImplemented, "this program has no brake to release")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.patience)
	defer cancel()
	by := zap.String("remote_address", r.RemoteAddr)
	held, err := program.Release(ctx)
	if err != nil {
		s.log.Warn("the brake could not be released by hand", by, zap.Error(err))
		text(w, http.StatusServiceUnavailable, "the brake is not released: "+err.Error()+"; see /readyz")
		return
	}
	if !held {
		text(w, http.StatusOK, "the brake does not hold: nothing to release")
		return
	}
	s.log.Info("the brake was released by hand", by)
	text(w, http.StatusOK, "the brake is released: events that can't be delivered go to the dead-letter topic again")
}

// maxLevelBody is the most that a request for another log level may say.
const maxLevelBody = 1 << 10

// logLevel reads the level of the log, or sets it until the next start: as JSON,
// {"level": "debug"}, or as a form, level=debug.
func (s *Server) logLevel(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLevelBody)
	w.Header().Set("Content-Type", "application/json")
	before := s.cfg.Level.Level()
	reply := heldReply{ResponseWriter: w, code: http.StatusOK}
	s.cfg.Level.ServeHTTP(&reply, r)
	if s.cfg.Level.Level() > zapcore.ErrorLevel { // errors are always told
		s.cfg.Level.SetLevel(zapcore.ErrorLevel)
		reply.body.Reset()
		fmt.Fprintf(&reply.body, "{\"level\":%q}\n", zapcore.ErrorLevel)
	}
	w.WriteHeader(reply.code)
	_, _ = w.Write(reply.body.Bytes()) // a client that is gone misses nothing
	if after := s.cfg.Level.Level(); after != before {
		s.log.Log(max(after, zapcore.InfoLevel), "the log level was set by hand, until the next start", zap.Stringer("from", before),
			zap.Stringer("to", after), zap.String("remote_address", r.RemoteAddr))
	}
}

// heldReply keeps a reply back, for it may have to say something else.
type heldReply struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

func (r *heldReply) WriteHeader(code int) { r.code = code }

func (r *heldReply) Write(p []byte) (int, error) { return r.body.Write(p) }

// profiles serves Go's own profiles. One that takes longer than the server lets a
// reply take sets its own deadline.
func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

func text(w http.ResponseWriter, code int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintln(w, line)
}
