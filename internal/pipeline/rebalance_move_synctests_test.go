//go:build synctests

package pipeline

import (
	"strings"
	"testing"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/kustomersim"
)

// Messages of the troubled partitions, by their number.
const (
	hotMessage  = 0  // one change in an open operation, one behind it
	lateMessage = 1  // in an open operation, after the held change
	firstOfMany = 2  // sent once, without success
	manyOfThem  = 12 // so many that one of them surely still waits when it matters
)

func many() (ns []int) {
	for i := range manyOfThem {
		ns = append(ns, firstOfMany+i)
	}
	return ns
}

// trouble brings every partition into a state in which each kind of unfinished
// work is there: two open operations, a change held behind one, changes that
// wait for their next attempt, and a change behind all that was sent.
func (h *hand) trouble() {
	h.t.Helper()
	h.setScript(steady(8 * time.Second))
	h.sendTo(hotMessage)
	h.await("the first changes are accepted", func() bool { return h.sim.Stats().ItemsAccepted == 4 })
	h.sendTo(hotMessage, lateMessage)
	h.await("the later ones, too", func() bool { return h.sim.Stats().ItemsAccepted == 8 })
	refusing := steady(time.Second)
	refusing.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultStatus, On: "put", Share: 1, Status: 503, Body: "html"}}
	h.setScript(refusing)
	h.sendTo(many()...)
	h.await("a batch has failed", func() bool { return h.sim.Stats().PutStatus[503] > 0 })
	h.setScript(steady(time.Second)) // operations keep the time they were given
	if n := h.sim.Stats().PutStatus[503]; n != 1 {
		h.t.Errorf("%d batches failed, want 1: more are taken for an outage", n)
	}
	h.sendTo(hotMessage)
}

// wantTrouble checks, as a revocation is told, that all of it is there.
func (h *hand) wantTrouble(m *member, as []*batcher.Assignment) {
	s := m.snapshot()
	if s.InFlight != 0 || s.Paused {
		h.t.Errorf("at the revocation %d calls are in flight, delivery paused %v", s.InFlight, s.Paused)
	}
	for _, a := range as {
		hot, late := h.message(a.Partition, hotMessage), h.message(a.Partition, lateMessage)
		if h.applied(hot) || h.applied(late) || len(h.arrived(late, "")) != 1 {
			h.t.Errorf("partition %d: its operations are not open at the revocation", a.Partition)
		}
		if n := len(h.arrived(hot, "")); n != 1 {
			h.t.Errorf("partition %d: the hot message was sent %d times before the revocation: nothing is held", a.Partition, n)
		}
		backing := 0
		for _, n := range many() {
			if len(h.arrived(h.message(a.Partition, n), "")) == 1 {
				backing++
			}
		}
		if backing <= s.Ready {
			h.t.Errorf("partition %d: %d changes had one attempt, %d are ready for the next: nothing is in backoff", a.Partition, backing, s.Ready)
		}
		// The three of the hot message, the late one, and what is in backoff.
		if c := m.counts(a); int(c.Open) < 4+backing || !c.Balanced() {
			h.t.Errorf("partition %d: %+v with %d in backoff", a.Partition, c, backing)
		}
	}
}

// patient is a member that waits long enough for what trouble leaves.
func patient(s *setup) {
	s.timing.RevokeTimeout, s.source.RebalanceTimeout = 20*time.Second, 30*time.Second
	s.core.MaxItems, s.core.Linger = 100, 500*time.Millisecond
	s.core.RetryInitial, s.core.RetryMax = 6*time.Second, 12*time.Second
	s.core.LostReplyWait = 6 * time.Second
}

// hasty is one that does not.
func hasty(s *setup) {
	patient(s)
	s.timing.RevokeTimeout, s.source.RebalanceTimeout = 2*time.Second, 5*time.Second
	s.core.LostReplyWait = longestWrite
}

// move lets a second member take two partitions from a first one that is in
// trouble, and returns both.
func (h *hand) move(edits ...func(*setup)) (from, to *member) {
	h.t.Helper()
	from = h.member(append(edits, func(s *setup) {
		s.told = func(what callback, as []*batcher.Assignment, _ []batcher.Start) {
			if what == callRevoked && len(h.members) == 2 {
				h.wantTrouble(h.members[0], as)
			}
		}
	})...)
	h.await("all partitions are assigned", func() bool { return from.snapshot().Partitions == 4 })
	h.trouble()
	to = h.member(edits...)
	h.await("the other member has two", func() bool { return to.snapshot().Partitions == 2 })
	return from, to
}

// Everything ends within the revocation: nothing is sent twice, and the next
// owner begins at once.
func TestMoveFinishesWhatItCan(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				from, to := h.move(patient, ship.edit)
				given := h.entries(from, callGiven)
				revoked := h.entries(from, callRevoked)
				if len(given) != 1 || len(given[0].as) != 2 {
					t.Fatalf("given back: %+v, want two partitions at once", given)
				}
				took := given[0].at.Sub(revoked[0].at)
				t.Logf("given back after %v", took)
				if took < 2*time.Second || took >= 20*time.Second {
					t.Errorf("it took %v: it did not wait for what was open, or for its end", took)
				}
				for _, s := range h.entries(to, callAssigned)[0].starts {
					if s.Metadata != "kk1 clean" || s.Offset != 3+manyOfThem {
						t.Errorf("partition %d begins at %d with %q, want %d, clean", s.Partition, s.Offset, s.Metadata, 3+manyOfThem)
					}
				}
				if n := to.logs.FilterMessageSnippet("not given back clean").Len(); n > 0 {
					t.Errorf("the next owner had to wait %d times", n)
				}
				h.finish()
				if n := h.sim.Stats().ItemsRepeated; n > 0 {
					t.Errorf("%d changes were sent again", n)
				}
			})
		})
	}
}

