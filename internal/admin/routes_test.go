package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
)

func TestHealthz(t *testing.T) {
	s := newServer(t)
	base := serve(t, s)
	expect := func(code int, want string) {
		t.Helper()
		if got, _, body := ask(t, http.MethodGet, base+"/healthz"); got != code || body != want+"\n" {
			t.Errorf("status %d, %q; want %d, %q", got, body, code, want)
		}
	}
	f := &fake{ // everything but the loop is in trouble
		kafka:    Kafka{Problems: []Problem{{Text: "away"}}},
		snapshot: batcher.Snapshot{Troubles: []batcher.Trouble{trouble(batcher.TroubleOutage, time.Now())}},
		oldest:   time.Hour,
	}
	expect(200, "starting")
	s.Attach(f.program())
	expect(200, "running")
	f.hang = true
	expect(503, "the loop does not answer: nothing came within 20ms")
	f.hang, f.err = false, errStopped
	expect(503, "the loop does not answer: the pipeline has stopped")
	s.Drain()
	expect(200, "draining")
	if n := f.kafkaAsked.Load(); n != 0 {
		t.Errorf("health asked about Kafka %d times", n)
	}
}

// The loop may end between the question and the answer: that is draining, not a
// loop that hangs.
func TestTheLoopEndsWhileItIsAsked(t *testing.T) {
	for path, want := range map[string]string{"/healthz": "draining\n", "/readyz": `"kind": "draining"`} {
		s := newServer(t)
		p := (&fake{}).program()
		p.Snapshot = func(context.Context) (batcher.Snapshot, error) {
			s.Drain()
			return batcher.Snapshot{}, errStopped
		}
		s.Attach(p)
		_, _, body := ask(t, http.MethodGet, serve(t, s)+path)
		if !strings.Contains(body, want) || strings.Contains(body, "does not answer") {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// Probes that give up leave a question in the loop's inbox, so there must not be
// one for each of them.
func TestALoopThatHangsIsAskedOnce(t *testing.T) {
	s := newServer(t)
	s.patience = 100 * time.Millisecond
	base := serve(t, s)
	f := &fake{hang: true}
	s.Attach(f.program())
	var wg sync.WaitGroup
	for _, path := range []string{"/healthz", "/readyz", "/", "/metrics", "/healthz", "/readyz"} {
		wg.Go(func() {
			code, _, body := ask(t, http.MethodGet, base+path)
			if strings.HasSuffix(path, "z") != (code == 503) {
				t.Errorf("%s: status %d, %s", path, code, body)
			}
		})
	}
	wg.Wait()
	if f.most.Load() != 1 {
		t.Errorf("%d questions at a time, want 1", f.most.Load())
	}
}

func TestBrakeRelease(t *testing.T) {
	released := 0
	do := func(_ context.Context) (bool, error) { released++; return true, nil }
	idle := func(_ context.Context) (bool, error) { return false, nil }
	fail := func(_ context.Context) (bool, error) { return false, errStopped }
	slow := func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }
	for _, test := range []struct {
		name    string
		method  string
		release func(context.Context) (bool, error)
		start   bool // no program yet
		headers []string
		code    int
		says    string
	}{
		{name: "released", method: "POST", release: do, code: 200, says: "is released"},
		{name: "from its own page", method: "POST", release: do, headers: []string{"Sec-Fetch-Site", "same-origin"}, code: 200, says: "is released"},
		{name: "it does not hold", method: "POST", release: idle, code: 200, says: "does not hold"},
		{name: "no brake", method: "POST", code: 501, says: "no brake"},
		{name: "starting", method: "POST", start: true, code: 503, says: "starting"},
		{name: "it fails", method: "POST", release: fail, code: 503, says: "not released: the pipeline has stopped"},
		{name: "the loop hangs", method: "POST", release: slow, code: 503, says: "not released: context deadline exceeded"},
		{name: "GET", method: "GET", release: do, code: 405, says: "Method Not Allowed"},
		{name: "PUT", method: "PUT", release: do, code: 405, says: "Method Not Allowed"},
		{name: "another site's page", method: "POST", release: do, headers: []string{"Sec-Fetch-Site", "cross-site"}, code: 403, says: "cross-origin"},
		{name: "another site's old browser", method: "POST", release: do, headers: []string{"Origin", "https://evil.example"}, code: 403, says: "cross-origin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			if !test.start {
				s.Attach((&fake{release: test.release}).program())
			}
			before := released
			code, _, body := ask(t, test.method, serve(t, s)+"/brake/release", test.headers...)
			if code != test.code || !strings.Contains(body, test.says) {
				t.Errorf("status %d, %q; want %d, %q", code, body, test.code, test.says)
			}
			if want := before + map[bool]int{true: 1}[strings.Contains(body, "is released")]; released != want {
				t.Errorf("released %d times, want %d", released, want)
			}
		})
	}
}

