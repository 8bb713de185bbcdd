package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/internal/workload"
)

// asChild makes this test binary the program itself, for the processes that
// bench starts of itself.
const asChild = "KAFKA_KUSTOMER_BENCH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// A small run of everything: the table is made, and the connector's run was
// judged.
func TestWhole(t *testing.T) {
	t.Setenv(asChild, "1")
	var out bytes.Buffer
	o := options{events: 3000, messages: 200, wholeRuns: 1, embedded: true}
	dir := t.TempDir()
	if err := o.benchWhole(t.Context(), &out, dir); err != nil {
		t.Fatal(err)
	}
	if err := o.benchLatency(t.Context(), &out, dir, 2*latencyRate); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"poll and discard", "poll, splice, PUT", "kafka-kustomer run", "per 1,000 events", "every message is in its right state", "times the floor", "without merging", "events in Avro", "From record to completed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

// A run that leaves messages in a wrong state gives no figure, and neither does
// one that fails.
func TestBadRunsGiveNoFigure(t *testing.T) {
	t.Setenv(asChild, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w, err := startWorld(t.Context(), "-events", "1000", "-messages", "100")
	if err != nil {
		t.Fatal(err)
	}
	defer w.end()
	bad := func(args ...string) program {
		return program{judged: true, command: func(p place, group string) ([]string, error) {
			return append([]string{self, "-events", "1000", "-brokers", p.Brokers, "-base", p.API, "-group", group}, args...), nil
		}}
	}
	_, err = w.measure(t.Context(), t.TempDir(), bad("-floor", floorPoll), "discards")
	if err == nil || !strings.Contains(err.Error(), "messages are not in the state") {
		t.Errorf("a program that discards everything: %v", err)
	}
	_, err = w.measure(t.Context(), t.TempDir(), bad("-floor", "none"), "fails")
	if err == nil || !strings.Contains(err.Error(), `-floor is "none"`) {
		t.Errorf("a program that fails: %v; want its own words", err)
	}
}

// Each benchmark that the table names exists.
func TestPartsExist(t *testing.T) {
	for _, p := range parts {
		name, _, _ := strings.Cut(p.bench, "/")
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(p.pkg), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || bytes.Contains(text, []byte("\nfunc "+name+"("))
		}
		if !found {
			t.Errorf("package %s has no %s", p.pkg, name)
		}
	}
}

func TestParseBench(t *testing.T) {
	const output = `goos: linux
pkg: kafka-kustomer/batcher
BenchmarkCore/messages=50-2         	 1000	       712.6 ns/op	     304 B/op	       1 allocs/op
BenchmarkCore/messages=50000-2      	 2000	      1362 ns/op	  12.5 MB/s	     850 B/op	       6 allocs/op
BenchmarkCore/messages=7            	 3000	      7 ns/op
PASS
`
	tests := []struct {
		name string
		want map[string]float64
	}{
		{"BenchmarkCore/messages=50", map[string]float64{"ns/op": 712.6, "B/op": 304, "allocs/op": 1}},
		{"BenchmarkCore/messages=50000", map[string]float64{"ns/op": 1362, "MB/s": 12.5, "B/op": 850, "allocs/op": 6}},
		{"BenchmarkCore/messages=7", map[string]float64{"ns/op": 7}},
		{"BenchmarkCore", nil},
		{"BenchmarkCore/messages=5", nil},
	}
	for _, tt := range tests {
		got, err := parseBench([]byte(output), tt.name)
		if (err != nil) != (tt.want == nil) {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if _, err := parseBench([]byte("BenchmarkX-2 1 fast ns/op\n"), "BenchmarkX"); err == nil {
		t.Error("a value that is no number was read")
	}
}

func TestPattern(t *testing.T) {
	if got, want := pattern("BenchmarkCore/messages=50"), "^BenchmarkCore$/^messages=50$"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSpread(t *testing.T) {
	runs := []int{30, 10, 20}
	figure := func(n int) float64 { return float64(n) / 10 }
	if got, want := spread(runs, "%.1f", figure), "1.0 2.0 3.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := median(runs, figure); got != 2 {
		t.Errorf("median %v, want 2", got)
	}
}

// The floor's bodies are what the API takes: 100 objects with an id.
func TestFloorSplices(t *testing.T) {
	events := workload.New(workload.Config{Seed: 1, Messages: 1000, InTurn: true})
	f := &floor{}
	for range 99 {
		if err := f.add(t.Context(), events.Next(time.Unix(1_800_000_000, 0)).Value); err != nil {
			t.Fatal(err)
		}
	}
	f.body[0] = '['
	if body := append(f.body, ']'); !jsontext.Value(body).IsValid() || bytes.Count(body, []byte(`{"id":"`)) != 99 {
		t.Errorf("not a bulk request: %.300s", body)
	}
	if err := f.add(t.Context(), []byte(`{"messageId":7}`)); err == nil {
		t.Error("an event of another shape was spliced")
	}
}
