//go:build kafka && linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kafka-kustomer/internal/kafkatest"
)

// binary is the connector, built once for all tests.
var binary string

// seed of events, faults and moments; the tests print it.
var seed = func() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("E2E_SEED"), 10, 64); err == nil {
		return n
	}
	return uint64(time.Now().UnixNano()) & 0xffff
}()

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait for time-outs most of the time, not for a processor.
	if !isSet("test.parallel") {
		_ = flag.Set("test.parallel", "5")
	}
	os.Exit(run(m))
}

func isSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "kafka-kustomer")
	args := []string{"build", "-o", binary}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "kafka-kustomer/cmd/kafka-kustomer")...).CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "e2e: go %v: %v\n%s", args, err, out)
		return 1
	}
	defer closeRegistry()
	return kafkatest.Main(m)
}

func envDuration(t *testing.T, name string, otherwise time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

func envInt(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
