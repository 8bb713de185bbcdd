package metrics

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bothClients is an observer of a producer and a consumer that have had some
// traffic, and some trouble.
func bothClients(t *testing.T) *Observer {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	o := New(at)
	seeds := kgo.SeedBrokers(append([]string{"127.0.0.1:1"}, cluster.ListenAddrs()...)...) // at the first nobody is
	producer, err := kgo.NewClient(seeds, o.KafkaClient("producer"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(producer.Close)
	consumer, err := kgo.NewClient(seeds, o.KafkaClient("consumer"), kgo.ConsumeTopics("t"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(consumer.Close)
	if err := producer.ProduceSync(ctx, &kgo.Record{Topic: "t", Value: []byte("canary")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 1; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		n += fetches.NumRecords()
	}
	return o
}

// What the catalogue says of the Kafka clients' metrics is what kprom exports: an
// upgrade that renames one must not go by unseen.
func TestKafkaMetricsAreInTheCatalogue(t *testing.T) {
	families, err := bothClients(t).Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]Metric{}
	for _, m := range kafkaMetrics() {
		listed[m.Name] = m
	}
	seen := map[string]bool{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), Namespace+"_kafka_client_") {
			continue
		}
		got := Metric{Name: f.GetName(), Type: strings.ToLower(f.GetType().String()), Help: f.GetHelp(), Labels: labelNames(f.Metric)}
		want := listed[f.GetName()]
		slices.Sort(want.Labels)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-catalogue +exported:\n%s", diff)
		}
		seen[f.GetName()] = true
	}
	for _, of := range []string{"produce_records_total", "fetch_records_total", "connects_total", "buffered_fetch_bytes"} {
		if !seen[Namespace+"_kafka_client_"+of] {
			t.Errorf("no %s among %v", of, slices.Sorted(maps.Keys(seen)))
		}
	}
}

func labelNames(metrics []*dto.Metric) (names []string) {
	for _, l := range metrics[0].Label {
		names = append(names, l.GetName())
	}
	return names
}

// kprom names two gauges as if they were counters.
var lintedAsTheyAre = []string{
	Namespace + "_kafka_client_buffered_fetch_records_total",
	Namespace + "_kafka_client_buffered_produce_records_total",
}

func TestLintOfKafkaMetrics(t *testing.T) {
	problems, err := testutil.GatherAndLint(bothClients(t).Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	excused := map[string]bool{}
	for _, p := range problems {
		if !slices.Contains(lintedAsTheyAre, p.Metric) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		excused[p.Metric] = true
	}
	if len(excused) != len(lintedAsTheyAre) {
		t.Errorf("only %v need an excuse", excused)
	}
}
