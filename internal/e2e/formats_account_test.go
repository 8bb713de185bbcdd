//go:build kafka && linux

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/workload"
)

// wantFates checks everything that can be seen of what became of the records: the
// state of each message, dead letters, result events.
func (w *formatWorld) wantFates() {
	w.t.Helper()
	w.check()
	states := w.api.states()
	wantSame(w.t, "the messages", w.truth(), states)
	w.wantLetters()
	w.wantResults()
}

// wantSame shows what differs, but not all of it.
func wantSame(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff[:min(len(diff), 4000)])
	}
}

// letter is a dead letter: its record, and why it is one.
type letter struct {
	Record original
	Reason string
}

// wantLetters checks that exactly the records that must be dead letters are, once, for
// their reason, and with every byte.
func (w *formatWorld) wantLetters() {
	w.t.Helper()
	want, got := map[string]letter{}, map[string]letter{}
	for _, f := range w.records {
		if f.dead != "" {
			want[position(f.Record)] = letter{original{f.Key, f.Value, f.Headers, f.Timestamp}, f.dead}
		}
	}
	w.read(w.deadLetters, func(r *kgo.Record) error {
		from, own := splitHeaders(r)
		if _, twice := got[from]; twice {
			w.t.Errorf("record %s has two dead letters", from)
		}
		got[from] = letter{original{r.Key, r.Value, own, r.Timestamp}, header(r, "kafka-kustomer.reason")}
		return nil
	})
	wantSame(w.t, "dead letters", want, got)
}

func header(r *kgo.Record, name string) (value string) {
	for _, h := range r.Headers {
		if h.Key == name {
			value = string(h.Value)
		}
	}
	return value
}

// read calls f for each record of a topic.
func (w *world) read(topic string, f func(*kgo.Record) error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	if err := workload.Read(ctx, []string{topic}, f, kgo.SeedBrokers(w.brokers...)); err != nil {
		w.t.Fatal(err)
	}
}

// resultEvent is what is looked at of a result event.
type resultEvent struct {
	Kind    string
	Sources []struct {
		Topic     string
		Partition int32
		Ranges    [][2]int64
	}
	Items []resultItem
}

type resultItem struct {
	MessageID, Status, Topic string
	Partition                int32
	Events                   []struct {
		Offset  int64
		EventID string
		Change  int
	}
}

// told is what a result event says of one change.
type told struct{ Message, Event, Status string }

// wantResults checks that the result events name every change that was sent, with its
// place among those of its record, exactly once, and every record as a source.
func (w *formatWorld) wantResults() {
	w.t.Helper()
	want, records := map[string]told{}, map[string]bool{}
	for _, f := range w.records {
		for i, c := range f.changes {
			at := position(f.Record)
			records[at] = true
			if len(f.changes) > 1 {
				at = fmt.Sprintf("%s change %d", at, i+1)
			}
			want[at] = told{c.message, c.event, "updated"}
		}
	}
	got, sources := map[string]told{}, map[string]bool{}
	w.read(w.results, func(r *kgo.Record) error {
		text, err := r.Value, error(nil)
		if w.decode != nil {
			text, err = w.decode(r.Value)
		}
		var e resultEvent
		if err := errors.Join(err, json.Unmarshal(text, &e)); err != nil {
			return err
		}
		if e.Kind == "completed" {
			e.note(w.t, got, sources)
		}
		return nil
	})
	wantSame(w.t, "changes in result events", want, got)
	wantSame(w.t, "sources of result events", records, sources)
}

// note notes what an event says.
func (e *resultEvent) note(t *testing.T, changes map[string]told, sources map[string]bool) {
	for _, s := range e.Sources {
		for _, r := range s.Ranges {
			for offset := r[0]; offset <= r[1]; offset++ {
				sources[fmt.Sprintf("%s/%d/%d", s.Topic, s.Partition, offset)] = true
			}
		}
	}
	for _, it := range e.Items {
		for _, ev := range it.Events {
			at := fmt.Sprintf("%s/%d/%d", it.Topic, it.Partition, ev.Offset)
			if ev.Change > 0 {
				at = fmt.Sprintf("%s change %d", at, ev.Change)
			}
			if _, twice := changes[at]; twice {
				t.Errorf("%s is in two items", at)
			}
			changes[at] = told{it.MessageID, ev.EventID, it.Status}
		}
	}
}

