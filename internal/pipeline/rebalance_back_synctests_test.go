//go:build synctests

package pipeline

import (
	"slices"
	"testing"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/kustomersim"
)

// A partition goes away and comes back to the same member, while what that member
// began for it runs on. Its end belongs to a tenure that is over: it changes
// nothing for the new one, which takes over as from a stranger.
func TestPartitionComesBack(t *testing.T) {
	const ends = 12 * time.Second // after this, what was begun has ended
	for _, begun := range []struct {
		name   string
		script kustomersim.Script
		begins func(*hand, batcher.Snapshot) bool
	}{
		{"with a call in flight", kustomersim.Script{
			Run:    kustomersim.Run{Base: kustomersim.Duration(time.Second)},
			Faults: []kustomersim.Fault{{Kind: kustomersim.FaultSlow, On: "put", Share: 1, Count: 1, Delay: kustomersim.Duration(ends - time.Second), Accept: kustomersim.AcceptLate}},
		}, func(_ *hand, s batcher.Snapshot) bool { return s.InFlight == 1 }},
		{"with an operation open", steady(ends), func(h *hand, s batcher.Snapshot) bool {
			return s.Operations == 1 && len(h.sim.OpenOperations()) == 1
		}},
	} {
		for _, ship := range memberships[:2] { // a static member that leaves keeps its partitions for a session
			t.Run(begun.name+", "+ship.name, func(t *testing.T) {
				byHand(t, func(h *hand) {
					edit := func(s *setup) {
						ship.edit(s)
						s.timing.RevokeTimeout, s.sink.Timeout, s.core.LostReplyWait = time.Second, 30*time.Second, ends+8*time.Second
					}
					m := h.member(edit)
					h.await("all partitions are assigned", func() bool { return m.snapshot().Partitions == 4 })
					h.setScript(begun.script)
					h.sendTo(hotMessage)
					h.await("it has begun", func() bool { return begun.begins(h, m.snapshot()) })
					begunAt := time.Now()
					other := h.member(edit)
					h.await("the other has two", func() bool { return other.snapshot().Partitions == 2 })
					h.leave(other)
					h.await("all are back", func() bool { return m.snapshot().Partitions == 4 })
					if s := m.snapshot(); !begun.begins(h, s) {
						t.Fatalf("%v later: %+v: it has ended already", time.Since(begunAt), s)
					}
					h.wantOldTenureOver(m, begunAt.Add(ends+5*time.Second)) // and not yet time for the new tenure to send
					h.setScript(steady(100 * time.Millisecond))
					h.finish()
				})
			})
		}
	}
}

// wantOldTenureOver looks, after what had begun has ended, at the tenures that
// were over before.
func (h *hand) wantOldTenureOver(m *member, ended time.Time) {
	h.t.Helper()
	old := h.entries(m, callRevoked)[0].as
	assigned := h.entries(m, callAssigned)
	time.Sleep(time.Until(ended))
	if len(h.sim.OpenOperations()) > 0 || m.snapshot().InFlight > 0 {
		h.t.Fatal("what had begun has not ended")
	}
	for p := range int32(4) {
		i := slices.IndexFunc(old, func(a *batcher.Assignment) bool { return a.Partition == p })
		offset := int64(1)
		if i >= 0 {
			offset = 0
			if c := m.counts(old[i]); c != (batcher.Counts{Delivered: 1, Dropped: 1}) {
				h.t.Errorf("partition %d, its first tenure: %+v, want its one change dropped", p, c)
			}
			for _, a := range assigned[len(assigned)-1].as {
				if c := m.counts(a); a.Partition == p && c != (batcher.Counts{Delivered: 1, Open: 1}) {
					h.t.Errorf("partition %d, its second tenure: %+v, want its one change open", p, c)
				}
			}
		}
		if got := h.committed(p); got.Offset != offset {
			h.t.Errorf("partition %d: committed %d, want %d", p, got.Offset, offset)
		}
		if n := len(h.arrived(h.message(p, hotMessage), "")); n != 1 {
			h.t.Errorf("partition %d: sent %d times so far, want once", p, n)
		}
	}
}

// Partitions that are added to the topic are found, shared and read from their
// beginning, and the others are none the worse.
func TestPartitionsAdded(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				a, b := h.member(ship.edit), h.member(ship.edit)
				h.await("both have two", func() bool { return a.snapshot().Partitions == 2 && b.snapshot().Partitions == 2 })
				h.sendTo(hotMessage, lateMessage)
				h.addPartitions(4)
				added := time.Now()
				h.sendTo(hotMessage)
				h.produce(400)
				h.await("both have four", func() bool { return a.snapshot().Partitions == 4 && b.snapshot().Partitions == 4 })
				took := time.Since(added)
				t.Logf("shared out after %v", took)
				if took > 40*time.Second {
					t.Errorf("it took %v to see the new partitions", took)
				}
				h.finish()
				for p := range int32(8) {
					if h.committed(p).Offset < 10 {
						t.Errorf("partition %d: committed %d: it had too few events to prove anything", p, h.committed(p).Offset)
					}
				}
			})
		})
	}
}
