package pipeline

import "sync"

// crew runs calls, each in a goroutine that has nothing else to do: one that waits
// since its last call, or a new one. There are never more than calls ran at one
// time, which the core bounds. A new goroutine for each call would begin with a
// small stack, and net/http would grow it, with all that is on it copied, each
// time.
type crew struct {
	calls chan func()
	ended sync.WaitGroup
}

func newCrew() *crew { return &crew{calls: make(chan func())} }

// run starts a call. It does not wait.
func (c *crew) run(call func()) {
	select {
	case c.calls <- call:
	default:
		c.ended.Go(func() {
			call()
			for call := range c.calls {
				call()
			}
		})
	}
}

// dismiss waits for all calls to end. None may be started any more.
func (c *crew) dismiss() {
	close(c.calls)
	c.ended.Wait()
}
