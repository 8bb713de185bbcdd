//go:build synctests

package consumer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestStartPolicies(t *testing.T) {
	for _, tt := range []struct {
		start   string
		want    []int64
		problem string
	}{
		{StartEarliest, []int64{0, 1, 2, 3, 4}, ""},
		{StartLatest, []int64{3, 4}, ""},
		{StartCommitted, nil, "no committed offset"},
	} {
		t.Run(tt.start, func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				w.produce(0, 3)
				w.produce(1, 3)
				w.commit(1, 1, "")
				m := w.join("a", func(c *Config, _ *member) { c.Start = tt.start }).run()
				w.awaitPartitions(m, 2)
				time.Sleep(5 * time.Second)
				w.produce(0, 2)
				time.Sleep(5 * time.Second)
				if diff := cmp.Diff(tt.want, m.offsets(m.handles()[0])); diff != "" {
					t.Errorf("offsets without a commit (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]int64{1, 2}, m.offsets(m.handles()[1])); diff != "" {
					t.Errorf("offsets with a commit (-want +got):\n%s", diff)
				}
				ps := m.Problems()
				if tt.problem == "" {
					if len(ps) != 0 {
						t.Errorf("problems: %+v", ps)
					}
					return
				}
				if len(ps) != 1 || ps[0].Partition != 0 || !strings.Contains(ps[0].Text, tt.problem) || !strings.Contains(ps[0].Check, "source.start") {
					t.Errorf("problems: %+v, want one of partition 0 with %q", ps, tt.problem)
				}
			})
		})
	}
}

func TestOffsetOutOfRangeStopsOnePartition(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 20)
		w.produce(1, 1)
		w.commit(0, 5, "")
		w.cluster.DeleteRecords("in", 0, 12)
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 2)
		time.Sleep(time.Minute)
		w.produce(1, 2)
		w.await("the other partition goes on", func() bool { return len(m.offsets(m.handles()[1])) == 3 })
		if got := m.offsets(m.handles()[0]); got != nil {
			t.Errorf("records %v of the partition that has lost its position", got)
		}
		m.mu.Lock()
		polls := m.polls
		m.mu.Unlock()
		if polls > 40 {
			t.Errorf("%d polls in a minute, want a handful", polls)
		}
		ps := m.Problems()
		if len(ps) != 1 || ps[0].Partition != 0 || !strings.Contains(ps[0].Text, "committed offset 5 is before the start of the log, 12: offsets 5 to 11") || !strings.Contains(ps[0].Check, "on_reset") {
			t.Errorf("problems: %+v", ps)
		}
		if logs := m.logs.FilterMessageSnippet("trouble").All(); len(logs) != 1 {
			t.Errorf("logged %d times, want once: %v", len(logs), logs)
		}
	})
}

func TestResetToEarliestIsCounted(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 20)
		w.commit(0, 5, "")
		w.cluster.DeleteRecords("in", 0, 12)
		m := w.join("a", func(c *Config, _ *member) { c.OnReset = ResetEarliest }).run()
		w.awaitPartitions(m, 1)
		w.await("8 records", func() bool { return len(m.offsets(m.handles()[0])) == 8 })
		if got := m.Expired(); got != 7 {
			t.Errorf("expired %d, want 7", got)
		}
		if n := m.logs.FilterMessageSnippet("deleted by Kafka before").Len(); n != 1 {
			t.Errorf("logged %d times, want once", n)
		}
	})
}

// Such a batch is never passed over: the partition stands still, and says so for
// as long as it does.
func TestBatchTooLargeToDecompress(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		r := &kgo.Record{Topic: "in", Value: make([]byte, maxBatchBytes+1)}
		if err := w.admin.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 2)
		w.await("a problem", func() bool { return len(m.Problems()) == 1 })
		time.Sleep(5 * time.Minute)
		w.produce(1, 1)
		w.await("the other partition goes on", func() bool { return len(m.offsets(m.handles()[1])) == 1 })
		if ps := m.Problems(); len(ps) != 1 || ps[0].Partition != 0 || !strings.Contains(ps[0].Text, "offsets 0 to 0 is larger than 33554432 bytes (limits.max_batch_bytes)") || !strings.Contains(ps[0].Check, "offset of this partition to 1,") {
			t.Errorf("problems five minutes later: %+v", ps)
		}
		if logs := m.logs.FilterMessageSnippet("trouble").All(); len(logs) != 1 {
			t.Errorf("logged %d times, want once: %v", len(logs), logs)
		}
	})
}

// A partition whose error passes is read on, and its problem is over.
func TestFaultOfAPartitionPasses(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 2)
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 1)
		h := m.handles()[0]
		w.await("2 records", func() bool { return len(m.offsets(h)) == 2 })
		fault := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		w.await("a problem", func() bool { return len(m.Problems()) == 1 })
		w.produce(0, 2)
		time.Sleep(20 * time.Second)
		if got := m.offsets(h); len(got) != 2 {
			t.Fatalf("records %v although fetching fails", got)
		}
		fault.Remove()
		w.await("all records", func() bool { return slices.Equal(m.offsets(h), []int64{0, 1, 2, 3}) })
		if ps := m.Problems(); len(ps) != 0 {
			t.Errorf("problems: %+v", ps)
		}
	})
}

// An idle partition brings no records that could end its problem.
func TestFaultOfAnIdlePartitionPasses(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 1)
		fault := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		w.await("a problem", func() bool { return len(m.Problems()) == 1 })
		fault.Remove()
		w.await("no problem", func() bool { return len(m.Problems()) == 0 })
	})
}

// An error that no pause of a partition can keep away slows polling down.
func TestGroupErrorSlowsPolling(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		fault := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.GroupAuthorizationFailed, Count: -1})
		defer fault.Remove()
		m := w.join("a", nil)
		if err := m.Poll(context.Background(), 10, nothing); err != nil {
			t.Fatal(err)
		}
		ps := m.Problems()
		if len(ps) != 1 || !strings.Contains(ps[0].Text, "GROUP_AUTHORIZATION_FAILED") || !strings.Contains(ps[0].Check, "READ") {
			t.Fatalf("problems: %+v", ps)
		}
		if took := time.Since(ps[0].Since); took != pollBackoffMin {
			t.Errorf("Poll returned %v after the error, want %v", took, pollBackoffMin)
		}
		if err := m.Poll(context.Background(), 10, nothing); err != nil {
			t.Fatal(err)
		}
		fault.Remove()
		w.awaitPartitions(m, 1)
		if ps := m.Problems(); len(ps) != 0 {
			t.Errorf("problems after joining: %+v", ps)
		}
	})
}
