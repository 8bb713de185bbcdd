package pipeline

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

// recorder counts what an observer is told. It has no lock: all of it comes from
// the loop's goroutine.
type recorder struct {
	items, accepted, complete, updated, commits int
	assigned, revoked, lost                     int
	puts, looks, committing                     time.Duration
}

func (r *recorder) Cut(b *batcher.Batch) { r.items += len(b.Items) }

func (r *recorder) Answered(o *batcher.Outcome, took time.Duration) {
	if r.puts += took; o.Kind == batcher.Accepted {
		r.accepted++
	}
}

func (r *recorder) Looked(v *batcher.View, took time.Duration) {
	if r.looks += took; v.Kind == batcher.Complete {
		r.complete++
	}
}

func (r *recorder) Ended(report *batcher.Report) {
	for _, f := range report.Fates {
		if f.Fate == batcher.FateUpdated && report.Kind == batcher.ReportCompleted {
			r.updated++
		}
	}
}

func (r *recorder) Committed(_ *batcher.Commit, took time.Duration) {
	r.commits++
	r.committing += took
}

func (r *recorder) Assigned(n int) { r.assigned += n }
func (r *recorder) Revoked(n int)  { r.revoked += n }
func (r *recorder) Lost(n int)     { r.lost += n }

// Each thing is told once, with the time that it took, also when it has to be
// written again.
func TestObserverIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen recorder
		cfg := testConfig()
		cfg.Observer = &seen
		r := newRig(t, testCore(), cfg)
		r.results.failures = 4
		r.sink.put = func(_ context.Context, b *batcher.Batch, _ func() bool) batcher.Outcome {
			time.Sleep(2 * time.Second)
			return accepts(b)
		}
		r.sink.look = func(_ context.Context, op *batcher.Operation) batcher.View {
			time.Sleep(time.Second)
			return completes(op)
		}
		r.source.slow = 100 * time.Millisecond
		r.run()
		a, b, c := r.assign(t, 0), r.assign(t, 1), r.assign(t, 2)
		r.deliver(a, 0, 25)
		time.Sleep(20 * time.Second)
		r.Revoked(t.Context(), []*batcher.Assignment{b})
		r.Lost([]*batcher.Assignment{c})
		if _, err := r.end(); err != nil {
			t.Fatal(err)
		}
		want := recorder{
			items: 25, accepted: 3, complete: 3, updated: 25, commits: seen.commits,
			assigned: 3, revoked: 1, lost: 1,
			puts: 6 * time.Second, looks: 3 * time.Second, committing: time.Duration(seen.commits) * 100 * time.Millisecond,
		}
		if diff := cmp.Diff(want, seen, cmp.AllowUnexported(recorder{})); diff != "" || seen.commits < 2 {
			t.Errorf("%d commits, -want +got:\n%s", seen.commits, diff)
		}
	})
}
