//go:build !linux

package child

import "syscall"

// attributes asks for nothing: elsewhere the kernel has no such service. A test
// that comes to its end, and Ctrl-C in a terminal, end the child; after a crash of
// the test process it has to be ended by hand.
func attributes() *syscall.SysProcAttr { return nil }
