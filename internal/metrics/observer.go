package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kafka-kustomer/batcher"
)

// The operations of the API.
const (
	put = iota
	look
)

var operations = []string{"put", "look"}

// limitedLook is the outcome of a look that a 429 ended; the others are those of
// batcher.ViewKind.
const limitedLook = int(batcher.NoView) + 1

// The kinds of each closed set, for labels.
const (
	closeReasons  = int(batcher.ClosedToProbe) + 1
	outcomes      = int(batcher.Unknown) + 1
	views         = int(batcher.NoView) + 1
	fates         = int(batcher.FateDeadLettered) + 1
	commitResults = int(batcher.CommitRefused) + 1
)

// commitLabels are the names of batcher.CommitResult.
var commitLabels = [commitResults]string{batcher.CommitDone: "done", batcher.CommitUnknown: "unknown", batcher.CommitRefused: "refused"}

// Observer counts what the loop tells it. It is made for one run of the program;
// its methods may be called by one goroutine while others gather.
type Observer struct {
	registry *prometheus.Registry
	made     []Metric

	batches              []prometheus.Counter // by batcher.CloseReason
	fill                 prometheus.Histogram
	eventsSent           prometheus.Counter
	itemsSent            prometheus.Counter
	puts, looks          []prometheus.Counter  // by batcher.OutcomeKind; by batcher.ViewKind, and limitedLook
	callTook             []prometheus.Observer // by operation
	requests             []prometheus.Counter  // by operation
	items                []prometheus.Counter  // by batcher.Fate
	operationsEnded      prometheus.Counter
	operationTook, age   prometheus.Histogram
	commits              []prometheus.Counter // by batcher.CommitResult
	commitTook           prometheus.Histogram
	rebalances           []prometheus.Counter // by what happened
	lastSuccess, started prometheus.Gauge
}

// New returns an observer of a program that starts at that time.
func New(started time.Time) *Observer {
	m := &maker{registry: prometheus.NewRegistry()}
	o := &Observer{registry: m.registry}
	o.makeSending(m)
	o.makeEnding(m)
	o.makeKafka(m)
	o.started = m.gauge("start_timestamp_seconds",
		"When the program began, in seconds since 1970. Changing often: something restarts it, see its exit code and the last lines of the log.")
	o.started.Set(seconds(started))
	o.made = m.made
	return o
}

func (o *Observer) makeSending(m *maker) {
	o.batches = m.counters("batches_closed_total",
		"Bulk requests formed, by why they were closed: size, bytes and time are fresh work; split and probe are tries after a refusal or an outage. Mostly time at small batch_items while items_ready is low: a longer batch.linger saves requests. split growing: see the refused result events.",
		"reason", labels[batcher.CloseReason](closeReasons)...)
	o.fill = m.histogram("batch_items",
		"Items in a bulk request. Full ones hold batch.max_items. Small ones while time_to_drain_seconds grows: see batches_closed_total for why.",
		1, 5, 10, 25, 50, 75, 90, 100)
	o.eventsSent = m.counter("events_sent_total",
		"Records that bulk requests carried, those sent again included. Its rate over that of items_sent_total is the merge ratio: how many changes one item stands for.")
	o.itemsSent = m.counter("items_sent_total",
		"Items that bulk requests carried, those sent again included. Much above item_results_total{result=\"updated\"}: much is sent again, see calls_total for outcomes.")
	o.callTook = m.histograms("call_duration_seconds",
		"How long calls of the API took, without those waiting for their turn. put near kustomer.timeout: replies get lost, and messages wait kustomer.lost_reply_wait; check Kustomer and the network.",
		[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}, "operation", operations...)
	o.makeCalls(m)
	o.requests = m.counters("quota_requests_total",
		"HTTP requests of this process that count against the org's quota: the used part of quota_limit_requests. A look can take several.", "operation", operations...)
}

func (o *Observer) makeCalls(m *maker) {
	const name, help = "calls_total",
		"Calls of the API by operation and outcome; the log and the result events have the words. put: accepted; refused and doubtful: see the dead letters; unauthorized: see /readyz; limited: see quota_remaining_requests; unknown and not_sent growing: check Kustomer and the network. look: running, complete, gone, limited, or failed."
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.note(name, "counter", help, "operation", "outcome"), Help: help}, []string{"operation", "outcome"})
	m.registry.MustRegister(vec)
	for _, outcome := range labels[batcher.OutcomeKind](outcomes) {
		o.puts = append(o.puts, vec.WithLabelValues(operations[put], outcome))
	}
	for _, outcome := range append(labels[batcher.ViewKind](views), "limited") {
		o.looks = append(o.looks, vec.WithLabelValues(operations[look], outcome))
	}
}

