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
	exitOnline  = 3 // a check of validate --online failed
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

// loggedError is an error that stands in the log, or in output that a program
// reads: said once more in plain text, it would be a line that no JSON parser takes.
type loggedError struct{ error }

func (e loggedError) Unwrap() error { return e.error }

// errOnline says that a check of validate --online failed. Which one stands in its
// output.
var errOnline = errors.New("an online check failed")

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !errors.As(err, new(loggedError)) {
		fmt.Fprintln(stderr, "kafka-kustomer:", err)
	}
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, errOnline):
		return exitOnline
	}
	return exitFailure
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "kafka-kustomer",
		Short:         "Sends message changes from Kafka to Kustomer in bulk",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       buildVersion(),
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(newRun(), newValidate(), newDryRun(), newSchemas(), newConfig(), newSimulate(), newDemo(), newHealthcheck(), newVersion())
	root.InitDefaultCompletionCmd() // takes the output as it is set now
	finish(root)
	return root
}

// finish gives a command and those below it what all have: that a wrong command
// line is a usageError, an example, and a hint where a command was mistyped.
func finish(c *cobra.Command) {
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	if c.Example == "" {
		c.Example = examples[c.CommandPath()]
	}
	if c.ValidArgs == nil { // a command that has arguments names them
		c.Args = noArgs
	}
	if c.HasSubCommands() && c.Run == nil && c.RunE == nil {
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	for _, below := range c.Commands() {
		finish(below)
	}
}

func noArgs(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !c.HasSubCommands():
		return usageError{fmt.Errorf("%s takes no argument, and got %q; see %s --help", c.CommandPath(), args[0], c.CommandPath())}
	}
	c.SuggestionsMinimumDistance = 2
	hint := "see " + c.CommandPath() + " --help"
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %s?", near[0])
	}
	return usageError{fmt.Errorf("unknown command %q of %s; %s", args[0], c.CommandPath(), hint)}
}
