package pipeline

import (
	"time"

	"kafka-kustomer/batcher"
)

type fetched struct {
	of   []batcher.Fetched
	done chan struct{} // closed when the core has taken its copies
}

func (f fetched) tell(core *batcher.Core, now time.Time) {
	for _, p := range f.of {
		if p.Waits {
			core.Waits(now, p.Assignment, p.Position)
		} else {
			core.Fetched(now, p.Assignment, p.Changes)
		}
	}
	close(f.done)
}

// observed is who is told of a call, and how long it took.
type observed struct {
	by   Observer
	took time.Duration
}

type answered struct {
	batch   *batcher.Batch
	outcome batcher.Outcome
	observed
}

func (f answered) tell(core *batcher.Core, now time.Time) {
	f.by.Answered(&f.outcome, f.took)
	core.Answered(now, f.batch, f.outcome)
}

type polled struct {
	operation *batcher.Operation
	view      batcher.View
	observed
}

func (f polled) tell(core *batcher.Core, now time.Time) {
	f.by.Looked(&f.view, f.took)
	core.Polled(now, f.operation, f.view)
}

type reported struct{ report *batcher.Report }

func (f reported) tell(core *batcher.Core, _ time.Time) { core.Reported(f.report) }

type buried struct{ bury *batcher.Bury }

func (f buried) tell(core *batcher.Core, now time.Time) { core.Buried(now, f.bury) }

type committed struct {
	commit *batcher.Commit
	observed
}

func (f committed) tell(core *batcher.Core, now time.Time) {
	f.by.Committed(f.commit, f.took)
	core.Committed(now, f.commit)
}

type alive struct{ sent time.Time }

func (f alive) tell(core *batcher.Core, _ time.Time) { core.Alive(f.sent) }

type assigned struct {
	by     Observer
	starts []batcher.Start
	reply  chan []*batcher.Assignment // holds one
}

func (f assigned) tell(core *batcher.Core, now time.Time) {
	as := make([]*batcher.Assignment, len(f.starts))
	for i, s := range f.starts {
		as[i] = core.Assigned(now, s)
	}
	f.by.Assigned(len(as))
	f.reply <- as
}

// abandoned says that nobody waits for what an assigned fact took: kgo has ended
// the session meanwhile, and will never revoke it.
type abandoned struct{ assigned }

func (f abandoned) tell(core *batcher.Core, now time.Time) {
	select {
	case as := <-f.reply:
		f.by.Lost(len(as))
		core.Lost(now, as)
	default:
	}
}

type revoking struct {
	p           *Pipeline
	assignments []*batcher.Assignment
	timeout     time.Duration
}

func (f revoking) tell(core *batcher.Core, now time.Time) {
	f.p.cfg.Observer.Revoked(len(f.assignments))
	core.Revoking(now, f.assignments, now.Add(f.timeout))
	if f.p.cancelCommit != nil {
		f.p.cancelCommit() // the revocation has to wait for it (I5), and it for other members
	}
}

type lost struct {
	by          Observer
	assignments []*batcher.Assignment
	done        chan struct{}
}

func (f lost) tell(core *batcher.Core, now time.Time) {
	f.by.Lost(len(f.assignments))
	core.Lost(now, f.assignments)
	close(f.done)
}

// snapshot asks for the numbers of this moment.
type snapshot struct{ reply chan batcher.Snapshot }

func (f snapshot) tell(core *batcher.Core, now time.Time) { f.reply <- core.Snapshot(now) }

// release asks to release the brake by hand.
type release struct{ reply chan bool }

func (f release) tell(core *batcher.Core, now time.Time) { f.reply <- core.ReleaseBrake(now) }
