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
	"kafka-kustomer/internal/canary"
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
			[]string{"delivery is paused", "nothing is lost", "unreachable", "check kustomer.base_url", `"failed_attempts":4`, `"next_attempt_in_seconds":3000000000`},
		},
		"paused until somebody sees to it": {
			batcher.Notice{Kind: batcher.DeliveryPaused, Reason: why, Since: now, Until: now, Attempts: 1, Certain: true, Batch: batch},
			zapcore.ErrorLevel,
			[]string{"put right", "nothing is lost", `"batch_id":"b1"`, `"topic":"changes"`, `"partition":3`, `"first_offset":77`, `"items":1`},
		},
		"no answer to one batch": {
			batcher.Notice{Kind: batcher.BatchUnanswered, Reason: why, Since: now.Add(-time.Second), Attempts: 1, Batch: batch},
			zapcore.WarnLevel,
			[]string{"no answer", "sent again", "unreachable", `"batch_id":"b1"`, `"items":1`, `"attempt":1`, `"duration_seconds":1000000000`},
		},
		"operations unreadable": {
			batcher.Notice{Kind: batcher.LooksFail, Reason: why, Since: now.Add(-time.Minute), Attempts: 3},
			zapcore.ErrorLevel,
			[]string{"can't be read", "nothing is lost", "unreachable", `"failed_looks":3`},
		},
		"operations readable": {
			batcher.Notice{Kind: batcher.LooksGoOn, Since: now.Add(-time.Minute)},
			zapcore.InfoLevel,
			[]string{"read again", `"after_seconds":60000000000`},
		},
		"resumed": {
			batcher.Notice{Kind: batcher.DeliveryResumed, Since: now.Add(-time.Minute)},
			zapcore.InfoLevel,
			[]string{"goes on", `"after_seconds":60000000000`},
		},
		"quota": {
			batcher.Notice{Kind: batcher.QuotaExhausted, Reason: why, Until: now.Add(time.Second)},
			zapcore.WarnLevel,
			[]string{"quota", `"rest_seconds":1000000000`},
		},
		"quota is back": {
			batcher.Notice{Kind: batcher.QuotaBack, Since: now.Add(-time.Minute)},
			zapcore.InfoLevel,
			[]string{"the rest is over", `"after_seconds":60000000000`},
		},
		"slots are free": {
			batcher.Notice{Kind: batcher.SlotsFree, Since: now.Add(-time.Hour)},
			zapcore.InfoLevel,
			[]string{"end again", `"after_seconds":3600000000000`},
		},
		"overdue": {
			batcher.Notice{Kind: batcher.OperationOverdue, Since: now.Add(-time.Hour), Operation: &batcher.Operation{ID: "op1"}},
			zapcore.WarnLevel,
			[]string{"overdue_after", "op1", "check"},
		},
		"takeover": {
			batcher.Notice{Kind: batcher.TakeoverBegun, Until: now.Add(2 * time.Second), Assignment: a},
			zapcore.InfoLevel,
			[]string{"not given back clean", `"topic":"changes"`, `"partition":3`, `"rest_seconds":2000000000`},
		},
		"taken over": {
			batcher.Notice{Kind: batcher.TakeoverOver, Assignment: a},
			zapcore.InfoLevel,
			[]string{"taken over", `"partition":3`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, testCore(), testConfig())
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
		r := newRig(t, testCore(), testConfig())
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
		if at, as := canary.Find([]byte(got)); at >= 0 {
			t.Errorf("the log holds a canary %s:\n%s", as, got)
		}
	})
}

// A batch is one line, when its end is known: what, how much, what came of it, and
// how long it took.
func TestStoryIsOneLineABatch(t *testing.T) {
	now := time.Now()
	items := make([]*batcher.Item, 4)
	for i := range items {
		items[i] = &batcher.Item{Events: make([]*batcher.Event, i+1), Attempts: i}
	}
	b := &batcher.Batch{ID: "b1", Parent: "b0", Items: items, Reason: batcher.ClosedByTime, Cut: now.Add(-time.Second)}
	whole := *b
	whole.Parent = ""
	op := &batcher.Operation{ID: "op1", Batch: b}
	fates := []batcher.ItemFate{
		{Fate: batcher.FateUpdated},
		{Fate: batcher.FateUpdated},
		{Fate: batcher.FateFailed},
		{Fate: batcher.FateDeadLettered},
	}
	refusal := batcher.Outcome{Status: 422, Reason: batcher.Reason{Code: "refused", Text: "custom.tierStr is unknown"}}
	for _, test := range []struct {
		report batcher.Report
		want   []string // nil: no line
	}{
		{batcher.Report{Kind: batcher.ReportAccepted, Operation: op}, nil},
		{batcher.Report{Kind: batcher.ReportOverdue, Operation: op}, nil},
		{batcher.Report{Kind: batcher.ReportCompleted, Operation: op, Fates: fates, Looks: 2}, []string{
			"info batch completed", `"batch_id":"b1"`, `"operation_id":"op1"`, `"items":4`, `"events":10`, `"attempt":3`, `"part_of":"b0"`,
			`"updated":2`, `"failed":1`, `"returned":0`, `"dead_lettered":1`, `"closed_by":"time"`, `"duration_seconds":1000000000`, `"looks":2`,
		}},
		{batcher.Report{Kind: batcher.ReportCompleted, Operation: op, Fates: []batcher.ItemFate{{Fate: batcher.FateUpdated}, {Fate: batcher.FateReturned, Reason: batcher.Reason{Code: "operation_gone", Text: "it is gone"}}}}, []string{
			`"returned":1`, `"reason":"operation_gone"`, `"detail":"it is gone"`,
		}},
		{batcher.Report{Kind: batcher.ReportRefused, Outcome: refusal, Fates: []batcher.ItemFate{{Fate: batcher.FateReturned}}}, []string{
			"debug part of a batch refused", `"batch_id":"b1"`, `"part_of":"b0"`, `"status":422`, `"reason":"refused"`, `"detail":"custom.tierStr is unknown"`, `"returned":1`,
		}},
		{batcher.Report{Kind: batcher.ReportRefused, Batch: &whole, Outcome: refusal}, []string{"info batch refused", `"status":422`}},
	} {
		r := newRig(t, testCore(), testConfig())
		if test.report.At = now; test.report.Batch == nil {
			test.report.Batch = b
		}
		r.story(&test.report)
		if n := r.logs.Len(); n != min(1, len(test.want)) {
			t.Errorf("%v: %d lines", test.report.Kind, n)
		}
		for _, part := range test.want {
			if got := text(r.logs); !strings.Contains(got, part) {
				t.Errorf("%v: no %s in: %s", test.report.Kind, part, got)
			}
		}
	}
}
