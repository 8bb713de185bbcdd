package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"kafka-kustomer/batcher"
)

// deadlineSource notes how long each commit may take.
type deadlineSource struct {
	*fakeSource
	left chan time.Duration
}

func (s deadlineSource) Commit(ctx context.Context, _ *batcher.Commit) {
	at, _ := ctx.Deadline()
	s.left <- time.Until(at)
}

// A commit of a shutdown ends in time for those that come after it, but the last
// one has half a second, however late it comes.
func TestCommitDeadline(t *testing.T) {
	const (
		timeout = 2 * time.Second
		never   = -time.Hour
	)
	for _, tt := range []struct {
		name            string
		draining        bool
		waitBy, closeBy time.Duration // from now
		want            time.Duration
	}{
		{"any time", false, never, never, timeout},
		{"a shutdown that waits", true, time.Second, 5 * time.Second, time.Second},
		{"a shutdown that waits for longer", true, 20 * time.Second, 30 * time.Second, timeout},
		{"after its wait", true, -time.Second, 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"late", true, -4 * time.Second, 100 * time.Millisecond, lastCommit},
		{"too late", true, -10 * time.Second, -5 * time.Second, lastCommit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.CommitTimeout = timeout
				r := newRig(t, testCore(), cfg)
				source := deadlineSource{r.source, make(chan time.Duration, 1)}
				r.Pipeline.source, r.callCtx = source, t.Context()
				r.draining = tt.draining
				if now := time.Now(); tt.draining {
					r.waitBy, r.closeBy = now.Add(tt.waitBy), now.Add(tt.closeBy)
				}
				r.commit(&batcher.Commit{})
				if got := <-source.left; got != tt.want {
					t.Errorf("it has %v, want %v", got, tt.want)
				}
				r.calls.dismiss()
			})
		})
	}
}

// A commit that hangs is cut as soon as a revocation comes: with nothing open,
// that has only the last commit to wait for.
func TestRevocationCutsACommitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.CommitTimeout = time.Minute
		r := newRig(t, testCore(), cfg).run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		time.Sleep(3 * time.Second)
		r.source.mu.Lock()
		r.source.hang = true
		r.source.mu.Unlock()
		r.deliver(a, 5, 5)
		time.Sleep(3 * time.Second)
		r.source.mu.Lock()
		r.source.hang = false // from the next one on
		r.source.mu.Unlock()
		begun := time.Now()
		r.Revoked(t.Context(), []*batcher.Assignment{a})
		if took := time.Since(begun); took > slack {
			t.Errorf("answered after %v, with nothing open", took)
		}
		if got := r.source.committed(); got != 10 || r.source.cut != 1 {
			t.Errorf("committed %d, %d commits cut; want 10 and the one that hung", got, r.source.cut)
		}
		r.end()
	})
}

// A commit that begins to hang while a revocation waits for operations is cut when
// the revocation's time is up.
func TestRevocationCutsACommitInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.CommitTimeout = time.Minute
		r := newRig(t, testCore(), cfg)
		r.sink.put = func(ctx context.Context, b *batcher.Batch, lease func() bool) batcher.Outcome {
			if b.Items[0].Assignment.Partition == 0 {
				return hangs(ctx, b, lease)
			}
			return accepts(b)
		}
		r.run()
		a, b := r.assign(t, 0), r.assign(t, 1)
		r.deliver(b, 0, 5)
		r.deliver(a, 0, 5)
		time.Sleep(3 * time.Second)
		time.AfterFunc(time.Second, func() { // once the revocation waits
			r.source.setHang(true)
			r.deliver(b, 5, 5)
		})
		time.AfterFunc(cfg.RevokeTimeout-time.Millisecond, func() { r.source.setHang(false) })
		begun := time.Now()
		r.Revoked(t.Context(), []*batcher.Assignment{a})
		if took := time.Since(begun); took > cfg.RevokeTimeout+slack {
			t.Errorf("answered after %v, want %v", took, cfg.RevokeTimeout)
		}
		if r.source.cut != 1 {
			t.Errorf("%d commits were cut, want the one that hung", r.source.cut)
		}
		r.end()
	})
}

// A shutdown lets a call in flight come to its end, within its time.
func TestShutdownWaitsForACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		r.sink.put = func(ctx context.Context, b *batcher.Batch, _ func() bool) batcher.Outcome {
			select {
			case <-ctx.Done():
				t.Error("the call was cut short")
			case <-time.After(3 * time.Second):
			}
			return accepts(b)
		}
		r.run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		time.Sleep(time.Second)
		if took, err := r.end(); err != nil || took < 2*time.Second || took > r.cfg.DrainTimeout {
			t.Errorf("Run = %v after %v, want the call's end", err, took)
		}
		if got := r.source.committed(); got != 5 {
			t.Errorf("committed %d, want 5", got)
		}
	})
}

// A last commit is cut for nobody: without it the next owner would repeat
// everything. Here another partition's time is up while it runs.
func TestLastCommitIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.CommitTimeout = time.Minute
		r := newRig(t, testCore(), cfg).run()
		a, b := r.assign(t, 0), r.assign(t, 1)
		r.deliver(a, 0, 5)
		time.Sleep(3 * time.Second)
		synctest.Wait() // a call may just have read it
		r.sink.put = hangs
		r.deliver(b, 0, 5)
		time.Sleep(3 * time.Second)
		r.source.mu.Lock()
		r.source.slow = cfg.RevokeTimeout + 2*time.Second
		r.source.mu.Unlock()
		begun := time.Now()
		r.Revoked(t.Context(), []*batcher.Assignment{a, b})
		took := time.Since(begun)
		if most := 2*r.source.slow + slack; took < r.source.slow || took > most {
			t.Errorf("answered after %v, want two last commits, %v at most", took, most)
		}
		if r.source.cut != 0 {
			t.Errorf("%d commits were cut", r.source.cut)
		}
		r.end()
	})
}

// What was not written is written again in time, when nothing else wakes the loop.
func TestProduceRetryWakesTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, cfg := testCore(), testConfig()
		core.CommitInterval, cfg.ProduceRetry = time.Hour, 2345*time.Millisecond
		r := newRig(t, core, cfg)
		r.results.failures = 1
		r.run()
		a := r.assign(t, 0)
		time.Sleep(time.Minute)
		begun := time.Now()
		r.source.polls <- []batcher.Fetched{{Assignment: a, Changes: []batcher.Change{{
			Offset: 0, LeaderEpoch: -1, Verdict: batcher.Reject, Reason: batcher.Reason{Code: "malformed"},
		}}}}
		for time.Since(begun) < time.Minute {
			if _, buried := r.results.seen(); len(buried) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(begun); took < cfg.ProduceRetry || took > cfg.ProduceRetry+slack {
			t.Errorf("written after %v, want %v", took, cfg.ProduceRetry)
		}
		r.end()
	})
}
