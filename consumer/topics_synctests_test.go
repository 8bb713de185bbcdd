//go:build synctests

package consumer

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"kafka-kustomer/batcher"
)

func (w *world) deleteTopic() {
	w.t.Helper()
	if _, err := kadm.NewClient(w.admin).DeleteTopic(context.Background(), "in"); err != nil {
		w.t.Fatal(err)
	}
	w.admin.PurgeTopicsFromClient("in")
}

func (w *world) createTopic(partitions int32) {
	w.t.Helper()
	if _, err := kadm.NewClient(w.admin).CreateTopic(context.Background(), partitions, 1, nil, "in"); err != nil {
		w.t.Fatal(err)
	}
}

func problem(m *member, text string) bool {
	return slices.ContainsFunc(m.Problems(), func(p Problem) bool { return strings.Contains(p.Text, text) })
}

// A topic need not be there from the start, and may go and come.
func TestMissingAndDeletedTopic(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.deleteTopic()
		m := w.join("a", nil).run()
		w.await("it is said that the topic is missing", func() bool { return problem(m, "does not exist") })
		w.createTopic(1)
		w.produce(0, 2)
		w.await("it is read", func() bool { return len(m.handles()) == 1 && len(m.offsets(m.handles()[0])) == 2 })
		read := time.Now()
		w.await("no problem", func() bool { return len(m.Problems()) == 0 })
		if took := time.Since(read); took > 3*time.Second {
			t.Errorf("%v after the first record it was still said to be missing", took)
		}
		w.deleteTopic()
		w.await("it is said that the topic is gone", func() bool { return problem(m, "was deleted") })
		if ps := m.Problems(); len(ps) != 1 || ps[0].Topic != "in" || ps[0].Partition != -1 || !strings.Contains(ps[0].Check, "create the topic") {
			t.Errorf("problems: %+v", ps)
		}
	})
}

// What was read of a topic that is deleted and made anew is still delivered; its
// offsets are never committed for the new one.
func TestTopicMadeAnew(t *testing.T) {
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		for _, policy := range []string{ResetFail, ResetEarliest} {
			t.Run(protocol+" "+policy, func(t *testing.T) {
				inWorld(t, 1, func(w *world) { testTopicMadeAnew(w, protocol, policy) })
			})
		}
	}
}

func testTopicMadeAnew(w *world, protocol, policy string) {
	t := w.t
	w.produce(0, 5)
	w.commit(0, 0, "")
	m := w.join("a", func(c *Config, _ *member) {
		c.Protocol, c.OnReset, c.Start = protocol, policy, StartLatest
	})
	m.run()
	w.awaitPartitions(m, 1)
	old := m.handles()[0]
	w.await("5 records", func() bool { return len(m.offsets(old)) == 5 })
	if got := m.commitAt(old, 2, ""); got != batcher.CommitDone {
		t.Fatalf("commit: %v", got)
	}
	w.deleteTopic()
	w.createTopic(1)
	w.produce(0, 3)
	if policy == ResetFail {
		w.await("a problem", func() bool { return problem(m, "made anew") })
		time.Sleep(time.Minute)
		if ps := m.Problems(); len(ps) != 1 || ps[0].Topic != "in" || !strings.Contains(ps[0].Check, "start the program again") {
			t.Errorf("problems: %+v", ps)
		}
		if hs := m.handles(); len(hs) == 1 {
			if got := m.commitAt(hs[0], 5, ""); got != batcher.CommitRefused {
				t.Errorf("commit for a topic that is no more: %v", got)
			}
		}
	} else {
		w.await("it is said", func() bool { return m.logs.FilterMessageSnippet("made anew").Len() > 0 })
		if protocol == ProtocolClassic || m.handles()[0] == old { // a KIP-848 broker takes its partitions away by itself
			time.Sleep(time.Minute)
			if m.handles()[0] != old {
				t.Error("the new topic was begun before the records of the old one were settled")
			}
			if got := m.commitAt(old, 5, ""); got != batcher.CommitRefused {
				t.Errorf("commit for a topic that is no more: %v", got)
			}
		}
		w.await("the new one is read from its beginning", func() bool {
			h := m.handles()[0]
			return h != nil && h != old && slices.Equal(m.offsets(h), []int64{0, 1, 2})
		})
		if got := m.commitAt(m.handles()[0], 3, "kk1 clean"); got != batcher.CommitDone {
			t.Errorf("commit for the new one: %v", got)
		}
	}
	if diff := cmp.Diff([]int64{0, 1, 2, 3, 4}, m.offsets(old)); diff != "" {
		t.Errorf("offsets of the old one (-want +got):\n%s", diff)
	}
	want := int64(-1)
	if policy == ResetEarliest {
		want = 3
	}
	if got := w.committed(0).At; got != want {
		t.Errorf("committed %d, want %d", got, want)
	}
}

// Whatever the start policy, nobody can have read what a new partition holds.
func TestAddedPartitionIsReadFromItsBeginning(t *testing.T) {
	for _, start := range []string{StartEarliest, StartLatest, StartCommitted} {
		t.Run(start, func(t *testing.T) {
			inWorld(t, 1, func(w *world) {
				w.commit(0, 0, "")
				m := w.join("a", func(c *Config, _ *member) { c.Start = start }).run()
				w.awaitPartitions(m, 1)
				if _, err := kadm.NewClient(w.admin).CreatePartitions(context.Background(), 1, "in"); err != nil {
					t.Fatal(err)
				}
				w.admin.ForceMetadataRefresh()
				time.Sleep(time.Second)
				w.produce(1, 2)
				begun := time.Now()
				w.awaitPartitions(m, 2)
				w.await("its records", func() bool { return slices.Equal(m.offsets(m.handles()[1]), []int64{0, 1}) })
				if took := time.Since(begun); took > metadataMaxAge+5*time.Second {
					t.Errorf("it took %v", took)
				}
				if ps := m.Problems(); len(ps) != 0 {
					t.Errorf("problems: %+v", ps)
				}
			})
		})
	}
}

// Closing comes through at every moment of taking a topic anew.
func TestCloseWhileATopicIsTakenAnew(t *testing.T) {
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			for after := time.Duration(0); after < 45*time.Second; after += 700 * time.Millisecond {
				inWorld(t, 1, func(w *world) {
					m := w.join("a", func(c *Config, m *member) {
						c.Protocol, c.OnReset = protocol, ResetEarliest
						m.onRevoked = func([]*batcher.Assignment) { time.Sleep(2 * time.Second) }
					}).run()
					w.produce(0, 1)
					w.awaitPartitions(m, 1)
					h := m.handles()[0]
					w.await("a record", func() bool { return len(m.offsets(h)) == 1 })
					m.commitAt(h, 1, "")
					w.deleteTopic()
					w.createTopic(1)
					time.Sleep(after)
					begun := time.Now()
					m.leave()
					if took := time.Since(begun); took > 10*time.Second {
						t.Errorf("closing %v after took %v", after, took)
					}
				})
			}
		})
	}
}
