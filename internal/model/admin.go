package model

import (
	"slices"
	"strconv"

	"kafka-kustomer/batcher"
)

// setAdmin sets what people and the rest of the world do besides trouble.
func (w *world) setAdmin() {
	if w.added > 0 {
		w.after(w.added, w.addPartition)
	}
	if w.cfg.Safety {
		return
	}
	w.after(w.cfg.Faults+minute, w.releaseBrakes)
	w.after(w.cfg.Faults+10, w.traffic)
}

func (w *world) addPartition() {
	w.tracef("a partition is added")
	w.seen.Faults[PartitionsAdded]++
	w.log = append(w.log, nil)
	w.group.addPartition()
}

// releaseBrakes is the person who looks after the brakes once the trouble is
// over.
func (w *world) releaseBrakes() {
	for _, p := range w.processes {
		if p.up && !p.stopped && (p.braked() || p.hasTrouble(isBrake(true))) {
			w.tracef("somebody releases the brake of %s", p.name)
			w.seen.Released++
			p.released = w.now
			p.core.ReleaseBrake(w.now.time())
			p.pump()
		}
	}
	w.after(2*minute, w.releaseBrakes)
}

// braked reports whether the brake holds for what Kustomer refuses or fails.
func (p *process) braked() bool { return p.hasTrouble(isBrake(false)) }

func isBrake(malformed bool) func(batcher.Trouble) bool {
	return func(t batcher.Trouble) bool {
		return t.Kind == batcher.TroubleBrake && (t.Reason.Code == "malformed") == malformed
	}
}

func (p *process) hasTrouble(match func(batcher.Trouble) bool) bool {
	return slices.ContainsFunc(p.core.Snapshot(p.w.now.time()).Troubles, match)
}

// Traffic comes often at first, in all so many times.
const (
	oftenTraffic = 60
	mostTraffic  = 120
)

// traffic lets healthy events come after the trouble, as long as there is an
// event of which only their success can tell that it is at fault.
func (w *world) traffic() {
	switch {
	case w.trafficked == mostTraffic || w.closing:
		return
	case !slices.ContainsFunc(w.log, w.provesLate):
		w.after(20, w.traffic) // a late commit may yet bring one back
		return
	}
	w.trafficked++
	for partition := range w.log {
		w.extra++
		r := &record{partition: partition}
		w.drawPatch(r.add(w.cfg.Events+w.extra, "t"+strconv.Itoa(partition)))
		w.append(r, 0)
	}
	if w.trafficked < oftenTraffic {
		w.after(w.between(3, 12), w.traffic)
	} else {
		w.after(w.between(10, 40), w.traffic)
	}
}

// usedUp reports whether a process holds as much as its credit and the reserve
// allow, of what waits behind an event whose fault only the success of others
// could prove. The reserve has an end: then it takes a person to see to it.
func (w *world) usedUp() bool {
	return slices.ContainsFunc(w.processes, func(p *process) bool {
		if !p.up || !p.sawUnknown {
			return false
		}
		const part = 4
		s := p.core.Snapshot(w.now.time())
		_, open := p.openChanges()
		full := open >= p.config.MaxOpenEvents*(part+1)/part || s.OpenBytes >= p.config.MaxOpenBytes*(part+1)/part
		return (full || slices.ContainsFunc(p.tenures, p.isLong)) && slices.ContainsFunc(w.log, w.provesLate)
	})
}

// isLong reports whether the reserve of a partition's span is used up.
func (p *process) isLong(t *tenure) bool {
	const times = 8
	return t != nil && t.next-p.w.log.from(t.partition, p.w.group.partitions[t.partition].offset) >= times*p.config.MaxOpenEvents
}

// provesLate reports whether among the records is one that no commit has passed
// and whose fault only the success of others can prove.
func (w *world) provesLate(records []*record) bool {
	late := func(e *event) bool { return e.kind == failing || e.audit && w.mode[AuditForbidden] }
	return slices.ContainsFunc(records, func(r *record) bool {
		return r.offset >= w.group.partitions[r.partition].offset && slices.ContainsFunc(r.changes, late)
	})
}

// beginReset ends all processes, for an admin to move an offset while the group
// has no member: only then brokers allow it.
func (w *world) beginReset() {
	w.tracef("all processes are ended for an offset reset")
	w.maintenance = true
	for _, p := range slices.Clone(w.processes) {
		switch {
		case !p.up || p.leaving:
		case p.stopped:
			p.end("is killed")
		default:
			p.shutDown()
		}
	}
	w.after(revokeTimeout, w.reset)
}

// reset moves a partition's offset once the group is empty. Metadata gets lost
// with it, as tools have none.
func (w *world) reset() {
	up := slices.ContainsFunc(w.processes, func(p *process) bool { return p.up })
	if up || len(w.group.members) > 0 {
		w.after(5, w.reset)
		return
	}
	partition := w.random.IntN(len(w.log))
	if s, records := &w.group.partitions[partition], w.log[partition]; len(records) > 0 {
		to := records[w.random.IntN(len(records))].offset
		w.tracef("an admin moves p%d from %d to %d", partition, s.offset, to)
		for _, r := range records {
			r.abandoned = r.abandoned || s.offset <= r.offset && r.offset < to
		}
		s.offset, s.metadata = to, ""
	}
	w.maintenance = false
	for slot := range w.cfg.Processes {
		w.after(w.between(0, 10), func() {
			if !w.closing && !w.maintenance && !w.youngest(slot).up {
				w.start(slot)
			}
		})
	}
}