func (o *Observer) makeEnding(m *maker) {
	o.items = m.counters("item_results_total",
		"Items of ended operations by what became of them: updated, failed (tried again), returned (no result, sent again) or dead_lettered. failed growing: see the completed result events for Kustomer's words.",
		"result", labels[batcher.Fate](fates)...)
	o.operationsEnded = m.counter("operations_ended_total",
		"Operations of this process that are over. operation_looks_total over it is looks an operation: above 2 for long, Kustomer takes unusually long.")
	o.operationTook = m.histogram("operation_duration_seconds",
		"How long operations ran at Kustomer, from accepted to completed. Growing: their messages wait longer, check the status page of Kustomer for bulk jobs.",
		.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
	o.age = m.histogram("event_age_seconds",
		"Age of events, from their occurredAt until Kustomer has applied them; events without occurredAt are not in it. Growing: see time_to_drain_seconds, trouble, and whether they arrive late in Kafka.",
		.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400)
	o.lastSuccess = m.gauge("last_success_timestamp_seconds",
		"When an operation last ended with an item updated, in seconds since 1970, 0: never. Long ago while events_open or the lag is above 0: see /readyz.")
}

func (o *Observer) makeKafka(m *maker) {
	o.commits = m.counters("commits_total",
		"Offset commits by the worst result among their partitions: done, refused (a rebalance was faster) or unknown (no answer; it is committed again). unknown growing: check the group's coordinator and the network to it.",
		"result", commitLabels[:]...)
	o.commitTook = m.histogram("commit_duration_seconds",
		"How long offset commits took. Seconds: another member holds up a rebalance, or the group's coordinator is slow.",
		.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5)
	o.rebalances = m.counters("rebalances_total",
		"Times that the group gave partitions (assigned), asked for them back (revoked) or took them (lost). Several a minute: members come and go, see their restarts and source.session_timeout. lost growing: heartbeats do not get through.",
		"event", moves...)
}

// labels are the names of the first n values of a closed set.
func labels[K interface {
	~uint8
	String() string
}](n int,
) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = K(i).String()
	}
	return list
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Gatherer gathers the metrics.
func (o *Observer) Gatherer() prometheus.Gatherer { return o.registry }

// Catalogue lists the metrics of this package, those of the Kafka clients included.
func Catalogue() []Metric { return append(New(time.Time{}).made, kafkaMetrics()...) }

// Cut counts a batch that goes out.
func (o *Observer) Cut(b *batcher.Batch) {
	events := 0
	for _, it := range b.Items {
		events += len(it.Events)
	}
	o.batches[b.Reason].Inc()
	o.fill.Observe(float64(len(b.Items)))
	o.itemsSent.Add(float64(len(b.Items)))
	o.eventsSent.Add(float64(events))
}

// Answered counts a PUT that has ended, after so long.
func (o *Observer) Answered(out *batcher.Outcome, took time.Duration) {
	o.puts[out.Kind].Inc()
	o.callTook[put].Observe(took.Seconds())
	if out.Kind != batcher.NotSent {
		o.requests[put].Inc()
	}
}

// Looked counts a look that has ended, after so long.
func (o *Observer) Looked(v *batcher.View, took time.Duration) {
	kind := int(v.Kind)
	if v.Kind == batcher.NoView && v.Limited {
		kind = limitedLook
	}
	o.looks[kind].Inc()
	o.callTook[look].Observe(took.Seconds())
	o.requests[look].Add(float64(v.Calls))
}

// Ended counts an operation that is over, with its items and the age of their
// events.
func (o *Observer) Ended(r *batcher.Report) {
	o.operationsEnded.Inc()
	o.operationTook.Observe(r.Took.Seconds())
	var by [fates]int
	ended := r.At.UnixMilli() // of any year there is; and it costs less than Sub
	for _, f := range r.Fates {
		by[f.Fate]++
		if f.Fate != batcher.FateUpdated {
			continue
		}
		for _, ev := range f.Item.Events {
			if !ev.OccurredAt.IsZero() {
				age := ended - ev.OccurredAt.UnixMilli()
				o.age.Observe(float64(max(0, age)) / 1000) // their clock may be ahead of ours
			}
		}
	}
	for fate, n := range by {
		o.items[fate].Add(float64(n))
	}
	if by[batcher.FateUpdated] > 0 {
		o.lastSuccess.Set(seconds(r.At))
	}
}

// Committed counts a commit that has ended, after so long.
func (o *Observer) Committed(c *batcher.Commit, took time.Duration) {
	worst := batcher.CommitDone
	for _, p := range c.Partitions {
		if p.Result == batcher.CommitUnknown || worst == batcher.CommitDone {
			worst = p.Result
		}
	}
	o.commits[worst].Inc()
	o.commitTook.Observe(took.Seconds())
}

// The ways in which partitions move.
const (
	assigned = iota
	revoked
	lost
)

var moves = []string{"assigned", "revoked", "lost"}

// Assigned counts partitions given by the group.
func (o *Observer) Assigned(int) { o.rebalances[assigned].Inc() }

// Revoked counts partitions to be given back.
func (o *Observer) Revoked(int) { o.rebalances[revoked].Inc() }

// Lost counts partitions that are gone already.
func (o *Observer) Lost(int) { o.rebalances[lost].Inc() }
