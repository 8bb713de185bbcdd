// Package batcher is the pure core: it decides. It holds the nouns ([Change],
// [Item], [Batch], [Operation], [Outcome]) and the rules: which changes go into
// which request, which must wait, what is sent again, how fast, and which
// offsets may be committed.
//
// Facts go in ([Core.Assigned], [Core.Fetched], [Core.Waits], [Core.Answered], [Core.Polled],
// [Core.Reported], [Core.Buried], [Core.Revoking], [Core.Lost],
// [Core.Committed], [Core.Alive]), each with the time it happened; decisions
// come out of [Core.Next]. There is no goroutine, no lock, no clock and no I/O
// here, so a test can run a million steps a second, and a seed replays.
//
// Where to read on:
//
//   - core.go: the facts about records, and Next. credit.go: how many are taken.
//   - intake.go: what is made of the records that come, and what becomes of their credit.
//   - ledger.go: the book of a partition; the settled prefix is what may be committed.
//   - chain.go: the order of a message's changes: hold, stray time, split.
//   - merge.go, fold.go: how changes that wait together become one item, and one patch.
//   - window.go: when a batch is due, and what goes into it.
//   - delivery.go, operation.go: what the answers and the looks mean.
//   - suspects.go, evidence.go: who is guilty of a refusal, or of an outcome nobody knows.
//   - brake.go: when too much would be given up.
//   - ownership.go, assignment.go: takeover, revocation, loss.
//   - commit.go: when and what to commit, and what its metadata tells the next owner.
//   - pace.go, pace_window.go, door.go: how fast, and whether at all.
//   - looks.go, durations.go: when to look at an operation.
//   - snapshot.go, holds.go, pauses.go: the state in numbers, for people and metrics.
//
// # Not obvious
//
// The API is asynchronous and promises no order: of two accepted operations the
// later may be carried out first. So a message has at most one change under way,
// and its successors wait until that one's own result is known.
//
// A request without a reply may have been accepted. Such a stray cannot be
// looked up, since nobody knows its id. Its items are sent again, the same bytes,
// which is harmless whichever lands last; but anything newer waits until the
// stray can no longer run. That time belongs to the message: it outlives the
// item, its parts, and its success.
//
// A partition's next owner must not overtake what the last one left running. The
// commit's metadata tells it: "clean", or "open" with the operations to wait for.
// The mark is written before the first request, so that a crash leaves it.
//
// Settle, drop and die are three verbs. A settled record may be passed by a
// commit. A dropped one is given back unsettled: the next owner reads it again.
// What belongs to a dead assignment changes nothing and starts nothing.
package batcher
