package kafkatest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// startTimeout covers a first fetch over a slow line.
const startTimeout = 5 * time.Minute

// shared is the one broker of this test process. A failure is kept: the next
// hundred tests need not find it out again.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// Brokers returns the seed addresses of a Kafka for tests: those in
// KAFKA_BROKERS (separated by commas), or else of one broker that the tests of
// this process share, started by the first of them. The test fails when there
// is none. Kill nothing here: others use it.
func Brokers(tb testing.TB) []string {
	tb.Helper()
	if list := os.Getenv("KAFKA_BROKERS"); list != "" {
		return splitList(list)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		shared.cluster, shared.err = Start(ctx, Options{})
	}
	if shared.err != nil {
		tb.Fatalf("this test needs a Kafka: KAFKA_BROKERS is empty, and starting one failed: %v", shared.err)
	}
	return shared.cluster.Brokers()
}

func splitList(list string) []string {
	var all []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// Main runs the tests of a package and then stops the shared broker:
//
//	func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }
//
// Without it the broker still ends with the process (on Linux), but its
// temporary folder stays.
func Main(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		return code
	}
	if err := shared.cluster.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "kafkatest: stop the shared broker:", err)
		code = max(code, 1)
	}
	return code
}
