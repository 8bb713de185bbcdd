package schemas

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	start = time.Date(2026, 11, 24, 2, 30, 0, 123456789, time.FixedZone("", 3600))
	p0    = &batcher.Assignment{Topic: "message-changes", Partition: 0}
	p3    = &batcher.Assignment{Topic: "message-changes", Partition: 3}
	p3old = &batcher.Assignment{Topic: "message-changes", Partition: 3}
	other = &batcher.Assignment{Topic: "audit", Partition: 3}
)

func item(a *batcher.Assignment, id string, attempts int, offsets ...int64) *batcher.Item {
	it := &batcher.Item{MessageID: id, Assignment: a, Attempts: attempts}
	for _, o := range offsets {
		it.Events = append(it.Events, &batcher.Event{
			Offset: o, Assignment: a, EventID: fmt.Appendf(nil, "e%d", o), Arrived: start.Add(time.Duration(o) * time.Millisecond),
		})
	}
	return it
}

// parts are events of one record with two changes, which only a core makes.
func parts(a *batcher.Assignment, offset int64) []*batcher.Event {
	core := batcher.New(batcher.Config{MaxItems: 1, MaxBytes: 1 << 20, MaxInFlight: 1, MaxOpenOperations: 1, RequestsPerMinute: 1000, Merge: true})
	core.Fetched(start, core.Assigned(start, batcher.Start{Topic: a.Topic, Offset: -1}), []batcher.Change{{
		Offset: offset, MessageID: []byte("m"), Patch: []byte(`{"a":1}`), More: []batcher.Update{{MessageID: []byte("m"), Patch: []byte(`{"b":1}`)}},
	}})
	for range 100 {
		if put, ok := core.Next(start.Add(time.Minute)).(batcher.Put); ok {
			events := put.Batch.Items[0].Events
			for _, ev := range events {
				ev.Assignment, ev.Arrived = a, start.Add(time.Duration(offset)*time.Millisecond)
			}
			return events
		}
	}
	panic("the core sends nothing")
}

func report(kind batcher.ReportKind) *batcher.Report {
	items := []*batcher.Item{
		item(p3, "64a1f0c2b7d9e30012ab1001", 1, 1041, 1042, 1044),
		item(p0, `quoted "id"`, 3, 7),
		item(p3, "64a1f0c2b7d9e30012ab1003", 2, 1043),
		item(other, "64a1f0c2b7d9e30012ab1004", 1, 5),
		item(p3old, "64a1f0c2b7d9e30012ab1005", 1, 1050),
	}
	items[3].Events[0].EventID = nil
	items[3].Events = append(items[3].Events, parts(other, 6)...)
	r := &batcher.Report{
		Kind:  kind,
		Batch: &batcher.Batch{ID: "c1x-9", Items: items, Reason: batcher.ClosedByTime, Cut: start.Add(time.Second)},
		Outcome: batcher.Outcome{
			Kind: batcher.Accepted, Operation: "64a1f0c2b7d9e30012ab4001", Status: 201, RequestID: "64a1f0c2b7d9e30012ab6001",
			Org: "acme", User: "64a1f0c2b7d9e30012ab0002", Sent: start.Add(1100 * time.Millisecond), Answered: start.Add(1300 * time.Millisecond),
		},
		At: start.Add(3 * time.Second),
	}
	if kind == batcher.ReportRefused {
		r.Batch.Parent = "c1x-7"
		r.Outcome = batcher.Outcome{
			Kind: batcher.Refused, Status: 400, Sent: start.Add(1100 * time.Millisecond), Answered: start.Add(1300 * time.Millisecond),
			Reason: batcher.Reason{Code: "bad_request", Text: "Additional properties not allowed (nope)"},
		}
		for _, it := range items {
			r.Fates = append(r.Fates, batcher.ItemFate{Item: it, Fate: batcher.FateReturned})
		}
		return r
	}
	r.Operation = &batcher.Operation{ID: r.Outcome.Operation, Batch: r.Batch, Outcome: r.Outcome}
	if kind == batcher.ReportCompleted {
		r.Fates = []batcher.ItemFate{
			{Item: items[0], Fate: batcher.FateUpdated},
			{Item: items[1], Fate: batcher.FateFailed, Reason: batcher.Reason{Code: "item_failed", Text: "try <later>"}},
			{Item: items[2], Fate: batcher.FateDeadLettered, Reason: batcher.Reason{Code: "item_failed", Text: "not found"}},
			{Item: items[3], Fate: batcher.FateReturned},
		}
	}
	return r
}

var kinds = []batcher.ReportKind{batcher.ReportAccepted, batcher.ReportCompleted, batcher.ReportRefused, batcher.ReportOverdue}

func TestResultGolden(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.String(), func(t *testing.T) {
			got := Results(report(kind), ResultOptions{Items: true})
			if len(got) != 1 {
				t.Fatalf("%d parts, want one event", len(got))
			}
			if diff := cmp.Diff(string(AppendResult(nil, report(kind), ResultOptions{Items: true})), string(got[0])); diff != "" {
				t.Errorf("AppendResult and Results differ:\n%s", diff)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, got[0], "", "  "); err != nil {
				t.Fatalf("not JSON: %v\n%s", err, got[0])
			}
			pretty.WriteByte('\n')
			file := filepath.Join("testdata", "result-"+kind.String()+".golden.json")
			if *update {
				if err := os.WriteFile(file, pretty.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
				t.Errorf("(-golden +got):\n%s", diff)
			}
		})
	}
}

