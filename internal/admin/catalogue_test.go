package admin

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/metrics"
)

// released are names that dashboards of others use: they stay, with their labels.
var released = []string{
	"assigned_partitions", "batches_total", "build_info version,go_version", "calls_in_flight", "connector_info name,protocol",
	"consumer_lag_records topic,partition", "events_delivered_total", "events_ended_total fate", "events_held", "events_open",
	"events_open_bytes", "items_ready", "kafka_problems", "loop_up", "messages_open", "offsets_expired_total",
	"operation_looks_total", "operations_open", "operations_overdue", "person_needed", "ready",
	"result_oldest_unacknowledged_seconds", "suspects", "trouble kind",
}

func TestCatalogue(t *testing.T) {
	list := Catalogue()
	if !slices.IsSortedFunc(list, func(a, b metrics.Metric) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted by name")
	}
	seen := map[string]bool{}
	for _, m := range list {
		short, ours := strings.CutPrefix(m.Name, metrics.Namespace+"_")
		if !ours || seen[m.Name] {
			t.Errorf("%s: a foreign name, or one that is there twice", m.Name)
		}
		seen[m.Name], seen[strings.TrimSpace(short+" "+strings.Join(m.Labels, ","))] = true, true
		if !slices.Contains([]string{"counter", "gauge", "histogram"}, m.Type) || m.Type == "counter" && !strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s is a %s", m.Name, m.Type)
		}
		if strings.HasPrefix(short, "kafka_client_") {
			continue // its help is kprom's
		}
		if len(m.Help) < 40 || !strings.HasSuffix(m.Help, ".") {
			if m.Name != metrics.Namespace+"_build_info" {
				t.Errorf("%s: the help does not say what to do: %q", m.Name, m.Help)
			}
		}
	}
	for _, of := range released {
		if !seen[of] {
			t.Errorf("no %s any more", of)
		}
	}
}

// A help names other metrics: they must be there.
func TestHelpsNameWhatThereIs(t *testing.T) {
	names := map[string]bool{}
	for _, m := range Catalogue() {
		names[strings.TrimPrefix(m.Name, metrics.Namespace+"_")] = true
	}
	for _, m := range Catalogue() {
		for _, word := range strings.FieldsFunc(m.Help, func(r rune) bool { return r != '_' && r != '.' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			word = strings.TrimRight(word, ".")
			for _, end := range []string{"_total", "_seconds", "_records", "_items", "_open", "_requests"} {
				if strings.HasSuffix(word, end) && !strings.Contains(word, ".") && word != end && !names[word] {
					t.Errorf("%s: the help names %s, which is no metric", m.Name, word)
				}
			}
		}
	}
}

func TestDrainTime(t *testing.T) {
	lag := map[Partition]int64{{"a", 0}: 30, {"a", 1}: 20}
	for name, test := range map[string]struct {
		open  uint64
		rate  float64
		lag   map[Partition]int64
		want  float64
		known bool
	}{
		"nothing waits":           {0, -1, nil, 0, true},
		"nothing is known":        {1, -1, nil, 0, false},
		"a standstill":            {1, 0, nil, math.Inf(1), true},
		"a standstill of the lag": {0, 0, lag, math.Inf(1), true},
		"open events and the lag": {50, 4, lag, 25, true},
	} {
		s := status{snapshot: batcher.Snapshot{Counts: batcher.Counts{Open: test.open}, Throughput: test.rate}, kafka: Kafka{Lag: test.lag}}
		if got, known := drainTime(s); got != test.want || known != test.known {
			t.Errorf("%s: %v, %v; want %v, %v", name, got, known, test.want, test.known)
		}
	}
}

// Both halves of /metrics together keep the conventions.
func TestLintWithTheObserver(t *testing.T) {
	s := newServer(t)
	s.cfg.Metrics = metrics.New(s.since).Gatherer()
	s.Attach(busy().program())
	families, err := s.gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
