//go:build kafka && linux

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kafka-kustomer/internal/canary"
)

// tail is how many lines of a log a failed test shows.
const tail = 40

// process is one running kafka-kustomer. Its output, both streams, goes to a
// file, of which a failed test shows the end. It is over when the test is.
type process struct {
	t       *testing.T
	name    string
	log     string // path
	cmd     *exec.Cmd
	started time.Time
	exited  chan struct{}
	err     error // of Wait; read it after exited
}

// start runs the binary. The kernel kills it when the thread that started it
// ends, so one goroutine starts it, stays on its thread and waits for it.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	dir := canary.Folder()
	if dir == "" {
		dir = t.TempDir()
	}
	out, err := os.CreateTemp(dir, canary.FileName(t.Name())+"-"+name+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, name: name, log: out.Name(), started: time.Now(), exited: make(chan struct{})}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=0 exitcode=66")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	begun := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.exited)
		defer out.Close()
		err := p.cmd.Start()
		begun <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
	}()
	if err := <-begun; err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(p.finish)
	return p
}

// finish ends the process and looks through its log for what no run may show: a
// crash, a payload, a secret.
func (p *process) finish() {
	p.kill()
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Errorf("log of %s: %v", p.name, err)
		return
	}
	for _, bad := range []string{"panic:", "WARNING: DATA RACE", "fatal error:"} {
		if i := bytes.Index(text, []byte(bad)); i >= 0 {
			p.t.Errorf("%s: %s", p.name, text[i:min(len(text), i+4000)])
		}
	}
	found, _, err := canary.Search(p.name, bytes.NewReader(text))
	if err != nil || len(found) > 0 {
		p.t.Errorf("%s: %d lines with a payload or a secret (%v), such as %v", p.name, len(found), err, found[:min(len(found), 3)])
	}
	if p.t.Failed() {
		lines := strings.SplitAfter(string(text), "\n")
		p.t.Logf("%s, the last lines:\n%s", p.name, strings.Join(lines[max(0, len(lines)-tail):], ""))
	}
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // the only error is that it has ended
	<-p.exited
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.name, err)
	}
}

// wait returns the exit code.
func (p *process) wait(timeout time.Duration) int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(timeout):
		p.t.Fatalf("%s has not ended within %v", p.name, timeout)
		return 0
	}
}

// term asks for an orderly end and insists on it.
func (p *process) term() (took time.Duration) {
	p.t.Helper()
	begun := time.Now()
	p.signal(syscall.SIGTERM)
	if code := p.wait(drainTimeout + 3*time.Second); code != 0 {
		p.t.Fatalf("%s ended with exit code %d after SIGTERM, want 0", p.name, code)
	}
	return time.Since(begun)
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// line is one entry of a JSON log.
type line map[string]any

func (l line) text(key string) string { s, _ := l[key].(string); return s }

// lines returns the entries whose message holds part, as a person sees them: without
// those of level debug, which are there to be searched.
func (p *process) lines(part string) (found []line) {
	p.t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var l line
		if json.Unmarshal(scan.Bytes(), &l) == nil && l.text("level") != "debug" && strings.Contains(l.text("msg"), part) {
			found = append(found, l)
		}
	}
	return found
}

// awaitLine waits for a log entry whose message holds part.
func (p *process) awaitLine(timeout time.Duration, part string) line {
	p.t.Helper()
	var found []line
	await(p.t, timeout, fmt.Sprintf("%s logs %q", p.name, part), func() error {
		if found = p.lines(part); len(found) == 0 {
			if !p.running() {
				p.t.Fatalf("%s ended before it logged %q", p.name, part)
			}
			return errors.New("not yet")
		}
		return nil
	})
	return found[0]
}

// memory reads VmRSS or VmHWM, in bytes.
func (p *process) memory(what string) int64 {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(status))
	i := slices.Index(fields, what+":")
	if i < 0 {
		p.t.Fatalf("no %s in /proc/%d/status", what, p.cmd.Process.Pid)
	}
	kB, err := strconv.ParseInt(fields[i+1], 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return kB << 10
}

// await asks again and again until ask returns nil.
func await(t *testing.T, timeout time.Duration, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %v", timeout, what, err)
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("the test ended while waiting: %s", what)
		}
	}
}

// pass lets time go by where the passing of time is the test.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal("the test ended while time was to pass")
	}
}
