package child

import "syscall"

// attributes makes the kernel kill the child when the thread that started it
// ends, and gives it a process group of its own: Ctrl-C in a terminal then
// reaches us alone, and we decide in which order children stop.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
