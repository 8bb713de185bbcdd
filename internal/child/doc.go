// Package child runs a server as a child process of a test: [Start] starts it, its
// end can be waited for and is told from one that was asked for, and on Linux it
// does not outlive us, however we end.
//
// exec.Cmd alone leaves a server behind when a test panics or runs into its time
// limit; a hundred such runs later the machine has no memory left.
package child
