package child

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The child holds the pipe open, so its end is the end of the file.
func TestChildDiesWithParent(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orphanEnv+"=1")
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	if err := read.SetReadDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(read)
	if line, err := out.ReadString('\n'); line != "started <nil>\n" {
		t.Fatalf("helper said %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if rest, err := io.ReadAll(out); err != nil {
		t.Errorf("the child outlived its parent: %q, %v", rest, err)
	}
}

// The signal of attributes comes when a thread ends, so ending the thread that
// asked for the child must not hurt it.
func TestChildOutlivesCallersThread(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var p *Process
	tid := make(chan int)
	ask := func() {
		runtime.LockOSThread() // and no Unlock: the thread ends with the goroutine
		if unix.Gettid() == unix.Getpid() {
			// But the process's first thread never does. Held here, it can't be
			// the one that the next goroutine runs on.
			tid <- 0
			<-t.Context().Done()
			runtime.UnlockOSThread()
			return
		}
		p, err = Start(cmd, func(*Process) {})
		tid <- unix.Gettid()
	}
	go ask()
	thread := <-tid
	if thread == 0 {
		go ask()
		thread = <-tid
	}
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(testTimeout); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread)); os.IsNotExist(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the thread does not end")
		}
	}
	fmt.Fprintln(in, "still here")
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "still here\n" {
		t.Errorf("the child said %q, %v", line, err)
	}
	if !p.Running() {
		t.Error("Running() = false")
	}
	p.Kill()
	if p.Running() {
		t.Error("Running() = true after Kill")
	}
}
