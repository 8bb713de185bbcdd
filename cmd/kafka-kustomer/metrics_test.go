package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zapcore"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/metrics"
	"kafka-kustomer/internal/pipeline"
	"kafka-kustomer/internal/workload"
)

var _ pipeline.Observer = (*metrics.Observer)(nil)

// series are values of one scrape by name and labels, as in the text format,
// without the program's prefix.
type series map[string]float64

func (w *watchedRun) scrape() series {
	w.t.Helper()
	found := series{}
	for line := range strings.Lines(w.get("/metrics")) {
		line, ours := strings.CutPrefix(strings.TrimSpace(line), metrics.Namespace+"_")
		i := strings.LastIndexByte(line, ' ')
		if !ours || i < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil {
			w.t.Fatalf("line %q: %v", line, err)
		}
		found[line[:i]] = value
	}
	return found
}

// sum adds up all series of a name, or those with a label.
func (s series) sum(name string, with ...string) (sum float64) {
	for key, value := range s {
		family, labels, _ := strings.Cut(key, "{")
		if family == name && (len(with) == 0 || strings.Contains(labels, with[0])) {
			sum += value
		}
	}
	return sum
}

// by are the values of a name by one label, those of 0 left out.
func (s series) by(name, label string) map[string]int {
	values := map[string]int{}
	for key, value := range s {
		family, labels, _ := strings.Cut(key, "{")
		if family != name || value == 0 {
			continue
		}
		_, rest, _ := strings.Cut(labels, label+`="`)
		of, _, _ := strings.Cut(rest, `"`)
		values[of] += int(value)
	}
	return values
}

// holdAlways checks what holds in each scrape, as it comes from one look.
func (s series) holdAlways(t *testing.T) {
	t.Helper()
	equal(t, map[string][2]float64{
		"I10: delivered = ended + open": {s["events_delivered_total"], s.sum("events_ended_total") + s["events_open"]},
		"dead letters by reason":        {s[`events_ended_total{fate="dead_lettered"}`], s.sum("dead_letters_total")},
		"skipped by reason":             {s[`events_ended_total{fate="skipped"}`], s.sum("events_skipped_total")},
		"messages by what holds them":   {s["messages_open"], s.sum("messages_held")},
	})
}

// holdAtRest checks what holds while nothing happens: what is counted along the
// way can be seen between one metric and the next.
func (s series) holdAtRest(t *testing.T) {
	t.Helper()
	equal(t, map[string][2]float64{
		"every batch has a size":              {s.sum("batches_closed_total"), s["batch_items_count"]},
		"items by their number":               {s["items_sent_total"], s["batch_items_sum"]},
		"each PUT was timed":                  {s.sum("calls_total", `"put"`), s.sum("call_duration_seconds_count", `"put"`)},
		"each look was timed":                 {s.sum("calls_total", `"look"`), s.sum("call_duration_seconds_count", `"look"`)},
		"each commit was timed":               {s.sum("commits_total"), s["commit_duration_seconds_count"]},
		"each operation that ended was timed": {s["operations_ended_total"], s["operation_duration_seconds_count"]},
	})
	if sent, items := s["events_sent_total"], s["items_sent_total"]; sent < items || sent < s[`events_ended_total{fate="completed"}`] {
		t.Errorf("%v events in %v items", sent, items)
	}
}

func equal(t *testing.T, pairs map[string][2]float64) {
	t.Helper()
	for name, pair := range pairs {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v is not %v", name, pair[0], pair[1])
		}
	}
}

// feedWorkload produces events and tombstones, and returns how many.
func (w *watchedRun) feedWorkload(events *workload.Generator, n int) (produced int) {
	w.t.Helper()
	for i := range n {
		e := events.Next(time.Now())
		w.kafka.Produce(w.t.Context(), &kgo.Record{Topic: "message-changes", Key: e.Key, Value: e.Value}, nil)
		produced++
		if i%100 == 0 {
			w.kafka.Produce(w.t.Context(), &kgo.Record{Topic: "message-changes", Key: e.Key}, nil)
			produced++
		}
	}
	if err := w.kafka.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return produced
}

