package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"kafka-kustomer/batcher"
)

var at = time.Unix(1_800_000_000, 500_000_000)

// values are all series of the observer but the buckets, as "name{value of its
// labels} value", those of 0 left out unless all are wanted.
func values(t *testing.T, o *Observer, all bool) (lines []string) {
	t.Helper()
	families, err := o.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetValue())
			}
			add := func(suffix string, v float64) {
				if all || v != 0 {
					lines = append(lines, strings.TrimPrefix(f.GetName(), Namespace+"_")+suffix+"{"+strings.Join(labels, ",")+"} "+strconv.FormatFloat(v, 'g', -1, 64))
				}
			}
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				add("", m.Counter.GetValue())
			case dto.MetricType_GAUGE:
				add("", m.Gauge.GetValue())
			case dto.MetricType_HISTOGRAM:
				add("_count", float64(m.Histogram.GetSampleCount()))
				add("_sum", m.Histogram.GetSampleSum())
			}
		}
	}
	return lines
}

func items(sizes ...int) (list []*batcher.Item) {
	for _, n := range sizes {
		it := &batcher.Item{}
		for range n {
			it.Events = append(it.Events, &batcher.Event{OccurredAt: at.Add(-2 * time.Second)})
		}
		list = append(list, it)
	}
	return list
}

