package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testCore() batcher.Config {
	return batcher.Config{
		MaxItems: 10, MaxBytes: 1 << 20, Linger: 100 * time.Millisecond, Merge: true,
		MaxInFlight: 8, MaxOpenOperations: 16, RequestsPerMinute: 60_000,
		MaxPause: time.Minute, OverdueAfter: 10 * time.Minute, LostReplyWait: 15 * time.Second,
		RetryInitial: 100 * time.Millisecond, RetryMax: time.Second, ItemAttempts: 2, ItemOver: time.Second,
		UnknownAttempts: 8, UnknownOver: 10 * time.Minute,
		CommitInterval: 200 * time.Millisecond, Recommit: 4 * time.Second,
		MaxOpenEvents: 1000, MaxOpenBytes: 4 << 20, BatchPrefix: "test", Seed: 1, Rules: batcher.AllRules(),
	}
}

func testConfig() Config {
	return Config{
		MaxPoll: 100, RevokeTimeout: 5 * time.Second, DrainTimeout: 10 * time.Second,
		CommitTimeout: 2 * time.Second, ProduceRetry: time.Second,
	}
}

// fakeSource hands over what a test puts into polls, and keeps what is
// committed.
type fakeSource struct {
	polls chan []batcher.Fetched
	fail  chan error // ends polling

	mu      sync.Mutex
	commits []batcher.PartitionCommit
	hang    bool          // commits wait for their deadline
	slow    time.Duration // commits take so long
	cut     int           // commits that ended before they were done
	limits  []int
}

func newFakeSource() *fakeSource {
	return &fakeSource{polls: make(chan []batcher.Fetched, 100), fail: make(chan error, 1)}
}

func (s *fakeSource) Poll(ctx context.Context, limit int, hand func([]batcher.Fetched) error) error {
	s.mu.Lock()
	s.limits = append(s.limits, limit)
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-s.fail:
		return err
	case f := <-s.polls:
		return hand(f)
	}
}

func (s *fakeSource) Commit(ctx context.Context, c *batcher.Commit) {
	s.mu.Lock()
	hang, slow := s.hang, s.slow
	s.mu.Unlock()
	if hang {
		slow = 24 * time.Hour
	}
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		hang = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if hang {
		s.cut++
	}
	for i := range c.Partitions {
		c.Partitions[i].Result = batcher.CommitDone
		if hang {
			c.Partitions[i].Result = batcher.CommitUnknown
			continue
		}
		s.commits = append(s.commits, c.Partitions[i])
	}
}

func (*fakeSource) Pause(*batcher.Assignment)  {}
func (*fakeSource) Resume(*batcher.Assignment) {}

func (s *fakeSource) setHang(hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang = hang
}

// committed returns the last offset committed, -1 for none.
func (s *fakeSource) committed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.commits) == 0 {
		return -1
	}
	return s.commits[len(s.commits)-1].Offset
}

func (s *fakeSource) commitCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.commits)
}

// fakeSink accepts and completes everything, unless a test says otherwise.
type fakeSink struct {
	put  func(ctx context.Context, b *batcher.Batch, lease func() bool) batcher.Outcome
	look func(ctx context.Context, op *batcher.Operation) batcher.View

	mu   sync.Mutex
	puts int
}

func (s *fakeSink) Put(ctx context.Context, b *batcher.Batch, lease func() bool) batcher.Outcome {
	s.mu.Lock()
	s.puts++
	s.mu.Unlock()
	if s.put != nil {
		return s.put(ctx, b, lease)
	}
	return accepts(b)
}

func accepts(b *batcher.Batch) batcher.Outcome {
	return batcher.Outcome{Kind: batcher.Accepted, Status: 200, Operation: "op-" + b.ID, Quota: batcher.NoQuota}
}

func (s *fakeSink) Look(ctx context.Context, op *batcher.Operation) batcher.View {
	if s.look != nil {
		return s.look(ctx, op)
	}
	return completes(op)
}

