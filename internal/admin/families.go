package admin

import (
	"math"
	"runtime"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/metrics"
)

// family is a metric with labels, or one that is not always known. Its help says
// what to do about it.
type family struct {
	name   string
	kind   prometheus.ValueType
	help   string
	labels []string
	ofLoop bool // left out while the loop does not answer
	values func(v view, send sendFunc)
}

// view is what metrics are made of.
type view struct {
	status
	Readiness
	cfg Config
}

type sendFunc func(value float64, labels ...string)

var families = []family{
	{
		"events_ended_total", counter,
		"Records by what became of them: completed, dead_lettered, skipped, or dropped (given back to the group, the next owner reads them again). dead_lettered growing: read the dead-letter topic, its headers say why.",
		[]string{"fate"},
		true,
		func(v view, send sendFunc) {
			counts := v.snapshot.Counts
			send(float64(counts.Completed), "completed")
			send(float64(counts.DeadLettered), "dead_lettered")
			send(float64(counts.Skipped), "skipped")
			send(float64(counts.Dropped), "dropped")
		},
	},
	{
		"dead_letters_total", counter,
		"Dead letters written, by reason; the sum is events_ended_total{fate=\"dead_lettered\"}, and more where a record has several changes, each of which has its own. What decoding says (malformed, oversize, invalid_...): see what writes to the topic; what Kustomer says: read Kustomer's words in the dead letter's headers, put it right, and produce the records again.",
		[]string{"reason"},
		true,
		func(v view, send sendFunc) { byCode(v.snapshot.Buried, metrics.DeadLetters, send) },
	},
	{
		"events_skipped_total", counter,
		"Records skipped on purpose, by reason; the sum is events_ended_total{fate=\"skipped\"}. Many tombstones that should arrive: see source.on_tombstone.",
		[]string{"reason"},
		true,
		func(v view, send sendFunc) { byCode(v.snapshot.Skipped, metrics.Skipped, send) },
	},
	{
		"mapping_left_out_total", counter,
		"Members of records that a topic's mapping has left out on purpose: read-only ones, audit members, unmapped columns, nulls that Kustomer does not take. For what each is, see source.mapping.",
		[]string{"topic"},
		false,
		func(v view, send sendFunc) {
			for topic, n := range v.schemas.LeftOut {
				send(float64(n), topic)
			}
		},
	},
	{
		"messages_held", gauge,
		"Open messages by what their next change waits for; the sum is messages_open. request for long: the quota is the limit; call: slow replies; operation: slow operations; dead_letter: Kafka does not acknowledge; takeover and stray end by themselves, cooling and retry too, after a 429 or a failure of the message's own.",
		[]string{"why"},
		true,
		func(v view, send sendFunc) {
			for why, n := range v.snapshot.Holds {
				send(float64(n), batcher.Hold(why).String())
			}
		},
	},
	{
		"pauses_total", counter,
		"Times that trouble of a kind began to hold delivery up. Growing by the minute: it comes back after each recovery, /readyz and the log say what it is.",
		[]string{"kind"},
		true,
		func(v view, send sendFunc) {
			for i, kind := range batcher.TroubleKinds {
				send(float64(v.snapshot.Pauses[i].Begun), string(kind))
			}
		},
	},
	{
		"paused_seconds_total", counter,
		"Time that trouble of a kind held delivery up. Its rate is the share of the time: more than a few percent of anything but quota wants a look at /readyz and the log.",
		[]string{"kind"},
		true,
		func(v view, send sendFunc) {
			for i, kind := range batcher.TroubleKinds {
				send(v.snapshot.Pauses[i].For.Seconds(), string(kind))
			}
		},
	},
	{
		"oldest_unsettled_timestamp_seconds", gauge,
		"When the oldest record that is read and not settled was made, by Kafka's timestamp, in seconds since 1970; left out when there is none. Minutes ago: see messages_held and /readyz. What is not read yet is in consumer_lag_records.",
		[]string{"topic", "partition"},
		true,
		func(v view, send sendFunc) {
			for _, p := range v.snapshot.Places {
				if !p.Oldest.IsZero() {
					send(float64(p.Oldest.Unix()), p.Topic, strconv.Itoa(int(p.Partition)))
				}
			}
		},
	},
	{
		"consumer_committed_offset", gauge,
		"The group's offset: what is before it is settled. Standing still while events are delivered: see oldest_unsettled_timestamp_seconds and commits_total.",
		[]string{"topic", "partition"},
		true,
		func(v view, send sendFunc) {
			for _, p := range v.snapshot.Places {
				if p.Committed >= 0 {
					send(float64(p.Committed), p.Topic, strconv.Itoa(int(p.Partition)))
				}
			}
		},
	},
	{
		"time_to_drain_seconds", gauge,
		"How long it takes until all that waits, open events and lag, is settled at the last minute's pace, were nothing new to come; +Inf at a standstill, left out until there is a pace. Growing for an hour: more comes in than the quota lets out.",
		nil, true,
		func(v view, send sendFunc) {
			if t, known := drainTime(v.status); known {
				send(t)
			}
		},
	},
	{
		"quota_limit_requests", gauge,
		"Requests a minute that the whole org may make, as the last reply said; left out until one says so. It bounds everything: ask Kustomer for more if time_to_drain_seconds grows.",
		nil, true,
		func(v view, send sendFunc) {
			if q := v.snapshot.Pace.Quota; q.Limit > 0 {
				send(float64(q.Limit))
			}
		},
	},
	{
		"quota_remaining_requests", gauge,
		"Requests that the whole org has left in this minute, as the last reply said; left out until one says so. Often near 0 while quota_requests_total grows slowly: others use it up, see kustomer.reserve.",
		nil, true,
		func(v view, send sendFunc) {
			if q := v.snapshot.Pace.Quota; q.Limit > 0 {
				send(float64(q.Remaining))
			}
		},
	},
	{
		"trouble", gauge,
		"1 while trouble of this kind lasts: /readyz says what happened and what to check. Only quota and takeover may be 1 while ready is.",
		[]string{"kind"},
		false,
		func(v view, send sendFunc) {
			for _, kind := range kinds {
				there := slices.ContainsFunc(v.Reasons, func(reason Reason) bool { return reason.Kind == kind })
				send(bit(there), kind)
			}
		},
	},
	{
		"consumer_lag_records", gauge,
		"Offsets from the last record read to the end of the partition's log. Growing while ready: add quota (kustomer.requests_per_minute), or see events_open.",
		[]string{"topic", "partition"},
		false,
		func(v view, send sendFunc) {
			for p, lag := range v.kafka.Lag {
				send(float64(lag), p.Topic, strconv.Itoa(int(p.Partition)))
			}
		},
	},
	{
		"connector_info", gauge,
		"1; which connector this is, and the protocol its group speaks, empty until it has joined.",
		[]string{"name", "protocol"},
		false,
		func(v view, send sendFunc) { send(1, v.cfg.Name, v.kafka.Protocol) },
	},
	{
		"config_info", gauge,
		"1; a hash of the effective configuration, without its secrets. Members with different hashes run with different settings: roll them all.",
		[]string{"hash"},
		false,
		func(v view, send sendFunc) { send(1, v.cfg.ConfigHash) },
	},
	{
		"build_info", gauge,
		"1; which build this is.",
		[]string{"version", "go_version"},
		false,
		func(v view, send sendFunc) { send(1, v.cfg.Version, runtime.Version()) },
	},
}

// byCode sends a count for each known code, and one for all others.
func byCode(counts map[string]uint64, known []string, send sendFunc) {
	rest := uint64(0)
	for code, n := range counts {
		if !slices.Contains(known, code) || code == metrics.Other {
			rest += n
		}
	}
	for _, code := range known {
		n := counts[code]
		if code == metrics.Other {
			n = rest
		}
		send(float64(n), code)
	}
}

// drainTime is how many seconds it takes to settle what waits, if that is known.
func drainTime(s status) (seconds float64, known bool) {
	waiting := float64(s.snapshot.Counts.Open)
	for _, lag := range s.kafka.Lag {
		waiting += float64(lag)
	}
	switch rate := s.snapshot.Throughput; {
	case waiting == 0:
		return 0, true
	case rate < 0:
		return 0, false
	case rate == 0:
		return math.Inf(1), true
	default:
		return waiting / rate, true
	}
}