// The account of the metrics is that of the simulated API and of the topics: every
// batch, call, item and dead letter, whatever went wrong in between.
func TestMetricsAccount(t *testing.T) {
	events := workload.New(workload.Config{Seed: 7, Messages: 300, HotShare: 0.3, Malformed: 0.004, Failing: 0.01, Poison: 0.001})
	failing := events.Truth().Failing
	w := startWatchedWith(t, kustomersim.Options{
		Key: canary.Secret, FailID: func(id string) bool { return failing[id] },
		Script: &kustomersim.Script{
			Run: kustomersim.Run{Base: kustomersim.Duration(10 * time.Millisecond), Tail: kustomersim.Duration(20 * time.Millisecond)},
			// Nothing is accepted of what fails, so that each side knows of every operation.
			Faults: []kustomersim.Fault{
				{Kind: kustomersim.FaultStatus, On: "put", Share: 0.03, Status: 503, Body: "html"},
				{Kind: kustomersim.FaultCutBefore, On: "put", Share: 0.03},
			},
			Quota:        kustomersim.Quota{PerMinute: 9000},
			ItemFailures: 0.01,
		},
	}, func(cfg *config.Config) {
		k := &cfg.Kustomer
		k.RequestsPerMinute = 6000
		k.Timeout, k.LostReplyWait = 2*time.Second, 200*time.Millisecond
		k.Retry = config.Retry{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}
		k.ItemRetry = config.ItemRetry{Attempts: 1, Over: 50 * time.Millisecond}
	})
	produced := w.feedWorkload(events, 3000)
	var s series
	w.until("everything is settled and committed", func() bool {
		s = w.scrape()
		s.holdAlways(t)
		return s["events_delivered_total"] == float64(produced) && s["events_open"] == 0 &&
			s["operations_open"]+s["calls_in_flight"] == 0 && s.sum("consumer_committed_offset") == float64(produced)
	})
	written, err := workload.Collect(t.Context(), "kustomer-batch-results", "kustomer-dead-letters", kgo.SeedBrokers(w.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	sim := w.sim.Stats()
	s.holdAtRest(t)
	equal(t, map[string][2]float64{
		"PUTs by why they were closed": {s.sum("batches_closed_total"), float64(sim.Puts)},
		"batches":                      {s["batches_total"], float64(sim.Puts)},
		"PUTs by outcome":              {s.sum("calls_total", `"put"`), float64(sim.Puts)},
		"requests of PUTs":             {s[`quota_requests_total{operation="put"}`], float64(sim.Puts)},
		"requests of looks":            {s[`quota_requests_total{operation="look"}`], float64(sim.Gets)},
		"looks":                        {s.sum("calls_total", `"look"`), s["operation_looks_total"]},
		"accepted":                     {s[`calls_total{operation="put",outcome="accepted"}`], float64(sim.OperationsAccepted)},
		"refused":                      {s[`calls_total{operation="put",outcome="refused"}`], float64(sim.PutStatus[400] + sim.PutStatus[422])},
		"unknown":                      {s[`calls_total{operation="put",outcome="unknown"}`], float64(sim.PutStatus[503] + sim.PutStatus[0])},
		"operations ended":             {s["operations_ended_total"], float64(sim.OperationsCompleted)},
		"accepted events":              {s["operations_ended_total"], float64(len(written.Accepted))},
		"completed events":             {s["operations_ended_total"], float64(len(written.Completed))},
		"items that ended":             {s.sum("item_results_total"), float64(sim.ItemsAccepted)},
		"items updated":                {s[`item_results_total{result="updated"}`], float64(sim.ItemsApplied)},
		"items failed":                 {s[`item_results_total{result="failed"}`] + s[`item_results_total{result="dead_lettered"}`], float64(sim.ItemsFailed)},
		"every event has an age, once": {s["event_age_seconds_count"], s[`events_ended_total{fate="completed"}`]},
		"dead letters":                 {s.sum("dead_letters_total"), float64(len(written.DeadLetters))},
		"tombstones":                   {s[`events_skipped_total{reason="tombstone"}`], 30},
		"partitions of ours":           {s["assigned_partitions"], 2},
		"the lag":                      {s.sum("consumer_lag_records"), 0},
		"nothing is left to drain":     {s["time_to_drain_seconds"], 0},
		"the quota's limit":            {s["quota_limit_requests"], 9000},
		"the pace by configuration":    {s["pace_learned_requests_per_minute"], 6000},
		"codes of no set":              {s[`dead_letters_total{reason="other"}`] + s[`events_skipped_total{reason="other"}`], 0},
	})
	if diff := cmp.Diff(written.Reasons, s.by("dead_letters_total", "reason")); diff != "" {
		t.Errorf("dead letters by reason, -topic +metrics:\n%s", diff)
	}
	if len(written.Reasons) < 4 || sim.PutStatus[503] == 0 || sim.PutStatus[0] == 0 {
		t.Errorf("too little went wrong: reasons %v, statuses %v", written.Reasons, sim.PutStatus)
	}
	w.checkFill(s, sim)
	w.checkTimes(s)
	w.checkCommitted(s)
	w.checkCatalogue(s)
}

// checkFill holds the histogram of fills to what arrived, bucket by bucket. What
// was refused or lost was counted by neither as accepted; so the buckets may be
// above, by no more than that.
func (w *watchedRun) checkFill(s series, sim kustomersim.Stats) {
	w.t.Helper()
	failed := float64(sim.Puts - sim.OperationsAccepted)
	arrived := 0.0
	for n, calls := range sim.Fill {
		arrived += float64(calls)
		switch n {
		case 1, 5, 10, 25, 50, 75, 90, 100:
			if got := s[fmt.Sprintf(`batch_items_bucket{le="%d"}`, n)]; got < arrived || got > arrived+failed {
				w.t.Errorf("%v batches of at most %d items, %v were accepted and %v were not", got, n, arrived, failed)
			}
		}
	}
}

func (w *watchedRun) checkTimes(s series) {
	w.t.Helper()
	now := float64(time.Now().Unix())
	for _, name := range []string{"start_timestamp_seconds", "last_success_timestamp_seconds"} {
		if at := s[name]; at < now-60 || at > now+1 {
			w.t.Errorf("%s is %v, now is %v", name, at, now)
		}
	}
	if s["last_success_timestamp_seconds"] < s["start_timestamp_seconds"] {
		w.t.Error("a success before the start")
	}
	if mean := s["event_age_seconds_sum"] / s["event_age_seconds_count"]; mean <= 0.01 || mean > 30 {
		w.t.Errorf("events were %v s old on average", mean)
	}
	if mean := s["operation_duration_seconds_sum"] / s["operation_duration_seconds_count"]; mean < 0.01 || mean > 1 {
		w.t.Errorf("operations took %v s on average", mean)
	}
	if of := s.by("oldest_unsettled_timestamp_seconds", "partition"); len(of) > 0 {
		w.t.Errorf("nothing is open, but something is oldest: %v", of)
	}
}

func (w *watchedRun) checkCommitted(s series) {
	w.t.Helper()
	committed, err := kadm.NewClient(w.kafka).FetchOffsets(w.t.Context(), "kafka-kustomer")
	if err != nil {
		w.t.Fatal(err)
	}
	committed.Each(func(o kadm.OffsetResponse) {
		key := fmt.Sprintf(`consumer_committed_offset{partition="%d",topic="%s"}`, o.Partition, o.Topic)
		if got := s[key]; got != float64(o.At) {
			w.t.Errorf("%s is %v, the group has %d", key, got, o.At)
		}
	})
	if n := s[`commits_total{result="done"}`]; n < 2 {
		w.t.Errorf("%v commits", n)
	}
	if got := s.by("rebalances_total", "event"); got["assigned"] < 1 || got["lost"] > 0 {
		w.t.Errorf("rebalances %v", got)
	}
}

// checkCatalogue: what is exported is in the catalogue, and the other way round.
// What a run without trouble has not yet, no one can see.
func (w *watchedRun) checkCatalogue(s series) {
	w.t.Helper()
	exported := map[string]bool{}
	for key := range s {
		name, _, _ := strings.Cut(key, "{")
		exported[name] = true
	}
	notYet := []string{
		"oldest_unsettled_timestamp_seconds", // nothing is open
		"kafka_client_connect_errors_total", "kafka_client_write_errors_total", "kafka_client_read_errors_total", "kafka_client_disconnects_total",
	}
	for _, m := range admin.Catalogue() {
		name := strings.TrimPrefix(m.Name, metrics.Namespace+"_")
		names := []string{name}
		if m.Type == "histogram" {
			names = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, n := range names {
			if !exported[n] && !slices.Contains(notYet, n) {
				w.t.Errorf("%s is in the catalogue, but not exported", n)
			}
			delete(exported, n)
		}
	}
	if len(exported) > 0 {
		w.t.Errorf("not in the catalogue: %v", slices.Sorted(maps.Keys(exported)))
	}
}

// A pause is counted once, with its time, and while it lasts one can see what
// waits, since when, and that nothing gets through.
func TestMetricsOfAnOutage(t *testing.T) {
	w := startWatched(t)
	w.untilMetrics("assigned_partitions 2", "ready 1")
	outage := kustomersim.Script{Faults: []kustomersim.Fault{{Kind: kustomersim.FaultStatus, Share: 1, Status: 503, Body: "html"}}}
	if err := w.sim.SetScript(outage); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	w.produce(change(1), change(2))
	w.untilMetrics(`trouble{kind="outage"} 1`, `pauses_total{kind="outage"} 1`)
	s := w.scrape()
	s.holdAlways(t)
	if oldest := s["oldest_unsettled_timestamp_seconds{partition=\"0\",topic=\"message-changes\"}"] + s["oldest_unsettled_timestamp_seconds{partition=\"1\",topic=\"message-changes\"}"]; math.Abs(oldest-float64(begun.Unix())) > 5 {
		t.Errorf("the oldest record is of %v, it was produced at %v", oldest, begun.Unix())
	}
	if page := w.get("/"); !strings.Contains(page, "oldest      unsettled record was made ") || !strings.Contains(page, "pauses      outage 1, ") {
		t.Errorf("the page says\n%s", page)
	}
	if err := w.sim.SetScript(kustomersim.Script{}); err != nil {
		t.Fatal(err)
	}
	w.untilMetrics(`trouble{kind="outage"} 0`)
	s = w.scrape()
	most := time.Since(begun).Seconds()
	if n, took := s[`pauses_total{kind="outage"}`], s[`paused_seconds_total{kind="outage"}`]; n != 1 || took <= 0 || took > most {
		t.Errorf("%v pauses, %v s of %v s", n, took, most)
	}
	if again := w.scrape()[`paused_seconds_total{kind="outage"}`]; again != s[`paused_seconds_total{kind="outage"}`] {
		t.Error("a pause that is over grows")
	}
	for _, kind := range batcher.TroubleKinds {
		if kind != batcher.TroubleOutage && s[fmt.Sprintf(`pauses_total{kind="%s"}`, kind)] != 0 {
			t.Errorf("a pause of kind %s", kind)
		}
	}
}

// The Kafka clients follow the level as it is now: their lines, two for each
// attempt to reach a broker, are for those who ask.
func TestKafkaClientsFollowTheLevel(t *testing.T) {
	log, level := newLogger(config.Log{Level: "info", Format: "json"}, io.Discard)
	raw := rawLog{log}
	for _, step := range []struct {
		level zapcore.Level
		want  kgo.LogLevel
	}{{zapcore.InfoLevel, kgo.LogLevelNone}, {zapcore.DebugLevel, kgo.LogLevelWarn}, {zapcore.ErrorLevel, kgo.LogLevelNone}} {
		level.SetLevel(step.level)
		if got := raw.Level(); got != step.want {
			t.Errorf("at %v: %v, want %v", step.level, got, step.want)
		}
	}
}

// The log's level follows the admin server, and back.
func TestLogLevelWhileItRuns(t *testing.T) {
	w := startWatched(t)
	w.untilMetrics("assigned_partitions 2")
	put := func(body, kind string) int {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPut, w.base+"/log/level", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", kind)
		reply, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		return reply.StatusCode
	}
	if n := w.logs.FilterLevelExact(-1).Len(); n > 0 {
		t.Errorf("%d debug lines at level info", n)
	}
	if code := put("level=debug", "application/x-www-form-urlencoded"); code != 200 {
		t.Fatalf("status %d", code)
	}
	if got := w.get("/log/level"); got != `200 {"level":"debug"}`+"\n" {
		t.Error(got)
	}
	if n := w.logs.FilterMessageSnippet("log level was set by hand").Len(); n != 1 {
		t.Errorf("%d lines tell of it", n)
	}
	if code := put(`{"level":"info"}`, "application/json"); code != 200 || w.get("/log/level") != `200 {"level":"info"}`+"\n" {
		t.Errorf("status %d, %s", code, w.get("/log/level"))
	}
}
