package model

import (
	"slices"

	"kafka-kustomer/batcher"
)

// polled is what one poll brought of one partition.
type polled struct {
	handle  *batcher.Assignment
	changes []batcher.Change
}

// poll fetches records where there is room for them. A poll goes on while its
// partition is taken away: what it brings carries the old assignment.
func (p *process) poll() {
	if p.polling || p.cut || p.leaving || p.core.Room() <= 0 || !slices.ContainsFunc(p.tenures, p.fetchable) {
		return
	}
	w := p.w
	p.polling = true
	p.later(w.between(1, 2), func() {
		if p.cut {
			p.polling = false
			return
		}
		parts := p.fetchAll()
		delay := w.between(0, 1)
		if w.trouble(LateHanding) {
			delay = w.between(2, 12)
		}
		p.later(delay, func() { p.handOver(parts) })
	})
}

func (p *process) fetchable(t *tenure) bool {
	return t != nil && !t.paused && !t.revoking && t.next < len(p.w.log[t.partition])
}

func (p *process) fetchAll() (parts []polled) {
	w := p.w
	for _, t := range p.tenures {
		if !p.fetchable(t) {
			continue
		}
		part := polled{handle: t.handle}
		for range w.between(1, mostPolled) {
			if t.next < len(w.log[t.partition]) {
				part.changes = append(part.changes, w.log[t.partition][t.next].change())
				t.next++
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// take counts what the tenure's partition is handed.
func (t *tenure) take(changes []batcher.Change) {
	t.records += len(changes)
	for i := range changes {
		if changes[i].Verdict != batcher.Skip {
			t.open += 1 + len(changes[i].More)
		}
	}
}

func (p *process) handOver(parts []polled) {
	p.polling = false
	p.checkRoom()
	for _, part := range parts {
		if t := p.tenureOf(part.handle); t == nil {
			p.w.seen.PolledForOld++
		} else if !t.revoking {
			t.take(part.changes)
		}
		p.w.tracef("%s takes %d records of p%d from %d on", p.name, len(part.changes), part.handle.Partition, part.changes[0].Offset)
		p.core.Fetched(p.w.now.time(), part.handle, part.changes)
	}
}
