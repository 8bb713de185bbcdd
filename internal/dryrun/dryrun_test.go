package dryrun_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/dryrun"
	"kafka-kustomer/schemas"
	"kafka-kustomer/sink"
)

func coreConfig() batcher.Config {
	return batcher.Config{
		MaxItems: 100, MaxBytes: 1 << 20, Linger: time.Second, Merge: true,
		MaxInFlight: 8, MaxOpenOperations: 128, Reserve: 0.2, MaxPause: 5 * time.Minute,
		OverdueAfter: 10 * time.Minute, LostReplyWait: 90 * time.Second, Lease: 40 * time.Second,
		RetryInitial: 500 * time.Millisecond, RetryMax: 30 * time.Second, ItemAttempts: 3, ItemOver: time.Minute,
		UnknownAttempts: 8, UnknownOver: 10 * time.Minute, Brake: 0.05, BrakeAtLeast: 100,
		CommitInterval: time.Second, Recommit: 20 * time.Second,
		MaxOpenEvents: 20_000, MaxOpenBytes: 24 << 20, Rules: batcher.AllRules(),
	}
}

// decoder reads plain message changes.
type decoder struct{ *schemas.Decoder }

func (d decoder) Decode(_ string, _ int32, c *batcher.Change) error {
	d.Decoder.Decode(c)
	return nil
}

// rehearsed is what a dry run showed.
type rehearsed struct {
	requests []dryrun.Request
	skipped  []dryrun.Skipped
	dead     []dryrun.DeadLetter
	notes    []dryrun.Note
	totals   dryrun.Totals
}

// rehearse hands events over, in polls of at most 2,000, alternating between
// partitions.
func rehearse(t interface {
	Helper()
	Fatal(...any)
}, cfg batcher.Config, partitions ...[]string,
) (r rehearsed) {
	t.Helper()
	api, err := sink.New(sink.Config{BaseURL: "https://acme.api.kustomerapp.com", APIKey: "canary-key", Timeout: time.Minute, MaxInFlight: 1})
	if err != nil {
		t.Fatal(err)
	}
	run := dryrun.New(dryrun.Config{Core: cfg, MaxEventBytes: 1 << 20}, decoder{schemas.NewDecoder(schemas.Config{})}, api, func(e dryrun.Event) {
		switch e := e.(type) {
		case dryrun.Request:
			r.requests = append(r.requests, e)
		case dryrun.Skipped:
			r.skipped = append(r.skipped, e)
		case dryrun.DeadLetter:
			r.dead = append(r.dead, e)
		case dryrun.Note:
			r.notes = append(r.notes, e)
		}
	})
	next := make([]int, len(partitions))
	for left := true; left; {
		left = false
		for p, events := range partitions {
			n := min(run.Room(), 2000, len(events)-next[p])
			changes := make([]batcher.Change, n)
			for i := range changes {
				changes[i] = batcher.Change{Offset: int64(next[p] + i), LeaderEpoch: -1, Record: batcher.Record{Value: []byte(events[next[p]+i])}}
			}
			next[p] += n
			if err := run.Records("t", int32(p), changes); err != nil {
				t.Fatal(err)
			}
			if err := run.Step(); err != nil {
				t.Fatal(err)
			}
			left = left || next[p] < len(events)
		}
	}
	if r.totals, err = run.Finish(); err != nil {
		t.Fatal(err)
	}
	return r
}

func event(id, message, changes string) string {
	return fmt.Sprintf(`{"eventId":%q,"messageId":%q,"changes":%s}`, id, message, changes)
}

