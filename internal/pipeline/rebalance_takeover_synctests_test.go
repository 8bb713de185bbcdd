//go:build synctests

package pipeline

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/kustomersim"
)

// stalled is an API that accepts and does not process.
func stalled() kustomersim.Script {
	return kustomersim.Script{Run: steady(100 * time.Millisecond).Run, Stalls: []kustomersim.Window{{}}}
}

// listed reports whether the commits of all partitions name all open operations.
func (h *hand) listed() bool {
	for p := range int32(4) {
		for _, op := range h.sim.OpenOperations() {
			if !strings.Contains(h.committed(p).Metadata, op.ID) {
				return false
			}
		}
	}
	return true
}

// A member dies while its operations wait in the API's queue, for much longer than
// lost_reply_wait. Who takes over waits for them by name: newer changes of the
// same messages do not overtake.
func TestTakeoverOfQueuedOperations(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				dead := h.member(ship.edit)
				h.await("all partitions are assigned", func() bool { return dead.snapshot().Partitions == 4 })
				h.setScript(stalled())
				h.sendTo(hotMessage)
				h.await("an operation is queued", func() bool { return h.sim.Stats().ItemsAccepted == 4 })
				h.sendTo(lateMessage)
				h.await("another, too", func() bool { return h.sim.Stats().ItemsAccepted == 8 && len(h.sim.OpenOperations()) == 2 })
				h.await("the commits name both", h.listed)
				h.sendTo(hotMessage, lateMessage)
				h.crash(dead)

				heir := h.member(ship.edit)
				h.await("all are taken over", func() bool { return heir.snapshot().Partitions == 4 })
				h.sendTo(hotMessage, lateMessage)
				time.Sleep(3*longestWrite + session)
				if s := heir.snapshot(); s.Counts.Open != 24 || len(h.sim.OpenOperations()) != 2 {
					t.Errorf("it has %d changes open, %d operations are queued; want all 24 and 2", s.Counts.Open, len(h.sim.OpenOperations()))
				}
				if early := h.arrived("", heir.name); len(early) > 0 {
					t.Errorf("the heir sent %d changes while those of the dead member were queued", len(early))
				}
				goesOn := time.Now()
				h.setScript(steady(100 * time.Millisecond))
				h.await("the heir sends", func() bool { return len(h.arrived("", heir.name)) > 0 })
				if n := len(h.sim.OpenOperations()); n > 1 { // its own
					t.Errorf("%d operations are open as it sends", n)
				}
				t.Logf("it sent %v after the queue moved", time.Since(goesOn))
				h.finish()
				if s := h.sim.Stats(); s.FieldsBackByStamp > 0 || s.ItemsRepeated > 0 {
					t.Errorf("%d fields back by stamp, %d changes repeated", s.FieldsBackByStamp, s.ItemsRepeated)
				}
			})
		})
	}
}

// A member is cut off from Kafka, and only from Kafka, with a window full of
// changes: another gets its partitions, and it doesn't know. It may write as long
// as its lease holds, which is shorter than its session, and not one body later.
func TestLeaseOfACutOffMember(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				h.setScript(steady(100 * time.Millisecond))
				slow := func(s *setup) {
					s.core.MaxItems, s.core.RequestsPerMinute = 1, 240
					s.source.RebalanceTimeout = 20 * time.Second
				}
				cut := h.member(ship.edit, slow)
				h.await("all partitions are assigned", func() bool { return cut.snapshot().Partitions == 4 })
				h.sendTo(many()...)
				h.await("it writes", func() bool { return len(h.arrived("", "")) > 4 })

				cut.kafka.silent.Store(true)
				cutAt := time.Now()
				heir := h.member(ship.edit)
				time.Sleep(session - time.Second) // past the lease, and no session has ended
				leaseUntil := *cut.loop.lease.Load()
				sent := h.arrived("", cut.name)
				s := cut.snapshot()
				t.Logf("the lease ended %v after the cut; it wrote %d changes, the last %v after the cut, and had %d ready",
					leaseUntil.Sub(cutAt), len(sent), sent[len(sent)-1].at.Sub(cutAt), s.Ready)
				if !sent[len(sent)-1].at.After(cutAt) {
					t.Error("it wrote nothing after the cut, although its lease held")
				}
				if s.Ready == 0 || s.Partitions != 4 || len(h.entries(cut, callLost)) > 0 {
					t.Errorf("%d changes are ready, %d partitions are its own: it had nothing to write, or knew", s.Ready, s.Partitions)
				}
				h.await("the heir writes", func() bool { return len(h.arrived("", heir.name)) > 0 })
				if len(h.entries(heir, callAssigned)) == 0 || heir.snapshot().Partitions != 4 {
					t.Error("the heir has not all partitions")
				}
				for _, a := range h.arrived("", cut.name) {
					if a.at.After(leaseUntil) {
						t.Errorf("%s wrote %v after its lease", cut.name, a.at.Sub(leaseUntil))
					}
				}
				cut.kafka.speak()
				h.await("it is back", func() bool { return cut.snapshot().Partitions == 2 && heir.snapshot().Partitions == 2 })
				h.finish()
			})
		})
	}
}

