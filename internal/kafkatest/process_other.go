//go:build !linux

package kafkatest

import "syscall"

// childAttr asks for nothing: elsewhere the kernel has no such service. Close,
// Main and Ctrl-C in a terminal end the brokers; after a crash of the test
// process they have to be ended by hand. They are in nobody's way, as the next
// start takes other ports.
func childAttr() *syscall.SysProcAttr { return nil }
