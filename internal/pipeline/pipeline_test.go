package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

// slack is what a wait may take beside the time-out that bounds it.
const slack = 100 * time.Millisecond

func TestRecordsGoThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig()).run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 25)
		time.Sleep(5 * time.Second)
		s, err := r.Snapshot(t.Context())
		if err != nil || s.Counts.Completed != 25 || !s.Counts.Balanced() {
			t.Errorf("snapshot %+v, %v, want 25 completed", s, err)
		}
		if got := r.source.committed(); got != 25 {
			t.Errorf("committed %d, want 25", got)
		}
		took, err := r.end()
		if err != nil || took > slack {
			t.Errorf("Run = %v after %v with nothing open", err, took)
		}
		last := r.source.commits[len(r.source.commits)-1]
		if last.Metadata != "kk1 clean" || last.Offset != 25 {
			t.Errorf("the last commit is %q at %d, want clean at 25", last.Metadata, last.Offset)
		}
		kinds, _ := r.results.seen()
		accepted, completed := 0, 0
		for _, k := range kinds {
			switch k {
			case batcher.ReportAccepted:
				accepted++
			case batcher.ReportCompleted:
				completed++
			}
		}
		if accepted != 3 || completed != 3 {
			t.Errorf("%d accepted and %d completed events, want 3 of each", accepted, completed)
		}
	})
}

// A shutdown is over in time whatever the API does: it refuses each dial, or it
// keeps a call waiting, or an operation never ends.
func TestShutdownEndsWithinDrainTimeout(t *testing.T) {
	for name, prepare := range map[string]func(*fakeSink){
		"refused dials": func(s *fakeSink) {
			s.put = func(context.Context, *batcher.Batch, func() bool) batcher.Outcome {
				return batcher.Outcome{Kind: batcher.NotSent, Quota: batcher.NoQuota, Reason: batcher.Reason{Code: "unreachable"}}
			}
		},
		"a call that hangs": func(s *fakeSink) { s.put = hangs },
		"a look that hangs": func(s *fakeSink) {
			s.look = func(ctx context.Context, _ *batcher.Operation) batcher.View {
				<-ctx.Done()
				return batcher.View{Kind: batcher.NoView, Quota: batcher.NoQuota}
			}
		},
		"an operation without end": func(s *fakeSink) {
			s.look = func(context.Context, *batcher.Operation) batcher.View {
				return batcher.View{Kind: batcher.Running, Status: 200, Calls: 1, Quota: batcher.NoQuota}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, testCore(), testConfig())
				prepare(r.sink)
				r.run()
				a := r.assign(t, 0)
				r.deliver(a, 0, 5)
				time.Sleep(3 * time.Second)
				took, err := r.end()
				if err != nil {
					t.Errorf("Run = %v", err)
				}
				if took > r.cfg.DrainTimeout {
					t.Errorf("it took %v, want at most %v", took, r.cfg.DrainTimeout)
				}
				if got := r.source.committed(); got != 0 {
					t.Errorf("committed %d, want 0: nothing is settled", got)
				}
				if last := r.source.commits[len(r.source.commits)-1]; last.Metadata == "kk1 clean" && name != "refused dials" {
					t.Error("the partition is given back as clean, and something of ours may still run")
				}
			})
		})
	}
}

// The same when Kafka does not answer the last commit.
func TestShutdownEndsWhenCommitsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig()).run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		time.Sleep(3 * time.Second)
		r.source.mu.Lock()
		r.source.hang = true
		r.source.mu.Unlock()
		if took, err := r.end(); err != nil || took > r.cfg.DrainTimeout {
			t.Errorf("Run = %v after %v, want nil within %v", err, took, r.cfg.DrainTimeout)
		}
	})
}

func TestRevocationIsAnsweredInTime(t *testing.T) {
	for name, test := range map[string]struct {
		put  func(context.Context, *batcher.Batch, func() bool) batcher.Outcome
		hang bool // of commits
		most func(Config) time.Duration
	}{
		"nothing to wait for": {nil, false, func(Config) time.Duration { return slack }},
		"a call hangs":        {hangs, false, func(c Config) time.Duration { return c.RevokeTimeout + slack }},
		"commits hang, too":   {hangs, true, func(c Config) time.Duration { return c.RevokeTimeout + 2*c.CommitTimeout + slack }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, testCore(), testConfig())
				r.sink.put = test.put
				r.run()
				a, kept := r.assign(t, 0), r.assign(t, 1)
				r.deliver(a, 0, 5)
				time.Sleep(3 * time.Second)
				r.source.mu.Lock()
				r.source.hang = test.hang
				r.source.mu.Unlock()
				begun := time.Now()
				r.Revoked(t.Context(), []*batcher.Assignment{a})
				if took := time.Since(begun); took > test.most(r.cfg) {
					t.Errorf("answered after %v, want at most %v", took, test.most(r.cfg))
				}
				s, err := r.Snapshot(t.Context())
				if err != nil || s.Partitions != 1 || !s.Counts.Balanced() {
					t.Errorf("snapshot %+v, %v, want one partition left", s, err)
				}
				if len(r.quiet) > 0 {
					t.Errorf("%d revocations are remembered", len(r.quiet))
				}
				r.source.mu.Lock()
				r.source.hang = false
				r.source.mu.Unlock()
				r.deliver(kept, 0, 1) // the other partition goes on
				r.end()
			})
		})
	}
}

