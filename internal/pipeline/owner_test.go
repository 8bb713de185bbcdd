package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kafka-kustomer/batcher"
)

// kgo calls back as soon as its client exists, which is before Run: such a
// callback waits, and is answered first of all.
func TestCallbackBeforeRunWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		got := make(chan *batcher.Assignment, 1)
		go func() { got <- r.assign(t, 0) }()
		time.Sleep(time.Second)
		if len(got) > 0 {
			t.Fatal("answered by nobody")
		}
		r.run()
		synctest.Wait()
		if len(got) == 0 {
			t.Error("not answered once the loop runs")
		}
		r.end()
	})
}

func TestCallbackBeforeRunObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Assigned(ctx, []batcher.Start{{Topic: "in"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Assigned = %v", err)
		}
		if _, err := r.Snapshot(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Snapshot = %v", err)
		}
	})
}

// Callbacks that come after the loop has ended return at once.
func TestCallbacksAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig()).run()
		a := r.assign(t, 0)
		if _, err := r.end(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := r.Assigned(t.Context(), []batcher.Start{{Topic: "in"}}); !errors.Is(err, ErrStopped) {
			t.Errorf("Assigned = %v, want %v", err, ErrStopped)
		}
		if _, err := r.Snapshot(t.Context()); !errors.Is(err, ErrStopped) {
			t.Errorf("Snapshot = %v, want %v", err, ErrStopped)
		}
		if err := r.hand(nil); !errors.Is(err, ErrStopped) {
			t.Errorf("hand = %v, want %v", err, ErrStopped)
		}
		r.Revoked(t.Context(), []*batcher.Assignment{a})
		r.Lost([]*batcher.Assignment{a})
		r.Alive(time.Now())
		if took := time.Since(begun); took > 0 {
			t.Errorf("they took %v", took)
		}
	})
}

// What was lost is counted as dropped, and an answer that comes later for it
// changes nothing (I8).
func TestLateAnswerForLostPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		r.sink.put = func(_ context.Context, b *batcher.Batch, _ func() bool) batcher.Outcome {
			time.Sleep(5 * time.Second)
			return accepts(b)
		}
		r.run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		time.Sleep(time.Second)
		commits := r.source.commitCount()
		r.Lost([]*batcher.Assignment{a})
		time.Sleep(30 * time.Second)
		s, err := r.Snapshot(t.Context())
		if err != nil || s.Counts.Dropped != 5 || s.Counts.Completed != 0 || s.Operations != 0 || !s.Counts.Balanced() {
			t.Errorf("snapshot %+v, %v, want 5 dropped and nothing else", s, err)
		}
		if n := r.source.commitCount(); n != commits {
			t.Errorf("%d commits for a lost partition", n-commits)
		}
		if kinds, _ := r.results.seen(); len(kinds) > 0 {
			t.Errorf("result events %v for a lost partition", kinds)
		}
		r.end()
	})
}

// When Lost returns, the loop knows: nothing is begun any more for what was lost.
func TestLostWaitsForTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig()).run()
		a := r.assign(t, 0)
		r.inbox.put(slowly(time.Second)) // the loop is busy
		begun := time.Now()
		r.Lost([]*batcher.Assignment{a})
		if took := time.Since(begun); took < time.Second {
			t.Errorf("Lost returned after %v, before the loop knew", took)
		}
		r.end()
	})
}

// slowly is a fact that takes so long to tell.
type slowly time.Duration

func (f slowly) tell(*batcher.Core, time.Time) { time.Sleep(time.Duration(f)) }

// A second tenure of a partition is another handle: records that were polled for
// the first are refused.
func TestRecordsOfAnEarlierTenureAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig()).run()
		first := r.assign(t, 0)
		r.Revoked(t.Context(), []*batcher.Assignment{first})
		second := r.assign(t, 0)
		r.deliver(first, 0, 5)
		r.deliver(second, 0, 3)
		time.Sleep(10 * time.Second)
		s, err := r.Snapshot(t.Context())
		if err != nil || s.Counts.Delivered != 3 || s.Counts.Completed != 3 {
			t.Errorf("snapshot %+v, %v, want the 3 records of the second tenure only", s.Counts, err)
		}
		r.end()
	})
}

// The place of a first record that can't be read yet is committed: a restart would begin
// behind it, where the start policy is "latest".
func TestPositionOfAPartitionThatWaitsIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig()).run()
		as, err := r.Assigned(t.Context(), []batcher.Start{{Topic: "t", Partition: 0, Offset: -1, LeaderEpoch: -1}})
		if err != nil {
			t.Fatal(err)
		}
		r.source.polls <- []batcher.Fetched{{Assignment: as[0], Waits: true, Position: 7}}
		time.Sleep(time.Second)
		if got := r.source.committed(); got != 7 {
			t.Errorf("committed %d, want 7", got)
		}
		r.end()
	})
}

// kgo may end a session while its partitions are being handed over: nobody holds
// the handles then, so the core must not keep them.
func TestAbandonedAssignmentIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Assigned(ctx, []batcher.Start{{Topic: "in", LeaderEpoch: -1, Metadata: "kk1 open op1"}}); err == nil {
			t.Fatal("Assigned = nil with a context that has ended")
		}
		r.run()
		time.Sleep(time.Minute)
		if s, err := r.Snapshot(t.Context()); err != nil || s.Partitions != 0 || s.Looks > 1 {
			t.Errorf("%d partitions, %d looks, %v", s.Partitions, s.Looks, err)
		}
		r.end()
	})
}

// A commit that another member's revocation holds up must not make ours late.
func TestRevocationCutsAWaitingCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		r := newRig(t, testCore(), cfg)
		r.sink.look = func(context.Context, *batcher.Operation) batcher.View {
			return batcher.View{Kind: batcher.Running, Status: 200, Calls: 1, Quota: batcher.NoQuota}
		}
		r.run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		time.Sleep(2 * time.Second)
		r.source.mu.Lock()
		r.source.hang = true
		r.source.mu.Unlock()
		b := r.assign(t, 1)
		r.deliver(b, 0, 5)
		time.Sleep(1100 * time.Millisecond)
		begun := time.Now()
		r.Revoked(t.Context(), []*batcher.Assignment{a})
		if took := time.Since(begun); took > cfg.RevokeTimeout+cfg.CommitTimeout+slack {
			t.Errorf("answered after %v, want %v and one commit of %v at most", took, cfg.RevokeTimeout, cfg.CommitTimeout)
		}
		r.end()
	})
}