func completes(op *batcher.Operation) batcher.View {
	v := batcher.View{Kind: batcher.Complete, Status: 200, Calls: 1, Quota: batcher.NoQuota}
	if op.Batch != nil {
		for range op.Batch.Items {
			v.Results = append(v.Results, batcher.ItemResult{Status: batcher.Updated})
		}
	}
	return v
}

// hangs waits until the call is cancelled: a time-out longer than the test.
func hangs(ctx context.Context, _ *batcher.Batch, _ func() bool) batcher.Outcome {
	<-ctx.Done()
	return batcher.Outcome{Kind: batcher.Unknown, Quota: batcher.NoQuota, Reason: batcher.Reason{Code: "timeout", Text: "cancelled"}}
}

// fakeResults acknowledges at once, or fails each of the first produces.
type fakeResults struct {
	mu       sync.Mutex
	failures int
	reports  []batcher.ReportKind
	buried   []int64
	tries    int
}

var errBroker = errors.New("broker says no")

func (r *fakeResults) fails() bool {
	r.tries++
	if r.failures > 0 {
		r.failures--
		return true
	}
	return false
}

func (r *fakeResults) Report(report *batcher.Report, done func(error)) {
	r.mu.Lock()
	failed := r.fails()
	if !failed {
		r.reports = append(r.reports, report.Kind)
	}
	r.mu.Unlock()
	go answer(done, failed)
}

func (r *fakeResults) Bury(b *batcher.Bury, done func(error)) {
	r.mu.Lock()
	failed := r.fails()
	if !failed {
		r.buried = append(r.buried, b.Event.Offset)
	}
	r.mu.Unlock()
	go answer(done, failed)
}

func answer(done func(error), failed bool) {
	if failed {
		done(errBroker)
		return
	}
	done(nil)
}

func (r *fakeResults) seen() ([]batcher.ReportKind, []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.reports), slices.Clone(r.buried)
}

// rig is a pipeline between fakes.
type rig struct {
	*Pipeline
	source  *fakeSource
	sink    *fakeSink
	results *fakeResults
	logs    *observer.ObservedLogs
	stop    context.CancelFunc
	ended   chan error
}

// newRig makes a pipeline that does not run yet.
func newRig(t testing.TB, core batcher.Config, cfg Config) *rig {
	observed, logs := observer.New(zapcore.DebugLevel)
	r := &rig{source: newFakeSource(), sink: &fakeSink{}, results: &fakeResults{}, logs: logs, ended: make(chan error, 1)}
	r.Pipeline = New(cfg, batcher.New(core), r.sink, r.results, canary.Watch(t, observed))
	return r
}

func (r *rig) run() *rig {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- r.Run(ctx, r.source) }()
	return r
}

// assign takes a partition over that begins at offset 0.
func (r *rig) assign(t *testing.T, partition int32) *batcher.Assignment {
	t.Helper()
	as, err := r.Assigned(t.Context(), []batcher.Start{{Topic: "in", Partition: partition, Offset: 0, LeaderEpoch: -1, Metadata: "kk1 clean"}})
	if err != nil || len(as) != 1 {
		t.Fatalf("Assigned: %v, %v", as, err)
	}
	return as[0]
}

// deliver polls n changes, of a message each, from an offset on.
func (r *rig) deliver(a *batcher.Assignment, from, n int) {
	f := batcher.Fetched{Assignment: a}
	for i := from; i < from+n; i++ {
		patch := fmt.Appendf(nil, `{"subject":"%s"}`, canary.Value)
		f.Changes = append(f.Changes, batcher.Change{
			Offset: int64(i), LeaderEpoch: -1, Verdict: batcher.Send,
			MessageID: fmt.Appendf(nil, "m%d", i), EventID: fmt.Appendf(nil, "e%d", i), Patch: patch,
			Record: batcher.Record{
				Key: []byte(canary.Key), Value: patch,
				Headers: []batcher.Header{{Key: "h", Value: []byte(canary.Header)}},
			},
		})
	}
	r.source.polls <- []batcher.Fetched{f}
}

// end stops the loop and returns how long that took, and what Run returned.
func (r *rig) end() (took time.Duration, err error) {
	begun := time.Now()
	r.stop()
	err = <-r.ended
	return time.Since(begun), err
}
