package schemas

import (
	"strconv"
	"time"

	"kafka-kustomer/batcher"
)

// event is a batch-result event that is not written yet: what its JSON and its Avro
// form have in common. Which members it has, and what is in them, is decided here;
// the forms only write it down. Members that are zero are absent.
type event struct {
	*batcher.Report
	*totals
	id          string
	part, parts int
	entries     []entry
	sources     []source
	listItems   bool
}

// totals are what all parts of an event say of the whole batch.
type totals struct {
	operationID string
	attempts    int // of the most-sent item
	events      int
	fates       [4]int // items by fate

	firstEventAt, acceptedAt, completedAt time.Time
}

func newEvent(r *batcher.Report, whole *totals, o ResultOptions, list []entry) event {
	return event{
		Report: r, totals: whole, id: EventID(r), entries: list, sources: sources(list),
		listItems: o.Items && (r.Kind == batcher.ReportCompleted || r.Kind == batcher.ReportRefused),
	}
}

// setPart makes the event one of several.
func (e *event) setPart(part, parts int) {
	e.id += "." + strconv.Itoa(part)
	e.part, e.parts = part, parts
}

func (e *event) append(dst []byte, o ResultOptions) []byte {
	dst = append(dst, o.Prefix...)
	if o.Format == Avro {
		return appendAvro(dst, e)
	}
	return appendJSON(dst, e)
}

// change is which of its record's changes an event is, from 1; 0 where it is the only
// one, which it nearly always is.
func change(ev *batcher.Event) int {
	n, of := ev.Part()
	if of == 1 {
		return 0
	}
	return n
}

func sumUp(r *batcher.Report) (t totals) {
	if r.Operation != nil {
		t.operationID = r.Operation.ID
	}
	for _, it := range r.Batch.Items {
		t.attempts = max(t.attempts, it.Attempts)
		t.events += len(it.Events)
		for _, ev := range it.Events {
			if t.firstEventAt.IsZero() || ev.Arrived.Before(t.firstEventAt) {
				t.firstEventAt = ev.Arrived
			}
		}
	}
	for i := range r.Fates {
		t.fates[r.Fates[i].Fate]++
	}
	if r.Outcome.Kind == batcher.Accepted {
		t.acceptedAt = r.Outcome.Answered
	}
	if r.Kind == batcher.ReportCompleted {
		t.completedAt = r.At
	}
	return t
}