func TestResultWithoutItems(t *testing.T) {
	for _, kind := range kinds {
		if got := AppendResult([]byte("x"), report(kind), ResultOptions{}); !bytes.HasPrefix(got, []byte(`x{"eventId":"c1x-9.`)) || bytes.Contains(got, []byte(`"items":[`)) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

func TestEventIDIsTheOneWritten(t *testing.T) {
	r := report(batcher.ReportOverdue)
	if want := fmt.Sprintf(`{"eventId":"%s",`, EventID(r)); !bytes.HasPrefix(AppendResult(nil, r, ResultOptions{}), []byte(want)) {
		t.Errorf("the event does not begin with %s", want)
	}
}

type resultEvent struct {
	EventID     string
	Part, Parts int
	Counts      struct{ Items, Events int }
	Sources     []struct {
		Topic     string
		Partition int32
		Ranges    [][2]int64
	}
	Items []struct {
		MessageID string
		Events    []struct {
			Offset  int64
			EventID string
		}
	}
}

func TestLargeResultIsSplit(t *testing.T) {
	for _, id := range []string{"plain", "\x01\x02\x03\x04\x05\x06", strings.Repeat("\x01", 100), strings.Repeat("\xff", 100)} {
		for _, o := range []ResultOptions{
			{MaxBytes: 2000},
			{MaxBytes: 5000},
			{MaxBytes: 15_000},
			{MaxBytes: 2000, Prefix: []byte("<prefix>")},
			{MaxBytes: 2000, Format: Avro},
			{MaxBytes: 5000, Format: Avro, Prefix: []byte{0, 0, 0, 0, 7}},
			{MaxBytes: 15_000, Format: Avro},
		} {
			o.Items = true
			r := report(batcher.ReportCompleted)
			many := item(p0, "many", 1)
			for i := range int64(300) {
				many.Events = append(many.Events, &batcher.Event{Offset: 2 * i, EventID: fmt.Appendf(nil, "%s%d", id, i), Assignment: p0})
			}
			r.Batch.Items = append(r.Batch.Items, many)
			r.Fates = append(r.Fates, batcher.ItemFate{Item: many})
			checkParts(t, r, Results(r, o), o)
			if len(many.Events) != 300 {
				t.Fatal("splitting changed the report")
			}
		}
	}
}

// checkParts puts the parts together again: each record of the report's items
// must be in exactly one of them, once in sources and once in items.
func checkParts(t *testing.T, r *batcher.Report, parts [][]byte, o ResultOptions) {
	t.Helper()
	type position struct {
		topic     string
		partition int32
		offset    int64
	}
	want, changes := map[position]string{}, map[position]int{}
	for _, f := range r.Fates {
		for _, ev := range f.Item.Events {
			want[position{ev.Assignment.Topic, ev.Assignment.Partition, ev.Offset}] = f.Item.MessageID
			changes[position{ev.Assignment.Topic, ev.Assignment.Partition, ev.Offset}]++
		}
	}
	inSources, inItems := map[position]int{}, map[string]int{}
	for i, part := range parts {
		var e resultEvent
		if err := json.Unmarshal(asJSON(t, part, o), &e); err != nil {
			t.Fatalf("part %d: %v", i+1, err)
		}
		if wantID := fmt.Sprintf("%s.%d", EventID(r), i+1); e.EventID != wantID || e.Part != i+1 || e.Parts != len(parts) {
			t.Errorf("part %d of %d says event %q, part %d of %d", i+1, len(parts), e.EventID, e.Part, e.Parts)
		}
		if len(part) > o.MaxBytes {
			t.Errorf("part %d has %d bytes, over the limit of %d", i+1, len(part), o.MaxBytes)
		}
		if e.Counts.Items != len(r.Batch.Items) {
			t.Errorf("part %d counts %d items, want those of the batch", i+1, e.Counts.Items)
		}
		for _, s := range e.Sources {
			for _, run := range s.Ranges {
				for o := run[0]; o <= run[1]; o++ {
					inSources[position{s.Topic, s.Partition, o}]++
				}
			}
		}
		for _, it := range e.Items {
			for _, ev := range it.Events {
				inItems[fmt.Sprint(it.MessageID, ev.Offset)]++
			}
		}
	}
	for p, id := range want {
		if inSources[p] != 1 || inItems[fmt.Sprint(id, p.offset)] != changes[p] {
			t.Errorf("%v is %d times in sources, %d times in items", p, inSources[p], inItems[fmt.Sprint(id, p.offset)])
		}
	}
	if len(inSources) != len(want) || len(parts) < 2 {
		t.Errorf("%d positions in %d parts, want %d in several", len(inSources), len(parts), len(want))
	}
}

func hundred() *batcher.Report {
	r := report(batcher.ReportCompleted)
	r.Batch.Items, r.Fates = nil, nil
	for i := range int64(100) {
		it := item([]*batcher.Assignment{p0, p3, other}[i%3], fmt.Sprintf("64a1f0c2b7d9e30012ab%04d", i), 1, 1000+i)
		it.Events[0].EventID = []byte("0f8fad5b-d9cb-469f-a165-70867728950e")
		r.Batch.Items = append(r.Batch.Items, it)
		r.Fates = append(r.Fates, batcher.ItemFate{Item: it})
	}
	return r
}

func BenchmarkAppendResult100(b *testing.B) {
	for name, o := range map[string]ResultOptions{"json": {Items: true}, "avro": {Items: true, Format: Avro}} {
		b.Run(name, func(b *testing.B) {
			r := hundred()
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendResult(dst[:0], r, o)
			}
			b.SetBytes(int64(len(dst)))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/item")
			b.ReportMetric(float64(len(dst))/100, "B/item")
		})
	}
}

func BenchmarkResults100(b *testing.B) {
	r := hundred()
	b.ReportAllocs()
	for b.Loop() {
		Results(r, ResultOptions{Items: true})
	}
}