func TestMergingAndOrigins(t *testing.T) {
	r := rehearse(t, coreConfig(), []string{
		event("e1", "m1", `{"subject":"one","custom":{"aStr":"x"}}`),
		event("e2", "m2", `{"status":"sent"}`),
		event("e3", "m1", `{"subject":"two","custom":{"bStr":"y"}}`),
		event("e4", "m2", `{}`),
		"no event",
	})
	if len(r.requests) != 1 {
		t.Fatalf("%d requests, want 1", len(r.requests))
	}
	got := r.requests[0]
	want := `[{"id":"m1","_clientRef":"dry-run-1.0","subject":"two","custom":{"aStr":"x","bStr":"y"}},{"id":"m2","_clientRef":"dry-run-1.1","status":"sent"}]`
	if string(got.Body) != want {
		t.Errorf("body\n%s, want\n%s", got.Body, want)
	}
	items := []dryrun.Item{
		{MessageID: "m1", From: []dryrun.Origin{{Topic: "t", Offset: 0, EventID: "e1"}, {Topic: "t", Offset: 2, EventID: "e3"}}},
		{MessageID: "m2", From: []dryrun.Origin{{Topic: "t", Offset: 1, EventID: "e2"}}},
	}
	if diff := cmp.Diff(items, got.Items); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Method != "PUT" || got.URL != "https://acme.api.kustomerapp.com/v1/messages/bulk" || got.Header.Get("Authorization") != "Bearer ***" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
	if len(r.skipped) != 1 || r.skipped[0].Offset != 3 || len(r.dead) != 1 || r.dead[0].Offset != 4 || r.dead[0].Reason.Code != "malformed" {
		t.Errorf("skipped %v, dead %v", r.skipped, r.dead)
	}
	r.totals.RecordBytes = 0
	if diff := cmp.Diff(dryrun.Totals{Records: 5, Skipped: 1, DeadLetters: 1, Sent: 3, Items: 2, Requests: 1, BodyBytes: len(want)}, r.totals); diff != "" {
		t.Errorf("totals: -want +got:\n%s", diff)
	}
}

// What must not merge comes in requests of its own, one after the other.
func TestOrderOfOneMessage(t *testing.T) {
	cfg := coreConfig()
	cfg.Barrier = []string{"status"}
	r := rehearse(t, cfg, []string{
		event("e1", "m1", `{"status":"sent"}`),
		event("e2", "m1", `{"status":"received"}`),
		event("e3", "m1", `{"status":"error"}`),
	}, []string{event("f1", "m1", `{"subject":"of another partition"}`)})
	var order []string
	for _, req := range r.requests {
		if len(req.Items) != 1 {
			t.Errorf("a request has %d items of one message", len(req.Items))
		}
		order = append(order, req.Items[0].From[0].EventID)
	}
	if got := strings.Join(order, " "); len(order) != 4 || strings.Index(got, "e1") > strings.Index(got, "e2") || strings.Index(got, "e2") > strings.Index(got, "e3") {
		t.Errorf("requests in the order %s", got)
	}
}

func TestSplitting(t *testing.T) {
	var events []string
	for i := range 250 {
		events = append(events, event("", fmt.Sprintf("m%d", i), `{"preview":"`+strings.Repeat("x", 1000)+`"}`))
	}
	sizes := func(r rehearsed) (list []int) {
		for _, req := range r.requests {
			list = append(list, len(req.Items))
		}
		return list
	}
	if got := sizes(rehearse(t, coreConfig(), events)); !cmp.Equal(got, []int{100, 100, 50}) {
		t.Errorf("by items: %v", got)
	}
	cfg := coreConfig()
	cfg.MaxBytes = 64 << 10
	r := rehearse(t, cfg, events)
	if got := sizes(r); len(got) != 5 || r.requests[0].Closed != "bytes" {
		t.Errorf("by bytes: %v, closed by %s", got, r.requests[0].Closed)
	}
	for _, req := range r.requests {
		if len(req.Body) > cfg.MaxBytes {
			t.Errorf("a body of %d bytes, at most %d are allowed", len(req.Body), cfg.MaxBytes)
		}
	}
}

// More than the credit, in one partition, which a run would pause.
func TestMoreThanTheCredit(t *testing.T) {
	cfg := coreConfig()
	cfg.MaxOpenEvents = 400
	var events []string
	for i := range 3000 {
		events = append(events, event("", fmt.Sprintf("m%d", i%700), `{"subject":"s"}`))
	}
	r := rehearse(t, cfg, events)
	if r.totals.Sent != 3000 || r.totals.Records != 3000 {
		t.Errorf("%+v", r.totals)
	}
}

