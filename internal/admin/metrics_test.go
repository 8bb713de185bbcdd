package admin

import (
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/metrics"
)

// busy is a program with another number for everything.
func busy() *fake {
	return &fake{
		snapshot: batcher.Snapshot{
			Counts:     batcher.Counts{Delivered: 15, Completed: 5, DeadLettered: 4, Skipped: 3, Open: 2, Dropped: 1},
			Partitions: 16, Ready: 6, Messages: 7, OpenBytes: 8, InFlight: 9, Operations: 10, Batches: 11, Looks: 12,
			Buried:  map[string]uint64{"malformed": 3, "canary-code": 1},
			Skipped: map[string]uint64{"tombstone": 2, "canary-code": 1},
			Holds:   [batcher.Holds]int{batcher.HoldRequest: 1, batcher.HoldOperation: 4, batcher.HoldStray: 2}, Strays: 17,
			Pace: batcher.Pace{Allowed: 18, Learned: 19}, Throughput: 2.5,
			Pauses: [len(batcher.TroubleKinds)]batcher.Pauses{{Begun: 20, For: 1500 * time.Millisecond}, {Begun: 21, For: time.Minute}},
			Places: []batcher.Place{{Topic: "changes", Partition: 0, Committed: 22, Oldest: time.Unix(1_700_000_000, 0)}, {Topic: "changes", Partition: 11, Committed: -1}},
			Troubles: []batcher.Trouble{
				{Kind: batcher.TroubleBrake, Reason: batcher.Reason{Code: "canary-code", Text: "canary-text"}, Person: true},
				{Kind: batcher.TroubleQuota, Since: time.Now(), Until: time.Now().Add(time.Second)},
			},
		},
		kafka: Kafka{
			Protocol: "consumer", Expired: 13, Lag: map[Partition]int64{{"changes", 0}: 3, {"changes", 11}: 0},
			Problems: []Problem{{Topic: "changes", Partition: 3, Text: "canary-text", Check: "canary-check", Since: time.Now()}},
		},
		schemas: Schemas{
			Waiting: 23, Known: 24, Unknown: 25, LeftOut: map[string]uint64{"changes": 26, "rows": 0},
			Problems: []Problem{{Partition: -1, Text: "canary-text", Check: "canary-check", Since: time.Now()}},
		},
		oldest: 1500 * time.Millisecond,
	}
}

var comments = regexp.MustCompile(`(?m)^#.*\n`)

// ours are the lines of /metrics that are the program's own.
func ours(t *testing.T, s *Server) []string {
	t.Helper()
	code, _, body := ask(t, http.MethodGet, serve(t, s)+"/metrics")
	if code != 200 {
		t.Fatalf("status %d, %s", code, body)
	}
	lines := strings.Split(strings.TrimSpace(comments.ReplaceAllString(body, "")), "\n")
	return slices.DeleteFunc(lines, func(line string) bool { return !strings.HasPrefix(line, metrics.Namespace+"_") })
}

