package pipeline

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
)

// A night's outage is a line when it begins, a few while it lasts, ever further
// apart, and one when it ends: whoever looks at the log sees it, and nothing is
// buried under it.
func TestLongOutageIsNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testCore(), testConfig())
		var back atomic.Bool
		r.sink.put = func(_ context.Context, b *batcher.Batch, _ func() bool) batcher.Outcome {
			if back.Load() {
				return accepts(b)
			}
			return batcher.Outcome{Kind: batcher.NotSent, Quota: batcher.NoQuota, Reason: batcher.Reason{Code: "dial_failed", Text: "connection refused; check kustomer.base_url"}}
		}
		r.run()
		r.deliver(r.assign(t, 0), 0, 25)
		time.Sleep(8 * time.Hour)
		back.Store(true)
		time.Sleep(time.Minute)
		if _, err := r.end(); err != nil {
			t.Fatal(err)
		}
		told := func(e observer.LoggedEntry) bool { return e.Level >= zapcore.InfoLevel }
		var paused []time.Time
		ends := 0
		for _, e := range r.logs.Filter(told).All() {
			if strings.HasPrefix(e.Message, "delivery is paused") {
				paused = append(paused, e.Time)
			}
			if e.Message == "delivery goes on" {
				ends++
			}
		}
		if len(paused) < 4 || len(paused) > 20 || ends != 1 {
			t.Errorf("the outage was told of %d times, and its end %d times", len(paused), ends)
		}
		if n := r.logs.Filter(told).Len(); n > len(paused)+12 {
			t.Errorf("%d lines in all:\n%s", n, text(r.logs))
		}
		for i := 3; i < len(paused); i++ {
			if paused[i].Sub(paused[i-1]) < paused[i-1].Sub(paused[i-2]) {
				t.Errorf("line %d came %v after the one before, which came after %v", i, paused[i].Sub(paused[i-1]), paused[i-1].Sub(paused[i-2]))
			}
		}
	})
}
