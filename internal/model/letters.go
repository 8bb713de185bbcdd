package model

import (
	"slices"

	"kafka-kustomer/batcher"
)

// place is a record as one assignment has it.
type place struct {
	handle *batcher.Assignment
	offset int64
}

func placeOf(ev *batcher.Event) place { return place{ev.Assignment, ev.Offset} }

// letter is a dead letter. One stands for all changes of its record that are given up
// in the same assignment, before it is written or after.
type letter struct {
	standsFor []*event
	unsure    int  // of them, those that may not have been given up yet
	written   bool // Kafka has it
	told      bool // the core knows
}

// bury produces a dead letter.
func (p *process) bury(b *batcher.Bury) {
	if t := p.tenureOf(b.Event.Assignment); t != nil {
		t.sent = max(t.sent, b.Event.Offset+1)
	}
	w, a := p.w, b.Event.Assignment
	e := w.log.of(b.Event)
	w.tracef("%s dead-letters %v", p.name, e)
	p.checkBury(b, e)
	l := &letter{standsFor: []*event{e}}
	p.letters[placeOf(b.Event)] = l
	p.produce(func() {
		l.written = true
		for _, e := range l.standsFor {
			e.deadLettered = true
		}
		w.seen.DeadLetters++
	}, func() {
		l.told = true
		p.settled(a, len(l.standsFor)-l.unsure)
		p.core.Buried(w.now.time(), b)
	})
}

// gaveUp notes what a report says was given up. A dead letter must have been decided
// for its record, if not for the change itself.
func (p *process) gaveUp(r *batcher.Report, f batcher.ItemFate) {
	for _, ev := range f.Item.Events {
		e, l := p.w.log.of(ev), p.letters[placeOf(ev)]
		switch {
		case l == nil:
			p.w.fail(CheckLetter, "%v by %s in %s", e, p.name, r.Batch.ID)
		case !slices.Contains(l.standsFor, e):
			p.checkGuilt(ev, r.Outcome.Status, f.Reason)
			p.stand(l, e)
			if l.told {
				p.settled(ev.Assignment, 1)
			}
		}
	}
}

// mayGiveUp notes a change that the core may have given up after an attempt of unknown
// outcome. No report tells of that, and no dead letter where its record has one.
func (p *process) mayGiveUp(b *batcher.Batch) {
	if len(b.Items) > 1 || len(b.Items[0].Events) > 1 {
		return
	}
	ev := b.Items[0].Events[0]
	e, l, t := p.w.log.of(ev), p.letters[placeOf(ev)], p.tenureOf(ev.Assignment)
	if l != nil && t != nil && e.kind == failing && p.triedEnough(ev) && !slices.Contains(l.standsFor, e) {
		l.unsure++
		t.unsure++
		p.stand(l, e)
	}
}

// stand makes a letter stand for a change.
func (p *process) stand(l *letter, e *event) {
	p.w.seen.SharedLetters++
	p.w.tracef("%s gives up %v, and the dead letter of its record stands for it", p.name, e)
	l.standsFor = append(l.standsFor, e)
	e.deadLettered = e.deadLettered || l.written
}
