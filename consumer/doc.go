// Package consumer brings records in from Kafka and takes offsets back to it.
//
// It is a thin layer around one kgo client in a consumer group, and decides
// nothing about records: it says which partitions are ours, hands over what was
// polled, and commits what it is told to commit. Its three promises are:
//
//   - Every record is handed over under the assignment that was current when it
//     was polled, never under an earlier or a later one of the same partition.
//   - An offset is committed only for an assignment that is still ours. The
//     broker does not check this: a late commit of a revoked partition is
//     accepted and moves the new owner's position back.
//   - Nothing is left out silently. What can't be handed over ends the poll with
//     an error, and what Kafka can't deliver is named by [Consumer.Problems].
//
// # How the parts fit
//
//	kgo callbacks -> ownership.go -> Owner    partitions come and go
//	PollRecords   -> poll.go, copy.go -> hand records, copied and decoded
//	Commit        -> commit.go -> kgo         offsets, with the fence
//	kgo hooks     -> alive.go -> Owner.Alive  heartbeats that were acknowledged
//	fetch errors  -> faults.go                a fault stops its partition only
//	list offsets  -> position.go              what the log has lost before we read it
//	metadata      -> topics.go                topics that go, come and are made anew
//	errors        -> problems.go, advice.go   what to tell a person
//
// The [Owner] is the program's one loop. Its Assigned returns a handle for each
// partition, its Revoked holds up the answer to the group until the loop has
// finished with the partition.
//
// # Why this way
//
// A rebalance is blocked from the return of a poll until the records have been
// handed over (kgo.BlockRebalanceOnPoll), no longer. Without it, records polled
// before a revocation could be handed over after the partition has come back,
// under the wrong handle. The price: while a revocation waits for the loop,
// [Consumer.Poll] waits too, for partitions that stay ours as well.
//
// Handles are made in kgo's OnOffsetsFetched and not in OnPartitionsAssigned,
// because only the former knows the committed offset and its metadata. It still
// comes before the first record.
//
// kgo is silent about much that a person must know. It moves on when what was to
// be read next is gone from the log, or says OFFSET_OUT_OF_RANGE and no offset; it
// says nothing of a topic that was deleted, and holds on for ever to one that was
// made anew. So positions are held against the logs, and topics against what they
// were, beside it. Its own log is for debugging.
//
// kgo can be taken back by the group under a new member id without telling that
// its partitions were lost in between, so each handle keeps the member id it was
// given under. A handle with another id is treated as lost, always.
package consumer
