package batcher

import (
	"slices"
	"testing"
	"time"
)

// trial drives a core against an API that answers at once by what a batch holds,
// until nothing is open: it shows what isolating the guilty costs.
type trial struct {
	*desk
	a *Assignment

	answerTo func(b *Batch) Outcome      // of anything but an acceptance
	result   func(it *Item) ResultStatus // of an item of an accepted batch
	each     func()                      // called before each decision, to add traffic
	bodies   []string                    // what was sent, by batch
	sizes    []int                       // items of each batch
	dead     []int64                     // offsets, in order
	reasons  map[int64]Reason            // by offset
	fates    map[Fate]int                // of refused reports
	at       map[int64]time.Time         // when an offset was settled
	puts     map[int64][]time.Time       // when an offset was sent
}

func newTrial(t *testing.T, edits ...func(*Config)) *trial {
	tr := &trial{
		desk:    newDesk(t, append([]func(*Config){func(c *Config) { c.MaxItems = 100; c.Brake = 0 }}, edits...)...),
		reasons: map[int64]Reason{}, fates: map[Fate]int{}, at: map[int64]time.Time{}, puts: map[int64][]time.Time{},
	}
	tr.a = tr.own()
	return tr
}

// run lets the trial go on until nothing is open, or for at most a span.
func (tr *trial) run(most time.Duration) {
	tr.t.Helper()
	limit := tr.now.Add(most)
	for tr.c.Totals().Open > 0 && tr.now.Before(limit) {
		if tr.each != nil {
			tr.each()
		}
		list, until := tr.decisions()
		for _, dec := range list {
			tr.carryOut(dec)
		}
		if len(list) == 0 {
			if until.IsZero() {
				return // nothing will ever happen again
			}
			tr.wait(max(until.Sub(tr.now), 0))
		}
	}
}

// runAll runs for a span, whatever is open, and then to the end.
func (tr *trial) runAll(span time.Duration) {
	for limit := tr.now.Add(span); tr.now.Before(limit); {
		if tr.run(time.Minute); tr.c.Totals().Open == 0 {
			tr.wait(time.Second)
			if tr.each != nil {
				tr.each()
			}
		}
	}
	tr.each = nil
	tr.run(time.Hour)
}

func (tr *trial) carryOut(dec Decision) {
	switch dec := dec.(type) {
	case Put:
		tr.put(dec.Batch)
	case Look:
		statuses := make([]ResultStatus, len(dec.Operation.Batch.Items))
		for i, it := range dec.Operation.Batch.Items {
			statuses[i] = Updated
			if tr.result != nil {
				statuses[i] = tr.result(it)
			}
		}
		tr.c.Polled(tr.now, dec.Operation, viewOf(Complete, statuses...))
	case *Report:
		tr.report(dec)
	case *Bury:
		tr.dead = append(tr.dead, dec.Event.Offset)
		tr.reasons[dec.Event.Offset] = dec.Reason
		tr.at[dec.Event.Offset] = tr.now
		tr.c.Buried(tr.now, dec)
	default:
		tr.pass(dec)
	}
}

func (tr *trial) put(b *Batch) {
	tr.bodies = append(tr.bodies, describe(b))
	tr.sizes = append(tr.sizes, len(b.Items))
	for _, it := range b.Items {
		for _, ev := range it.Events {
			tr.puts[ev.Offset] = append(tr.puts[ev.Offset], tr.now)
		}
	}
	o := tr.answerTo(b)
	o.Quota = quotaOr(o.Quota)
	if o.Kind == Accepted {
		o.Operation = "op-" + b.ID
	}
	tr.c.Answered(tr.now, b, o)
}

func quotaOr(q Quota) Quota {
	if q == (Quota{}) {
		return NoQuota
	}
	return q
}

func (tr *trial) report(r *Report) {
	for _, f := range r.Fates {
		if r.Kind == ReportRefused {
			tr.fates[f.Fate]++
		}
		if f.Fate == FateUpdated {
			for _, ev := range f.Item.Events {
				tr.at[ev.Offset] = tr.now
			}
		}
	}
	tr.c.Reported(r)
}

// holds reports whether a batch carries one of the offsets.
func holds(b *Batch, offsets ...int64) bool {
	return len(within(b, offsets...)) > 0
}

// within lists the items that carry one of the offsets.
func within(b *Batch, offsets ...int64) (items []int) {
	for i, it := range b.Items {
		if slices.ContainsFunc(it.Events, func(ev *Event) bool { return slices.Contains(offsets, ev.Offset) }) {
			items = append(items, i)
		}
	}
	return items
}

// poison makes the API refuse every batch with one of the offsets.
func (tr *trial) poison(o Outcome, hint bool, offsets ...int64) {
	o.Reason = Reason{Code: "bad_request", Text: "Kustomer's words"}
	tr.answerTo = func(b *Batch) Outcome {
		guilty := within(b, offsets...)
		if len(guilty) == 0 {
			return Outcome{Kind: Accepted, Status: 200}
		}
		o := o
		if hint {
			o.Hints = guilty[:1]
		}
		return o
	}
}

// wantDead checks that exactly these offsets were given up, and all else went
// through.
func (tr *trial) wantDead(offsets ...int64) {
	tr.t.Helper()
	slices.Sort(tr.dead)
	if !slices.Equal(tr.dead, offsets) {
		tr.t.Errorf("dead-lettered %v, want %v", tr.dead, offsets)
	}
	if n := tr.c.Totals(); n.Open != 0 || n.Completed != n.Delivered-uint64(len(offsets)) || !n.Balanced() {
		tr.t.Errorf("counts %+v, want all but %d completed", n, len(offsets))
	}
}