func TestLogLevel(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name    string
		method  string
		query   string
		body    string
		headers []string
		fixed   bool // the log has no level to set
		code    int
		says    string
		level   zapcore.Level
	}{
		{name: "asked", method: "GET", code: 200, says: `{"level":"info"}`, level: zap.InfoLevel},
		{name: "JSON", method: "PUT", body: `{"level":"debug"}`, code: 200, says: `{"level":"debug"}`, level: zap.DebugLevel},
		{name: "as curl -d does", method: "PUT", body: "level=debug", headers: []string{"Content-Type", form}, code: 200, says: `{"level":"debug"}`, level: zap.DebugLevel},
		{name: "in the query", method: "PUT", query: "?level=error", headers: []string{"Content-Type", form}, code: 200, says: `{"level":"error"}`, level: zap.ErrorLevel},
		{name: "from its own page", method: "PUT", body: `{"level":"warn"}`, headers: []string{"Sec-Fetch-Site", "same-origin"}, code: 200, says: "warn", level: zap.WarnLevel},
		{name: "errors are always told", method: "PUT", body: `{"level":"fatal"}`, code: 200, says: `{"level":"error"}`, level: zap.ErrorLevel},
		{name: "no level", method: "PUT", body: `{}`, code: 400, says: "must specify", level: zap.InfoLevel},
		{name: "no such level", method: "PUT", body: `{"level":"loud"}`, code: 400, says: "loud", level: zap.InfoLevel},
		{name: "too long", method: "PUT", body: `{"x":"` + strings.Repeat("x", maxLevelBody) + `","level":"debug"}`, code: 400, says: "too large", level: zap.InfoLevel},
		{name: "another site's page", method: "PUT", body: `{"level":"debug"}`, headers: []string{"Sec-Fetch-Site", "cross-site"}, code: 403, says: "cross-origin", level: zap.InfoLevel},
		{name: "another site's old browser", method: "PUT", body: `{"level":"debug"}`, headers: []string{"Origin", "https://evil.example"}, code: 403, says: "cross-origin", level: zap.InfoLevel},
		{name: "POST", method: "POST", body: `{"level":"debug"}`, code: 405, says: "Method Not Allowed", level: zap.InfoLevel},
		{name: "not for changing", method: "PUT", body: `{"level":"debug"}`, fixed: true, code: 404, says: "not found", level: zap.InfoLevel},
	} {
		t.Run(test.name, func(t *testing.T) {
			level := zap.NewAtomicLevelAt(zap.InfoLevel)
			core, logs := observer.New(level)
			cfg := Config{Level: &level}
			if test.fixed {
				cfg.Level = nil
			}
			base := serve(t, New(cfg, zap.New(core)))
			code, _, body := askWith(t, test.method, base+"/log/level"+test.query, test.body, test.headers...)
			if code != test.code || !strings.Contains(body, test.says) || level.Level() != test.level {
				t.Errorf("status %d, %q, level %v; want %d, %q, %v", code, body, level, test.code, test.says, test.level)
			}
			if want := map[bool]int{true: 1}[test.level != zap.InfoLevel]; logs.Len() != want {
				t.Errorf("%d lines in the log, want %d: %v", logs.Len(), want, logs.All())
			}
		})
	}
}

func TestProfiles(t *testing.T) {
	base := serve(t, New(Config{PProf: true}, zap.NewNop()))
	for path, want := range map[string]string{
		"/debug/pprof/":                   "goroutine",
		"/debug/pprof/goroutine?debug=1":  "goroutine profile:",
		"/debug/pprof/heap?debug=1":       "heap profile:",
		"/debug/pprof/cmdline":            "admin",
		"/debug/pprof/trace?seconds=0.01": "go 1.",
		"/debug/pprof/profile?seconds=1":  "",
	} {
		if code, _, body := ask(t, http.MethodGet, base+path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s: status %d, %.100q", path, code, body)
		}
	}
	if code, _, _ := ask(t, http.MethodPost, base+"/debug/pprof/symbol"); code != 405 {
		t.Errorf("POST: status %d", code)
	}
}

func TestOnlyWhatThereIs(t *testing.T) {
	s := newServer(t)
	base := serve(t, s)
	for path, want := range map[string]int{"/": 200, "/nothing": 404, "/readyz/x": 404, "/debug/pprof/": 404} {
		if code, _, _ := ask(t, http.MethodGet, base+path); code != want {
			t.Errorf("GET %s: status %d, want %d", path, code, want)
		}
	}
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics"} {
		if code, _, _ := ask(t, http.MethodPost, base+path); code != 405 {
			t.Errorf("POST %s: status %d, want 405", path, code)
		}
	}
	if code, _, body := ask(t, http.MethodHead, base+"/healthz"); code != 200 || body != "" {
		t.Errorf("HEAD: status %d, %q", code, body)
	}
}

