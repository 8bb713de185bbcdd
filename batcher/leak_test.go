package batcher

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Messages whose changes overlap, and operations that end a round later: what is
// alive must not keep an item it held before, for through the item's operation,
// the other items of it, and their messages, that would be the whole history.
func TestBusyMessagesKeepNoHistory(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	c := New(testConfig())
	a := c.Assigned(now, Start{Topic: "t", Offset: 0, Metadata: metadataClean})
	var gone atomic.Int64 // counted by the runtime's own goroutine
	made := 0
	offset := int64(0)
	var running []*Operation
	for range 100 {
		changes := make([]Change, 600)
		for i := range changes {
			offset++
			value := fmt.Appendf(make([]byte, 0, 1000), `{"subject":"%d"}`, offset)
			changes[i] = Change{Offset: offset, MessageID: fmt.Appendf(nil, "%024x", (offset*2654435761>>9)%800), Patch: value, Record: Record{Value: value}}
		}
		c.Alive(now)
		c.Fetched(now, a, changes)
		next := running
		running = nil
		for _, op := range next {
			v := View{Kind: Complete, Calls: 1, Quota: NoQuota, Took: time.Second}
			for range op.Batch.Items {
				v.Results = append(v.Results, ItemResult{Status: Updated})
			}
			c.Polled(now, op, v)
		}
		now = now.Add(2 * time.Second)
		for more := true; more; {
			switch d := c.Next(now).(type) {
			case Put:
				for _, it := range d.Batch.Items {
					made++
					runtime.AddCleanup(it, func(int) { gone.Add(1) }, 0)
				}
				c.Answered(now, d.Batch, Outcome{Kind: Accepted, Operation: d.Batch.ID, Quota: NoQuota})
			case Look:
				running = append(running, d.Operation)
			case *Report:
				c.Reported(d)
			case *Commit:
				c.Committed(now, d)
			case Wait:
				more = false
			}
		}
	}
	running = nil
	for range 3 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond) // cleanups run beside the collector
	}
	if kept := made - int(gone.Load()); made < 5000 || kept > made/4 {
		t.Errorf("%d of %d items are kept, with %d records open", kept, made, a.Counts().Open)
	}
	runtime.KeepAlive(c)
}

// What is settled is let go: the memory of the core follows what is open, not
// what has passed through.
func TestSettledEventsAreLetGo(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	now := time.Unix(1_800_000_000, 0)
	c := New(testConfig())
	var as []*Assignment
	for p := range int32(6) {
		as = append(as, c.Assigned(now, Start{Topic: "t", Partition: p, Offset: 0, Metadata: metadataClean}))
	}
	before := heap()
	offset := int64(0)
	for range 100 {
		for _, a := range as {
			changes := make([]Change, 300)
			for i := range changes {
				offset++
				value := make([]byte, 1000)
				patch := append(value[:0], `{"subject":"Re: order","status":"sent"}`...)
				changes[i] = Change{Offset: offset, MessageID: fmt.Appendf(nil, "%024x", offset%5000), Patch: patch, Record: Record{Value: value}}
			}
			c.Alive(now)
			c.Fetched(now, a, changes)
		}
		now = runAtOnce(c, now.Add(time.Second))
	}
	for range 5 {
		now = runAtOnce(c, now.Add(time.Minute))
		c.Alive(now)
	}
	open, kept := c.Totals().Open, heap()-before
	if open > 0 || kept > 4<<20 {
		t.Errorf("%d events open, and %d KiB kept after 180 MB went through", open, kept>>10)
	}
	runtime.KeepAlive(c)
}
