package main

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/pipeline"
)

// lookEvery is how often everything is looked at.
const lookEvery = 100 * time.Millisecond

// look is all that is known of the demo at one moment.
type look struct {
	at       time.Time
	produced int
	avro     int // of them
	core     batcher.Snapshot
	ready    admin.Readiness // in the connector's own words, from /readyz
	api      kustomersim.Stats
	doing    string  // what the simulator is doing
	progress float64 // 0 to 1; below 0: there is no end
}

// waiting is how many events are not settled: those that the connector has, and those
// that it has not read. Events of somebody else's make it less.
func (l look) waiting() int {
	return int(l.core.Counts.Open) + l.produced - int(l.core.Counts.Delivered)
}

// watch looks at everything time and again, shows it, and lets others wait for
// something to be seen.
type watch struct {
	d       *demo
	loop    chan *pipeline.Pipeline
	client  *http.Client
	view    view
	started time.Time

	total    atomic.Int64 // events to be produced; 0: nobody knows
	step     atomic.Int64 // trouble behind us, of steps
	steps    atomic.Int64
	doing    atomic.Pointer[string]
	finished atomic.Bool // there is nothing more to show progress of

	mu   sync.Mutex // guards what follows
	last look
	next chan struct{} // closed when there is a newer look
}

func newWatch(d *demo, loop chan *pipeline.Pipeline) *watch {
	w := &watch{
		d: d, loop: loop, started: time.Now(), next: make(chan struct{}),
		client: &http.Client{Timeout: time.Second, Transport: &http.Transport{MaxIdleConns: 1}},
	}
	w.does(d.ordinary())
	w.view = view{started: w.started, shown: w.started, said: "ready", budget: int(d.world.cfg.Kustomer.RequestsPerMinute)}
	return w
}

// does says what the simulator does from now on.
func (w *watch) does(what string) { w.doing.Store(&what) }

// simulator is what the simulator does: what we made it do, or a script that somebody
// has posted.
func (w *watch) simulator() string {
	script := w.d.world.sim.Script()
	if reflect.DeepEqual(script, *w.d.world.script.Load()) {
		return *w.doing.Load()
	}
	text, err := json.Marshal(script)
	if err != nil { // it came as JSON
		return "a script of your own"
	}
	return "a script of your own: " + string(text)
}

// run looks until ctx ends.
func (w *watch) run(ctx context.Context) {
	defer w.client.CloseIdleConnections()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l := w.look(ctx)
		if ctx.Err() != nil {
			return
		}
		w.mu.Lock()
		w.last = l
		close(w.next)
		w.next = make(chan struct{})
		w.mu.Unlock()
		w.view.add(l)
		w.d.show.update(&w.view)
	}
}

// latest is the last look.
func (w *watch) latest() look {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// until waits for a look that begins after the call and of which holds is true. At
// the end of ctx it returns the last one.
func (w *watch) until(ctx context.Context, holds func(look) bool) (look, error) {
	called := time.Now()
	for {
		w.mu.Lock()
		l, next := w.last, w.next
		w.mu.Unlock()
		if l.at.After(called) && holds(l) {
			return l, nil
		}
		select {
		case <-ctx.Done():
			return l, ctx.Err()
		case <-next:
		}
	}
}

func (w *watch) look(ctx context.Context) look {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	l := look{at: time.Now(), produced: w.d.feed.produced(), avro: w.d.feed.inAvro(), api: w.d.world.sim.Stats(), doing: w.simulator()}
	select {
	case p := <-w.loop:
		w.loop <- p
		l.core, _ = p.Snapshot(ctx) // an ended loop is told by its own error
	default:
	}
	l.ready = w.readiness(ctx)
	l.progress = w.progress(l)
	return l
}

// readiness asks /readyz, as a probe does.
func (w *watch) readiness(ctx context.Context) (r admin.Readiness) {
	silent := func(err error) admin.Readiness {
		return admin.Readiness{Reasons: []admin.Reason{{Kind: "silent", Code: "no_answer", Text: "/readyz does not answer: " + err.Error()}}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.d.world.page+"/readyz", nil)
	if err != nil {
		return silent(err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return silent(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return silent(err)
	}
	return r
}

func (w *watch) progress(l look) float64 {
	total, steps := w.total.Load(), w.steps.Load()
	switch {
	case w.finished.Load():
		return -1
	case total > 0: // an event is through when its fate is known
		c := l.core.Counts
		return float64(c.Completed+c.DeadLettered+c.Skipped) / float64(total)
	case steps > 0:
		return float64(w.step.Load()) / float64(steps)
	}
	return -1
}
