package model

import "slices"

// chaos troubles processes and the group every ten ticks.
func (w *world) chaos() {
	for _, p := range slices.Clone(w.processes) {
		if p.up {
			w.troubleProcess(p)
		}
	}
	if w.trouble(Rebalance) {
		w.tracef("the group rebalances")
		w.group.rebalance()
	}
	if !w.maintenance && w.trouble(OffsetReset) {
		w.beginReset()
	}
	if w.troubled() {
		w.after(10, w.chaos)
	}
}

func (w *world) troubleProcess(p *process) {
	switch {
	case w.trouble(Kill):
		p.end("is killed")
		w.expelFast(p)
		w.restart(p, w.often(1, 60))
	case p.leaving:
	case w.trouble(Shutdown):
		if p.stopped {
			return
		}
		p.shutDown()
		w.restart(p, revokeTimeout+w.often(1, 60))
	case !p.stopped && w.trouble(Stop):
		w.stop(p)
	case !p.cut && w.trouble(Cut):
		w.cutOff(p)
	case w.mode[Static] && !w.maintenance && w.youngest(p.slot) == p && w.trouble(Twin):
		w.tracef("a twin of %s comes", p.name)
		w.start(p.slot)
	}
}

// restart starts the process's successor once the process has ended.
func (w *world) restart(p *process, d tick) {
	w.after(d, func() {
		switch {
		case w.maintenance:
			w.restart(p, 5)
		case w.closing || w.youngest(p.slot) != p:
		case p.up:
			w.restart(p, 5)
		default:
			w.start(p.slot)
		}
	})
}

func (w *world) stop(p *process) {
	w.tracef("%s stands still", p.name)
	p.stopped = true
	p.stops++
	w.expelFast(p)
	w.after(w.often(5, 150), func() {
		if p.up {
			p.goOn()
		}
	})
}

func (w *world) cutOff(p *process) {
	w.tracef("%s is cut off from Kafka", p.name)
	p.cut = true
	w.expelFast(p)
	w.after(w.often(5, 150), func() {
		w.tracef("%s reaches Kafka again", p.name)
		p.cut = false
	})
}

func (w *world) expelFast(p *process) {
	if w.mode[FastTakeover] && p.member != nil {
		w.tracef("the group expels %s", p.name)
		w.group.leave(p.member)
	}
}
