package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// options are the flags. From serve on they are for the child processes that
// bench starts of itself.
type options struct {
	events, messages    int
	partRuns, wholeRuns int
	memory, sizing      bool
	embedded            bool
	scenario            string

	serve, real                 bool
	turn, avro                  bool
	rate, quota                 int
	floor, brokers, base, group string
}

func main() {
	var o options
	flag.IntVar(&o.events, "events", 1_000_000, "events that go through the whole program")
	flag.IntVar(&o.messages, "messages", 50_000, "messages that they change")
	flag.IntVar(&o.partRuns, "runs", 5, "identical `runs` of each part; 0: none")
	flag.BoolVar(&o.embedded, "embedded", false, "do without Apache Kafka, which needs Java and, the first time, Maven")
	flag.IntVar(&o.wholeRuns, "whole", 5, "identical `runs` of the whole program and of the floors; 0: none")
	flag.BoolVar(&o.memory, "memory", false, "measure memory instead of processor time")
	flag.BoolVar(&o.sizing, "sizing", false, "measure what gets through under each of Kustomer's quotas instead; three minutes")
	flag.StringVar(&o.scenario, "scenario", "", "of -memory: only the one of this `name`")
	flag.BoolVar(&o.serve, "serve", false, "be the broker and the API (for child processes)")
	flag.BoolVar(&o.real, "real", false, "let the broker be Apache Kafka")
	flag.IntVar(&o.rate, "rate", 0, "events a second that are produced when the group is awaited; 0: all before")
	flag.IntVar(&o.quota, "quota", 0, "requests a minute that the API takes; 0: no end of them")
	flag.BoolVar(&o.turn, "turn", false, "change the messages in turn instead of at random")
	flag.BoolVar(&o.avro, "avro", false, "write the events as Avro")
	flag.StringVar(&o.floor, "floor", "", "be a floor: poll or put (for child processes)")
	flag.StringVar(&o.brokers, "brokers", "", "of a floor")
	flag.StringVar(&o.base, "base", "", "URL of a floor's API")
	flag.StringVar(&o.group, "group", "", "of a floor")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context) error {
	switch {
	case o.serve && o.scenario != "":
		return serveScenario(ctx, o.scenario, os.Stdin, os.Stdout)
	case o.serve:
		return o.beSurroundings(ctx, os.Stdin, os.Stdout)
	case o.floor == floorPoll, o.floor == floorPut:
		return o.runFloor(ctx)
	case o.floor != "":
		return fmt.Errorf("-floor is %q: want %s or %s", o.floor, floorPoll, floorPut)
	}
	dir, err := os.MkdirTemp("", "kafka-kustomer-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%s, %s/%s, %d processors. Processor time is user and system; each figure is min median max of the runs.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	if o.memory {
		return benchMemory(ctx, os.Stdout, dir, o.scenario)
	}
	if o.sizing {
		return benchSizing(ctx, os.Stdout, dir)
	}
	if o.partRuns > 0 {
		if err := benchParts(ctx, os.Stdout, dir, o.partRuns); err != nil {
			return err
		}
	}
	if o.wholeRuns == 0 {
		return nil
	}
	if err := o.benchWhole(ctx, os.Stdout, dir); err != nil {
		return err
	}
	if err := o.benchAllocations(ctx, os.Stdout); err != nil {
		return err
	}
	return o.benchLatency(ctx, os.Stdout, dir, latencyEvents)
}
