package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kafka-kustomer/internal/kustomersim"
)

// simulation is the flags of the simulate command.
type simulation struct {
	listen, key, script string
	seed                uint64
	workers             int
	inOrder, example    bool
}

func newSimulate() *cobra.Command {
	var s simulation
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve a simulator of Kustomer's bulk API",
		Long: `Serves a simulator of Kustomer's bulk API that checks the contract strictly. By
default it finishes operations in random order, loses 1% of the replies after
accepting, and fails a few items.

GET /_sim/stats tells what it saw: requests, breaches of the contract, operations
that overtook each other, fields that went back to an older value. POST
/_sim/script changes the faults while it runs, GET /_sim/messages lists every
message's state. These cost no quota.

A change may ask for its fate: with the default script a value that holds the text
poison-400, poison-422 or poison-500 refuses the request, poison-item fails the item.

` + kustomersim.Guide,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.example {
				fmt.Fprint(cmd.OutOrStdout(), kustomersim.Example)
				return nil
			}
			return s.serve(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:8089", "`address` to listen on")
	f.StringVar(&s.key, "key", "", "API key to expect; empty: any")
	f.StringVar(&s.script, "script", "", "JSON `file` of faults; empty: the default ones")
	f.BoolVar(&s.example, "script-example", false, "print a script to begin with, and exit")
	f.Uint64Var(&s.seed, "seed", 1, "of all random choices")
	f.IntVar(&s.workers, "workers", 4, "operations that run at a time")
	f.BoolVar(&s.inOrder, "in-order", false, "run operations in the order of acceptance")
	return cmd
}

func (s *simulation) options() (kustomersim.Options, error) {
	opts := kustomersim.Options{Key: s.key, Seed: s.seed, Workers: s.workers, InOrder: s.inOrder}
	if s.workers < 1 { // the library would take its default for it
		return opts, usageError{errors.New("--workers must be at least 1")}
	}
	if s.script == "" {
		return opts, nil
	}
	file, err := os.Open(s.script)
	if err != nil {
		return opts, usageError{err}
	}
	defer file.Close()
	script, err := kustomersim.ReadScript(file)
	if err != nil {
		return opts, usageError{fmt.Errorf("%s: %w", s.script, err)}
	}
	opts.Script = &script
	return opts, nil
}

func (s *simulation) serve(cmd *cobra.Command) error {
	opts, err := s.options()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	sim := kustomersim.New(opts)
	defer sim.Close()
	fmt.Fprintf(cmd.OutOrStdout(), "simulator of the bulk API on http://%s\n", listener.Addr())
	return serveUntil(cmd.Context(), listener, sim)
}

// serveUntil serves until ctx ends; requests under way have five seconds more.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := server.Shutdown(grace)
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		return errors.Join(err, served)
	}
	return err
}
