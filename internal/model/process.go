package model

import (
	"fmt"
	"slices"

	"kafka-kustomer/batcher"
)

// process is one process from its start to its end, a shell around a real core:
// it turns what it learns into facts, and carries the decisions out. All of it
// may be late, out of order, or cut off.
type process struct {
	w      *world
	slot   int // who is started again after its end
	name   string
	config batcher.Config
	core   *batcher.Core

	up       bool
	stopped  bool
	stops    int      // times it stood still
	deferred []func() // what came while it stood still
	cut      bool     // cannot reach Kafka
	leaving  bool     // shuts down
	polling  bool
	wakeAt   tick // a wake-up is set for then; 0 none

	member   *member
	tenures  []*tenure             // by partition; nil where it owns nothing
	finished map[int][]int         // by partition: tenures given back
	handles  []*batcher.Assignment // whose counts may change
	past     batcher.Counts        // of the others
	commit   *batcher.Commit       // in flight
	puts     int
	looks    int

	sent      map[*batcher.Item]*sentItem
	locked    bool // the last reply but 429s was a 401
	restUntil tick
	dryUntil  tick            // the budget's window ends then, and nothing is left in it
	restOf    map[string]tick // by message: until when a 429 of its own told it to rest

	sawUnknown bool                     // an attempt of unknown outcome: the reserve of credit may be used
	tried      map[*batcher.Event]trial // requests that carried it
	probed     tick                     // when the last request was sent while the brake held; 0 never
	graves     map[grave]bool           // dead letters decided
	letters    map[string]uint64        // acknowledged while their partition was the process's, by reason
	burials    [2][]tick                // when: of what can't be decoded, and of the rest
	released   tick                     // when its brake was last released by hand; 0 never
}

// tenure is a partition as its owner has it.
type tenure struct {
	partition, number int
	handle            *batcher.Assignment
	first, next       int // indices of the first record to poll, and of the next one
	records           int // handed over
	open              int // changes of them that have not settled
	paused, revoking  bool
	last              bool  // its last commit is decided
	sent              int64 // offset after the last record that was sent or buried before it was revoked
}

func (w *world) start(slot int) *process {
	w.incarnations++
	p := &process{
		w: w, slot: slot, name: fmt.Sprintf("P%d.%d", slot, w.incarnations), up: true,
		tenures: make([]*tenure, len(w.log)), finished: map[int][]int{},
		sent: map[*batcher.Item]*sentItem{}, graves: map[grave]bool{}, letters: map[string]uint64{}, tried: map[*batcher.Event]trial{}, restOf: map[string]tick{},
	}
	p.config = w.coreConfig(p.name)
	p.core = batcher.New(p.config)
	w.processes = append(w.processes, p)
	w.tracef("%s starts", p.name)
	p.later(w.between(1, 3), p.heartbeat)
	return p
}

// later runs fn in the process in d ticks, if it then lives; while it stands
// still, when it goes on. Then the core is asked what follows.
func (p *process) later(d tick, fn func()) {
	var run func()
	run = func() {
		switch {
		case !p.up:
		case p.stopped:
			p.deferred = append(p.deferred, run)
		default:
			fn()
			p.pump()
		}
	}
	p.w.after(d, run)
}

// end ends the process; what it had in flight goes on without it.
func (p *process) end(why string) {
	if p.up {
		p.w.tracef("%s %s", p.name, why)
		p.up = false
	}
}

// goOn lets a process that stood still catch up, in any order.
func (p *process) goOn() {
	p.w.tracef("%s goes on", p.name)
	p.stopped = false
	waiting := p.deferred
	p.deferred = nil
	p.w.random.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for _, run := range waiting {
		run()
	}
}

// pump carries out the core's decisions until it waits.
func (p *process) pump() {
	w := p.w
	for range 1000 {
		if !p.up || p.stopped || w.violation != nil {
			return
		}
		d := p.core.Next(w.now.time())
		if wait, ok := d.(batcher.Wait); ok {
			p.wait(wait)
			return
		}
		p.carryOut(d)
	}
	w.fail(CheckLivelock, "%s", p.name)
}

func (p *process) carryOut(d batcher.Decision) {
	switch d := d.(type) {
	case batcher.Put:
		p.put(d.Batch)
	case batcher.Look:
		p.look(d.Operation)
	case *batcher.Report:
		p.report(d)
	case *batcher.Bury:
		p.bury(d)
	case *batcher.Commit:
		p.sendCommit(d)
	case batcher.Quiet:
		p.quiet(d.Assignment)
	case batcher.Pause:
		p.setPaused(d.Assignment, true)
	case batcher.Resume:
		p.setPaused(d.Assignment, false)
	case batcher.Notice:
		p.notice(d)
	}
}

func (p *process) notice(n batcher.Notice) {
	switch n.Kind {
	case batcher.TakeoverBegun:
		p.w.seen.Takeovers++
	case batcher.OperationOverdue:
		p.w.seen.Overdue++
	}
}

func (p *process) setPaused(a *batcher.Assignment, paused bool) {
	if t := p.tenureOf(a); t != nil {
		p.w.tracef("%s pauses p%d: %v", p.name, a.Partition, paused)
		t.paused = paused
	}
}

// wait sets the wake-up, and does what is done between facts.
func (p *process) wait(d batcher.Wait) {
	w := p.w
	p.checkCounts()
	p.poll()
	if p.leaving && p.core.Idle() && !slices.ContainsFunc(p.tenures, func(t *tenure) bool { return t != nil }) {
		if s := p.core.Snapshot(w.now.time()); s.OpenBytes != 0 || s.InFlight > 0 || s.Operations > 0 || s.Ready > 0 {
			w.fail(CheckLeak, "%s has shut down with %+v", p.name, s)
		} else {
			p.checkLetters(s)
		}
		p.leave("has shut down")
		return
	}
	if d.Until.IsZero() {
		return
	}
	at := tickAt(d.Until)
	if p.wakeAt > w.now && p.wakeAt <= at {
		return
	}
	p.wakeAt = at
	p.later(at-w.now, func() {})
}
