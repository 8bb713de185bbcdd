package kustomersim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestControlScript(t *testing.T) {
	s := start(t, Options{})
	want := Script{
		Latency: Latency{Base: 5 * ms}, Run: Run{Base: 20 * ms, Tail: Duration(1500 * time.Microsecond)},
		Stalls: []Window{{From: 1000 * ms, For: 2000 * ms}},
		Faults: []Fault{
			{Kind: FaultSlow, On: "put", Share: 0.25, Delay: 70_000 * ms, Accept: AcceptLate},
			{Kind: FaultStatus, Share: 1, Window: Window{From: 60_000 * ms, For: 1000 * ms}, Status: 502, Body: "html", Skip: 2, Count: 3},
		},
		Quota: Quota{PerMinute: 300, Foreign: 20, Object: 120, ResetAlways: true, RetryAfter: RetryDate}, FailIDs: []string{"a"},
		Poison: []Poison{{IDs: []string{"b"}, Marker: "c", Status: 503, Accept: true, Count: 2}, {Marker: "d", Item: true}},
		Clock:  Duration(-5 * time.Minute), Key: "new", Audit: AuditForbid, NoClientRef: true,
		Vanish: Vanish{Share: 0.1, Apply: true, Delay: 10 * ms}, Batches: ShapeBeside,
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"delay":"1m10s"`) {
		t.Errorf("durations are not strings: %s", text)
	}
	if w := do(s, "POST", "/_sim/script", string(text)); w.Code != 204 {
		t.Fatalf("POST answered %d: %s", w.Code, w.Body)
	}
	var got Script
	if err := json.Unmarshal(do(s, "GET", "/_sim/script", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("script (-posted +got):\n%s", diff)
	}

	for _, bad := range []string{`{"itemFailure":1}`, `{"itemFailures":2}`, `{"run":{"base":"soon"}}`, `[]`, ``} {
		if w := do(s, "POST", "/_sim/script", bad); w.Code != 400 {
			t.Errorf("POST of %s answered %d", bad, w.Code)
		}
	}
	if diff := cmp.Diff(want, s.currentScript()); diff != "" {
		t.Errorf("a bad script changed the one in force:\n%s", diff)
	}
}

func TestControlMessages(t *testing.T) {
	s := start(t, Options{})
	const n = 3*chunk + 7
	for i := range n {
		put(t, s, fmt.Sprintf(`{"id":"m/%04d","subject":"s%d","custom":{"aNum":%d}}`, i, i, i))
	}
	quiesce(t, s)
	lines := bufio.NewScanner(do(s, "GET", "/_sim/messages", "").Body)
	count := 0
	for ; lines.Scan(); count++ {
		want := fmt.Sprintf(`{"id":"m/%04d","applied":1,"fields":{"custom.aNum":%d,"subject":"s%d"}}`, count, count, count)
		if lines.Text() != want {
			t.Fatalf("line %d is %s, want %s", count, lines.Text(), want)
		}
	}
	if count != n {
		t.Errorf("%d lines for %d messages", count, n)
	}
	if w := do(s, "GET", "/_sim/messages/m%2F0001", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"s1"`) {
		t.Errorf("one message: %d %s", w.Code, w.Body)
	}
	if w := do(s, "GET", "/_sim/messages/none", ""); w.Code != 404 {
		t.Errorf("no message: %d %s", w.Code, w.Body)
	}
}

// TestControlIsApart: control calls need no key, meet no fault, count nowhere.
func TestControlIsApart(t *testing.T) {
	s := start(t, Options{Key: "other", Script: &Script{Quota: Quota{PerMinute: 1}, Faults: []Fault{{Kind: FaultStatus, Status: 500, Share: 1}}}})
	var got Stats
	w := do(s, "GET", "/_sim/stats", "")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
		t.Fatalf("stats: %d, %v in %s", w.Code, err, w.Body)
	}
	if diff := cmp.Diff(newRecorder().Stats, got); diff != "" {
		t.Errorf("stats of an idle server (-want +got):\n%s", diff)
	}
}

func TestStats(t *testing.T) {
	bubble(t, Options{Script: &Script{FailIDs: []string{"bad"}}}, func(t *testing.T, s *Server) {
		first := time.Now()
		one := put(t, s, subject("a", "1"), subject("b", "1"), subject("bad", "1"))
		pass(61_000 * ms)
		put(t, s, subject("a", "2"))
		do(s, "PUT", putPath, `[]`)
		pass(1000 * ms)
		readOp(t, s, one)
		readBatches(t, s, one, "")
		do(s, "GET", bulkPrefix+hex24, "")

		got := s.Stats()
		want := newRecorder().Stats
		want.Puts, want.Gets = 3, 3
		want.PutStatus, want.GetStatus = map[int]int64{200: 2, 400: 1}, map[int]int64{200: 2, 404: 1}
		want.FirstCall, want.LastCall = first, first.Add(62*time.Second)
		want.CallsPerMinuteMax = 5
		want.ItemsAccepted, want.ItemsApplied, want.ItemsFailed = 4, 3, 1
		want.Fill[3], want.Fill[1] = 1, 1
		want.OperationsAccepted, want.OperationsCompleted = 2, 2
		want.Polls[0], want.Polls[2] = 1, 1
		want.Breaches = map[string]int64{BreachCount: 1}
		want.Messages = 3
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
		got.Breaches[BreachKey]++
		if s.Stats().Breaches[BreachKey] != 0 {
			t.Error("Stats shares its maps with the server")
		}
	})
}
