package batcher

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkCore takes events from fetch to commit through the core alone, with
// an API that completes every operation at the first look. One iteration is one
// event.
func BenchmarkCore(b *testing.B) {
	for _, messages := range []int{50, 50_000} {
		b.Run(fmt.Sprintf("messages=%d", messages), func(b *testing.B) { benchmarkCore(b, messages) })
	}
}

func benchmarkCore(b *testing.B, messages int) {
	now := time.Unix(1_800_000_000, 0)
	c := New(testConfig())
	a := c.Assigned(now, Start{Topic: "t", Offset: 0, Metadata: metadataClean})
	patch := []byte(`{"subject":"Re: order","status":"sent","custom":{"tierStr":"gold","noteTxt":null}}`)
	ids := make([][]byte, messages)
	for i := range ids {
		ids[i] = fmt.Appendf(nil, "%024x", i)
	}
	changes := make([]Change, 500)
	offset := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		offset++
		changes[offset%500] = Change{Offset: offset, MessageID: ids[int(offset)%messages], Patch: patch, Record: Record{Value: patch}}
		if offset%500 == 0 {
			now = now.Add(10 * time.Millisecond)
			c.Alive(now)
			c.Fetched(now, a, changes)
			now = runAtOnce(c, now)
		}
	}
	if totals := c.Totals(); !totals.Balanced() || offset > 10_000 && totals.Completed == 0 {
		b.Fatalf("nothing was completed: %+v", totals)
	}
}

// runAtOnce answers every decision at once, and favourably.
func runAtOnce(c *Core, now time.Time) time.Time {
	for {
		switch d := c.Next(now).(type) {
		case Put:
			c.Answered(now, d.Batch, Outcome{Kind: Accepted, Operation: d.Batch.ID, Status: 200, Quota: NoQuota})
		case Look:
			v := View{Kind: Complete, Calls: 1, Status: 200, Quota: NoQuota, Took: time.Second}
			for range d.Operation.Batch.Items {
				v.Results = append(v.Results, ItemResult{Status: Updated})
			}
			c.Polled(now, d.Operation, v)
		case *Report:
			c.Reported(d)
		case *Commit:
			c.Committed(now, d)
		case Wait:
			if c.Room() > 1000 || d.Until.IsZero() {
				return now
			}
			now = d.Until
		}
	}
}

func testConfig() Config {
	return Config{
		MaxItems: 100, MaxBytes: 1 << 20, Linger: time.Second, Merge: true,
		MaxInFlight: 8, MaxOpenOperations: 128, RequestsPerMinute: 1_000_000, Reserve: 0.2, MaxPause: 5 * time.Minute,
		OverdueAfter: 10 * time.Minute, LostReplyWait: 90 * time.Second, Lease: 40 * time.Second,
		RetryInitial: 500 * time.Millisecond, RetryMax: 30 * time.Second, ItemAttempts: 3, ItemOver: time.Minute,
		UnknownAttempts: 8, UnknownOver: 10 * time.Minute, Brake: 0.05, BrakeAtLeast: 100,
		CommitInterval: time.Second, Recommit: 15 * time.Second, MaxOpenEvents: 20_000, MaxOpenBytes: 24 << 20,
		BatchPrefix: "b", Seed: 1, Rules: AllRules(),
	}
}
