package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is a child that runs, or has ended. Its methods may be called from
// several goroutines.
type Process struct {
	cmd    *exec.Cmd
	asked  atomic.Bool   // its end was asked for
	exited chan struct{} // closed when it has ended
	err    error         // why; read it after exited
}

// Start starts cmd. Ending it, and waiting for that, is up to the caller. onExit
// runs once it has ended and before Exited is closed; nil does nothing.
//
// On Linux the kernel kills the child when its parent dies, whether by a panic,
// the time limit of go test or kill -9 (see attributes). The parent it means is
// the thread that started the child, not the process, and Go may end a thread
// at any time. So one goroutine starts the child and stays locked to its thread
// until the child has ended.
func Start(cmd *exec.Cmd, onExit func(*Process)) (*Process, error) {
	cmd.SysProcAttr = attributes()
	p := &Process{cmd: cmd, exited: make(chan struct{})}
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
		if onExit != nil {
			onExit(p)
		}
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Err says how the process ended, as [exec.Cmd.Wait] does. It must not be called
// before onExit.
func (p *Process) Err() error { return p.err }

// Asked reports whether the end came, or will, by Kill or Stop.
func (p *Process) Asked() bool { return p.asked.Load() }

// Running reports whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Signal sends a signal, and leaves open what comes of it. A process that has
// ended is an error.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends the process as a power cut would, and waits for its end.
func (p *Process) Kill() {
	p.asked.Store(true)
	// The only error is that it has ended already.
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Stop ends the process in order (SIGTERM) and waits for that; after the given
// time it kills it, and says so.
func (p *Process) Stop(within time.Duration) error {
	p.asked.Store(true)
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Kill() // a system without SIGTERM
		return fmt.Errorf("%w; killed it", err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(within):
		p.Kill()
		return fmt.Errorf("it did not stop within %v and was killed", within)
	}
}
