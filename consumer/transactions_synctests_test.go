//go:build synctests

package consumer

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

// The offsets of transaction markers count: without them the group would lag for
// ever on a topic that ends with one.
func TestTransactionMarkersAreHandedOver(t *testing.T) {
	for _, tt := range []struct {
		isolation string
		want      []int64 // offsets handed over
		sent      int     // of them, not skipped
	}{
		// 0, 1 and a commit marker; 3, 4 aborted, 5 the marker; 6; 7 aborted, 8 the marker.
		{ReadCommitted, []int64{0, 1, 2, 5, 6, 8}, 3},
		{ReadUncommitted, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8}, 6},
	} {
		t.Run(tt.isolation, func(t *testing.T) {
			inWorld(t, 1, func(w *world) {
				w.transaction(2, kgo.TryCommit)
				w.transaction(2, kgo.TryAbort)
				w.produce(0, 1)
				w.transaction(1, kgo.TryAbort)
				m := w.join("a", func(c *Config, _ *member) { c.Isolation = tt.isolation }).run()
				w.awaitPartitions(m, 1)
				h := m.handles()[0]
				w.await("the last marker", func() bool { o := m.offsets(h); return len(o) > 0 && o[len(o)-1] == 8 })
				if diff := cmp.Diff(tt.want, m.offsets(h)); diff != "" {
					t.Errorf("offsets (-want +got):\n%s", diff)
				}
				if got := m.sent(h); got != tt.sent {
					t.Errorf("%d to be sent, want %d", got, tt.sent)
				}
				if lag := m.Lag()[Partition{"in", 0}]; lag != 0 {
					t.Errorf("lag %d, want 0", lag)
				}
				if n := m.logs.FilterMessageSnippet("position").Len(); n > 0 {
					t.Errorf("the holes were taken for a jump: %v", m.logs.All())
				}
			})
		})
	}
}

func (w *world) transaction(n int, end kgo.TransactionEndTry) {
	w.t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(w.network.DialContext),
		kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	if err := c.BeginTransaction(); err != nil {
		w.t.Fatal(err)
	}
	for range n {
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: "in", Value: []byte(canary.Value)}).FirstErr(); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := c.EndTransaction(ctx, end); err != nil {
		w.t.Fatal(err)
	}
}

func (m *member) sent(a *batcher.Assignment) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sends[a]
}
