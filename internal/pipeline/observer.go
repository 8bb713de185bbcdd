package pipeline

import (
	"time"

	"kafka-kustomer/batcher"
)

// Observer is told what happens, for metrics. Every method is called on the
// loop's goroutine: it must not block, and what it is given is not its own. Nothing
// is told of single events, which would cost more than they do; Ended has them all.
//
// What it can't see in passing, how much is open and what holds it up, is in
// [batcher.Snapshot].
type Observer interface {
	// Cut: a batch was formed and goes out.
	Cut(b *batcher.Batch)
	// Answered: a PUT has ended, after so long.
	Answered(o *batcher.Outcome, took time.Duration)
	// Looked: a look at an operation has ended, after so long.
	Looked(v *batcher.View, took time.Duration)
	// Ended: an operation of ours is over, r is its completed event, not yet
	// acknowledged by Kafka.
	Ended(r *batcher.Report)
	// Committed: the group has answered a commit, or not, after so long.
	Committed(c *batcher.Commit, took time.Duration)
	// Assigned, Revoked, Lost: the group has given us so many partitions, wants them
	// back, or has taken them.
	Assigned(partitions int)
	Revoked(partitions int)
	Lost(partitions int)
}

type nobody struct{}

func (nobody) Cut(*batcher.Batch)                       {}
func (nobody) Answered(*batcher.Outcome, time.Duration) {}
func (nobody) Looked(*batcher.View, time.Duration)      {}
func (nobody) Ended(*batcher.Report)                    {}
func (nobody) Committed(*batcher.Commit, time.Duration) {}
func (nobody) Assigned(int)                             {}
func (nobody) Revoked(int)                              {}
func (nobody) Lost(int)                                 {}
