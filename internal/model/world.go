package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// world is everything outside the core, and the truth about it.
type world struct {
	clock
	cfg    Config
	random *rand.Rand
	mode   [faults]bool // modes of this run

	log       topicLog
	group     *group
	api       *kustomer
	processes []*process // all there ever were

	maxBytes     int   // of a request, in this run
	maxOpenBytes int64 // credit of a process, in this run

	added        tick // when another partition appears; 0 never
	maintenance  bool // an admin has ended all processes for a while
	trafficked   int  // rounds of traffic after the trouble
	extra        int  // events of it, and of records beyond their first
	incarnations int
	closing      bool // nothing is started any more
	seen         Coverage
	violation    *Violation
	tracing      bool
	trace        []string
}

// Result is what a run came to.
type Result struct {
	Violation *Violation // nil when every promise was kept
	Steps     int
	End       int // tick
	Seen      Coverage
	Trace     []string
}

// Run runs one seed.
func Run(cfg Config, seed uint64, trace bool) Result {
	w := newWorld(cfg, seed, trace)
	w.run()
	return Result{Violation: w.violation, Steps: w.steps, End: int(w.now), Seen: w.seen, Trace: w.trace}
}

func newWorld(cfg Config, seed uint64, trace bool) *world {
	w := &world{cfg: cfg, random: rand.New(rand.NewPCG(seed, 0x6d6f64656c)), tracing: trace}
	for _, f := range modes {
		w.mode[f] = w.trouble(f)
	}
	w.maxBytes = []int{300, 4000}[w.random.IntN(2)]
	w.maxOpenBytes = []int64{12000, 1 << 20}[w.random.IntN(2)]
	w.log = make(topicLog, cfg.Partitions)
	w.group = newGroup(cfg.Partitions, w.random)
	w.api = newKustomer(w)
	w.api.replaces = w.random.IntN(2) == 0
	w.api.tellsTimes = w.random.IntN(2) == 0
	w.api.budget.limit = int(w.between(10, 40))
	w.api.noAudit = w.mode[AuditForbidden]
	if w.mode[PartitionsAdded] {
		w.added = w.between(50, 200)
	}
	if w.mode[ThreeProcesses] {
		w.cfg.Processes++
	}
	return w
}

// trouble draws whether a fault happens now, and counts it.
func (w *world) trouble(f Fault) bool {
	if !w.troubled() || !w.chance(f) {
		return false
	}
	w.seen.Faults[f]++
	return true
}

// troubled reports whether it is still the time of trouble.
func (w *world) troubled() bool { return w.cfg.Safety || w.now < w.cfg.Faults }

func (w *world) chance(f Fault) bool {
	return w.cfg.Rates[f] > 0 && w.random.Float64() < w.cfg.Rates[f]
}

// between draws from lo to hi, both possible.
func (w *world) between(lo, hi tick) tick { return lo + tick(w.random.IntN(int(hi-lo)+1)) }

// often draws from lo to hi, half of the time from the lowest sixth.
func (w *world) often(lo, hi tick) tick {
	if w.random.IntN(2) == 0 {
		hi = lo + (hi-lo)/6
	}
	return w.between(lo, hi)
}

func (w *world) tracef(format string, args ...any) {
	if w.tracing {
		w.trace = append(w.trace, fmt.Sprintf("%5d  ", w.now)+fmt.Sprintf(format, args...))
	}
}

// youngest is the last process started in a slot.
func (w *world) youngest(slot int) *process {
	for _, p := range slices.Backward(w.processes) {
		if p.slot == slot {
			return p
		}
	}
	return nil
}

// run plays the whole world: events, trouble, and then rest.
func (w *world) run() {
	defer func() {
		if r := recover(); r != nil {
			w.fail(CheckOnce, "%v", r)
		}
	}()
	w.produceEvents()
	for slot := range w.cfg.Processes {
		w.after(w.between(0, 10), func() { w.start(slot) })
	}
	w.after(2, w.sessions)
	w.after(10, w.chaos)
	w.setAdmin()
	for w.violation == nil && !w.rested() && w.step() {
		switch {
		case w.now <= w.cfg.Horizon:
		case w.cfg.Safety:
			return
		case w.usedUp():
			w.seen.UsedUp++
			return
		default:
			w.fail(CheckStall, "%s", w.unsettled())
		}
	}
	if w.violation == nil {
		w.checkEnd()
		w.letStraysEnd()
		w.closeDown()
	}
}

// produceEvents sets when each record comes into the log: some in a row at the
// start, the others over the time of trouble.
func (w *world) produceEvents() {
	for id := range w.cfg.Events {
		r := w.newRecord(id + 1)
		at := w.between(0, w.cfg.Faults*8/10)
		if w.random.IntN(3) == 0 {
			at = w.between(0, 30)
		}
		gap := int64(0)
		if w.mode[Gaps] {
			gap = int64(w.random.IntN(4))
		}
		if w.added > 0 && at > w.added && w.random.IntN(3) == 0 {
			r.partition = w.cfg.Partitions
		}
		for _, e := range r.changes {
			if e.kind.unsendable() {
				w.seen.Unsendable++
			}
		}
		w.after(at, func() { w.append(r, gap) })
	}
}

func (w *world) append(r *record, gap int64) {
	w.log.append(r, gap)
	for _, e := range r.changes {
		w.tracef("log: %v is e%d", e, e.id)
	}
	for _, p := range w.processes {
		p.later(0, func() {})
	}
}

func (w *world) sessions() {
	w.group.expire(w.now)
	w.after(2, w.sessions)
}

// rested reports whether all is settled and nothing can move any more.
func (w *world) rested() bool {
	if w.cfg.Safety || w.now < w.cfg.Faults+longestRun || w.maintenance || w.steps%16 != 0 {
		return false
	}
	for partition, records := range w.log {
		if w.group.partitions[partition].offset < end(records) {
			return false
		}
	}
	for _, runs := range w.api.pending {
		if len(runs) > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(w.processes, func(p *process) bool { return p.up && (p.puts > 0 || p.looks > 0 || p.commit != nil) })
}

// end is the offset after the last record.
func end(records []*record) int64 {
	if len(records) == 0 {
		return -1
	}
	return records[len(records)-1].offset + 1
}

func (w *world) unsettled() (s string) {
	for partition, records := range w.log {
		s += fmt.Sprintf("p%d committed %d of %d;", partition, w.group.partitions[partition].offset, end(records))
	}
	return s
}

// letStraysEnd waits until no message has anything to wait for, and looks for
// what a process still holds.
func (w *world) letStraysEnd() {
	until := w.now + w.cfg.LostReplyWait + 2*session
	for w.violation == nil && w.now < until && w.step() {
	}
	for _, p := range w.processes {
		if p.up {
			p.checkNothingHeld()
		}
	}
}

// closeDown ends every process in order and looks for what is left.
func (w *world) closeDown() {
	w.closing = true
	for _, p := range w.processes {
		if p.up && !p.leaving {
			p.shutDown()
		}
	}
	limit := w.now + 4*revokeTimeout
	running := func() bool { return slices.ContainsFunc(w.processes, func(p *process) bool { return p.up }) }
	for w.violation == nil && running() && w.now < limit {
		w.step()
	}
	for _, p := range w.processes {
		if p.up {
			w.fail(CheckLeak, "%s does not end: %+v, idle %v", p.name, p.core.Totals(), p.core.Idle())
		}
	}
}
