// Command kafkarun runs a Kafka in the foreground, for trying things out:
//
//	go run ./internal/kafkatest/kafkarun [-brokers 1|3] [-dir DIR] [-port N]
//
// When the brokers are ready it prints their addresses, separated by commas, as
// the only line on standard output. It stops them on SIGINT or SIGTERM; a second
// signal ends it at once, and on Linux the brokers with it. A script should
// build it first: go run does not pass SIGTERM on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"kafka-kustomer/internal/kafkatest"
)

const startTimeout = 5 * time.Minute

func main() {
	var o kafkatest.Options
	flag.IntVar(&o.Brokers, "brokers", 1, "number of brokers, 1 or 3")
	flag.StringVar(&o.Dir, "dir", "", "folder that keeps data and logs (default a temporary one)")
	flag.IntVar(&o.Port, "port", 0, "port of the first broker (default a free one)")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "kafkarun takes flags only, not %q\n", flag.Args())
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "kafkarun:", err)
		os.Exit(1)
	}
}

func run(o kafkatest.Options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	begun := time.Now()
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cluster, err := kafkatest.Start(starting, o)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(cluster.Brokers(), ","))
	fmt.Fprintf(os.Stderr, "Kafka %s is ready after %.1fs; Ctrl-C stops it.\n", kafkatest.Version, time.Since(begun).Seconds())

	err = cluster.Wait(ctx)
	stop() // from here on a signal ends us at once
	return errors.Join(err, stopAll(cluster), cluster.Close())
}

// stopAll stops the brokers in order, so that a kept folder is left tidy.
func stopAll(cluster *kafkatest.Cluster) error {
	var group errgroup.Group
	for i := range cluster.Brokers() {
		group.Go(func() error { return cluster.Stop(i) })
	}
	return group.Wait()
}
