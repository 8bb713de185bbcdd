package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/kustomersim"
)

// watchedRun is the whole program beside an embedded broker and a simulated API,
// seen through its admin server.
type watchedRun struct {
	t       *testing.T
	sim     *kustomersim.Server
	kafka   *kgo.Client
	brokers []string
	logs    *observer.ObservedLogs
	base    string     // of the admin server
	stop    func()     // as a signal does
	ended   chan error // what run returned
	seen    strings.Builder
}

func startWatched(t *testing.T, edits ...func(*wiring)) *watchedRun {
	t.Helper()
	return startWatchedWith(t, kustomersim.Options{Key: canary.Secret, Echo: true, Script: &kustomersim.Script{}}, func(*config.Config) {}, edits...)
}

func startWatchedWith(t *testing.T, api kustomersim.Options, edit func(*config.Config), edits ...func(*wiring)) *watchedRun {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "message-changes"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	w := &watchedRun{t: t, ended: make(chan error, 1)}
	w.sim = kustomersim.New(api)
	t.Cleanup(w.sim.Close)
	web := httptest.NewServer(w.sim)
	t.Cleanup(web.Close)
	w.brokers = cluster.ListenAddrs()
	if w.kafka, err = kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.kafka.Close)

	cfg := config.Default()
	cfg.Kafka.Brokers = cluster.ListenAddrs()
	cfg.Kustomer.BaseURL, cfg.Kustomer.APIKey = web.URL, config.NewSecret(canary.Secret)
	cfg.Batch.Linger = 10 * time.Millisecond
	cfg.Admin.Listen = "127.0.0.1:0"
	edit(cfg)
	level := zap.NewAtomicLevelAt(zapcore.InfoLevel)
	core, logs := observer.New(level)
	w.logs = logs
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	w.stop = stop
	with := wiring{log: canary.Watch(t, core), level: &level}
	for _, edit := range edits {
		edit(&with)
	}
	go func() { w.ended <- run(ctx, cfg, with) }()
	w.until("the address is in the log", func() bool {
		for _, entry := range logs.FilterMessageSnippet("status page").All() {
			w.base = fmt.Sprintf("http://%v", entry.ContextMap()["address"])
		}
		return w.base != ""
	})
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return w
}

// until waits for a condition.
func (w *watchedRun) until(what string, holds func() bool) {
	w.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case err := <-w.ended:
			w.t.Fatalf("the program ended before %s: %v", what, err)
		case <-deadline:
			w.t.Fatalf("waited in vain: %s; the page says\n%s", what, w.get("/"))
		case <-tick.C:
		}
	}
}

// get returns "status body".
func (w *watchedRun) get(path string) string {
	w.t.Helper()
	reply, err := http.Get(w.base + path)
	if err != nil {
		return err.Error()
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return err.Error()
	}
	w.seen.Write(body)
	return fmt.Sprintf("%d %s", reply.StatusCode, body)
}

func (w *watchedRun) untilMetrics(lines ...string) {
	w.t.Helper()
	w.until(strings.Join(lines, ", "), func() bool {
		body := w.get("/metrics")
		for _, line := range lines {
			if !strings.Contains(body, "\nkafka_kustomer_"+line+"\n") {
				return false
			}
		}
		return true
	})
}

func (w *watchedRun) produce(values ...string) {
	w.t.Helper()
	for _, v := range values {
		if err := w.kafka.ProduceSync(w.t.Context(), &kgo.Record{Topic: "message-changes", Key: []byte("k"), Value: []byte(v)}).FirstErr(); err != nil {
			w.t.Fatal(err)
		}
	}
}

func change(n int) string {
	return fmt.Sprintf(`{"eventId":"e-%d","messageId":"5f2f3c1a9d1e8b00%08x","changes":{"subject":"%s","custom":{"phoneNum":%d}}}`, n, n, canary.Value, canary.Number+n)
}

func TestAdminFromStartToEnd(t *testing.T) {
	w := startWatched(t)
	w.until("ready", func() bool { return strings.HasPrefix(w.get("/readyz"), "200 ") })
	w.untilMetrics("assigned_partitions 2", "ready 1")
	w.produce(change(1), change(2), "{"+canary.Value, change(3))
	w.untilMetrics(`events_ended_total{fate="completed"} 3`, `events_ended_total{fate="dead_lettered"} 1`, "events_open 0",
		`connector_info{name="kafka-kustomer",protocol="classic"} 1`, `consumer_lag_records{partition="0",topic="message-changes"} 0`)
	if page := w.get("/"); !strings.Contains(page, "4 delivered = 3 completed + 1 dead-lettered") || !strings.Contains(page, "message-changes/0 lag 0") {
		t.Errorf("the page says\n%s", page)
	}

	// An operation that takes its time makes the drain long enough to see.
	if err := w.sim.SetScript(kustomersim.Script{Run: kustomersim.Run{Base: kustomersim.Duration(2 * time.Second)}}); err != nil {
		t.Fatal(err)
	}
	w.produce(change(4))
	w.untilMetrics("operations_open 1")
	w.stop()
	w.until("draining", func() bool {
		body := w.get("/readyz")
		return strings.HasPrefix(body, "503 ") && strings.Contains(body, `"draining"`)
	})
	if health := w.get("/healthz"); health != "200 draining\n" {
		t.Errorf("health while draining: %s", health)
	}
	if err := <-w.ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://")); err == nil {
		conn.Close()
		t.Error("the admin server has outlived the program")
	}
	if at, as := canary.Find([]byte(w.seen.String())); at >= 0 {
		t.Errorf("a payload or a secret is shown %s: …%s", as, w.seen.String()[max(0, at-100):][:150])
	}
}

func TestRunSaysThatTheAdminPortIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	text := strings.ReplaceAll(minimalConfig, "127.0.0.1:0", taken.Addr().String())
	code, _, stderr := command(t, "run", "-c", configFile(t, text))
	if code != exitFailure || !strings.Contains(stderr, taken.Addr().String()) || !strings.Contains(stderr, "admin.listen") {
		t.Errorf("exit code %d, stderr: %s", code, stderr)
	}
}
