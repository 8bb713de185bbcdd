package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/pipeline"
)

const (
	// demoSettleTime bounds the wait for the last events after the last was produced.
	demoSettleTime = 2 * time.Minute
	// keepRate is how many events a second go on when everything stays up beside
	// the scripted trouble: enough to see that they get through.
	keepRate = 20
)

// demo is one run of the whole program against an embedded broker and schema registry
// and a simulated API, with events whose right outcome is known. Its parts:
//
//	demo_world.go    the broker, the API and the connector's configuration
//	demo_schemas.go  the schema registry, and who writes Avro
//	demo_feed.go     the events
//	demo_watch.go    looks at all of it, ten times a second
//	demo_view.go     a look as lines; demo_screen.go redraws them in place
//	demo_trouble.go  the scripted trouble; demo_script.go lists it
//	demo_account.go  what came of it all
//	demo_keep.go     what to play with afterwards
type demo struct {
	rate         int
	duration     time.Duration
	seed         uint64
	faults, keep bool
	troubleTime  time.Duration // how long each trouble lasts, and twice the calm between two
	verbose      bool
	logFile      string
	addresses    addresses

	show  *screen
	log   *zap.Logger
	level zap.AtomicLevel
	world *world
	feed  *feed
	watch *watch

	troubles   []trouble
	rotations  int   // how often the API key was changed
	versions   int   // of the events' schema, beyond the first
	keyRefused int64 // calls with the old key while it was
	verdicts   []verdict
}