// A call that was decided while the lease held, and whose connection comes about
// only later, writes nothing.
func TestLeaseEndsBeforeTheBody(t *testing.T) {
	byHand(t, func(h *hand) {
		late := h.member(func(s *setup) { s.sink.Timeout, s.core.LostReplyWait = 30*time.Second, 40*time.Second })
		h.await("all partitions are assigned", func() bool { return late.snapshot().Partitions == 4 })
		late.api.silent.Store(true)
		h.sendTo(hotMessage)
		h.await("a call dials", func() bool { return late.snapshot().InFlight == 1 })
		late.kafka.silent.Store(true)
		time.Sleep(session - time.Second)
		if until := *late.loop.lease.Load(); !time.Now().After(until) {
			t.Fatalf("its lease holds for %v more", time.Until(until))
		}
		if s := late.snapshot(); s.InFlight != 1 || len(h.entries(late, callLost)) > 0 {
			t.Errorf("%d calls in flight: the one that was decided has ended, or it knows that its partitions are lost", s.InFlight)
		}
		late.api.speak()
		h.await("the call has ended", func() bool { return late.snapshot().InFlight == 0 })
		if sent := h.arrived("", ""); len(sent) > 0 {
			t.Errorf("%d changes were written without a lease", len(sent))
		}
		late.kafka.speak()
		h.finish()
	})
}

// A revocation that takes longer than the group's rebalance time-out: the group
// gives everything to others, which go on, while the member is still busy giving
// back. Nothing that it commits then may move an offset back.
func TestRevocationPastItsBound(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				edit := func(s *setup) {
					ship.edit(s)
					s.timing.RevokeTimeout, s.source.RebalanceTimeout = 40*time.Second, 3*time.Second
					s.core.LostReplyWait = 4 * time.Second
					if s.source.Protocol == consumer.ProtocolConsumer {
						// kfake, unlike Kafka, begins this time anew with each heartbeat.
						s.source.RebalanceTimeout = 900 * time.Millisecond
					}
				}
				commits, wentBack := h.watchCommits(), h.watchOffsets()
				late := h.member(edit)
				h.await("all partitions are assigned", func() bool { return late.snapshot().Partitions == 4 })
				h.setScript(stalled())
				h.sendTo(hotMessage)
				h.await("an operation is queued", func() bool { return h.sim.Stats().ItemsAccepted == 4 })
				h.await("the commits name it", h.listed)
				id := h.idOf(late)
				two := h.member(edit)
				h.await("it is asked to give two back", func() bool { return len(h.entries(late, callRevoked)) == 1 })
				three := h.member(edit)
				shared := func() bool { return two.snapshot().Partitions+three.snapshot().Partitions == 4 }
				h.await("the others have all", shared)
				forgotten := time.Now()
				late.api.silent.Store(true) // or it would see the operation end
				h.setScript(steady(100 * time.Millisecond))
				h.sendTo(lateMessage)
				h.await("the others have gone on", func() bool {
					for p := range int32(4) {
						if h.committed(p).Offset < 2 {
							return false
						}
					}
					return shared()
				})
				if n := len(h.entries(late, callGiven)); n > 0 {
					t.Fatalf("its revocation is over already, after %v", h.entries(late, callGiven)[0].at.Sub(forgotten))
				}
				h.await("its revocation is over", func() bool { return len(h.entries(late, callGiven)) == 1 })
				t.Logf("it came back %v after the group had forgotten it", time.Since(forgotten))
				late.api.speak()
				h.sendTo(lateMessage)
				h.await("it is a member again", func() bool { return len(h.entries(late, callAssigned)) > 1 })
				h.finish()
				for _, back := range wentBack() {
					t.Error(back)
				}
				h.wantNoCommitBack(commits(), id, forgotten)
			})
		})
	}
}

// wantNoCommitBack checks that no commit was sent, but by the member id that the
// group no longer knew, which was below one before.
func (h *hand) wantNoCommitBack(commits []commitRequest, forgottenID string, since time.Time) {
	h.t.Helper()
	highest, refused := map[int32]int64{}, 0
	for _, c := range commits {
		if c.member == forgottenID && c.at.After(since) {
			refused++ // by the group
			continue
		}
		if c.offset < highest[c.partition] {
			h.t.Errorf("%s committed %d of partition %d, after a commit of %d", c.member, c.offset, c.partition, highest[c.partition])
		}
		highest[c.partition] = c.offset
	}
	h.t.Logf("%d commits, %d of them under the id that was forgotten", len(commits), refused)
}

// idOf is a member's id in the group, or empty.
func (h *hand) idOf(m *member) string {
	g := h.cluster.GroupInfo(groupName)
	if g == nil {
		return ""
	}
	i := slices.IndexFunc(g.Members, func(x kfake.GroupMember) bool { return x.ClientID == m.name })
	if i < 0 {
		return ""
	}
	return g.Members[i].MemberID
}
