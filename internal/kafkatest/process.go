package kafkatest

import (
	"os/exec"
	"runtime"
	"sync/atomic"
)

// process is a child that does not outlive us and whose end can be waited for.
type process struct {
	cmd    *exec.Cmd
	asked  atomic.Bool   // its end was asked for
	exited chan struct{} // closed when it has ended
	err    error         // why; read it after exited
}

// startProcess starts cmd. Stopping it and waiting for exited is up to the
// caller; onExit runs before exited is closed.
//
// On Linux the kernel kills the child when its parent dies, whether by a panic,
// the time limit of go test or kill -9 (see childAttr). The parent it means is
// the thread that started the child, not the process, and Go may end a thread
// at any time. So one goroutine starts the child and stays locked to its thread
// until the child has ended.
func startProcess(cmd *exec.Cmd, onExit func(*process)) (*process, error) {
	cmd.SysProcAttr = childAttr()
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		onExit(p)
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// running reports whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill ends the process as a power cut would, and waits for its end.
func (p *process) kill() {
	p.asked.Store(true)
	// The only error is that it has ended already.
	_ = p.cmd.Process.Kill()
	<-p.exited
}
