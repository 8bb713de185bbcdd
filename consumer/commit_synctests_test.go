//go:build synctests

package consumer

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/batcher"
)

func TestCommitKeepsOffsetEpochAndMetadata(t *testing.T) {
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				w.produce(0, 10)
				edit := func(c *Config, _ *member) { c.Protocol = protocol }
				m := w.join("a", edit).run()
				w.awaitPartitions(m, 2)
				hs := m.handles()
				commit := &batcher.Commit{Partitions: []batcher.PartitionCommit{
					{Assignment: hs[0], Offset: 7, LeaderEpoch: 0, Metadata: "kk1 open op-1,op-2", Result: batcher.CommitRefused},
					{Assignment: hs[1], Offset: 0, LeaderEpoch: -1, Metadata: "kk1 open", Result: batcher.CommitRefused},
				}}
				m.Commit(context.Background(), commit)
				for _, p := range commit.Partitions {
					if p.Result != batcher.CommitDone {
						t.Errorf("partition %d: result %v, want CommitDone", p.Assignment.Partition, p.Result)
					}
				}
				m.leave()
				m = w.join("b", edit).run()
				w.awaitPartitions(m, 2)
				want := []batcher.Start{
					{Topic: "in", Partition: 0, Offset: 7, LeaderEpoch: 0, Metadata: "kk1 open op-1,op-2"},
					{Topic: "in", Partition: 1, Offset: 0, LeaderEpoch: -1, Metadata: "kk1 open"},
				}
				if diff := cmp.Diff(want, []batcher.Start{m.start(0), m.start(1)}); diff != "" {
					t.Errorf("starts (-want +got):\n%s", diff)
				}
				m.leave()
			})
		})
	}
}

// The broker does not check who owns a partition, so we have to.
func TestCommitOfAnOldAssignmentIsRefused(t *testing.T) {
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				edit := func(c *Config, _ *member) { c.Protocol = protocol }
				a := w.join("a", edit).run()
				w.awaitPartitions(a, 2)
				before := a.handles()
				b := w.join("b", edit).run()
				w.awaitPartitions(b, 1)
				p := b.partitions()[0]
				if r := b.commitAt(b.handles()[p], 10, "of b"); r != batcher.CommitDone {
					t.Fatalf("b's commit: %v", r)
				}
				if r := a.commitAt(before[p], 3, "of a"); r != batcher.CommitRefused {
					t.Errorf("a's late commit: %v, want CommitRefused", r)
				}
				if got := w.committed(p); got.At != 10 || got.Metadata != "of b" {
					t.Errorf("committed %d %q after the late commit, want 10, of b", got.At, got.Metadata)
				}
				// Without the fence it would have been accepted.
				offsets := map[string]map[int32]kgo.EpochOffset{"in": {p: {Epoch: -1, Offset: 3}}}
				a.client.CommitOffsetsSync(context.Background(), offsets, nil)
				if got := w.committed(p); got.At != 3 {
					t.Errorf("committed %d without the fence: the broker checks ownership now, look at the package comment", got.At)
				}
				a.leave()
				b.leave()
			})
		})
	}
}

// A commit that a rebalance holds up is looked at again before it is sent.
func TestFenceTakesOutWhatWentMeanwhile(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 2)
		hs := m.handles()
		member, _ := m.client.GroupMetadata()
		commit := []batcher.PartitionCommit{{Assignment: hs[0], Metadata: "x"}, {Assignment: hs[1], Metadata: "y"}}
		by := map[Partition]*batcher.PartitionCommit{{"in", 0}: &commit[0], {"in", 1}: &commit[1]}
		request := func() *kmsg.OffsetCommitRequest {
			return &kmsg.OffsetCommitRequest{MemberID: member, Topics: []kmsg.OffsetCommitRequestTopic{{
				Topic: "in", Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Partition: 0}, {Partition: 1}},
			}}}
		}
		m.mu.Lock()
		delete(m.live, 0)
		m.mu.Unlock()
		m.Consumer.mu.Lock()
		t0 := m.Consumer.tenures[Partition{"in", 0}]
		m.Consumer.mu.Unlock()
		m.drop([]*tenure{t0})
		req := request()
		if err := m.fence(req, by); err != nil {
			t.Fatal(err)
		}
		if ps := req.Topics[0].Partitions; len(ps) != 1 || ps[0].Partition != 1 || *ps[0].Metadata != "y" {
			t.Errorf("partitions sent: %+v, want only 1 with its metadata", ps)
		}
		req = request()
		req.MemberID = "another"
		if err := m.fence(req, by); err == nil || commit[1].Result != batcher.CommitRefused {
			t.Errorf("under another member id: error %v, result %v; want one, CommitRefused", err, commit[1].Result)
		}
		m.leave()
	})
}

// A commit without an answer may have been applied: its outcome is unknown.
func TestCommitWithoutAnAnswerIsUnknown(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 3)
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 1)
		h := m.handles()[0]
		var once atomic.Bool
		w.cluster.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
			if once.CompareAndSwap(false, true) {
				w.cluster.SleepControl(func() { time.Sleep(4 * time.Second) })
			}
			return nil, nil, false
		})
		began := time.Now()
		if r := m.commitAt(h, 1, "x"); r != batcher.CommitUnknown {
			t.Errorf("result %v, want CommitUnknown", r)
		}
		if took := time.Since(began); took != commitDeadline {
			t.Errorf("took %v, want the deadline of %v", took, commitDeadline)
		}
		if ps := m.Problems(); len(ps) != 1 || ps[0].Topic != "in" || !strings.Contains(ps[0].Text, "deadline") {
			t.Errorf("problems: %+v", ps)
		}
		// The fake answers nothing else on that connection meanwhile, so the
		// membership may be lost on the way.
		w.await("a commit is done", func() bool {
			h := m.handles()[0]
			return h != nil && m.commitAt(h, 2, "y") == batcher.CommitDone
		})
		if ps := m.Problems(); len(ps) != 0 {
			t.Errorf("problems after a commit: %+v", ps)
		}
	})
}

// While another member holds a rebalance up, a commit waits, but not past its
// deadline.
func TestCommitDuringARebalanceKeepsItsDeadline(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 2)
		joining := make(chan struct{}, 8)
		w.cluster.ControlKey(int16(kmsg.SyncGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
			joining <- struct{}{}
			w.cluster.SleepControl(func() { time.Sleep(6 * time.Second) })
			return nil, nil, false
		})
		m.client.ForceRebalance()
		<-joining
		began := time.Now()
		if r := m.commitAt(m.handles()[0], 1, "x"); r != batcher.CommitUnknown {
			t.Errorf("result %v, want CommitUnknown", r)
		}
		if took := time.Since(began); took != commitDeadline {
			t.Errorf("took %v, want the deadline of %v", took, commitDeadline)
		}
		w.await("the rebalance is over", func() bool { return m.commitAt(m.handles()[0], 1, "x") == batcher.CommitDone })
	})
}
