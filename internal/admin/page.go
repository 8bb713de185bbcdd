package admin

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"kafka-kustomer/batcher"
)

// page tells a person what is going on. It is plain text: it reads the same in a
// terminal, and no text of others can do harm in it.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	s.writePage(w, s.look(r.Context()))
}

func (s *Server) writePage(w io.Writer, st status) {
	readiness := assess(st)
	s.headline(w, st, readiness)
	for _, reason := range readiness.Reasons {
		writeReason(w, st.now, reason)
	}
	if st.asked {
		fmt.Fprintln(w)
		if st.silent == nil {
			writeCounts(w, st)
		}
		writeSchemas(w, st)
		writePartitions(w, st)
	}
	fmt.Fprint(w, "\nGET /readyz the reasons as JSON   GET /metrics for Prometheus   GET /healthz is the loop alive\n"+
		"POST /brake/release after the brake: send undeliverable events to the dead-letter topic again\n")
	if s.cfg.Level != nil {
		fmt.Fprint(w, "PUT /log/level level=debug: log more, until the next start\n")
	}
}

func (s *Server) headline(w io.Writer, st status, r Readiness) {
	ready := "ready"
	if !r.Ready {
		ready = "NOT READY"
	}
	fmt.Fprintf(w, "%s, kafka-kustomer %s: %s\n%s for %v, as of %s\n",
		s.cfg.Name, s.cfg.Version, ready, st.phase, rounded(st.now.Sub(st.since)), st.now.UTC().Format(time.RFC3339))
}

func writeReason(w io.Writer, now time.Time, r Reason) {
	fmt.Fprintf(w, "\n* %s (%s)", r.Kind, oneLine(r.Code))
	if !r.Since.IsZero() {
		fmt.Fprintf(w, ", for %v", rounded(now.Sub(r.Since)))
	}
	if r.Until.After(now) {
		fmt.Fprintf(w, ", next try in %v", rounded(r.Until.Sub(now)))
	}
	if r.Person {
		fmt.Fprint(w, ", needs somebody")
	}
	fmt.Fprintf(w, "\n  %s\n", oneLine(r.Text))
	if r.Check != "" {
		fmt.Fprintf(w, "  check: %s\n", oneLine(r.Check))
	}
	fmt.Fprintf(w, "  safe: %s\n  ends: %s\n", r.Safe, r.Ends)
}

func writeCounts(w io.Writer, st status) {
	s, c := st.snapshot, st.snapshot.Counts
	fmt.Fprintf(w, "events      %d delivered = %d completed + %d dead-lettered + %d skipped + %d open + %d given back\n",
		c.Delivered, c.Completed, c.DeadLettered, c.Skipped, c.Open, c.Dropped)
	fmt.Fprintf(w, "open        %d messages, %d items ready to be sent, %d bytes\n", s.Messages, s.Ready, s.OpenBytes)
	fmt.Fprintf(w, "waiting for %s\noldest      %s\n", held(s), oldest(st))
	fmt.Fprintf(w, "kustomer    %d batches, %d looks; %d calls in flight, %d operations open\n", s.Batches, s.Looks, s.InFlight, s.Operations)
	fmt.Fprintf(w, "pace        %s\n", pace(s.Pace))
	fmt.Fprintf(w, "pauses      %s\n", pauses(s))
	fmt.Fprintf(w, "results     oldest not acknowledged by Kafka: %v\n", rounded(st.oldest))
}

// writeSchemas tells of the reading of records. What is wrong with the registry is
// among the reasons.
func writeSchemas(w io.Writer, st status) {
	s := st.schemas
	fmt.Fprintf(w, "schemas     %d known, %d ids unknown or of no use; %d partitions wait for one", s.Known, s.Unknown, s.Waiting)
	if !s.FailingSince.IsZero() {
		fmt.Fprintf(w, "; the registry has failed for %v", rounded(st.now.Sub(s.FailingSince)))
	}
	fmt.Fprintf(w, "\nmappings    members left out on purpose: %s\n", leftOut(s.LeftOut))
}

// leftOut says what mappings have left out, by topic.
func leftOut(byTopic map[string]uint64) string {
	var parts []string
	for _, topic := range slices.Sorted(maps.Keys(byTopic)) {
		if n := byTopic[topic]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", topic, n))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// held says what messages wait for.
func held(s batcher.Snapshot) string {
	var parts []string
	for why, n := range s.Holds {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", batcher.Hold(why), n))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}

// oldest says how long it has been under way, and how long all will take.
func oldest(st status) string {
	var at time.Time
	for _, p := range st.snapshot.Places {
		if at.IsZero() || !p.Oldest.IsZero() && p.Oldest.Before(at) {
			at = p.Oldest
		}
	}
	line := "no record is unsettled"
	if !at.IsZero() {
		line = fmt.Sprintf("unsettled record was made %v ago", st.now.Sub(at).Round(time.Second))
	}
	switch t, known := drainTime(st); {
	case known && math.IsInf(t, 1):
		line += "; nothing was settled of late"
	case known && t > 0:
		line += fmt.Sprintf("; what moves is settled in %v at this pace", time.Duration(min(t, maxDrain.Seconds())*float64(time.Second)).Round(time.Second))
	}
	return line
}

// maxDrain is the longest time that is worth telling.
const maxDrain = 365 * 24 * time.Hour

func pace(p batcher.Pace) string {
	line := fmt.Sprintf("%.0f requests a minute now, %.0f at best", p.Allowed, p.Learned)
	if p.Quota.Limit > 0 {
		line += fmt.Sprintf("; the org had %d of %d left at the last reply", p.Quota.Remaining, p.Quota.Limit)
	}
	return line
}

func pauses(s batcher.Snapshot) string {
	var parts []string
	for i, kind := range batcher.TroubleKinds {
		if p := s.Pauses[i]; p.Begun > 0 {
			parts = append(parts, fmt.Sprintf("%s %d, %v in all", kind, p.Begun, rounded(p.For)))
		}
	}
	return cmp.Or(strings.Join(parts, "; "), "none")
}

func writePartitions(w io.Writer, st status) {
	if st.silent == nil {
		fmt.Fprintf(w, "partitions  %d assigned, %d offsets expired unread\n", st.snapshot.Partitions, st.kafka.Expired)
	}
	for _, p := range slices.SortedFunc(maps.Keys(st.kafka.Lag), func(a, b Partition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	}) {
		fmt.Fprintf(w, "            %s lag %d\n", place(p), st.kafka.Lag[p])
	}
}

func rounded(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

// oneLine keeps words of others from looking like ours.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
