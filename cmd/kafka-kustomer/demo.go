package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/pipeline"
	"kafka-kustomer/internal/workload"
)

// demoSettleTime bounds the wait for the last events after the last was produced.
const demoSettleTime = 2 * time.Minute

// demo is one run of the whole program against an embedded broker and a
// simulated API, with events whose right outcome is known.
type demo struct {
	rate     int
	duration time.Duration
	seed     uint64
	verbose  bool

	out    io.Writer
	log    *zap.Logger
	kafka  *kfake.Cluster
	sim    *kustomersim.Server
	events *workload.Generator
	loop   chan *pipeline.Pipeline // holds the running loop once it is there
}

func newDemo() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: embedded broker, simulated API, and an account of every change",
		Long: `Runs the connector as "run" does, against a broker and a simulator of the API that
live in this process, and feeds it events with hot keys, malformed records and
messages that the API fails for good. The simulator finishes operations in random
order and loses replies. At the end every message's state is compared with what
the events must come to; the exit code is 0 only if all is right.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out = cmd.OutOrStdout()
			d.log = zap.NewNop()
			if d.verbose {
				d.log = newLogger(config.Log{Level: "info", Format: "auto"}, cmd.ErrOrStderr())
			}
			return d.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.IntVar(&d.rate, "rate", 1000, "events a second")
	f.DurationVar(&d.duration, "duration", 20*time.Second, "how long events are produced")
	f.Uint64Var(&d.seed, "seed", 1, "of the events and the faults")
	f.BoolVar(&d.verbose, "verbose", false, "show the connector's log")
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	if d.rate < 1 || d.duration <= 0 {
		return usageError{errors.New("--rate must be at least 1 and --duration above 0")}
	}
	cfg, stop, err := d.start()
	if err != nil {
		return err
	}
	defer stop()

	runCtx, stopRun := context.WithCancel(ctx)
	defer stopRun()
	ended := make(chan error, 1)
	d.loop = make(chan *pipeline.Pipeline, 1)
	go func() {
		ended <- run(runCtx, cfg, wiring{log: d.log, watch: func(p *pipeline.Pipeline) { d.loop <- p }})
	}()
	produced, err := d.feed(ctx, ended)
	if err == nil {
		err = d.settle(ctx, ended, produced)
	}
	stopRun()
	if runErr := <-ended; err == nil && runErr != nil {
		err = fmt.Errorf("the connector: %w", runErr)
	}
	if err != nil {
		return err
	}
	return d.account(ctx, cfg, produced)
}

// start brings up the broker and the API and returns a configuration for them.
// Its times are shorter than a real one's, because the simulator is quicker than
// Kustomer and a demo must end.
func (d *demo) start() (cfg *config.Config, stop func(), err error) {
	cfg = config.Default()
	d.events = workload.New(workload.Config{Seed: d.seed, Messages: 2000, HotShare: 0.3, Malformed: 0.001, Failing: 0.003, Poison: 0.0005})
	d.kafka, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(6, cfg.Source.Topics[0]))
	if err != nil {
		return nil, nil, fmt.Errorf("embedded broker: %w", err)
	}
	script := kustomersim.DefaultScript()
	script.Quota = kustomersim.Quota{PerMinute: 2000}
	failing := d.events.Truth().Failing
	d.sim = kustomersim.New(kustomersim.Options{Key: "demo", Seed: d.seed, Script: &script, FailID: func(id string) bool { return failing[id] }})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	serveCtx, stopServing := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serveUntil(serveCtx, listener, d.sim) }()

	cfg.Kafka.Brokers = d.kafka.ListenAddrs()
	cfg.Admin.Listen = "" // a demo runs beside whatever has the port
	k := &cfg.Kustomer
	k.BaseURL, k.APIKey = "http://"+listener.Addr().String(), config.NewSecret("demo")
	k.Timeout, k.LostReplyWait = 2*time.Second, 3*time.Second
	k.RequestsPerMinute = 1500
	k.ItemRetry = config.ItemRetry{Attempts: 2, Over: time.Second}
	return cfg, func() {
		stopServing()
		<-served
		d.sim.Close()
		d.kafka.Close()
	}, nil
}

// feed produces events at the rate for the duration and shows how it goes.
func (d *demo) feed(ctx context.Context, ended <-chan error) (produced int, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(d.kafka.ListenAddrs()...))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	topic := config.Default().Source.Topics[0]
	fmt.Fprintf(d.out, "%d events a second for %v, seed %d; broker and API are simulated in this process\n", d.rate, d.duration, d.seed)
	started := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	shown := started
	total := int(float64(d.rate) * d.duration.Seconds())
	for produced < total {
		select {
		case <-ctx.Done():
			return produced, ctx.Err()
		case err := <-ended:
			return produced, fmt.Errorf("the connector ended early: %w", err)
		case now := <-tick.C:
			due := min(total, int(now.Sub(started).Seconds()*float64(d.rate)))
			for ; produced < due; produced++ {
				e := d.events.Next(now)
				client.Produce(ctx, &kgo.Record{Topic: topic, Key: e.Key, Value: e.Value}, nil)
			}
			if now.Sub(shown) >= 2*time.Second {
				shown = now
				d.progress(ctx, started, produced)
			}
		}
	}
	return produced, client.Flush(ctx)
}

// settle waits until every event's fate is known.
func (d *demo) settle(ctx context.Context, ended <-chan error, produced int) error {
	ctx, cancel := context.WithTimeout(ctx, demoSettleTime)
	defer cancel()
	started := time.Now().Add(-d.duration)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not every event is settled after %v: %w", demoSettleTime, ctx.Err())
		case err := <-ended:
			return fmt.Errorf("the connector ended early: %w", err)
		case <-tick.C:
		}
		s := d.snapshot(ctx)
		if s.Counts.Delivered == uint64(produced) && s.Counts.Open == 0 {
			return nil
		}
		if n%8 == 0 {
			d.progress(ctx, started, produced)
		}
	}
}

func (d *demo) snapshot(ctx context.Context) batcher.Snapshot {
	select {
	case p := <-d.loop:
		d.loop <- p
		s, _ := p.Snapshot(ctx) // an ended loop is told by its own error
		return s
	default:
		return batcher.Snapshot{}
	}
}

func (d *demo) progress(ctx context.Context, started time.Time, produced int) {
	s, api := d.snapshot(ctx), d.sim.Stats()
	fmt.Fprintf(d.out, "%4.0fs  produced %6d  completed %6d  dead-lettered %3d  open %5d   PUTs %4d  operations open %2d  replies lost %2d\n",
		time.Since(started).Seconds(), produced, s.Counts.Completed, s.Counts.DeadLettered, s.Counts.Open,
		api.Puts, s.Operations, api.RepliesLost)
}