func TestTooManyThatCantBeRead(t *testing.T) {
	var events []string
	for i := range 500 {
		events = append(events, "{")
		events = append(events, event("", fmt.Sprintf("m%d", i), `{"subject":"s"}`))
	}
	r := rehearse(t, coreConfig(), events)
	if len(r.notes) != 1 || !strings.Contains(r.notes[0].Text, "dead_letter.brake") {
		t.Errorf("notes %v, want one on the brake", r.notes)
	}
	if len(r.dead) != 500 || r.totals.Sent != 500 {
		t.Errorf("%d dead letters, %d sent; want 500 each", len(r.dead), r.totals.Sent)
	}
}

// A partition that its last owner left open: the run waits, and then goes on.
func TestPartitionLeftOpen(t *testing.T) {
	api, err := sink.New(sink.Config{BaseURL: "https://acme.api.kustomerapp.com", APIKey: "canary-key", Timeout: time.Minute, MaxInFlight: 1})
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	run := dryrun.New(dryrun.Config{Core: coreConfig()}, decoder{schemas.NewDecoder(schemas.Config{})}, api, func(e dryrun.Event) {
		shown = append(shown, fmt.Sprintf("%T", e))
		if n, ok := e.(dryrun.Note); ok && !strings.Contains(n.Text, "t/0 was not given back in order: a run waits 1m30s") {
			t.Errorf("note: %s", n.Text)
		}
	})
	run.Begin(batcher.Start{Topic: "t", Offset: 7, LeaderEpoch: -1, Metadata: "kk1 open 0123456789abcdef01234567"})
	if err := run.Records("t", 0, []batcher.Change{{Offset: 7, LeaderEpoch: -1, Record: batcher.Record{Value: []byte(event("e", "m", `{"subject":"s"}`))}}}); err != nil {
		t.Fatal(err)
	}
	totals, err := run.Finish()
	if err != nil || totals.Sent != 1 || !cmp.Equal(shown, []string{"dryrun.Note", "dryrun.Request"}) {
		t.Errorf("%v, %+v, shown %v", err, totals, shown)
	}
}

// Whatever comes in, every record meets one end, each message's changes come in
// order, and the state that the requests lead to is that of the events.
func TestEveryRecordMeetsOneEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := coreConfig()
		cfg.MaxItems = rapid.IntRange(1, 5).Draw(t, "items")
		cfg.MaxBytes = rapid.IntRange(60, 400).Draw(t, "bytes")
		cfg.MaxOpenEvents = rapid.IntRange(4, 40).Draw(t, "credit")
		cfg.Merge = rapid.Bool().Draw(t, "merge")
		want := make(map[string]string)
		var events []string
		for i := range rapid.IntRange(0, 60).Draw(t, "n") {
			message := fmt.Sprintf("m%d", rapid.IntRange(0, 6).Draw(t, "message"))
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				events = append(events, "?")
			case 1:
				events = append(events, event("", message, "{}"))
			default:
				subject := strings.Repeat("s", rapid.IntRange(0, 80).Draw(t, "size")) + fmt.Sprint(i)
				events = append(events, event(fmt.Sprint(i), message, fmt.Sprintf(`{"subject":%q}`, subject)))
				want[message] = subject
			}
		}
		r := rehearse(t, cfg, events)
		got := make(map[string]string)
		last := make(map[string]int64)
		seen := len(r.skipped) + len(r.dead)
		for _, req := range r.requests {
			var items []struct{ ID, Subject string }
			if err := json.Unmarshal(req.Body, &items); err != nil || len(items) != len(req.Items) {
				t.Fatalf("%v: %s", err, req.Body)
			}
			for i, it := range items {
				got[it.ID] = it.Subject
				for _, o := range req.Items[i].From {
					if before, ok := last[it.ID]; ok && before >= o.Offset {
						t.Fatalf("%s: offset %d after %d", it.ID, o.Offset, before)
					}
					last[it.ID] = o.Offset
					seen++
				}
			}
		}
		if seen != len(events) {
			t.Fatalf("%d of %d records met an end", seen, len(events))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}
