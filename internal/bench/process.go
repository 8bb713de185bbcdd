package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"time"
)

// usage is what a process has cost.
type usage struct {
	cpu  time.Duration // user and system, with the children it waited for
	peak int64         // resident bytes at most; 0 where the system does not tell
}

// usageOf reads what a process cost; it must have ended. The peak is never below
// this process's own at the time of the fork, which the kernel counts for the
// child: bench itself must stay small.
func usageOf(cmd *exec.Cmd) usage {
	s := cmd.ProcessState
	return usage{cpu: s.UserTime() + s.SystemTime(), peak: peakOf(s)}
}

// runIn runs a command to its end and returns what it wrote and cost.
func runIn(ctx context.Context, dir, name string, args ...string) ([]byte, usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, usage{}, fmt.Errorf("%s: %w\n%s%s", cmd, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes(), usageOf(cmd), nil
}
