package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
)

// maxOperations is the default of max_open_operations.
const maxOperations = 128

// holding is a kind of event, to compare what the core charges for one with what
// it holds.
type holding struct {
	title string
	event func(n int) *kgo.Record
	sent  bool // as far as operations go, instead of waiting
}

var holdings = []holding{
	{"tiny, a message each", tinyEvent, false},
	{"tiny, a message each, in operations", tinyEvent, true},
	{"tiny, two of a message", twoOf(0), false},
	{"tiny, two of a message, in operations", twoOf(0), true},
	{"tiny, one message", oneMessage(0), false},
	{"tiny, with five headers", withHeaders, false},
	{"1 KiB, a message each", kibEvent, false},
	{"1 KiB, a message each, in operations", kibEvent, true},
	{"1 KiB, two of a message", twoOf(1 << 10), false},
	{"1 KiB, two of a message, in operations", twoOf(1 << 10), true},
	{"1 KiB, one message", oneMessage(1 << 10), false},
	{"malformed", malformed, false},
}

func tinyEvent(n int) *kgo.Record { return change(n, 0) }
func kibEvent(n int) *kgo.Record  { return change(n, 1<<10) }

func twoOf(size int) func(int) *kgo.Record {
	return func(n int) *kgo.Record { return change(n/2, size) }
}

func oneMessage(size int) func(int) *kgo.Record {
	return func(int) *kgo.Record { return change(0, size) }
}

func withHeaders(n int) *kgo.Record {
	r := change(n, 0)
	for i := range 5 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: fmt.Sprint("header-", i), Value: []byte("value")})
	}
	return r
}

func malformed(n int) *kgo.Record {
	return &kgo.Record{Key: fmt.Appendf(nil, "%024x", n), Value: []byte(`{"messageId":`)}
}

// showHeld prints what an open event costs in the core.
func showHeld(out io.Writer) {
	fmt.Fprintf(out, "\n%-40s %8s %8s %8s\n", "An open event, bytes", "charged", "held", "ratio")
	for _, h := range holdings {
		charged, held := h.measure()
		fmt.Fprintf(out, "%-40s %8.0f %8.0f %8.2f\n", h.title, charged, held, charged/held)
	}
}

// measure fills a core with the default limits and returns what an event is
// charged and what it holds.
func (h holding) measure() (charged, held float64) {
	now := time.Unix(1_800_000_000, 0)
	core := batcher.New(batcher.Config{
		MaxItems: 100, MaxBytes: 1 << 20, Linger: time.Second, Merge: true,
		MaxInFlight: 8, MaxOpenOperations: maxOperations, RequestsPerMinute: 1_000_000, MaxPause: 5 * time.Minute,
		OverdueAfter: 10 * time.Minute, LostReplyWait: 90 * time.Second, RetryInitial: time.Second, RetryMax: time.Second,
		ItemAttempts: 3, ItemOver: time.Minute, CommitInterval: time.Second, Recommit: time.Minute,
		MaxOpenEvents: 20_000, MaxOpenBytes: 24 << 20, BatchPrefix: "held", Rules: batcher.AllRules(),
	})
	decoder := schemas.NewDecoder(schemas.Config{MaxEventBytes: 1 << 20})
	before := heapNow()
	a := core.Assigned(now, batcher.Start{Topic: topic, Offset: -1})
	changes := make([]batcher.Change, 1)
	for n := 0; core.Room() > 0; n++ {
		changes[0] = copyOf(h.event(n), int64(n))
		decoder.Decode(&changes[0])
		core.Fetched(now, a, changes)
	}
	if h.sent {
		acceptAll(core, now)
	}
	open := float64(core.Totals().Open)
	charged = float64(core.Snapshot(now).OpenBytes) / open
	held = float64(heapNow()-before) / open
	runtime.KeepAlive(core)
	return charged, held
}

// acceptAll has operations accepted until all that may be open are.
func acceptAll(core *batcher.Core, now time.Time) {
	for now = now.Add(2 * time.Second); ; {
		switch d := core.Next(now).(type) {
		case batcher.Put:
			core.Answered(now, d.Batch, batcher.Outcome{
				Kind: batcher.Accepted, Operation: strings.Clone(d.Batch.ID), Status: 200, Quota: batcher.NoQuota, Sent: now, Answered: now,
			})
		case batcher.Look:
			core.Polled(now, d.Operation, batcher.View{Kind: batcher.Running, Calls: 1, Status: 200, Quota: batcher.NoQuota})
		case *batcher.Commit:
			core.Committed(now, d) // done, as it stands
		case *batcher.Report:
			core.Reported(d)
		case batcher.Wait:
			if s := core.Snapshot(now); s.Ready == 0 || s.Operations == maxOperations {
				return
			}
			now = d.Until
		}
	}
}

// copyOf is what the consumer makes of a record: one copy of its bytes.
func copyOf(r *kgo.Record, offset int64) batcher.Change {
	n := len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += len(h.Value)
	}
	buf := make([]byte, 0, n)
	part := func(b []byte) []byte {
		from := len(buf)
		buf = append(buf, b...)
		return buf[from:len(buf):len(buf)]
	}
	ch := batcher.Change{Offset: offset, LeaderEpoch: -1}
	ch.Record.Key, ch.Record.Value = part(r.Key), part(r.Value)
	if len(r.Headers) > 0 {
		ch.Record.Headers = make([]batcher.Header, len(r.Headers))
	}
	for i, h := range r.Headers {
		ch.Record.Headers[i] = batcher.Header{Key: strings.Clone(h.Key), Value: part(h.Value)}
	}
	return ch
}

// heapNow is what is alive.
func heapNow() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