func TestEachMethodCountsWhatItIsTold(t *testing.T) {
	undated := items(1)[0]
	undated.Events[0].OccurredAt = time.Time{}
	ahead := items(1)[0]
	ahead.Events[0].OccurredAt = at.Add(time.Hour)
	dated := items(2)[0]
	for name, test := range map[string]struct {
		tell func(*Observer)
		want []string
	}{
		"a batch": {
			func(o *Observer) { o.Cut(&batcher.Batch{Reason: batcher.ClosedToSplit, Items: items(1, 3, 1)}) },
			[]string{"batch_items_count{} 1", "batch_items_sum{} 3", "batches_closed_total{split} 1", "events_sent_total{} 5", "items_sent_total{} 3"},
		},
		"a PUT": {
			func(o *Observer) { o.Answered(&batcher.Outcome{Kind: batcher.Limited}, 1500*time.Millisecond) },
			[]string{"call_duration_seconds_count{put} 1", "call_duration_seconds_sum{put} 1.5", "calls_total{put,limited} 1", "quota_requests_total{put} 1"},
		},
		"a PUT that was not sent costs no request": {
			func(o *Observer) { o.Answered(&batcher.Outcome{Kind: batcher.NotSent}, time.Second) },
			[]string{"call_duration_seconds_count{put} 1", "call_duration_seconds_sum{put} 1", "calls_total{put,not_sent} 1"},
		},
		"a look of three requests": {
			func(o *Observer) { o.Looked(&batcher.View{Kind: batcher.Running, Calls: 3}, time.Second) },
			[]string{"call_duration_seconds_count{look} 1", "call_duration_seconds_sum{look} 1", "calls_total{look,running} 1", "quota_requests_total{look} 3"},
		},
		"a look that a 429 ended": {
			func(o *Observer) { o.Looked(&batcher.View{Kind: batcher.NoView, Calls: 1, Limited: true}, 0) },
			[]string{"call_duration_seconds_count{look} 1", "calls_total{look,limited} 1", "quota_requests_total{look} 1"},
		},
		"a look that failed": {
			func(o *Observer) { o.Looked(&batcher.View{Kind: batcher.NoView, Calls: 1}, 0) },
			[]string{"call_duration_seconds_count{look} 1", "calls_total{look,failed} 1", "quota_requests_total{look} 1"},
		},
		"an operation": {
			func(o *Observer) {
				o.Ended(&batcher.Report{At: at, Took: 3 * time.Second, Fates: []batcher.ItemFate{
					{Item: dated},
					{Item: undated},
					{Item: ahead},
					{Item: dated, Fate: batcher.FateFailed},
					{Item: dated, Fate: batcher.FateReturned},
					{Item: dated, Fate: batcher.FateReturned},
					{Item: dated, Fate: batcher.FateDeadLettered},
				}})
			},
			[]string{
				"event_age_seconds_count{} 3", "event_age_seconds_sum{} 4", "item_results_total{dead_lettered} 1", "item_results_total{failed} 1",
				"item_results_total{returned} 2", "item_results_total{updated} 3", "last_success_timestamp_seconds{} 1.8000000005e+09",
				"operation_duration_seconds_count{} 1", "operation_duration_seconds_sum{} 3", "operations_ended_total{} 1",
			},
		},
		"an event of long ago": {
			func(o *Observer) {
				old := items(1)[0]
				old.Events[0].OccurredAt = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
				o.Ended(&batcher.Report{At: time.Date(1, 1, 3, 0, 0, 0, 0, time.UTC), Fates: []batcher.ItemFate{{Item: old}}})
			},
			[]string{
				"event_age_seconds_count{} 1", "event_age_seconds_sum{} 86400", "item_results_total{updated} 1", "last_success_timestamp_seconds{} -6.2135424e+10",
				"operation_duration_seconds_count{} 1", "operations_ended_total{} 1",
			},
		},
		"an operation without a success": {
			func(o *Observer) {
				o.Ended(&batcher.Report{At: at, Fates: []batcher.ItemFate{{Item: dated, Fate: batcher.FateFailed}}})
			},
			[]string{"item_results_total{failed} 1", "operation_duration_seconds_count{} 1", "operations_ended_total{} 1"},
		},
		"a commit with all results": {
			func(o *Observer) {
				o.Committed(&batcher.Commit{Partitions: []batcher.PartitionCommit{{Result: batcher.CommitDone}, {Result: batcher.CommitUnknown}, {Result: batcher.CommitRefused}}}, time.Second)
			},
			[]string{"commit_duration_seconds_count{} 1", "commit_duration_seconds_sum{} 1", "commits_total{unknown} 1"},
		},
		"a commit of which one was refused": {
			func(o *Observer) {
				o.Committed(&batcher.Commit{Partitions: []batcher.PartitionCommit{{Result: batcher.CommitRefused}, {Result: batcher.CommitDone}}}, 0)
			},
			[]string{"commit_duration_seconds_count{} 1", "commits_total{refused} 1"},
		},
		"a commit that is done": {
			func(o *Observer) {
				o.Committed(&batcher.Commit{Partitions: []batcher.PartitionCommit{{Result: batcher.CommitDone}}}, 0)
			},
			[]string{"commit_duration_seconds_count{} 1", "commits_total{done} 1"},
		},
		"rebalances": {
			func(o *Observer) { o.Assigned(3); o.Assigned(1); o.Revoked(2); o.Lost(1) },
			[]string{"rebalances_total{assigned} 2", "rebalances_total{lost} 1", "rebalances_total{revoked} 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := New(at)
			test.tell(o)
			want := append(slices.Clone(test.want), "start_timestamp_seconds{} 1.8000000005e+09")
			slices.Sort(want)
			got := values(t, o, false)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Every label's series is there at 0 before anything has happened, and nothing that
// happens makes another one.
func TestLabelSetsAreComplete(t *testing.T) {
	o := New(at)
	before := len(values(t, o, true))
	for kind := range batcher.OutcomeKind(outcomes) {
		o.Answered(&batcher.Outcome{Kind: kind}, 0)
	}
	for kind := range batcher.ViewKind(views) {
		o.Looked(&batcher.View{Kind: kind, Limited: true}, 0)
		o.Looked(&batcher.View{Kind: kind, Calls: 1}, 0)
	}
	for reason := range batcher.CloseReason(closeReasons) {
		o.Cut(&batcher.Batch{Reason: reason, Items: items(1)})
	}
	for fate := range batcher.Fate(fates) {
		o.Ended(&batcher.Report{Fates: []batcher.ItemFate{{Item: items(1)[0], Fate: fate}}})
	}
	for result := range batcher.CommitResult(commitResults) {
		o.Committed(&batcher.Commit{Partitions: []batcher.PartitionCommit{{Result: result}}}, 0)
	}
	o.Assigned(1)
	o.Revoked(1)
	o.Lost(1)
	all := values(t, o, true)
	if len(all) != before {
		t.Errorf("%d series, %d before anything happened", len(all), before)
	}
	for _, line := range all {
		if strings.HasSuffix(line, " 0") && !strings.Contains(line, "_sum") {
			t.Errorf("never counted: %s", line)
		}
	}
}

// A kind that is added to a closed set must get its label here too: the names end
// where the set does.
func TestClosedSetsEndWhereTheNamesDo(t *testing.T) {
	panics := func(name func()) (did bool) {
		defer func() { did = recover() != nil }()
		name()
		return false
	}
	for what, beyond := range map[string]func(){
		"close reasons": func() { _ = batcher.CloseReason(closeReasons).String() },
		"outcomes":      func() { _ = batcher.OutcomeKind(outcomes).String() },
		"views":         func() { _ = batcher.ViewKind(views).String() },
		"fates":         func() { _ = batcher.Fate(fates).String() },
	} {
		if !panics(beyond) {
			t.Errorf("%s: there are more than have a label", what)
		}
	}
}

// codes are the constants of a file whose names begin with Code.
func codes(t *testing.T, path string) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", filepath.FromSlash(path)), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		if text, ok := spec.Values[0].(*ast.BasicLit); ok {
			code, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, code)
		}
		return true
	})
	if len(list) < 5 {
		t.Fatalf("only %v in %s: is it the right file?", list, path)
	}
	return list
}

