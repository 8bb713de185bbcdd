package main

import (
	"bytes"
	"context"
	"encoding/json"
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
	inOrder             bool
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
message's state. These cost no quota.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.serve(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&s.listen, "listen", "127.0.0.1:8089", "`address` to listen on")
	f.StringVar(&s.key, "key", "", "API key to expect; empty: any")
	f.StringVar(&s.script, "script", "", "JSON `file` of faults; empty: the default ones")
	f.Uint64Var(&s.seed, "seed", 1, "of all random choices")
	f.IntVar(&s.workers, "workers", 4, "operations that run at a time")
	f.BoolVar(&s.inOrder, "in-order", false, "run operations in the order of acceptance")
	return cmd
}

func (s *simulation) options() (kustomersim.Options, error) {
	opts := kustomersim.Options{Key: s.key, Seed: s.seed, Workers: s.workers, InOrder: s.inOrder}
	if s.script == "" {
		return opts, nil
	}
	text, err := os.ReadFile(s.script)
	if err != nil {
		return opts, usageError{err}
	}
	opts.Script = new(kustomersim.Script)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields() // a misspelt fault would be a test of nothing
	if err := decoder.Decode(opts.Script); err != nil {
		return opts, usageError{fmt.Errorf("%s: %w", s.script, err)}
	}
	if err := opts.Script.Validate(); err != nil {
		return opts, usageError{fmt.Errorf("%s: %w", s.script, err)}
	}
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
