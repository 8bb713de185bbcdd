package model

import "kafka-kustomer/batcher"

// checkBury looks at a dead letter when the core decides on it.
func (p *process) checkBury(b *batcher.Bury, e *event) {
	w := p.w
	switch {
	case e.kind != healthy:
	case e.audit && w.api.noAudit: // it may have met that
	case w.api.wasBroken: // the brake bounds how many
		w.seen.Braked++
	default:
		w.fail(CheckHealthy, "%v by %s for %d %s", e, p.name, b.Status, b.Reason.Text)
	}
	outage := b.MessageID != "" && (b.Status == 0 || b.Status >= 500)
	if b.Status == 429 || b.Status == 401 || outage && e.kind != failing || (e.kind == malformed) != (b.MessageID == "") {
		w.fail(CheckCause, "%v by %s for %d %s", e, p.name, b.Status, b.Reason.Text)
	}
	if p.buried[b.Event] {
		w.fail(CheckTwice, "%v by %s", e, p.name)
	}
	if tried := p.tried[b.Event]; e.kind == failing && (tried.times < p.config.UnknownAttempts || (w.now-tried.first).span() < p.config.UnknownOver) {
		w.fail(CheckCause, "%v by %s, sent %d times since %d", e, p.name, tried.times, tried.first)
	}
	p.buried[b.Event] = true
	p.checkBrake(e)
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
