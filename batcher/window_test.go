package batcher

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestWindowCloses(t *testing.T) {
	big := `{"subject":"` + strings.Repeat("x", 500) + `"}`
	tests := []struct {
		name   string
		edit   func(*Config)
		events []Change
		wait   time.Duration
		want   []int // items of each batch
		reason CloseReason
	}{
		{"not before the linger is over", nil, numbered(3, `{"a":1}`), 999 * time.Millisecond, nil, 0},
		{"by time", nil, numbered(3, `{"a":1}`), time.Second, []int{3}, ClosedByTime},
		{"by size at once, the rest waits", nil, numbered(5, `{"a":1}`), 0, []int{4}, ClosedBySize},
		{"by bytes at once", func(c *Config) { c.MaxBytes = 1000 }, numbered(2, big), 0, []int{1}, ClosedByBytes},
		{"one larger than a request goes alone", func(c *Config) { c.MaxBytes = 300 }, numbered(2, big), 0, []int{1, 1}, ClosedByBytes},
		{"no more calls than allowed", func(c *Config) { c.MaxInFlight = 2 }, numbered(16, `{"a":1}`), 0, []int{4, 4}, ClosedBySize},
		{"no more operations than allowed", func(c *Config) { c.MaxOpenOperations = 3 }, numbered(16, `{"a":1}`), 0, []int{4, 4, 4}, ClosedBySize},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.edit == nil {
				tt.edit = func(*Config) {}
			}
			d := newDesk(t, func(c *Config) { c.MaxOpenBytes = 1 << 40 }, tt.edit)
			d.fetch(d.own(), tt.events...)
			d.wait(tt.wait)
			puts := one[Put](d)
			var got []int
			for i, p := range puts {
				got = append(got, len(p.Batch.Items))
				if i == 0 && p.Batch.Reason != tt.reason {
					t.Errorf("closed by %v, want %v", p.Batch.Reason, tt.reason)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("batches of %v items, want %v", got, tt.want)
			}
		})
	}
}

// numbered are changes of as many messages.
func numbered(n int, patch string) (list []Change) {
	for i := range n {
		list = append(list, change(int64(i), fmt.Sprintf("m%d", i), patch))
	}
	return list
}

