package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/pipeline"
)

// Of BenchmarkMemory.
const (
	sampleEvery = 50 * time.Millisecond
	// standsStill is how long nothing must have been delivered for polling to
	// count as stopped. It is longer than any pause of a run that goes on.
	standsStill = 10 * time.Second
	watchAtMost = 40 * time.Second
)

// BenchmarkMemory runs the whole program with its default limits in a situation
// that could fill its memory, until nothing is delivered any more, or everything
// is completed, or some time has passed. internal/bench runs each in a process of
// its own and makes a table of them.
func BenchmarkMemory(b *testing.B) {
	for _, name := range []string{"stuck", "hanging", "healthy", "hot", "tiny", "large", "large-stuck", "zstd", "zstd-stuck", "zstdtiny", "zstdtiny-stuck"} {
		b.Run(name, func(b *testing.B) { benchmarkMemory(b, name) })
	}
}

func benchmarkMemory(b *testing.B, name string) {
	around := startSurroundings(b, "-scenario", name)
	cfg := config.Default()
	cfg.Kafka.Brokers = strings.Split(around.Brokers, ",")
	cfg.Kustomer.BaseURL, cfg.Kustomer.APIKey = around.API, config.NewSecret("bench")
	cfg.Kustomer.RequestsPerMinute = 100_000
	cfg.DrainTimeout = time.Second // what is still open does not matter here
	var said bytes.Buffer
	log, _ := newLogger(config.Log{Level: zapcore.ErrorLevel.String(), Format: "json"}, &said)
	limitMemory(cfg, log)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	loop, ended := make(chan *pipeline.Pipeline, 1), make(chan error, 1)
	go func() { ended <- run(ctx, cfg, wiring{log: log, watch: func(p *pipeline.Pipeline) { loop <- p }}) }()

	var m memory
	select {
	case p := <-loop:
		m.watch(ctx, b, p, uint64(around.Events))
	case err := <-ended:
		b.Fatalf("the connector ended early: %v\n%s", err, said.Bytes())
	}
	m.report(b)
	cancel()
	if err := <-ended; err != nil {
		b.Fatalf("%v\n%s", err, said.Bytes())
	}
}

// The collector always has a limit, but what the user says counts.
func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	percent := debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(before)
		debug.SetGCPercent(percent)
	})
	for _, tc := range []struct {
		name, env, value string
		limited          bool
	}{
		{"nothing said", "", "", true},
		{"GOMEMLIMIT", "GOMEMLIMIT", "off", false}, // which the runtime has read at its start
		{"AUTOMEMLIMIT", "AUTOMEMLIMIT", "off", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("GOMEMLIMIT", "") // comes back in the end
			os.Unsetenv("GOMEMLIMIT")
			if tc.env != "" {
				t.Setenv(tc.env, tc.value)
			}
			debug.SetMemoryLimit(math.MaxInt64)
			debug.SetGCPercent(100)
			limitMemory(config.Default(), zap.NewNop())
			if got := debug.SetGCPercent(100); (got > 100) != tc.limited {
				t.Errorf("GOGC is %d", got)
			}
			if limit := debug.SetMemoryLimit(-1); (limit < math.MaxInt64) != tc.limited {
				t.Errorf("the limit is %d", limit)
			}
		})
	}
	if got, want := enoughMemory(config.Default()), int64(104<<20); got != want {
		t.Errorf("with the default limits %d bytes, want %d", got, want)
	}
}

// memory is what a run held.
type memory struct {
	heap    uint64 // live bytes, at most
	open    uint64 // events, at most
	charged int64  // bytes of credit, at most
	peak    int64  // resident bytes, at most
	last    batcher.Snapshot
	took    time.Duration
	moved   time.Time // when the last event was delivered
	total   uint64
}

// watch looks at the run until there is nothing more to see. The heap is what
// was alive at each of the collections that came anyway; one is forced in the
// end only, after the peak has been read.
func (m *memory) watch(ctx context.Context, b *testing.B, p *pipeline.Pipeline, total uint64) {
	started := time.Now()
	m.moved, m.total = started, total
	for tick := time.NewTicker(sampleEvery); ; <-tick.C {
		s, err := p.Snapshot(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if s.Counts.Delivered > m.last.Counts.Delivered {
			m.moved = time.Now()
		}
		m.last, m.took = s, time.Since(started)
		m.heap = max(m.heap, liveHeap())
		m.open, m.charged = max(m.open, s.Counts.Open), max(m.charged, s.OpenBytes)
		if m.through() || m.stopped() || m.took >= watchAtMost {
			tick.Stop()
			break
		}
	}
	m.peak = peakResident(b)
	runtime.GC()
	m.heap = max(m.heap, liveHeap())
}

func (m *memory) through() bool {
	return m.last.Counts.Delivered == m.total && m.last.Counts.Open == 0
}

func (m *memory) stopped() bool {
	return m.last.Counts.Delivered < m.total && time.Since(m.moved) >= standsStill
}

func (m *memory) report(b *testing.B) {
	mib := func(n float64) float64 { return n / (1 << 20) }
	flag := map[bool]float64{true: 1}
	b.ReportMetric(mib(float64(m.peak)), "peak-MiB")
	b.ReportMetric(mib(float64(m.heap)), "heap-MiB")
	b.ReportMetric(mib(float64(m.charged)), "charged-MiB")
	b.ReportMetric(float64(m.last.Counts.Delivered), "delivered")
	b.ReportMetric(float64(m.open), "open")
	b.ReportMetric(m.took.Seconds(), "seconds")
	b.ReportMetric(flag[m.through()], "through")
	b.ReportMetric(flag[m.stopped()], "stopped")
}

// liveHeap is what the last collection found alive.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// peakResident is the most memory this process ever had, or 0 where the system
// does not tell.
func peakResident(b *testing.B) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		b.Fatal(fmt.Errorf("VmHWM: %w", err))
	}
	return kib << 10
}
