// Command kafka-kustomer reads message changes from Kafka and sends them to
// Kustomer in bulk. The whole program is listed in wire.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailure = 1 // something went wrong at run time
	exitUsage   = 2 // the command line or the configuration is wrong
)

func main() {
	ctx, stop := interruptible(os.Exit)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// interruptible returns a context that ends at the first SIGINT or SIGTERM, for
// an orderly end; the second one exits at once.
func interruptible(exit func(int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		exit(exitFailure)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}

// usageError is an error of the command line or the configuration.
type usageError struct{ error }

// loggedError is an error that stands in the log: said once more in plain text, it
// would be a line that no JSON parser takes.
type loggedError struct{ error }

func (e loggedError) Unwrap() error { return e.error }

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !errors.As(err, new(loggedError)) {
		fmt.Fprintln(stderr, "kafka-kustomer:", err)
	}
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFailure
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "kafka-kustomer",
		Short:         "Sends message changes from Kafka to Kustomer in bulk",
		Long:          "kafka-kustomer reads message changes from Kafka, sends them to Kustomer's bulk API in\nfull requests, writes what became of each to a result topic, and commits offsets\nonly when Kustomer has applied what they carried.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       buildVersion(),
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newRun(), newValidate(), newSimulate(), newDemo(), newHealthcheck(), newVersion())
	for _, c := range root.Commands() {
		if c.Args == nil {
			c.Args = noArgs
		}
	}
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}
