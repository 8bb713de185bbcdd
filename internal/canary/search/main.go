// Command search runs a command, as a rule "go test -json", and fails when a canary
// (see package canary) shows in its output or in a log that it leaves.
//
//	go run ./internal/canary/search go test -json ./...
//
// It prints what "go test" without -json would print, but searches the output of
// passing tests too. A failed test shows values on purpose, so its own output is
// not searched; it fails the run anyway. The exit code is the command's, or 1 when
// only a canary was found.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"kafka-kustomer/internal/canary"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: search COMMAND [ARGUMENT]...")
		os.Exit(2)
	}
	folder, err := os.MkdirTemp("", "canary-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "search:", err)
		os.Exit(1)
	}
	code := run(os.Args[1:], folder, os.Stdout, os.Stderr)
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// run runs the command and searches; it returns the exit code.
func run(command []string, folder string, stdout, stderr io.Writer) int {
	var errs tail
	out := newRendering(stdout)
	code, err := execute(command, folder, out, io.MultiWriter(stderr, &errs))
	if err != nil {
		fmt.Fprintln(stderr, "search:", err)
		return 1
	}
	logs, err := canary.SearchFolder(folder)
	if err != nil {
		fmt.Fprintln(stderr, "search:", err)
		return max(code, 1)
	}
	found := append(append(out.findings, errs.findings()...), logs.Findings...)
	const most = 20
	for i, f := range found {
		if i == most {
			fmt.Fprintf(stderr, "search: and %d lines more\n", len(found)-most)
			break
		}
		fmt.Fprintln(stderr, "search:", f)
	}
	if len(found) > 0 {
		fmt.Fprintf(stderr, "search: %d lines hold a payload or a secret of the tests\n", len(found))
		return max(code, 1)
	}
	fmt.Fprintf(stdout, "no payload and no secret in %d bytes of output and %d logs of %d bytes\n",
		out.size+errs.size, logs.Files, logs.Bytes)
	return code
}

// execute runs the command with the folder for its logs. An error is of starting
// it, or of its output; how it ended is the code.
func execute(command []string, folder string, stdout *rendering, stderr io.Writer) (code int, err error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), canary.FolderVariable+"="+folder)
	cmd.Stderr = stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM) // the command ends by it, and then we do
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // it may have had it from the terminal
		case <-over:
		}
	}()
	readErr := stdout.read(pipe)
	_ = cmd.Wait() // the state says how it ended
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return max(code, 1), nil // -1: by a signal
	}
	return 0, readErr
}
