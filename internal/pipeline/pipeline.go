package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

// Source is where records come from and offsets go to.
type Source interface {
	// Poll does one poll of at most limit records and hands it over; hand returns
	// when the slices may be used again. It returns an error only when polling has
	// come to an end: the context's, or one that ends the program.
	Poll(ctx context.Context, limit int, hand func([]batcher.Fetched) error) error
	// Commit commits, and sets the Result of each partition.
	Commit(ctx context.Context, commit *batcher.Commit)
	Pause(a *batcher.Assignment)
	Resume(a *batcher.Assignment)
}

// Sink is the bulk API: one attempt a call, no retry.
type Sink interface {
	// Put writes the body only while lease reports true.
	Put(ctx context.Context, b *batcher.Batch, lease func() bool) batcher.Outcome
	Look(ctx context.Context, op *batcher.Operation) batcher.View
}

// Results are the topics that say what became of each event. Both call done
// once, from a goroutine of their own, and must not block.
type Results interface {
	Report(r *batcher.Report, done func(error))
	Bury(b *batcher.Bury, done func(error))
}

// Config times the loop. All fields but Observer are needed.
type Config struct {
	MaxPoll       int           // records of one poll
	RevokeTimeout time.Duration // how long a revocation waits for what runs
	DrainTimeout  time.Duration // how long a shutdown waits for what runs
	CommitTimeout time.Duration // of one commit; another member's slow revoke can block it longer
	ProduceRetry  time.Duration // pause before a result event is produced again after an error
	Observer      Observer      // nil: nobody
}

// Pipeline is the loop and what it starts.
type Pipeline struct {
	cfg     Config
	core    *batcher.Core
	sink    Sink
	results Results
	source  Source
	log     *zap.Logger

	inbox   *inbox
	stopped chan struct{}             // closed when the loop has ended
	lease   atomic.Pointer[time.Time] // until when a body may be written; nil: no lease

	mu    sync.Mutex // guards quiet
	quiet map[*batcher.Assignment]chan struct{}

	// What follows belongs to the loop.
	calls     *crew
	cancel    context.CancelFunc // of the calls
	callCtx   context.Context
	grants    chan int // polls allowed; nil once polling has ended
	polling   bool
	pollEnded chan error
	delayed   []delayed

	cancelCommit context.CancelFunc // of the commit in flight, unless it is a last one
	draining     bool
	waitBy       time.Time // until when a shutdown waits for what runs
	closeBy      time.Time // when everything must be over, once draining
	fatal        error
}

// delayed is a produce to be done again at a time.
type delayed struct {
	at time.Time
	do func()
}

// New returns a pipeline that waits for Run. It is the consumer's owner from
// now on: callbacks may come before Run and wait for it.
func New(cfg Config, core *batcher.Core, sink Sink, results Results, log *zap.Logger) *Pipeline {
	if cfg.Observer == nil {
		cfg.Observer = nobody{}
	}
	return &Pipeline{
		cfg: cfg, core: core, sink: sink, results: results, log: log,
		inbox: newInbox(), calls: newCrew(), stopped: make(chan struct{}), quiet: make(map[*batcher.Assignment]chan struct{}),
	}
}

// Run runs the loop until ctx ends and all partitions have been given back, at
// most DrainTimeout later, or until polling ends with an error. All goroutines
// it started have ended when it returns.
func (p *Pipeline) Run(ctx context.Context, source Source) error {
	p.source = source
	p.callCtx, p.cancel = context.WithCancel(context.Background())
	pollCtx, stopPolling := context.WithCancel(ctx)
	p.grants, p.pollEnded = make(chan int, 1), make(chan error, 1)
	go p.poll(pollCtx, p.grants, p.pollEnded)
	defer func() {
		close(p.stopped) // nobody waits for the loop any more, the poller included
		stopPolling()
		if p.pollEnded != nil {
			<-p.pollEnded
		}
		p.cancel()
		p.calls.dismiss()
		p.releaseAll()
	}()
	p.loop(ctx, stopPolling)
	p.account(p.core.Totals())
	return p.fatal
}

