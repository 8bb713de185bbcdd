package model

import "kafka-kustomer/batcher"

// grave is a change as one assignment has it, which has one dead letter at most.
type grave struct {
	handle *batcher.Assignment
	change *event
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
	p.graves[grave{a, e}] = true
	p.produce(func() {
		e.deadLettered = true
		w.seen.DeadLetters++
	}, func() {
		if p.tenureOf(a) != nil {
			p.letters[b.Reason.Code]++
		}
		p.settled(a, 1)
		p.core.Buried(w.now.time(), b)
	})
}

// gaveUp sees that of an item that a report says was given up every change has a dead
// letter.
func (p *process) gaveUp(r *batcher.Report, f batcher.ItemFate) {
	for _, ev := range f.Item.Events {
		if e := p.w.log.of(ev); !p.graves[grave{ev.Assignment, e}] {
			p.w.fail(CheckLetter, "%v by %s in %s", e, p.name, r.Batch.ID)
		}
	}
}
