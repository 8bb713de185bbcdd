package batcher

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An outage is told of when it begins, ever more seldom while it lasts, and at
// once when its reason changes, but reasons that take turns are no flood.
func TestPauseIsToldEverMoreSeldom(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var d door
	var told []int
	fail := func(n int, codes ...string) {
		for i := range n {
			now = now.Add(time.Second)
			if d.failed(now, false, Reason{Code: codes[i%len(codes)]}, time.Second) && d.tells() {
				told = append(told, d.failures)
			}
		}
	}
	fail(200, "dial_failed")
	if diff := cmp.Diff([]int{3, 23, 46, 92, 184}, told); diff != "" {
		t.Errorf("told at the failures (-want +got):\n%s", diff)
	}
	told = nil
	fail(100, "cut_off", "dial_failed", "http_503")
	if diff := cmp.Diff([]int{201, 203}, told); diff != "" {
		t.Errorf("told of reasons that take turns at (-want +got):\n%s", diff)
	}
	d.succeeded()
	told = nil
	fail(10, "dial_failed")
	if diff := cmp.Diff([]int{3}, told); diff != "" {
		t.Errorf("told of the next outage at (-want +got):\n%s", diff)
	}
}

// A batch without an answer is told of by itself only while delivery goes on.
func TestBatchWithoutAnswerIsTold(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	var told []NoticeKind
	for i, id := range []string{"a", "b", "c"} {
		d.fetch(a, change(int64(i), id, `{"a":1}`))
		b := d.put()
		d.c.Answered(d.now, b, Outcome{Kind: Unknown, Reason: Reason{Code: "timeout"}, Quota: NoQuota})
		for dec := d.c.Next(d.now); ; dec = d.c.Next(d.now) {
			n, ok := dec.(Notice)
			if !ok {
				break
			}
			told = append(told, n.Kind)
			if n.Batch != b || n.Reason.Code != "timeout" || n.Attempts == 0 {
				t.Errorf("told %+v, want the batch, its attempts and the reason", n)
			}
		}
	}
	if diff := cmp.Diff([]NoticeKind{BatchUnanswered, BatchUnanswered, DeliveryPaused}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Of a batch whose partitions are gone nothing is sent again: to say so in a shutdown,
// which cuts calls short, would be wrong.
func TestBatchOfNobodyIsNotTold(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(0, "a", `{"a":1}`))
	b := d.put()
	d.c.Lost(d.now, []*Assignment{a})
	d.c.Answered(d.now, b, Outcome{Kind: Unknown, Reason: Reason{Code: "cancelled"}, Quota: NoQuota})
	if n, ok := d.c.Next(d.now).(Notice); ok {
		t.Errorf("told %+v", n)
	}
}

// Rests of a quota that never suffices are told of ever more seldom, and at once
// again after a while without.
func TestRestsAreToldEverMoreSeldom(t *testing.T) {
	d := newDesk(t)
	var told []int
	minute := func(n int) {
		d.now = d.now.Add(time.Minute)
		if d.c.tellsOfRest(d.now) {
			told = append(told, n)
		}
	}
	for n := range 60 {
		minute(n)
	}
	d.now = d.now.Add(restsApart)
	minute(100)
	if diff := cmp.Diff([]int{0, 2, 6, 14, 30, 100}, told); diff != "" {
		t.Errorf("told of the rests (-want +got):\n%s", diff)
	}
}
