package consumer

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/batcher"
)

var errStale = errors.New("consumer: the partitions are not ours any more")

// Commit commits offsets with their metadata and sets the Result of every
// partition. It returns when the group has answered or ctx is done; give it a
// deadline, for during a rebalance another member's slow revocation holds it up.
// It may be called while Owner.Revoked runs, not after Close.
//
// The fence: a partition whose assignment is no longer current, or was given to
// us under another member id, is refused here, since the broker would accept it.
// This is looked at twice, when the commit begins and just before it is sent:
// between the two a rebalance may have come and gone.
func (c *Consumer) Commit(ctx context.Context, commit *batcher.Commit) {
	ours := c.ours(commit)
	if len(ours) == 0 {
		return
	}
	// kgo may be busy with a commit after its context has ended: a request waits
	// for those before it at the same broker, and one of them may be dialling. So
	// kgo gets a copy, and what it says too late is not listened to.
	try := make([]batcher.PartitionCommit, len(ours))
	for i, pc := range ours {
		try[i] = *pc
	}
	done := make(chan struct{})
	c.wg.Go(func() { defer close(done); c.commit(ctx, try) })
	if !answeredInTime(ctx, done) {
		for _, pc := range ours {
			if ctx.Err() == context.DeadlineExceeded {
				c.problems.report(commitProblem(Partition{pc.Assignment.Topic, pc.Assignment.Partition}), ctx.Err())
			}
		}
		return
	}
	for i, pc := range ours {
		pc.Result = try[i].Result
	}
}

// commitGrace is how long after the end of its context a commit may still be
// answered: nearly always kgo notices that at once, and knows more.
const commitGrace = 50 * time.Millisecond

func answeredInTime(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	t := time.NewTimer(commitGrace)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// ours refuses what may not be committed and returns the rest, whose result is
// unknown until the group says more.
func (c *Consumer) ours(commit *batcher.Commit) (ours []*batcher.PartitionCommit) {
	member, _ := c.client.GroupMetadata()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range commit.Partitions {
		pc := &commit.Partitions[i]
		pc.Result = batcher.CommitRefused
		t := c.current(pc.Assignment)
		if t == nil || t.member != member {
			continue
		}
		if t.gone {
			if t.settled != pc.Offset {
				t.settled = pc.Offset
				c.lookSoon() // perhaps the last thing that taking it anew waits for
			}
			continue
		}
		pc.Result = batcher.CommitUnknown
		ours = append(ours, pc)
	}
	return ours
}

// commit sends one commit and waits for kgo to be done with it.
func (c *Consumer) commit(ctx context.Context, try []batcher.PartitionCommit) {
	offsets := map[string]map[int32]kgo.EpochOffset{}
	byPartition := make(map[Partition]*batcher.PartitionCommit, len(try))
	for i := range try {
		pc := &try[i]
		a := pc.Assignment
		if offsets[a.Topic] == nil {
			offsets[a.Topic] = map[int32]kgo.EpochOffset{}
		}
		offsets[a.Topic][a.Partition] = kgo.EpochOffset{Epoch: pc.LeaderEpoch, Offset: pc.Offset}
		byPartition[Partition{a.Topic, a.Partition}] = pc
	}
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		return c.fence(req, byPartition)
	})
	c.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err != nil || resp == nil {
			c.commitFailed(byPartition, err)
			return
		}
		c.commitAnswered(req, resp, byPartition)
	})
}

// fence edits a request just before it is sent: it takes out what is no longer
// ours, and sets the metadata.
func (c *Consumer) fence(req *kmsg.OffsetCommitRequest, byPartition map[Partition]*batcher.PartitionCommit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	topics := req.Topics[:0]
	for _, t := range req.Topics {
		partitions := t.Partitions[:0]
		for _, p := range t.Partitions {
			pc := byPartition[Partition{t.Topic, p.Partition}]
			if tenure := c.current(pc.Assignment); tenure == nil || tenure.member != req.MemberID || tenure.gone {
				pc.Result = batcher.CommitRefused
				continue
			}
			p.Metadata = &pc.Metadata
			partitions = append(partitions, p)
		}
		if t.Partitions = partitions; len(partitions) > 0 {
			topics = append(topics, t)
		}
	}
	req.Topics = topics
	if len(topics) == 0 {
		return errStale
	}
	return nil
}

// commitFailed notes why a commit had no answer. Its outcome stays unknown.
func (c *Consumer) commitFailed(byPartition map[Partition]*batcher.PartitionCommit, err error) {
	if err == nil || errors.Is(err, errStale) || errors.Is(err, context.Canceled) {
		return
	}
	for p, pc := range byPartition {
		if pc.Result == batcher.CommitUnknown {
			c.problems.report(commitProblem(p), err)
		}
	}
}

func (c *Consumer) commitAnswered(req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, byPartition map[Partition]*batcher.PartitionCommit) {
	names := make(map[[16]byte]string, len(req.Topics))
	for _, t := range req.Topics {
		names[t.TopicID] = t.Topic
	}
	for _, t := range resp.Topics {
		topic := t.Topic
		if topic == "" { // from version 10 on, the broker names topics by id
			topic = names[t.TopicID]
		}
		for _, p := range t.Partitions {
			key := Partition{topic, p.Partition}
			pc := byPartition[key]
			if pc == nil || pc.Result == batcher.CommitRefused {
				continue
			}
			err := kerr.ErrorForCode(p.ErrorCode)
			pc.Result = commitResult(err)
			switch {
			case err == nil:
				c.noteCommitted(key, pc)
				c.problems.clear(commitProblem(key))
			case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
				c.lookSoon() // trouble of the topic
			case !fenced(err): // a fence is part of every rebalance
				c.problems.report(commitProblem(key), err)
			}
		}
	}
}

func (c *Consumer) noteCommitted(p Partition, pc *batcher.PartitionCommit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tenures[p]; t != nil && t.handle == pc.Assignment {
		t.settled = pc.Offset
	}
}

// fenced reports whether the group refused a commit because of who we are: the
// partition has a new owner, or is about to have one.
func fenced(err error) bool {
	switch err {
	case kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch,
		kerr.FencedMemberEpoch, kerr.FencedInstanceID, kerr.RebalanceInProgress:
		return true
	}
	return false
}

// commitResult reads a partition's error code. An error that may go away by
// itself can also mean that the commit was applied: Kafka answers
// REQUEST_TIMED_OUT for some that are.
func commitResult(err error) batcher.CommitResult {
	switch {
	case err == nil:
		return batcher.CommitDone
	case fenced(err), errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		return batcher.CommitRefused
	case kerr.IsRetriable(err), errors.Is(err, kerr.UnknownServerError):
		return batcher.CommitUnknown
	}
	return batcher.CommitRefused
}
