// Package pipeline is the one loop that owns the core. It hands facts to
// [batcher.Core] with the time, and carries out what the core decides; every
// goroutine of ours starts here and is waited for here.
//
// A record has one way, and it reads in this order:
//
//	Source.Poll -> core.Fetched -> core.Next -> Sink.Put -> core.Answered
//	  -> Sink.Look -> core.Polled -> Results.Report -> core.Reported
//	  -> core.Next (a commit) -> Source.Commit -> core.Committed
//
// Start with [Pipeline.Run] (the loop), then carry.go (a case for each
// decision), facts.go (a type for each fact), owner.go (what the consumer's
// callbacks ask) and story.go (what a person is told). An [Observer] is told what
// happens on the way, for metrics.
//
// # Why one loop
//
// Which offset may be committed, which change may be sent, and what a lost
// partition leaves behind are questions about one state. With a goroutine a
// partition they would be spread over locks, and the hard cases, a late answer
// after a revocation, could only be tested by luck. Here they are plain calls,
// and a simulation runs millions of them from a seed.
//
// # Invariants
//
// They are cited by number where they are upheld.
//
//   - I1 Only the loop touches the core, so the core has no mutex.
//   - I2 The loop never waits for the network: polls, calls, produces and commits
//     run elsewhere and come back as facts.
//   - I3 A committed offset never passes an unsettled record.
//   - I4 A record settles once: its change was applied upstream and the result
//     event is acknowledged by Kafka, or its dead letter is acknowledged, or it
//     was deliberately skipped. One of several changes settles when all of them
//     have. A record that is dropped, given back to the
//     group, is not settled.
//   - I5 One commit is in flight; a revocation is answered after it.
//   - I6 Polling needs credit. A stuck API stops polling, never a rebalance, and
//     memory stays flat.
//   - I7 Two changes of one message are never open at once, and nothing newer is
//     sent while something older may still run.
//   - I8 What belongs to a dead assignment changes nothing and starts nothing.
//   - I9 A refusal is no settlement. Trouble with the key, the API or Kafka
//     pauses; it never skips.
//   - I10 Per assignment, at every moment, the records delivered are those
//     completed, dead-lettered, skipped, open and dropped together.
package pipeline