func TestMetrics(t *testing.T) {
	s := newServer(t)
	s.Attach(busy().program())
	want := `assigned_partitions 16
batches_total 11
build_info{go_version="` + runtime.Version() + `",version="v1.2.3"} 1
calls_in_flight 9
config_info{hash="abc123"} 1
connector_info{name="mine",protocol="consumer"} 1
consumer_committed_offset{partition="0",topic="changes"} 22
consumer_lag_records{partition="0",topic="changes"} 3
consumer_lag_records{partition="11",topic="changes"} 0
dead_letters_total{reason="bad_request"} 0
dead_letters_total{reason="conflict"} 0
dead_letters_total{reason="connection_lost"} 0
dead_letters_total{reason="empty_value"} 0
dead_letters_total{reason="forbidden"} 0
dead_letters_total{reason="foreign_refusal"} 0
dead_letters_total{reason="foreign_reply"} 0
dead_letters_total{reason="invalid"} 0
dead_letters_total{reason="invalid_avro"} 0
dead_letters_total{reason="invalid_changes"} 0
dead_letters_total{reason="invalid_event_id"} 0
dead_letters_total{reason="invalid_framing"} 0
dead_letters_total{reason="invalid_message_id"} 0
dead_letters_total{reason="invalid_occurred_at"} 0
dead_letters_total{reason="item_failed"} 0
dead_letters_total{reason="malformed"} 3
dead_letters_total{reason="mapping_cloudevent"} 0
dead_letters_total{reason="mapping_jq"} 0
dead_letters_total{reason="mapping_jq_output"} 0
dead_letters_total{reason="mapping_jq_timeout"} 0
dead_letters_total{reason="mapping_shape"} 0
dead_letters_total{reason="no_registry"} 0
dead_letters_total{reason="not_found"} 0
dead_letters_total{reason="other"} 1
dead_letters_total{reason="oversize"} 0
dead_letters_total{reason="refused"} 0
dead_letters_total{reason="request_timeout"} 0
dead_letters_total{reason="schema_no_event"} 0
dead_letters_total{reason="server_error"} 0
dead_letters_total{reason="timeout"} 0
dead_letters_total{reason="tombstone"} 0
dead_letters_total{reason="too_large"} 0
dead_letters_total{reason="unknown_schema"} 0
dead_letters_total{reason="unprocessable"} 0
dead_letters_total{reason="unusable_schema"} 0
events_delivered_total 15
events_ended_total{fate="completed"} 5
events_ended_total{fate="dead_lettered"} 4
events_ended_total{fate="dropped"} 1
events_ended_total{fate="skipped"} 3
events_held 0
events_open 2
events_open_bytes 8
events_skipped_total{reason="deleted"} 0
events_skipped_total{reason="empty_change"} 0
events_skipped_total{reason="filtered"} 0
events_skipped_total{reason="not_a_row"} 0
events_skipped_total{reason="other"} 1
events_skipped_total{reason="other_event"} 0
events_skipped_total{reason="own_update"} 0
events_skipped_total{reason="tombstone"} 2
events_skipped_total{reason="transaction_marker"} 0
events_skipped_total{reason="unchanged"} 0
items_ready 6
kafka_problems 1
loop_up 1
mapping_left_out_total{topic="changes"} 26
mapping_left_out_total{topic="rows"} 0
messages_held{why="call"} 0
messages_held{why="cooling"} 0
messages_held{why="dead_letter"} 0
messages_held{why="operation"} 4
messages_held{why="request"} 1
messages_held{why="retry"} 0
messages_held{why="stray"} 2
messages_held{why="takeover"} 0
messages_open 7
messages_stray 17
offsets_expired_total 13
oldest_unsettled_timestamp_seconds{partition="0",topic="changes"} 1.7e+09
operation_looks_total 12
operations_open 10
operations_overdue 0
pace_allowed_requests_per_minute 18
pace_learned_requests_per_minute 19
partitions_waiting_for_schema 23
paused_seconds_total{kind="brake"} 0
paused_seconds_total{kind="configuration"} 1.5
paused_seconds_total{kind="lease"} 60
paused_seconds_total{kind="outage"} 0
paused_seconds_total{kind="overdue"} 0
paused_seconds_total{kind="quota"} 0
paused_seconds_total{kind="takeover"} 0
paused_seconds_total{kind="unreadable"} 0
pauses_total{kind="brake"} 0
pauses_total{kind="configuration"} 20
pauses_total{kind="lease"} 21
pauses_total{kind="outage"} 0
pauses_total{kind="overdue"} 0
pauses_total{kind="quota"} 0
pauses_total{kind="takeover"} 0
pauses_total{kind="unreadable"} 0
person_needed 1
ready 0
result_oldest_unacknowledged_seconds 1.5
schema_ids_unknown 25
schema_registry_failing_seconds 0
schemas_known 24
suspects 0
time_to_drain_seconds 2
trouble{kind="brake"} 1
trouble{kind="configuration"} 0
trouble{kind="draining"} 0
trouble{kind="joining"} 0
trouble{kind="kafka"} 0
trouble{kind="lease"} 0
trouble{kind="outage"} 0
trouble{kind="overdue"} 0
trouble{kind="partition"} 1
trouble{kind="quota"} 1
trouble{kind="registry"} 1
trouble{kind="results"} 0
trouble{kind="starting"} 0
trouble{kind="stuck"} 0
trouble{kind="takeover"} 0
trouble{kind="unreadable"} 0`
	var wanted []string
	for _, line := range strings.Split(want, "\n") {
		wanted = append(wanted, metrics.Namespace+"_"+line)
	}
	if got := ours(t, s); !slices.Equal(got, wanted) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}