// loop is the whole program's one place where things happen in an order.
func (p *Pipeline) loop(ctx context.Context, stopPolling func()) {
	stop := ctx.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var facts []fact
	for {
		now := time.Now()
		facts = p.inbox.take(facts)
		for i, f := range facts {
			f.tell(p.core, now)
			facts[i] = nil
		}
		next := p.carryOut(now)
		if p.draining && p.over(now) {
			return
		}
		p.grantPoll()
		timer.Reset(until(now, next))
		select {
		case <-p.inbox.signal:
		case <-timer.C:
		case <-stop:
			stop = nil
			if !p.draining {
				p.drain(stopPolling)
			}
		case err := <-p.pollEnded:
			p.pollEnded, p.grants = nil, nil
			if !p.draining && ctx.Err() == nil {
				p.fatal = fmt.Errorf("polling ended: %w", err)
				p.drain(stopPolling)
			}
		}
	}
}

// over reports whether a shutdown has come to its end. Once no partition is ours
// any more, a call that still runs can change nothing (I8): it is cut short, for
// its own time-out may be longer than DrainTimeout.
func (p *Pipeline) over(now time.Time) bool {
	if p.core.Idle() {
		return true
	}
	if p.core.Partitions() == 0 {
		p.cancel()
	}
	return false
}

// until is how long to wait for a time; a zero one is a long way off, and any
// fact comes sooner.
func until(now, at time.Time) time.Duration {
	if at.IsZero() {
		return time.Hour
	}
	return max(at.Sub(now), 0)
}

// drain begins the shutdown: no more polls, and every partition is given back
// within DrainTimeout, as in a revocation.
func (p *Pipeline) drain(stopPolling func()) {
	p.draining = true
	stopPolling()
	if errors.Is(p.fatal, ErrLost) {
		p.core.LoseAll(time.Now())
		return
	}
	now := time.Now()
	p.closeBy = now.Add(p.cfg.DrainTimeout)
	// What remains after the wait is for the last commit, and for leaving.
	reserve := min(p.cfg.CommitTimeout+time.Second, p.cfg.DrainTimeout/4)
	p.log.Info("draining: waiting for open calls and operations, then committing", zap.Duration("at_most_seconds", p.cfg.DrainTimeout-reserve))
	p.waitBy = p.closeBy.Add(-reserve)
	p.core.Drain(now, p.waitBy)
}

// ErrLost is wrapped by an error of [Source.Poll] after which this member owns
// nothing and must not commit, such as a fenced instance.
var ErrLost = errors.New("the group has given this member's partitions away")

// grantPoll allows one poll when the core has room for it (I6).
func (p *Pipeline) grantPoll() {
	if p.polling || p.draining || p.grants == nil {
		return
	}
	if room := min(p.core.Room(), p.cfg.MaxPoll); room > 0 {
		p.polling = true
		p.grants <- room
	}
}

// poll does the polls that the loop allows, one at a time.
func (p *Pipeline) poll(ctx context.Context, grants <-chan int, ended chan<- error) {
	for {
		select {
		case <-ctx.Done():
			ended <- ctx.Err()
			return
		case limit := <-grants:
			err := p.source.Poll(ctx, limit, p.hand)
			p.inbox.put(pollDone{p})
			if err != nil {
				ended <- err
				return
			}
		}
	}
}

// hand gives one poll to the loop and waits until the core has taken it. The
// inbox keeps it before any revocation that is told later.
func (p *Pipeline) hand(of []batcher.Fetched) error {
	f := fetched{of: of, done: make(chan struct{})}
	p.inbox.put(f)
	select {
	case <-f.done:
		return nil
	case <-p.stopped:
		return ErrStopped
	}
}

// ErrStopped is returned to callers that come after the loop has ended.
var ErrStopped = errors.New("the pipeline has stopped")

type pollDone struct{ p *Pipeline }

func (f pollDone) tell(*batcher.Core, time.Time) { f.p.polling = false }