func newDemo() *cobra.Command {
	d := demo{troubles: troubles}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: embedded broker and registry, simulated API, and an account of every change",
		Long: `Runs the connector as "run" does, against a broker, a schema registry and a simulator
of the API that live in this process, and feeds it events with hot keys, malformed
records and messages that the API fails for good. A quarter of the events are Avro, the
others JSON, and both change the same messages. The simulator finishes operations in
random order and loses replies. At the end every message's state is compared with what
the events must come to; the exit code is 0 only if all is right.

With --faults the events are healthy and the surroundings are not: one trouble after
the other is announced, the connector has to say by itself what is wrong, to give up
nothing but what is poison, and to go on when the trouble ends.

With --keep everything stays up after the account, until Ctrl-C, and the addresses are
printed with examples of what to do with them. With --faults too, events go on at a low
rate, and the troubles come round again and again.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.command(cmd) },
	}
	f := cmd.Flags()
	f.IntVar(&d.rate, "rate", 0, "events a second (default 1000, with --faults 200)")
	f.DurationVar(&d.duration, "duration", 20*time.Second, "how long events are produced; with --faults that is as long as it takes")
	f.Uint64Var(&d.seed, "seed", 1, "of the events and the faults")
	f.BoolVar(&d.faults, "faults", false, "show trouble, one after the other, and what the connector says of it")
	f.DurationVar(&d.troubleTime, "trouble-time", 6*time.Second, "with --faults: how long each trouble lasts at least")
	f.BoolVar(&d.keep, "keep", false, "leave everything up after the account, until Ctrl-C")
	f.BoolVar(&d.verbose, "verbose", false, "write the connector's log to stderr")
	f.StringVar(&d.logFile, "log", "", "write the connector's log to this `file`; with --keep a temporary one is the default")
	d.addresses.flags(f)
	return cmd
}

// command checks the flags and runs the demo.
func (d *demo) command(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("rate") {
		d.rate = 1000
		if d.faults {
			d.rate = 200
		}
	}
	switch {
	case d.rate < 1 || d.duration <= 0:
		return usageError{errors.New("--rate must be at least 1 and --duration above 0")}
	case d.troubleTime < time.Second:
		return usageError{errors.New("--trouble-time must be at least 1s: less is over before it shows")}
	case d.verbose && d.logFile != "":
		return usageError{errors.New("--verbose and --log are two places for one log: choose one")}
	}
	d.addresses.given(cmd.Flags())
	closeLog, err := d.openLog(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer closeLog()
	d.show = newScreen(cmd.OutOrStdout(), !d.verbose)
	return d.run(cmd.Context())
}

// openLog opens the connector's log, and tells where it is when it is a file.
func (d *demo) openLog(stderr io.Writer) (closeLog func(), err error) {
	cfg := config.Log{Level: "info", Format: "console"}
	if d.verbose {
		cfg.Format = "auto"
		d.log, d.level = newLogger(cfg, stderr)
		return func() {}, nil
	}
	if d.logFile == "" && !d.keep {
		d.log, d.level = zap.NewNop(), zap.NewAtomicLevel()
		return func() {}, nil
	}
	var file *os.File
	if d.logFile == "" {
		file, err = os.CreateTemp("", "kafka-kustomer-demo-*.log")
	} else {
		file, err = os.Create(d.logFile)
	}
	if err != nil {
		return nil, fmt.Errorf("the connector's log: %w", err)
	}
	d.logFile = file.Name()
	d.log, d.level = newLogger(cfg, file)
	return func() { _ = file.Close() }, nil // every line is written as it comes
}

// run runs everything from the start of the broker to the end of the last part.
func (d *demo) run(ctx context.Context) (err error) {
	events := d.events()
	if d.world, err = startWorld(d, events.Truth().Failing); err != nil {
		return err
	}
	defer d.world.close()
	if d.feed, err = newFeed(d.world, events); err != nil {
		return err
	}
	defer d.feed.close()

	// What ends everything: the caller, or a part that fails.
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	connector := d.startConnector(ctx, fail)
	defer connector.stop()
	d.watch = newWatch(d, connector.loop)
	stopWatching := background(func(ctx context.Context) { d.watch.run(ctx) })
	defer stopWatching()
	defer d.show.clear() // before whatever is said of an error

	produced, err := d.produce(ctx, fail)
	if err != nil {
		return cause(ctx, err)
	}
	if err := d.settle(ctx, produced); err != nil {
		return cause(ctx, err)
	}
	d.watch.finished.Store(true)
	if !d.keep { // an orderly stop must leave nothing behind either
		stopWatching()
		if err := connector.stop(); err != nil {
			return err
		}
		return d.account(ctx, produced)
	}
	if err := d.account(ctx, produced); err != nil {
		return cause(ctx, err)
	}
	return d.stayUp(ctx, fail, connector)
}

// cause is what ended ctx, or err when nothing did.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// background runs f until the returned function is called, which waits for it and
// may be called again.
func background(f func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	return func() { cancel(); <-done }
}

// connector is the program that is shown.
type connector struct {
	loop   chan *pipeline.Pipeline // holds the running loop once it is there
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // once ended
}

// startConnector runs the whole program until stop; when it ends by itself, all else fails.
func (d *demo) startConnector(ctx context.Context, fail context.CancelCauseFunc) *connector {
	c := &connector{loop: make(chan *pipeline.Pipeline, 1), ended: make(chan struct{})}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() {
		defer close(c.ended)
		err := run(ctx, d.world.cfg, wiring{
			log:      d.log,
			level:    &d.level,
			watch:    func(p *pipeline.Pipeline) { c.loop <- p },
			admin:    d.world.status.set,
			registry: d.registry(),
		})
		if err != nil {
			c.err = fmt.Errorf("the connector: %w", err)
		}
		if ctx.Err() == nil {
			fail(errors.Join(errors.New("the connector ended early"), c.err))
		}
	}()
	return c
}

// stop stops the connector as a signal does, and returns what it ended with.
func (c *connector) stop() error {
	c.cancel()
	<-c.ended
	return c.err
}

// produce feeds events for the duration, or through all trouble, and returns how many.
func (d *demo) produce(ctx context.Context, fail context.CancelCauseFunc) (int, error) {
	if !d.faults {
		d.show.say("%s events a second for %v, seed %d; broker, schema registry and API are simulated in this process", thousands(d.rate), d.duration, d.seed)
		total := max(1, int(float64(d.rate)*d.duration.Seconds()))
		d.watch.total.Store(int64(total))
		err := d.feed.run(ctx, d.rate, total)
		return d.feed.produced(), err
	}
	d.show.say("%s events a second, seed %d; broker, schema registry and API are simulated in this process, and one trouble follows the other", thousands(d.rate), d.seed)
	stop := background(func(stopped context.Context) {
		if err := d.feed.run(stopped, d.rate, 0); err != nil {
			fail(err)
		}
	})
	defer stop()
	err := d.goThrough(ctx, d.troubleTime/2)
	stop()
	return d.feed.produced(), err
}

// settle waits until every event's fate is known.
func (d *demo) settle(ctx context.Context, produced int) error {
	limit, cancel := context.WithTimeout(ctx, demoSettleTime)
	defer cancel()
	_, err := d.watch.until(limit, func(l look) bool {
		return l.core.Counts.Delivered >= uint64(produced) && l.core.Counts.Open == 0
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("not every event is settled after %v; the connector says: %s", demoSettleTime, summary(d.watch.latest().ready))
	}
	return err
}
