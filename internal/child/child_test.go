package child

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// shell starts a script, and waits until it has said that it is ready.
func shell(t *testing.T, script string, onExit func(*Process)) *Process {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close() })
	cmd.Stdout = write
	p, err := Start(cmd, onExit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	write.Close()
	if line, err := bufio.NewReader(read).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return p
}

func wait(t *testing.T, p *Process) {
	t.Helper()
	select {
	case <-p.Exited():
	case <-time.After(testTimeout):
		t.Fatal("it does not end")
	}
}

// A stop in order lets the process clean up; its end counts as asked for.
func TestStop(t *testing.T) {
	told := make(chan bool, 1)
	p := shell(t, `trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done`, func(p *Process) { told <- p.Asked() })
	if err := p.Stop(testTimeout); err != nil {
		t.Fatal(err)
	}
	if asked := <-told; !asked || p.Running() || p.Err() == nil || p.Err().Error() != "exit status 7" {
		t.Errorf("asked %v, running %v, %v", asked, p.Running(), p.Err())
	}
	if err := p.Stop(testTimeout); err != nil {
		t.Errorf("stopped again: %v", err)
	}
}

func TestStopKillsWhatDoesNotStop(t *testing.T) {
	p := shell(t, `trap '' TERM; echo ready; while :; do sleep 0.01; done`, nil)
	err := p.Stop(10 * time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "did not stop within 10ms and was killed") || p.Running() {
		t.Errorf("%v, running %v", err, p.Running())
	}
}

// An end that nobody asked for is told from one that was.
func TestEndByItself(t *testing.T) {
	p := shell(t, `echo ready; sleep 300`, nil)
	if err := p.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	if p.Asked() || p.Err() == nil || p.Err().Error() != "signal: killed" {
		t.Errorf("asked %v, %v", p.Asked(), p.Err())
	}
}

func TestStartFails(t *testing.T) {
	if p, err := Start(exec.Command("/nowhere/at/all"), nil); err == nil || p != nil {
		t.Errorf("%v, %v", p, err)
	}
}