// A revocation whose caller gives up does not wait for the loop.
func TestRevocationObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		r.sink.put = hangs
		r.run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 1)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		r.Revoked(ctx, []*batcher.Assignment{a})
		if took := time.Since(begun); took != time.Second {
			t.Errorf("returned after %v, want 1s", took)
		}
		r.end()
	})
}

// Until Kafka has the result event, what it says is not settled; an error is
// tried again for as long as it takes.
func TestProduceErrorsAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		r.results.failures = 20
		r.run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		r.source.polls <- []batcher.Fetched{{Assignment: a, Changes: []batcher.Change{{
			Offset: 5, LeaderEpoch: -1, Verdict: batcher.Reject, Reason: batcher.Reason{Code: "malformed"},
		}}}}
		time.Sleep(3 * time.Second)
		if got := r.source.committed(); got != 0 {
			t.Errorf("committed %d before Kafka had the results, want 0", got)
		}
		time.Sleep(time.Minute)
		if got := r.source.committed(); got != 6 {
			t.Errorf("committed %d, want 6", got)
		}
		kinds, buried := r.results.seen()
		if diff := cmp.Diff([]int64{5}, buried); diff != "" || len(kinds) != 2 {
			t.Errorf("reports %v; dead letters (-want +got):\n%s", kinds, diff)
		}
		if r.results.tries != 23 {
			t.Errorf("%d tries for 20 failures and 3 successes", r.results.tries)
		}
		r.end()
	})
}

// When the group has given the partitions away, nothing is committed any more,
// and Run says why it ended.
func TestLostGroupEndsRunWithoutCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		r.sink.put = hangs
		r.run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		time.Sleep(3 * time.Second)
		before := r.source.commitCount()
		cause := errors.New("fenced")
		begun := time.Now()
		r.source.fail <- fmt.Errorf("%w: %w", ErrLost, cause)
		err := <-r.ended
		if !errors.Is(err, ErrLost) || !errors.Is(err, cause) {
			t.Errorf("Run = %v, want both causes", err)
		}
		if took := time.Since(begun); took > slack {
			t.Errorf("it took %v: there is nothing to wait for", took)
		}
		if n := r.source.commitCount(); n != before {
			t.Errorf("%d commits after the partitions were lost", n-before)
		}
		r.stop()
	})
}

// Any other end of polling is an orderly one: what is settled is committed.
func TestPollErrorEndsRunInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig()).run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 5)
		time.Sleep(50 * time.Millisecond) // within the linger: nothing is sent yet
		r.deliver(a, 5, 5)                // fills a batch
		time.Sleep(10 * time.Millisecond)
		cause := errors.New("no assignment")
		r.source.fail <- cause
		if err := <-r.ended; !errors.Is(err, cause) {
			t.Errorf("Run = %v, want %v", err, cause)
		}
		if got := r.source.committed(); got != 10 {
			t.Errorf("committed %d, want 10", got)
		}
		r.stop()
	})
}

// A stuck API stops polling when the credit is used up, and polling goes on
// with it (I6).
func TestPollingNeedsCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core := testCore()
		core.MaxOpenEvents = 100
		cfg := testConfig()
		cfg.MaxPoll = 60
		r := newRig(t, core, cfg)
		var away atomic.Bool
		away.Store(true)
		r.sink.put = func(_ context.Context, b *batcher.Batch, _ func() bool) batcher.Outcome {
			if away.Load() {
				return batcher.Outcome{Kind: batcher.NotSent, Quota: batcher.NoQuota}
			}
			return accepts(b)
		}
		r.run()
		a := r.assign(t, 0)
		for i := range 20 {
			r.deliver(a, 10*i, 10)
		}
		time.Sleep(30 * time.Second)
		s, err := r.Snapshot(t.Context())
		if err != nil || s.Counts.Open != 100 || len(r.source.polls) != 10 {
			t.Errorf("%d events are open and %d polls left (%v), want 100 and 10", s.Counts.Open, len(r.source.polls), err)
		}
		away.Store(false)
		time.Sleep(30 * time.Second)
		if got := r.source.committed(); got != 200 {
			t.Errorf("committed %d, want 200", got)
		}
		r.end()
		for _, limit := range r.source.limits {
			if limit < 1 || limit > cfg.MaxPoll {
				t.Errorf("a poll of %d records was allowed", limit)
			}
		}
	})
}

// The lease is asked again by the sink, after the decision: a process that slept
// in between must not write.
func TestLeaseEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core := testCore()
		core.Lease = 4 * time.Second
		r := newRig(t, core, testConfig())
		held := make(chan bool, 10)
		r.sink.put = func(_ context.Context, b *batcher.Batch, lease func() bool) batcher.Outcome {
			held <- lease()
			time.Sleep(5 * time.Second)
			held <- lease()
			return batcher.Outcome{Kind: batcher.NotSent, Quota: batcher.NoQuota}
		}
		r.run()
		r.Alive(time.Now())
		a := r.assign(t, 0)
		r.deliver(a, 0, 1)
		time.Sleep(20 * time.Second)
		if len(held) != 2 || !<-held || <-held {
			t.Error("want the lease at the decision and not five seconds later, and then no more calls")
		}
		r.Alive(time.Now())
		time.Sleep(time.Second)
		if len(held) != 1 || !<-held {
			t.Error("a new heartbeat brings no call with a lease")
		}
		r.end()
	})
}