// Nothing ends within the revocation: what is open is named to the next owner,
// which waits for it.
func TestMoveLeavesWhatItMust(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				from, to := h.move(hasty, ship.edit)
				given, revoked := h.entries(from, callGiven), h.entries(from, callRevoked)
				took := given[0].at.Sub(revoked[0].at)
				t.Logf("given back after %v", took)
				if limit := from.timing.RevokeTimeout; took < limit || took > limit+time.Second {
					t.Errorf("it took %v, want the time-out of %v", took, limit)
				}
				open := 0
				for _, s := range h.entries(to, callAssigned)[0].starts {
					ids := strings.TrimPrefix(s.Metadata, "kk1 open ")
					if s.Offset != 0 || ids == s.Metadata || strings.Count(ids, ",") < 1 {
						t.Errorf("partition %d begins at %d with %q, want 0 and two operations", s.Partition, s.Offset, s.Metadata)
					}
					for _, op := range h.sim.OpenOperations() {
						if strings.Contains(ids, op.ID) {
							open++
						}
					}
				}
				if open == 0 {
					t.Error("no operation was open at the takeover")
				}
				h.finish()
				begun := h.entries(to, callAssigned)[0]
				for _, a := range begun.as {
					first := h.arrived(h.message(a.Partition, hotMessage), to.name)
					if len(first) == 0 || first[0].at.Sub(begun.at) < longestWrite {
						t.Errorf("partition %d: sent again %v, taken over at %v", a.Partition, first, begun.at)
					}
				}
				if n := h.sim.Stats().ItemsRepeated; n == 0 {
					t.Error("nothing was sent again, so nothing had been left")
				}
			})
		})
	}
}

// While the API is away nothing can end, and a revocation does not wait for it.
func TestMoveWhileTheAPIIsAway(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				from := h.member(patient, ship.edit, func(s *setup) {
					s.core.RetryInitial, s.core.RetryMax = 100*time.Millisecond, time.Second
				})
				h.await("all partitions are assigned", func() bool { return from.snapshot().Partitions == 4 })
				h.setScript(kustomersim.Script{Faults: []kustomersim.Fault{{Kind: kustomersim.FaultCutBefore, Share: 1}}})
				h.sendTo(many()...)
				h.await("delivery is paused", func() bool { return from.snapshot().Paused })
				to := h.member(patient, ship.edit)
				h.await("the other member has two", func() bool { return to.snapshot().Partitions == 2 })
				given, revoked := h.entries(from, callGiven), h.entries(from, callRevoked)
				took := given[0].at.Sub(revoked[0].at)
				t.Logf("given back after %v", took)
				if limit := from.timing.RevokeTimeout / 10; took > limit {
					t.Errorf("it took %v, want less than %v: nothing could end", took, limit)
				}
				if n := h.sim.Stats().ItemsAccepted; n > 0 {
					t.Errorf("%d items were accepted: the API was not away", n)
				}
				h.setScript(steady(100 * time.Millisecond))
				h.finish()
			})
		})
	}
}

// The API goes away while a revocation waits: what is open still ends, and what
// waits for its turn is given up.
func TestMoveAsTheAPIGoesAway(t *testing.T) {
	for _, ship := range memberships {
		t.Run(ship.name, func(t *testing.T) {
			byHand(t, func(h *hand) {
				from := h.member(patient, ship.edit, func(s *setup) {
					s.core.RetryInitial, s.core.RetryMax = 100*time.Millisecond, time.Second
					s.told = func(what callback, _ []*batcher.Assignment, _ []batcher.Start) {
						if what == callRevoked && len(h.members) == 2 {
							refusing := steady(time.Second)
							refusing.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultStatus, On: "put", Share: 1, Status: 503, Body: "html"}}
							h.setScript(refusing)
						}
					}
				})
				h.await("all partitions are assigned", func() bool { return from.snapshot().Partitions == 4 })
				h.setScript(steady(4 * time.Second))
				h.sendTo(hotMessage)
				h.await("the first changes are accepted", func() bool { return h.sim.Stats().ItemsAccepted == 4 })
				h.sendTo(hotMessage, lateMessage)
				h.await("the later ones, too", func() bool { return h.sim.Stats().ItemsAccepted == 8 })
				to := h.member(patient, ship.edit)
				h.await("the other member has two", func() bool { return to.snapshot().Partitions == 2 })
				given, revoked := h.entries(from, callGiven), h.entries(from, callRevoked)
				took := given[0].at.Sub(revoked[0].at)
				failed := h.sim.Stats().PutStatus[503]
				t.Logf("given back after %v and %d failed calls", took, failed)
				if took < 2*time.Second || took > from.timing.RevokeTimeout/2 || failed < 3 {
					t.Errorf("it took %v and %d failed calls: it did not wait for the open operations, or for the held change that could not end", took, failed)
				}
				for _, s := range h.entries(to, callAssigned)[0].starts {
					if s.Offset != 1 || s.Metadata == "kk1 clean" {
						t.Errorf("partition %d begins at %d with %q, want 1, open", s.Partition, s.Offset, s.Metadata)
					}
				}
				h.setScript(steady(100 * time.Millisecond))
				h.finish()
			})
		})
	}
}
