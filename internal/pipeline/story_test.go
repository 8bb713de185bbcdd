package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
)

// text renders a log as its reader sees it.
func text(logs *observer.ObservedLogs) string {
	var b strings.Builder
	for _, e := range logs.All() {
		fields, err := json.Marshal(e.ContextMap())
		if err != nil {
			fields = fmt.Append(nil, e.ContextMap())
		}
		fmt.Fprintf(&b, "%s %s %s\n", e.Level, e.Message, fields)
	}
	return b.String()
}

func TestNoticesSayWhatAndWhenAndWhere(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	a := &batcher.Assignment{Topic: "changes", Partition: 3}
	why := batcher.Reason{Code: "unreachable", Text: "dial tcp: connection refused; check kustomer.base_url"}
	batch := &batcher.Batch{ID: "b1", Items: []*batcher.Item{{Assignment: a, Events: []*batcher.Event{{Offset: 77}}}}}
	for name, test := range map[string]struct {
		notice batcher.Notice
		level  zapcore.Level
		want   []string
	}{
		"paused": {
			batcher.Notice{Kind: batcher.DeliveryPaused, Reason: why, Since: now.Add(-time.Minute), Until: now.Add(3 * time.Second), Attempts: 4, Batch: batch},
			zapcore.WarnLevel,
			[]string{"delivery is paused", "nothing is lost", "unreachable", "check kustomer.base_url", `"failed_attempts":4`, `"next_attempt_in":3000000000`},
		},
		"paused until somebody sees to it": {
			batcher.Notice{Kind: batcher.DeliveryPaused, Reason: why, Since: now, Until: now, Attempts: 1, Certain: true, Batch: batch},
			zapcore.ErrorLevel,
			[]string{"put right", "nothing is lost", `"batch_id":"b1"`, `"topic":"changes"`, `"partition":3`, `"first_offset":77`, `"items":1`},
		},
		"operations unreadable": {
			batcher.Notice{Kind: batcher.LooksFail, Reason: why, Since: now.Add(-time.Minute), Attempts: 3},
			zapcore.ErrorLevel,
			[]string{"can't be read", "nothing is lost", "unreachable", `"failed_looks":3`},
		},
		"operations readable": {
			batcher.Notice{Kind: batcher.LooksGoOn, Since: now.Add(-time.Minute)},
			zapcore.InfoLevel,
			[]string{"read again", `"after":60000000000`},
		},
		"resumed": {
			batcher.Notice{Kind: batcher.DeliveryResumed, Since: now.Add(-time.Minute)},
			zapcore.InfoLevel,
			[]string{"goes on", `"paused_for":60000000000`},
		},
		"quota": {
			batcher.Notice{Kind: batcher.QuotaExhausted, Reason: why, Until: now.Add(time.Second)},
			zapcore.WarnLevel,
			[]string{"quota", `"rest":1000000000`},
		},
		"overdue": {
			batcher.Notice{Kind: batcher.OperationOverdue, Since: now.Add(-time.Hour), Operation: &batcher.Operation{ID: "op1"}},
			zapcore.WarnLevel,
			[]string{"overdue_after", "op1", "check"},
		},
		"takeover": {
			batcher.Notice{Kind: batcher.TakeoverBegun, Until: now.Add(2 * time.Second), Assignment: a},
			zapcore.InfoLevel,
			[]string{"not given back clean", `"topic":"changes"`, `"partition":3`, `"at_least":2000000000`},
		},
		"taken over": {
			batcher.Notice{Kind: batcher.TakeoverOver, Assignment: a},
			zapcore.InfoLevel,
			[]string{"taken over", `"partition":3`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(testCore(), testConfig())
			r.tell(now, test.notice)
			if n := r.logs.Len(); n != 1 {
				t.Fatalf("%d lines, want 1", n)
			}
			if got := r.logs.All()[0].Level; got != test.level {
				t.Errorf("level %v, want %v", got, test.level)
			}
			for _, part := range test.want {
				if got := text(r.logs); !strings.Contains(got, part) {
					t.Errorf("no %q in: %s", part, got)
				}
			}
		})
	}
}

// Through everything that is logged of a record's way, a failure of each kind
// included, neither its payload nor its key or headers show.
func TestLogHoldsNoPayload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(testCore(), testConfig())
		var looks atomic.Int32
		r.sink.look = func(_ context.Context, op *batcher.Operation) batcher.View {
			v := completes(op)
			if looks.Add(1) < 12 {
				v.Results[0] = batcher.ItemResult{Status: batcher.Failed, Reason: batcher.Reason{Code: "not_found", Text: "no such message"}}
			}
			return v
		}
		r.results.failures = 3
		r.run()
		a := r.assign(t, 0)
		r.deliver(a, 0, 25)
		time.Sleep(time.Minute)
		if _, err := r.end(); err != nil {
			t.Fatal(err)
		}
		got := text(r.logs)
		for _, said := range []string{"batch completed", "dead-letter topic", "not written; trying again"} {
			if !strings.Contains(got, said) {
				t.Errorf("the log does not say %q, so this proves little:\n%s", said, got)
			}
		}
		for _, canary := range []string{payloadCanary, headerCanary, keyCanary} {
			if strings.Contains(got, canary) {
				t.Errorf("the log holds %q:\n%s", canary, got)
			}
		}
	})
}

func TestStoryCountsFates(t *testing.T) {
	r := newRig(testCore(), testConfig())
	now := time.Now()
	b := &batcher.Batch{ID: "b1", Items: make([]*batcher.Item, 4), Reason: batcher.ClosedByTime, Cut: now.Add(-time.Second)}
	op := &batcher.Operation{ID: "op1", Batch: b}
	fates := []batcher.ItemFate{
		{Fate: batcher.FateUpdated},
		{Fate: batcher.FateUpdated},
		{Fate: batcher.FateFailed},
		{Fate: batcher.FateDeadLettered},
	}
	for _, kind := range []batcher.ReportKind{batcher.ReportAccepted, batcher.ReportRefused, batcher.ReportOverdue} {
		r.story(&batcher.Report{Kind: kind, Batch: b, Operation: op, At: now})
	}
	if n := r.logs.Len(); n > 0 {
		t.Fatalf("%d lines before the batch's end, want none", n)
	}
	r.story(&batcher.Report{Kind: batcher.ReportCompleted, Batch: b, Operation: op, Fates: fates, At: now, Looks: 2})
	got := text(r.logs)
	for _, part := range []string{`"batch_id":"b1"`, `"operation_id":"op1"`, `"items":4`, `"updated":2`, `"failed":1`, `"returned":0`, `"dead_lettered":1`, `"closed_by":"time"`, `"took":1000000000`, `"looks":2`} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in: %s", part, got)
		}
	}
}
