//go:build unix

package registrytest

import (
	"os"
	"syscall"
)

// Pause stops the process in its tracks (SIGSTOP): connections are accepted, and
// then nothing comes.
func (r *Registry) Pause() error { return r.signal("pause the registry", syscall.SIGSTOP) }

// Resume ends what Pause began.
func (r *Registry) Resume() error { return r.signal("resume the registry", syscall.SIGCONT) }

func (r *Registry) signal(what string, s os.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return wrap(what, r.proc.Signal(s))
}
