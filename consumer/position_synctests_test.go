//go:build synctests

package consumer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func earliest(c *Config, _ *member) { c.OnReset = ResetEarliest }

// A log whose records were all deleted brings none that could show the jump.
func TestResetOfAnEmptyLogIsTold(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 20)
		w.commit(0, 5, "")
		w.cluster.DeleteRecords("in", 0, 20)
		m := w.join("a", earliest).run()
		w.awaitPartitions(m, 1)
		w.await("the loss is counted", func() bool { return m.Expired() == 15 })
		time.Sleep(10 * time.Second)
		w.produce(0, 1)
		w.await("a record", func() bool { return slices.Equal(m.offsets(m.handles()[0]), []int64{20}) })
		if got := m.Expired(); got != 15 {
			t.Errorf("expired %d, want 15, once", got)
		}
		wantLoss(t, m, 5, 19)
	})
}

func wantLoss(t *testing.T, m *member, first, last int64) {
	t.Helper()
	logs := m.logs.FilterMessageSnippet("are lost to this group").All()
	if len(logs) != 1 {
		t.Fatalf("the loss was logged %d times, want once", len(logs))
	}
	fields := logs[0].ContextMap()
	if fields["first_lost_offset"] != first || fields["last_lost_offset"] != last || fields["topic"] != "in" {
		t.Errorf("log: %v, want offsets %d to %d", fields, first, last)
	}
}

// Retention overtakes a consumer that has stopped reading.
func TestRetentionPassesARunningConsumer(t *testing.T) {
	for _, policy := range []string{ResetFail, ResetEarliest} {
		t.Run(policy, func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				w.produce(0, 5)
				m := w.join("a", func(c *Config, _ *member) { c.OnReset = policy }).run()
				w.awaitPartitions(m, 2)
				h := m.handles()[0]
				w.await("5 records", func() bool { return len(m.offsets(h)) == 5 })
				m.Pause(h)
				time.Sleep(10 * time.Second)
				w.produce(0, 10)
				w.cluster.DeleteRecords("in", 0, 12)
				m.Resume(h)
				time.Sleep(time.Minute)
				w.produce(1, 1)
				w.await("the other partition goes on", func() bool { return len(m.offsets(m.handles()[1])) == 1 })
				if policy == ResetEarliest {
					if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 12, 13, 14}, m.offsets(h)); diff != "" {
						t.Errorf("offsets (-want +got):\n%s", diff)
					}
					wantLoss(t, m, 5, 11)
					if ps := m.Problems(); m.Expired() != 7 || len(ps) != 0 {
						t.Errorf("expired %d, want 7; problems %+v, want none", m.Expired(), ps)
					}
					return
				}
				ps := m.Problems()
				if len(ps) != 1 || ps[0].Partition != 0 || !strings.Contains(ps[0].Text, "the position 5 is before the start of the log, 12: offsets 5 to 11") {
					t.Errorf("problems: %+v", ps)
				}
				if got := m.offsets(h); len(got) != 5 || m.Expired() != 0 {
					t.Errorf("records %v, expired %d: want it to stand still", got, m.Expired())
				}
			})
		})
	}
}

// An administrator has set the group's offset too high, or the log was cut.
func TestCommitBeyondTheEnd(t *testing.T) {
	for _, policy := range []string{ResetFail, ResetEarliest} {
		t.Run(policy, func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				w.produce(0, 3)
				w.commit(0, 99, "")
				m := w.join("a", func(c *Config, _ *member) { c.OnReset = policy }).run()
				w.awaitPartitions(m, 2)
				time.Sleep(time.Minute)
				h := m.handles()[0]
				if policy == ResetEarliest {
					if diff := cmp.Diff([]int64{0, 1, 2}, m.offsets(h)); diff != "" {
						t.Errorf("offsets (-want +got):\n%s", diff)
					}
					if n := m.logs.FilterMessageSnippet("beyond the end of the log").Len(); n != 1 || m.Expired() != 0 {
						t.Errorf("logged %d times, want once; expired %d, want 0", n, m.Expired())
					}
					return
				}
				ps := m.Problems()
				if len(ps) != 1 || !strings.Contains(ps[0].Text, "committed offset 99 is beyond the end of the log, 3") || m.offsets(h) != nil {
					t.Errorf("problems: %+v, records %v", ps, m.offsets(h))
				}
			})
		})
	}
}
