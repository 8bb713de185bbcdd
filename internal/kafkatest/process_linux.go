package kafkatest

import "syscall"

// childAttr makes the kernel kill the child when the thread that started it
// ends, and gives it a process group of its own: Ctrl-C in a terminal then
// reaches us alone, and we decide in which order brokers stop.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