// Every code that decoding or the API's replies give is in a set, or is known never
// to end a record.
func TestReasonsAreComplete(t *testing.T) {
	neverEnd := []string{
		"redirected", "unauthorized", "wrong_url", "wrong_region", "limited", // everything waits
		"no_references", "dial_failed", "lease_over", "cancelled", // nothing was sent, or it is sent again
	}
	for _, code := range slices.Concat(codes(t, "schemas/reasons.go"), codes(t, "sink/classify.go")) {
		known := slices.Contains(DeadLetters, code) || slices.Contains(Skipped, code)
		if known == slices.Contains(neverEnd, code) {
			t.Errorf("%s: in a set %v, and among those that end nothing %v", code, known, !known)
		}
	}
	for _, set := range [][]string{DeadLetters, Skipped} {
		if sorted := slices.Sorted(slices.Values(set)); len(slices.Compact(sorted)) != len(set) {
			t.Errorf("a code twice in %v", set)
		}
		if !slices.Contains(set, Other) {
			t.Errorf("no place for others in %v", set)
		}
	}
}

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(New(at).Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	pedantic := prometheus.NewPedanticRegistry()
	o := New(at)
	pedantic.MustRegister(o.registry)
	if _, err := pedantic.Gather(); err != nil {
		t.Error(err)
	}
}

// Both forms of buckets are there.
func TestHistogramsAreNativeToo(t *testing.T) {
	o := New(at)
	o.Cut(&batcher.Batch{Items: items(1)})
	families, err := o.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range families {
		if f.GetType() != dto.MetricType_HISTOGRAM {
			continue
		}
		n++
		for _, m := range f.Metric {
			if m.Histogram.Schema == nil || len(m.Histogram.Bucket) < 5 {
				t.Errorf("%s: schema %v, %d classic buckets", f.GetName(), m.Histogram.Schema, len(m.Histogram.Bucket))
			}
		}
	}
	if n != 5 {
		t.Errorf("%d histograms, want 5", n)
	}
}

// The observer costs a few dozen nanoseconds an event, and allocates nothing.
func BenchmarkBatchOf100(b *testing.B) {
	o := New(at)
	list := items(slices.Repeat([]int{1}, 100)...)
	batch := &batcher.Batch{Items: list}
	report := &batcher.Report{At: at, Took: time.Second}
	for i, it := range list {
		it.Events[0].OccurredAt = at.Add(-time.Duration(i) * 37 * time.Millisecond)
		report.Fates = append(report.Fates, batcher.ItemFate{Item: it})
	}
	commit := &batcher.Commit{Partitions: make([]batcher.PartitionCommit, 6)}
	b.ReportAllocs()
	for b.Loop() {
		o.Cut(batch)
		o.Answered(&batcher.Outcome{}, time.Second)
		o.Looked(&batcher.View{Calls: 1}, time.Second)
		o.Ended(report)
		o.Committed(commit, time.Millisecond)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
}