func TestWhatWaitsTogetherIsOneItem(t *testing.T) {
	off := func(c *Config) { c.Merge = false }
	barrier := func(c *Config) { c.Barrier = []string{"status"} }
	tests := []struct {
		name   string
		edit   func(*Config)
		events []Change
		want   string // the first batch
	}{
		{"the later member wins", nil, []Change{change(1, "m", `{"a":1,"b":1}`), change(2, "m", `{"a":2}`)}, `m@1@2{"a":2,"b":1}`},
		{"other messages are other items", nil, []Change{change(1, "m", `{"a":1}`), change(2, "n", `{"a":2}`)}, `m@1{"a":1} n@2{"a":2}`},
		{"a barrier goes alone", barrier, []Change{change(1, "m", `{"a":1}`), change(2, "m", `{"status":"done"}`)}, `m@1{"a":1}`},
		{"nothing joins a barrier", barrier, []Change{change(1, "m", `{"status":"done"}`), change(2, "m", `{"a":1}`)}, `m@1{"status":"done"}`},
		{"an object that lacks a key of the earlier one", nil, []Change{change(1, "m", `{"o":{"x":1}}`), change(2, "m", `{"o":{"y":1}}`)}, `m@1{"o":{"x":1}}`},
		{"merging switched off", off, []Change{change(1, "m", `{"a":1}`), change(2, "m", `{"a":2}`)}, `m@1{"a":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.edit == nil {
				tt.edit = func(*Config) {}
			}
			d := newDesk(t, tt.edit)
			d.fetch(d.own(), tt.events...)
			expect(t, d.put(), tt.want)
		})
	}
}

func TestAnItemKeepsToItsPartition(t *testing.T) {
	d := newDesk(t)
	a, b := d.ownPartition(0), d.ownPartition(1)
	d.fetch(a, change(1, "m", `{"a":1}`))
	d.fetch(b, change(1, "m", `{"a":2}`))
	first := d.put()
	expect(t, first, `m@1{"a":1}`)
	d.complete(first, Updated)
	expect(t, d.put(), `m@1{"a":2}`)
}

func TestNoPutOnAnOldLease(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	d.now = d.now.Add(40 * time.Second) // without a heartbeat
	if puts := one[Put](d); len(puts) > 0 {
		t.Fatal("a PUT was decided when the lease was over")
	}
	if want := d.now; !d.c.LeaseUntil().Equal(want) {
		t.Errorf("the lease ends at %v, want %v", d.c.LeaseUntil(), want)
	}
	d.c.Alive(d.now.Add(-39 * time.Second))
	if puts := one[Put](d); len(puts) != 1 {
		t.Errorf("%d batches after a heartbeat, want one", len(puts))
	}
	d.c.Alive(d.now.Add(-50 * time.Second)) // an old acknowledgement takes nothing away
	if d.c.leaseOver(d.now) {
		t.Error("an acknowledgement of an older heartbeat ended the lease")
	}
}

func TestCreditStopsPolling(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxOpenEvents = 8 })
	a := d.own()
	d.fetch(a, numbered(2, `{"a":1}`)...)
	if got := d.c.Room(); got != 6 {
		t.Errorf("room for %d, want 6", got)
	}
	if list := one[Pause](d); len(list) != 0 {
		t.Fatalf("paused %v with a quarter of the credit, before it can be told to stand still", list)
	}
	d.wait(standstill)
	d.fetch(a)
	if list := one[Pause](d); len(list) != 1 || list[0].Assignment != a {
		t.Fatalf("paused %v, want the stuck partition that holds a quarter of the credit", list)
	}
	d.fetch(a, numbered(8, `{"a":1}`)...)
	if got := d.c.Room(); got != 0 {
		t.Errorf("room for %d, want none", got)
	}
	d.c.Lost(d.now, []*Assignment{a})
	if got := d.c.Room(); got != 8 {
		t.Errorf("room for %d after the partition was lost, want all 8", got)
	}
}

// Bytes are credit as well: a few large events stop polling.
func TestLargeEventsStopPolling(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxOpenBytes = 10_000 })
	a := d.own()
	big := Change{Offset: 1, MessageID: []byte("m"), Patch: []byte(`{"a":1}`), Record: Record{Value: make([]byte, 6000)}}
	d.fetch(a, big)
	if got := d.c.Room(); got != 1 {
		t.Errorf("room for %d, want one more of that size", got)
	}
	big.Offset = 2
	d.fetch(a, big)
	if got := d.c.Room(); got != 0 {
		t.Errorf("room for %d, want none", got)
	}
}

// A partition that had nothing to do has not stood still.
func TestFirstBurstAfterAQuietTimeIsNotPaused(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxOpenEvents = 40 })
	a := d.own()
	d.wait(time.Hour)
	d.fetch(a, numbered(11, `{"a":1}`)...)
	if list := one[Pause](d); len(list) != 0 {
		t.Error("paused at once")
	}
}

// A partition that moves is paused at half of the credit only.
func TestMovingPartitionMayHoldHalf(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxOpenEvents = 16 })
	a := d.own()
	d.fetch(a, numbered(4, `{"a":1}`)...)
	r := d.complete(d.put(), Updated, Updated, Updated, Updated)
	d.wait(standstill)
	d.c.Reported(r)
	d.fetch(a, numbered(7, `{"b":1}`)...)
	if list := one[Pause](d); len(list) != 0 {
		t.Fatal("paused with less than half, though it moves")
	}
	d.fetch(a, numbered(1, `{"c":1}`)...)
	if list := one[Pause](d); len(list) != 1 {
		t.Errorf("%d pauses with half of the credit, want one", len(list))
	}
}

func TestPausedPartitionResumesWhenItsBookIsShort(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.MaxOpenEvents = 16 })
	a := d.own()
	d.fetch(a, numbered(4, `{"a":1}`)...)
	d.wait(standstill)
	d.fetch(a)
	list, _ := d.decisions()
	if len(list) != 2 || list[0] != (Pause{a}) {
		t.Fatalf("%v, want a pause and a batch", list)
	}
	d.fetch(a, Change{Offset: 9, Verdict: Skip})
	r := d.complete(list[1].(Put).Batch, Updated, Updated, Updated, Updated)
	if got := len(one[Resume](d)); got != 0 {
		t.Fatal("resumed before the result event was acknowledged")
	}
	d.c.Reported(r)
	if got := len(one[Resume](d)); got != 1 {
		t.Errorf("%d resumes, want one", got)
	}
	if got := a.Counts(); got.Completed != 4 || got.Skipped != 1 || got.Open != 0 || !got.Balanced() {
		t.Errorf("counts %+v", got)
	}
}