// wantCounts checks the metrics of a connector that has seen all records and no other:
// each record has one fate, and each reason as many as it must have.
func (w *formatWorld) wantCounts(c *process) {
	w.t.Helper()
	want := map[string]float64{
		"events_delivered_total": float64(len(w.records)), "events_open": 0,
		`events_ended_total{fate="dropped"}`: 0, "partitions_waiting_for_schema": 0,
	}
	for _, f := range w.records {
		switch {
		case f.skip != "":
			want[`events_ended_total{fate="skipped"}`]++
			want[fmt.Sprintf("events_skipped_total{reason=%q}", f.skip)]++
		case f.dead != "":
			want[`events_ended_total{fate="dead_lettered"}`]++
			want[fmt.Sprintf("dead_letters_total{reason=%q}", f.dead)]++
		default:
			want[`events_ended_total{fate="completed"}`]++
		}
	}
	got := map[string]float64{}
	for name, value := range c.metrics() {
		_, expected := want[name]
		if expected || value != 0 && isReason(name) {
			got[name] = value
		}
	}
	wantSame(w.t, "metrics", want, got)
	w.t.Logf("%d records: %v completed, %v dead letters, %v skipped", len(w.records), got[`events_ended_total{fate="completed"}`],
		got[`events_ended_total{fate="dead_lettered"}`], got[`events_ended_total{fate="skipped"}`])
}

// isReason tells of the metrics that must not be there where none is expected.
func isReason(name string) bool {
	for _, prefix := range []string{"events_ended_total{", "events_skipped_total{", "dead_letters_total{"} {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}

// wantEachOnce checks that each record has one fate, whichever it is.
func (w *formatWorld) wantEachOnce(m map[string]float64) {
	w.t.Helper()
	dead, reasons, sent, sources := map[string]bool{}, map[string]int{}, map[string]told{}, map[string]bool{}
	w.read(w.deadLetters, func(r *kgo.Record) error {
		from, _ := splitHeaders(r)
		if dead[from] {
			w.t.Errorf("record %s has two dead letters", from)
		}
		dead[from] = true
		reason, said := header(r, "kafka-kustomer.reason"), header(r, "__connect.errors.exception.message")
		if reasons[reason]++; reason == "" || said == "" {
			w.t.Errorf("the dead letter of %s has reason %q, %q", from, reason, said)
		}
		return nil
	})
	w.read(w.results, func(r *kgo.Record) error {
		var e resultEvent
		if err := json.Unmarshal(r.Value, &e); err != nil || e.Kind != "completed" {
			return err
		}
		e.Items = slices.DeleteFunc(e.Items, func(it resultItem) bool { return it.Status != "updated" })
		e.note(w.t, sent, sources)
		return nil
	})
	delivered, skipped := map[string]bool{}, 0
	for at := range sent {
		at, _, _ = strings.Cut(at, " ")
		if delivered[at] = true; dead[at] {
			w.t.Errorf("record %s is delivered and a dead letter", at)
		}
	}
	for _, f := range w.records {
		if at := position(f.Record); !dead[at] && !delivered[at] {
			skipped++
		}
	}
	got := []float64{m["events_delivered_total"], m[`events_ended_total{fate="completed"}`], m[`events_ended_total{fate="dead_lettered"}`], m[`events_ended_total{fate="skipped"}`], m[`events_ended_total{fate="dropped"}`]}
	wantSame(w.t, "records read, delivered, dead-lettered, skipped, dropped", []float64{float64(len(w.records)), float64(len(delivered)), float64(len(dead)), float64(skipped), 0}, got)
	w.t.Logf("%d delivered, %d skipped, %d dead letters: %v", len(delivered), skipped, len(dead), reasons)
}
