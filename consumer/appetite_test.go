package consumer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
)

func TestAppetite(t *testing.T) {
	plain := kgo.FetchBatchMetrics{NumRecords: 1, CompressedBytes: 1 << 20, UncompressedBytes: 1 << 20}
	tiny := kgo.FetchBatchMetrics{NumRecords: 1000, CompressedBytes: 100_000, UncompressedBytes: 100_000}
	dense := kgo.FetchBatchMetrics{NumRecords: 1000, CompressedBytes: 10_000, UncompressedBytes: 744_000} // 100 times
	huge := kgo.FetchBatchMetrics{NumRecords: 1, CompressedBytes: 1000, UncompressedBytes: 32 << 20}
	broken := kgo.FetchBatchMetrics{}
	for _, tt := range []struct {
		name     string
		saw      []kgo.FetchBatchMetrics
		min, max int32 // what the next fetch asks for
	}{
		{"nothing yet", nil, fetchMinBytes, fetchMinBytes},
		{"a batch that could not be read", []kgo.FetchBatchMetrics{broken}, fetchMinBytes, fetchMinBytes},
		{"uncompressed", []kgo.FetchBatchMetrics{plain}, fetchMaxBytes, fetchMaxBytes},
		{"tiny records", []kgo.FetchBatchMetrics{tiny}, 1_100_000, 1_200_000}, // 3.56 times
		{"well compressed", []kgo.FetchBatchMetrics{dense}, fetchBudget/100 - 1, fetchBudget/100 + 1},
		{"a dear batch counts at once", []kgo.FetchBatchMetrics{plain, plain, dense}, fetchBudget/100 - 1, fetchBudget/100 + 1},
		{"a cheap one hardly", []kgo.FetchBatchMetrics{dense, plain}, fetchBudget / 100, fetchBudget / 90},
		{"never less than the least", []kgo.FetchBatchMetrics{huge}, fetchMinBytes, fetchMinBytes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked, part int32
			a := appetite{resize: func(all, partition int32) { asked, part = all, partition }}
			for _, m := range tt.saw {
				a.saw(m)
			}
			if all, _ := a.size(); all < tt.min || all > tt.max || asked != 0 && all != asked {
				t.Errorf("asks for %d (kgo was told %d), want %d to %d", all, asked, tt.min, tt.max)
			}
			if part*fetchPartitions > asked {
				t.Errorf("%d of a partition, more than its share of %d", part, asked)
			}
		})
	}
}

// What compressed a source is comes out of the memory of a fetch, not on top.
func TestFetchOfACompressedSourceIsBounded(t *testing.T) {
	const batches, perBatch, size = 150, 64, 4 << 10
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	produceBatches(t, cluster.ListenAddrs(), batches, perBatch, size)
	c, err := New(Config{
		Brokers: cluster.ListenAddrs(), Topics: []string{"in"}, Group: "group",
		Start: StartEarliest, OnReset: ResetFail, Isolation: ReadCommitted,
		SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second, MaxEventBytes: size,
	}, none{}, quietOwner{}, canary.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	most, n := 0, 0
	for n < batches*perBatch {
		if err := c.Poll(ctx, batches*perBatch, func(fs []Fetched) error {
			got := 0
			for _, f := range fs {
				got += len(f.Changes)
			}
			n, most = n+got, max(most, got)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
	// A fetch may go one batch over.
	if most*size > fetchBudget+perBatch*size {
		t.Errorf("a fetch brought %d bytes, want at most %d and a batch", most*size, fetchBudget)
	}
}

func produceBatches(t *testing.T, brokers []string, batches, perBatch, size int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic("in"),
		kgo.ProducerLinger(time.Minute), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	first := kgo.AbortingFirstErrPromise(client)
	random := rand.New(rand.NewPCG(1, 2))
	for range batches {
		for range perBatch {
			value := fmt.Appendf(nil, "%016x%016x%s", random.Uint64(), random.Uint64(), strings.Repeat("x", size-32))
			client.Produce(t.Context(), &kgo.Record{Value: value}, first.Promise())
		}
		if err := client.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Err(); err != nil {
		t.Fatal(err)
	}
}