func TestPage(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s := newServer(t)
	st := status{
		now: now, phase: running, since: now.Add(-90 * time.Minute), asked: true,
		snapshot: batcher.Snapshot{
			Counts:     batcher.Counts{Delivered: 15, Completed: 5, DeadLettered: 4, Skipped: 3, Open: 2, Dropped: 1},
			Partitions: 2, Ready: 6, Messages: 7, OpenBytes: 8, InFlight: 9, Operations: 10, Batches: 11, Looks: 12,
			Holds: [batcher.Holds]int{batcher.HoldRequest: 2, batcher.HoldStray: 5}, Throughput: .5,
			Places: []batcher.Place{{Oldest: now.Add(-time.Minute)}, {}, {Oldest: now.Add(-90 * time.Second)}},
			Pace:   batcher.Pace{Learned: 800, Quota: batcher.Quota{Limit: 1000, Remaining: 17}},
			Pauses: [len(batcher.TroubleKinds)]batcher.Pauses{0: {Begun: 2, For: 90 * time.Second}, 6: {Begun: 1, For: 4 * time.Second}},
			Troubles: []batcher.Trouble{{
				Kind: batcher.TroubleConfiguration, Reason: batcher.Reason{Code: "unauthorized", Text: "Kustomer says no\n* ready (all), for ever"},
				Since: now.Add(-time.Minute), Until: now.Add(1500 * time.Millisecond), Person: true,
			}},
		},
		kafka: Kafka{
			Protocol: "classic", Expired: 13, Lag: map[Partition]int64{{"b", 10}: 1, {"b", 9}: 0, {"a", 0}: 3},
			Problems: []Problem{{Broker: "k:9092", Partition: -1, Text: "refused", Check: "check it", Since: now.Add(-time.Second)}},
		},
		schemas: Schemas{
			Waiting: 3, Known: 12, Unknown: 2, FailingSince: now.Add(-6 * time.Minute), LeftOut: map[string]uint64{"b": 1, "c": 0, "a": 9},
			Problems: []Problem{{Partition: -1, Text: "https://r: answered\nwith status 503", Check: "check the registry's log", Since: now.Add(-6 * time.Minute)}},
		},
		oldest: 14 * time.Millisecond,
	}
	var got strings.Builder
	s.writePage(&got, st)
	want := `mine, kafka-kustomer v1.2.3: NOT READY
running for 1h30m0s, as of 2026-11-24T12:00:00Z

* configuration (unauthorized), for 1m0s, next try in 1.5s, needs somebody
  Kustomer says no * ready (all), for ever
  safe: nothing is lost or given up: what waits stays uncommitted in Kafka
  ends: when it is put right; it is tried again meanwhile, and no restart is needed but for the connector's own configuration

* registry (unavailable), for 6m0s, needs somebody
  schema registry https://r: answered with status 503
  check: the registry's log
  safe: nothing is lost or given up: what waits stays uncommitted in Kafka, of the partitions whose next record needs a schema; the others go on
  ends: by itself, once the registry answers and lets us in; where it does not have a schema, its record is a dead letter after schema_registry.unknown_grace

* kafka (broker), for 1s
  broker k:9092: refused
  check: check it
  safe: what was read is kept, and only what is done is committed
  ends: by itself, once the brokers and the group answer

events      15 delivered = 5 completed + 4 dead-lettered + 3 skipped + 2 open + 1 given back
open        7 messages, 6 items ready to be sent, 8 bytes
waiting for request 2, stray 5
oldest      unsettled record was made 1m30s ago; what moves is settled in 12s at this pace
kustomer    11 batches, 12 looks; 9 calls in flight, 10 operations open
pace        0 requests a minute now, 800 at best; the org had 17 of 1000 left at the last reply
pauses      configuration 2, 1m30s in all; quota 1, 4s in all
results     oldest not acknowledged by Kafka: 14ms
schemas     12 known, 2 ids unknown or of no use; 3 partitions wait for one; the registry has failed for 6m0s
mappings    members left out on purpose: a 9, b 1
partitions  2 assigned, 13 offsets expired unread
            a/0 lag 3
            b/9 lag 0
            b/10 lag 1

GET /readyz the reasons as JSON   GET /metrics for Prometheus   GET /healthz is the loop alive
POST /brake/release after the brake: send undeliverable events to the dead-letter topic again
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	st.silent = errors.New("nothing came")
	got.Reset()
	s.writePage(&got, st)
	if text := got.String(); strings.Contains(text, "delivered") || strings.Contains(text, "assigned") ||
		!strings.Contains(text, "* stuck") || !strings.Contains(text, "\n\nschemas     12 known") || !strings.Contains(text, "a/0 lag 3") {
		t.Errorf("a loop that hangs has no counts, but what is known without it:\n%s", text)
	}
	st.silent, st.schemas = nil, Schemas{LeftOut: map[string]uint64{"a": 0}}
	got.Reset()
	s.writePage(&got, st)
	if text := got.String(); !strings.Contains(text, "schemas     0 known, 0 ids unknown or of no use; 0 partitions wait for one\nmappings    members left out on purpose: none\n") {
		t.Errorf("without a registry:\n%s", text)
	}
}

func TestPageIsPlainText(t *testing.T) {
	s := newServer(t)
	s.Attach((&fake{kafka: Kafka{Protocol: "classic"}}).program())
	code, header, body := ask(t, http.MethodGet, serve(t, s)+"/")
	if code != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/plain") || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("status %d, headers %v", code, header)
	}
	if !strings.HasPrefix(body, "mine, kafka-kustomer v1.2.3: ready\nrunning for ") {
		t.Errorf("the page begins with\n%s", body)
	}
}
