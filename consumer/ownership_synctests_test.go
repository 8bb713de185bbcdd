//go:build synctests

package consumer

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/batcher"
)

func TestHandleComesBeforeRecords(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 10)
		w.commit(0, 4, "kk1 clean")
		m := w.join("a", nil).run()
		w.await("6 records", func() bool { return slices.Contains(m.entries(), "records 0: 6") })
		want := []string{`assigned 0 at 4 "kk1 clean"`, "records 0: 6"}
		if diff := cmp.Diff(want, m.entries()); diff != "" {
			t.Errorf("diary (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[Partition]int64{{"in", 0}: 0}, m.Lag()); diff != "" {
			t.Errorf("lag (-want +got):\n%s", diff)
		}
		m.leave()
	})
}

func TestTwoMembersShareAndGiveBack(t *testing.T) {
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			inWorld(t, 4, func(w *world) {
				for p := range int32(4) {
					w.produce(p, 5)
				}
				edit := func(c *Config, m *member) {
					c.Protocol = protocol
					m.onRevoked = func(as []*batcher.Assignment) {
						time.Sleep(2 * time.Second) // the loop waits for what runs
						for _, x := range as {
							if r := m.commitAt(x, 3, "kk1 clean"); r != batcher.CommitDone {
								t.Errorf("commit inside a revocation: %v", r)
							}
						}
					}
				}
				a := w.join("a", edit).run()
				w.awaitPartitions(a, 4)
				before := a.handles()
				b := w.join("b", edit).run()
				w.awaitPartitions(b, 2)
				w.awaitPartitions(a, 2)
				for p, h := range b.handles() {
					if s := b.start(p); s.Offset != 3 || s.Metadata != "kk1 clean" {
						t.Errorf("b starts %d at %d with %q, want 3, clean", p, s.Offset, s.Metadata)
					}
					w.await("b reads on", func() bool { return slices.Equal(b.offsets(h), []int64{3, 4}) })
				}
				for p, h := range a.handles() {
					if h != before[p] {
						t.Errorf("partition %d stayed, but has a new handle", p)
					}
				}
				b.leave()
				w.awaitPartitions(a, 4)
				for p, h := range a.handles() {
					moved := b.start(p).Topic != ""
					if moved == (h == before[p]) {
						t.Errorf("partition %d: moved %v, same handle %v", p, moved, h == before[p])
					}
				}
				a.leave()
			})
		})
	}
}

func TestLostWhenCutOff(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 5)
		during := batcher.CommitDone
		a := w.join("a", func(_ *Config, m *member) {
			m.onLost = func(as []*batcher.Assignment) { during = m.commitAt(as[0], 5, "while it is told") }
		}).run()
		w.awaitPartitions(a, 2)
		old := a.handles()
		w.await("alive", func() bool { return !a.lastAlive().IsZero() })
		a.link.cut()
		cut := time.Now()
		w.await("lost", func() bool { return slices.Contains(a.entries(), "lost [0 1]") })
		if r := a.commitAt(old[0], 5, "late"); r != batcher.CommitRefused {
			t.Errorf("commit after the loss: %v, want CommitRefused", r)
		}
		if during != batcher.CommitRefused {
			t.Errorf("commit while the owner is told of the loss: %v, want CommitRefused", during)
		}
		if sent := a.lastAlive(); sent.After(cut) {
			t.Errorf("alive as of %v, which is after the cut", sent.Sub(cut))
		}
		w.await("a problem of the connection", func() bool {
			return slices.ContainsFunc(a.Problems(), func(p Problem) bool {
				return p.Broker != "" && strings.Contains(p.Text, "connection refused")
			})
		})
		time.Sleep(12 * time.Second) // past the session
		a.link.mend()
		w.awaitPartitions(a, 2)
		if a.handles()[0] == old[0] {
			t.Error("the old handle came back")
		}
		w.await("no problems", func() bool { return len(a.Problems()) == 0 })
		a.leave()
		if got := w.committed(0); got.At != -1 {
			t.Errorf("committed %d, want nothing", got.At)
		}
	})
}

// kgo joins again under a new member id after a commit was answered
// UNKNOWN_MEMBER_ID, and keeps its partitions without a word.
func TestTakenBackUnderANewMemberID(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 10)
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 1)
		old := m.handles()[0]
		w.await("10 records", func() bool { return len(m.offsets(old)) == 10 })
		id, _ := m.client.GroupMetadata()
		w.kick(id)
		w.commit(0, 6, "kk1 open foreign") // by who had it meanwhile
		var lostFirst atomic.Bool
		w.cluster.ControlKey(int16(kmsg.OffsetFetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			lostFirst.Store(slices.Contains(m.entries(), "lost [0]"))
			return nil, nil, false
		})
		if r := m.commitAt(old, 9, "late"); r != batcher.CommitRefused {
			t.Errorf("commit of a member the group has forgotten: %v, want CommitRefused", r)
		}
		w.await("a new handle", func() bool { h := m.handles()[0]; return h != nil && h != old })
		if diff := cmp.Diff(batcher.Start{Topic: "in", Offset: 6, LeaderEpoch: -1, Metadata: "kk1 open foreign"}, m.start(0)); diff != "" {
			t.Errorf("start (-want +got):\n%s", diff)
		}
		w.await("read again from 6", func() bool { return slices.Equal(m.offsets(m.handles()[0]), []int64{6, 7, 8, 9}) })
		if !lostFirst.Load() {
			t.Errorf("the old assignment was not lost before the committed offset was asked for: %v", m.entries())
		}
		m.leave()
	})
}

