package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"kafka-kustomer/internal/config"
)

// BenchmarkRun takes events through the whole program, one iteration each. The
// broker and the API are in another process, so that a profile and the count of
// allocations show the connector only. Run it with a fixed number of iterations:
//
//	go test -run '^$' -bench '^BenchmarkRun$' -benchtime 1000000x ./cmd/kafka-kustomer
func BenchmarkRun(b *testing.B) {
	around := startSurroundings(b, "-events", strconv.Itoa(b.N))
	cfg := config.Default()
	cfg.Admin.Listen = ""
	cfg.Kafka.Brokers = strings.Split(around.Brokers, ",")
	cfg.Kustomer.BaseURL, cfg.Kustomer.APIKey = around.API, config.NewSecret("bench")
	cfg.Kustomer.RequestsPerMinute = 100_000
	log, _ := newLogger(config.Log{Level: zapcore.InfoLevel.String(), Format: "json"}, io.Discard)
	limitMemory(cfg, log) // as the program does
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ended := make(chan error, 1)

	b.ReportAllocs()
	before := processorTime(b)
	b.ResetTimer()
	go func() { ended <- run(ctx, cfg, wiring{log: log}) }()
	through := around.await(cfg.Source.Group)
	select {
	case err := <-ended:
		b.Fatalf("the connector ended early: %v", err)
	case err := <-through:
		if err != nil {
			b.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is what this process has used so far, user and system.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// surroundings are broker and API in a process of their own; see internal/bench.
type surroundings struct {
	Brokers, API string
	Events       int // of a scenario
	in           io.Writer
	answers      *json.Decoder
}

func startSurroundings(b *testing.B, args ...string) *surroundings {
	binary := filepath.Join(b.TempDir(), "bench")
	if out, err := exec.Command("go", "build", "-o", binary, "kafka-kustomer/internal/bench").CombinedOutput(); err != nil {
		b.Fatalf("build the broker and the API: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, append([]string{"-serve"}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close() // which ends it
		if err := cmd.Wait(); err != nil {
			b.Errorf("broker and API: %v", err)
		}
	})
	s := &surroundings{in: in, answers: json.NewDecoder(bufio.NewReader(out))}
	if err := s.answers.Decode(s); err != nil {
		b.Fatalf("broker and API did not come up: %v", err)
	}
	return s
}

// await tells when the group has committed all events and every message is in
// the state it must be in.
func (s *surroundings) await(group string) <-chan error {
	through := make(chan error, 1)
	go func() {
		var verdict struct {
			Wrong int
			Error string
		}
		_, err := fmt.Fprintf(s.in, "await %s\n", group)
		if err == nil {
			err = s.answers.Decode(&verdict)
		}
		if err == nil && (verdict.Wrong > 0 || verdict.Error != "") {
			err = fmt.Errorf("%d messages are wrong: %s", verdict.Wrong, verdict.Error)
		}
		through <- err
	}()
	return through
}