func TestMetricsLint(t *testing.T) {
	s := newServer(t)
	s.Attach(busy().program())
	problems, err := testutil.GatherAndLint(s.gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	// A collector that sends what it has not described is refused by this registry.
	pedantic := prometheus.NewPedanticRegistry()
	pedantic.MustRegister(newCollector(s.cfg, func() status { return s.look(t.Context()) }))
	if _, err := pedantic.Gather(); err != nil {
		t.Error(err)
	}
}

// A scrape always has an answer; what the loop did not say is left out rather
// than wrong.
func TestMetricsOfALoopThatHangs(t *testing.T) {
	f := busy()
	f.hang = true
	s := newServer(t)
	s.Attach(f.program())
	got := ours(t, s)
	for _, want := range []string{"loop_up 0", "ready 0", "person_needed 1", `trouble{kind="stuck"} 1`, "offsets_expired_total 13", "partitions_waiting_for_schema 23", `consumer_lag_records{partition="0",topic="changes"} 3`} {
		if !slices.Contains(got, metrics.Namespace+"_"+want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
	for _, line := range got {
		if strings.Contains(line, "events_") || strings.Contains(line, "batches_") {
			t.Errorf("a count without an answer: %s", line)
		}
	}
}

// How long the registry has failed is counted to the moment of the scrape.
func TestMetricsOfARegistryThatFails(t *testing.T) {
	f := busy()
	f.schemas.FailingSince = time.Now().Add(-6 * time.Minute)
	s := newServer(t)
	s.Attach(f.program())
	before := time.Since(f.schemas.FailingSince).Seconds()
	lines := ours(t, s)
	after := time.Since(f.schemas.FailingSince).Seconds()
	const name = metrics.Namespace + "_schema_registry_failing_seconds "
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, name) })
	if i < 0 {
		t.Fatalf("no %sin\n%s", name, strings.Join(lines, "\n"))
	}
	if got, err := strconv.ParseFloat(lines[i][len(name):], 64); err != nil || got < before || got > after {
		t.Errorf("%s: %v; want between %v and %v", lines[i], err, before, after)
	}
}

func TestMetricsWhileStarting(t *testing.T) {
	got := ours(t, newServer(t))
	for _, want := range []string{"ready 0", "loop_up 1", `trouble{kind="starting"} 1`, "events_delivered_total 0", `events_ended_total{fate="completed"} 0`, `connector_info{name="mine",protocol=""} 1`} {
		if !slices.Contains(got, metrics.Namespace+"_"+want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// Labels come from closed sets and from the partitions that are ours, never from
// what was said about them.
func TestLabelsAreBounded(t *testing.T) {
	s := newServer(t)
	s.Attach(busy().program())
	_, _, body := ask(t, http.MethodGet, serve(t, s)+"/metrics")
	if i := strings.Index(body, "canary"); i >= 0 {
		t.Errorf("words of others in the metrics: …%s", body[i:min(len(body), i+100)])
	}
	for _, of := range []string{"go_goroutines", "process_cpu_seconds_total"} {
		if runtime.GOOS == "linux" && !strings.Contains(body, "\n"+of+" ") {
			t.Errorf("no %s in the metrics", of)
		}
	}
}
