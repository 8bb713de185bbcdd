package model

import (
	"maps"

	"kafka-kustomer/batcher"
)

// checkBury looks at a dead letter when the core decides on it.
func (p *process) checkBury(b *batcher.Bury, e *event) {
	p.checkGuilt(b.Event, b.Status, b.Reason)
	if (e.kind == malformed) != (b.MessageID == "") {
		p.w.fail(CheckCause, "%v by %s for %d %s", e, p.name, b.Status, b.Reason.Text)
	}
	if p.graves[grave{b.Event.Assignment, e}] {
		p.w.fail(CheckTwice, "%v by %s", e, p.name)
	}
	p.checkBrake(e)
}

// checkGuilt sees that a change was given up for what is its own fault.
func (p *process) checkGuilt(ev *batcher.Event, status int, why batcher.Reason) {
	w, e := p.w, p.w.log.of(ev)
	switch {
	case e.kind != healthy:
	case e.audit && w.api.noAudit: // it may have met that
	case w.api.wasBroken: // the brake bounds how many
		w.seen.Braked++
	default:
		w.fail(CheckHealthy, "%v by %s for %d %s", e, p.name, status, why.Text)
	}
	outage := e.kind != malformed && (status == 0 || status >= 500)
	if status == 429 || status == 401 || outage && e.kind != failing {
		w.fail(CheckCause, "%v by %s for %d %s", e, p.name, status, why.Text)
	}
	if e.kind == failing && !p.triedEnough(ev) {
		tried := p.tried[ev]
		w.fail(CheckCause, "%v by %s, sent %d times since %d", e, p.name, tried.times, tried.first)
	}
}

// triedEnough reports whether a change that always fails was tried for so long that it
// may be given up.
func (p *process) triedEnough(ev *batcher.Event) bool {
	tried := p.tried[ev]
	return tried.times >= p.config.UnknownAttempts && (p.w.now-tried.first).span() >= p.config.UnknownOver
}

// checkLetters compares what the core says of its dead letters with those that were
// acknowledged while their partition was its own. A record has one for each change
// that was given up, and counts once, when all of it has settled.
func (p *process) checkLetters(s batcher.Snapshot) {
	n := sum(s.Buried)
	if !maps.Equal(s.Buried, p.letters) || n < s.Counts.DeadLettered || n > s.Counts.DeadLettered && p.w.seen.Faults[Several] == 0 {
		p.w.fail(CheckBalance, "%s counts dead letters %v, acknowledged are %v, of %+v", p.name, s.Buried, p.letters, s.Counts)
	}
}

// checkBrake counts the dead letters of a minute.
func (p *process) checkBrake(e *event) {
	w := p.w
	which := 0
	if e.kind == malformed {
		which = 1
	}
	p.burials[which] = append(p.burials[which], w.now)
	if !w.mode[Braked] || p.released > 0 {
		return
	}
	n := 0
	for _, at := range p.burials[which] {
		if at > w.now-minute {
			n++
		}
	}
	if n > max(brakeAtLeast, int(brakeShare*float64(p.core.Totals().Delivered))) {
		w.fail(CheckBrake, "%d by %s within a minute", n, p.name)
	}
}

// trial is how often an event was sent, and since when.
type trial struct {
	times int
	first tick
}

func (p *process) countTries(it *batcher.Item) {
	for _, ev := range it.Events {
		t := p.tried[ev]
		if t.times++; t.times == 1 {
			t.first = p.w.now
		}
		p.tried[ev] = t
	}
}

// betweenProbes is how long the core waits while the brake holds.
const betweenProbes tick = 30

// checkProbe sees that little is sent while the brake holds.
func (p *process) checkProbe(b *batcher.Batch) {
	w := p.w
	if !w.mode[Braked] || !p.braked() {
		return
	}
	if p.probed > 0 && w.now < p.probed+betweenProbes {
		w.fail(CheckBrake, "%s is sent at %d, and one before at %d", b.ID, w.now, p.probed)
	}
	p.probed = w.now
}
