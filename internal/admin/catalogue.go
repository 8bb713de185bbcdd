package admin

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/metrics"
)

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// Catalogue lists every metric under /metrics that begins with the program's name:
// those made from a look at the program, and those of [metrics.Catalogue]. It is
// sorted by name.
func Catalogue() []metrics.Metric {
	list := metrics.Catalogue()
	add := func(name string, kind prometheus.ValueType, help string, labels []string) {
		list = append(list, metrics.Metric{
			Name: prometheus.BuildFQName(metrics.Namespace, "", name), Type: map[prometheus.ValueType]string{counter: "counter", gauge: "gauge"}[kind],
			Labels: labels, Help: help,
		})
	}
	for _, m := range ofLoop {
		add(m.name, m.kind, m.help, nil)
	}
	for _, m := range ofRest {
		add(m.name, m.kind, m.help, nil)
	}
	for _, f := range families {
		add(f.name, f.kind, f.help, f.labels)
	}
	slices.SortFunc(list, func(a, b metrics.Metric) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// metric is a metric without labels. Its help says what to do about it.
type metric[From any] struct {
	name  string
	kind  prometheus.ValueType
	help  string
	value From
}

// ofLoop are the metrics that the loop answers for: left out while it does not.
var ofLoop = []metric[func(batcher.Snapshot) float64]{
	{
		"events_delivered_total", counter,
		"Records taken from Kafka; equal to events_ended_total over all fates plus events_open. At a standstill while the lag grows: see ready.",
		func(s batcher.Snapshot) float64 { return float64(s.Counts.Delivered) },
	},
	{
		"events_open", gauge,
		"Records whose fate is not known yet. Near limits.max_open_events, which counts each change of a record, for long: Kustomer is slower than the topic, see the lag.",
		func(s batcher.Snapshot) float64 { return float64(s.Counts.Open) },
	},
	{
		"events_open_bytes", gauge,
		"Memory charged for open records. Near limits.max_open_bytes for long: raise that limit, or see why events stay open.",
		func(s batcher.Snapshot) float64 { return float64(s.OpenBytes) },
	},
	{
		"messages_open", gauge,
		"Messages with a change that is not settled yet.",
		func(s batcher.Snapshot) float64 { return float64(s.Messages) },
	},
	{
		"messages_stray", gauge,
		"Messages that a request without a reply, or without a result, may still write to: newer changes of them wait kustomer.lost_reply_wait. Growing: replies get lost, see calls_total with outcome unknown, and the network.",
		func(s batcher.Snapshot) float64 { return float64(s.Strays) },
	},
	{
		"pace_allowed_requests_per_minute", gauge,
		"Requests a minute that this process may make now, 0 while all calls rest. Below pace_learned_requests_per_minute: there were 429s; it comes back by itself.",
		func(s batcher.Snapshot) float64 { return s.Pace.Allowed },
	},
	{
		"pace_learned_requests_per_minute", gauge,
		"Requests a minute for this process by kustomer.requests_per_minute, or as learned from the quota. Low while time_to_drain_seconds grows: others use the quota, see kustomer.reserve and quota_limit_requests.",
		func(s batcher.Snapshot) float64 { return s.Pace.Learned },
	},
	{
		"items_ready", gauge,
		"Items that could be sent if there were a request for them. Growing: the request quota is the limit, see kustomer.requests_per_minute and kustomer.reserve.",
		func(s batcher.Snapshot) float64 { return float64(s.Ready) },
	},
	{
		"batches_total", counter,
		"Bulk requests formed, those sent again included.",
		func(s batcher.Snapshot) float64 { return float64(s.Batches) },
	},
	{
		"operation_looks_total", counter,
		"Looks at operations for their results. More than two for each batch: Kustomer takes unusually long over operations.",
		func(s batcher.Snapshot) float64 { return float64(s.Looks) },
	},
	{
		"operations_open", gauge,
		"Operations that Kustomer has accepted and not ended. At kustomer.max_open_operations for long: check the status page of Kustomer for bulk jobs.",
		func(s batcher.Snapshot) float64 { return float64(s.Operations) },
	},
	{
		"operations_overdue", gauge,
		"Open operations that run longer than kustomer.overdue_after. Their messages wait: check the status page of Kustomer for bulk jobs.",
		func(s batcher.Snapshot) float64 { return float64(s.Overdue) },
	},
	{
		"suspects", gauge,
		"Items that Kustomer refused in a batch and that are sent in smaller ones to find the guilty. For long: see the refused result events for its words.",
		func(s batcher.Snapshot) float64 { return float64(s.Suspects) },
	},
	{
		"events_held", gauge,
		"Records that can't be decoded and that the brake keeps out of the dead-letter topic. Above 0: see /readyz, and what writes to the topic.",
		func(s batcher.Snapshot) float64 { return float64(s.Held) },
	},
	{
		"calls_in_flight", gauge,
		"HTTP calls under way. At kustomer.max_in_flight for long: Kustomer answers slowly, see kustomer.timeout.",
		func(s batcher.Snapshot) float64 { return float64(s.InFlight) },
	},
	{
		"assigned_partitions", gauge,
		"Partitions that are this member's. 0 for long: there are more members than partitions, or the group does not settle.",
		func(s batcher.Snapshot) float64 { return float64(s.Partitions) },
	},
}

// ofRest are those that are always there.
var ofRest = []metric[func(status, Readiness) float64]{
	{
		"ready", gauge,
		"1 when events get through. At 0 for some minutes: see the trouble metric, and /readyz for the reasons in words.",
		func(_ status, r Readiness) float64 { return bit(r.Ready) },
	},
	{
		"person_needed", gauge,
		"1 when trouble lasts until somebody sees to it: wake somebody, /readyz says what to do.",
		func(_ status, r Readiness) float64 { return bit(needsPerson(r)) },
	},
	{
		"loop_up", gauge,
		"1 when the program's loop answers. At 0 while running: restart the process, nothing is lost by that.",
		func(s status, _ Readiness) float64 { return bit(s.silent == nil) },
	},
	{
		"result_oldest_unacknowledged_seconds", gauge,
		"Age of the oldest result event or dead letter that Kafka has not acknowledged. Above 30: check min.insync.replicas of those topics and the brokers.",
		func(s status, _ Readiness) float64 { return s.oldest.Seconds() },
	},
	{
		"kafka_problems", gauge,
		"Problems with brokers, the group or single partitions at the moment: /readyz names them.",
		func(s status, _ Readiness) float64 { return float64(len(s.kafka.Problems)) },
	},
	{
		"partitions_waiting_for_schema", gauge,
		"Partitions whose next record can't be read until its schema has come from the registry. Above 0 for minutes: see schema_registry_failing_seconds, and /readyz for the partitions.",
		func(s status, _ Readiness) float64 { return float64(s.schemas.Waiting) },
	},
	{
		"schema_registry_failing_seconds", gauge,
		"Seconds since the schema registry began to fail; 0 while it answers, or nobody asks it. Above 60: check that it is up and lets us in, /readyz says what it answers.",
		func(s status, _ Readiness) float64 {
			if s.schemas.FailingSince.IsZero() {
				return 0
			}
			return s.now.Sub(s.schemas.FailingSince).Seconds()
		},
	},
	{
		"schemas_known", gauge,
		"Schemas got from the registry and kept. Growing without end: a producer registers a new one for each of its starts, or records.",
		func(s status, _ Readiness) float64 { return float64(s.schemas.Known) },
	},
	{
		"schema_ids_unknown", gauge,
		"Schema ids of records that the registry did not have when it was last asked, or whose schema is of no use; an id stays until it is there, or the next start. Growing: a producer uses another registry, or writes something else; its records are in the dead-letter topic.",
		func(s status, _ Readiness) float64 { return float64(s.schemas.Unknown) },
	},
	{
		"offsets_expired_total", counter,
		"Offsets that Kafka deleted before they were read, at most. Any growth is loss: raise the topic's retention, add partitions or quota.",
		func(s status, _ Readiness) float64 { return float64(s.kafka.Expired) },
	},
}

func needsPerson(r Readiness) bool {
	return slices.ContainsFunc(r.Reasons, func(reason Reason) bool { return reason.Person })
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