// Without a commit there is nothing to go back to but the first record given.
func TestTakenBackWithoutACommit(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 4)
		m := w.join("a", func(c *Config, _ *member) { c.Start = StartLatest }).run()
		w.awaitPartitions(m, 1)
		time.Sleep(time.Second)
		w.produce(0, 3)
		old := m.handles()[0]
		w.await("3 records", func() bool { return len(m.offsets(old)) == 3 })
		id, _ := m.client.GroupMetadata()
		w.kick(id)
		m.commitAt(old, 5, "late")
		w.await("a new handle", func() bool { h := m.handles()[0]; return h != nil && h != old })
		w.await("read again", func() bool { return slices.Equal(m.offsets(m.handles()[0]), []int64{4, 5, 6}) })
		m.leave()
	})
}

// kick removes a member from the group as an administrator would.
func (w *world) kick(member string) {
	w.t.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = "group", member
	m := kmsg.NewLeaveGroupRequestMember()
	m.MemberID = member
	req.Members = append(req.Members, m)
	resp, err := req.RequestWith(context.Background(), w.admin)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// A revocation that takes longer than the rebalance time-out ends the membership
// behind our back: then nothing may be committed, however the callbacks come, and
// heartbeats that the group no longer counts must not pass for acknowledged.
func TestRevocationPastTheRebalanceTimeout(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		var late []batcher.CommitResult
		short := func(c *Config, _ *member) { c.RebalanceTimeout = 3 * time.Second }
		a := w.join("a", func(c *Config, m *member) {
			short(c, m)
			m.onRevoked = func(as []*batcher.Assignment) {
				time.Sleep(20 * time.Second)
				for _, x := range as {
					late = append(late, m.commitAt(x, 1, "late"))
				}
			}
		}).run()
		w.awaitPartitions(a, 2)
		id, _ := a.client.GroupMetadata()
		b := w.join("b", short).run()
		w.await("a is asked to give one back", func() bool {
			return slices.ContainsFunc(a.entries(), func(e string) bool { return strings.HasPrefix(e, "revoking") })
		})
		c := w.join("c", short).run() // a can't answer this rebalance
		w.await("the group has forgotten a", func() bool {
			g := w.cluster.GroupInfo("group")
			return !slices.ContainsFunc(g.Members, func(m kfake.GroupMember) bool { return m.MemberID == id })
		})
		forgotten := time.Now()
		w.await("b and c have all", func() bool { return len(b.handles()) == 1 && len(c.handles()) == 1 })
		for _, m := range []*member{b, c} {
			for p, h := range m.handles() {
				if r := m.commitAt(h, 50, "kk1 open"); r != batcher.CommitDone {
					t.Errorf("%s's commit of %d: %v", m.name, p, r)
				}
			}
		}
		w.await("a has ended its assignments", func() bool { return len(a.handles()) == 0 })
		if sent := a.lastAlive(); sent.After(forgotten) {
			t.Errorf("a was told to be alive %v after the group had forgotten it", sent.Sub(forgotten))
		}
		if len(late) != 1 || late[0] != batcher.CommitRefused {
			t.Errorf("a's late commits came to %v, want one CommitRefused", late)
		}
		for p := range int32(2) {
			if got := w.committed(p); got.At != 50 {
				t.Errorf("partition %d: committed %d, want 50", p, got.At)
			}
		}
	})
}

func TestStaticMemberComesBack(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		static := func(id string) func(*Config, *member) {
			return func(c *Config, _ *member) { c.InstanceID = id }
		}
		a, b := w.join("a", static("one")).run(), w.join("b", static("two")).run()
		w.awaitPartitions(b, 1)
		w.awaitPartitions(a, 1)
		p := a.partitions()[0]
		a.commitAt(a.handles()[p], 2, "kk1 clean")
		a.leave()
		before := len(b.entries())
		a = w.join("a", static("one")).run()
		w.awaitPartitions(a, 1)
		if got := a.partitions()[0]; got != p {
			t.Errorf("got partition %d back, want %d", got, p)
		}
		if s := a.start(p); s.Offset != 2 || s.Metadata != "kk1 clean" {
			t.Errorf("starts at %d with %q", s.Offset, s.Metadata)
		}
		if after := b.entries(); len(after) != before {
			t.Errorf("the other member saw a rebalance: %v", after[before:])
		}
		a.leave()
		b.leave()
	})
}

func TestFencedInstanceEndsPoll(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		static := func(c *Config, _ *member) { c.InstanceID = "one" }
		a := w.join("a", static).run()
		w.awaitPartitions(a, 1)
		b := w.join("b", static).run()
		w.awaitPartitions(b, 1)
		w.await("a's polling ends", func() bool {
			select {
			case <-a.done:
				return true
			default:
				return false
			}
		})
		if _, ok := a.pollErr.(*FencedError); !ok || !strings.Contains(a.pollErr.Error(), `"one"`) {
			t.Errorf("Poll: %v, want a FencedError", a.pollErr)
		}
		if !slices.Contains(a.entries(), "lost [0]") {
			t.Errorf("diary %v: the partition was not lost", a.entries())
		}
		a.leave()
		b.leave()
	})
}

func TestOwnerThatRefusesIsAskedAgain(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 3)
		m := w.join("a", func(_ *Config, m *member) { m.refusals = 2 }).run()
		w.awaitPartitions(m, 1)
		w.await("3 records", func() bool { return len(m.offsets(m.handles()[0])) == 3 })
		if n := m.refusals; n != 0 {
			t.Errorf("asked too few times: %d refusals left", n)
		}
	})
}
