package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

// onAssigned comes at the start of every group session, with nothing new too. It
// only remembers the new partitions: where they start is not known yet.
//
// It is also the first sign that the group took us back under a new member id.
// kgo then keeps what it had as if nothing had been, though another member may
// have had it in between, sent and committed.
func (c *Consumer) onAssigned(_ context.Context, client *kgo.Client, added map[string][]int32) {
	c.problems.clear(groupProblem)
	c.tellProtocol()
	if len(added) > 0 {
		c.lookSoon() // a topic that was missing is there
	}
	member, _ := client.GroupMetadata()
	var stale []*tenure
	c.mu.Lock()
	for topic, partitions := range added {
		for _, p := range partitions {
			c.announced[Partition{topic, p}] = struct{}{}
		}
	}
	for _, t := range c.tenures {
		if t.member != member {
			stale = append(stale, t)
		}
	}
	c.mu.Unlock()
	if len(stale) == 0 || c.open.Err() != nil {
		return
	}
	if err := c.reclaim(client, member, stale); err != nil && c.open.Err() == nil {
		c.fail(fmt.Errorf("consumer: partitions of an ended membership can't be started anew: %w; start the program again, nothing is lost", err))
	}
}

// reclaim ends stale assignments and begins new ones from what is committed, in
// the client too. No poll runs meanwhile (kgo holds it during onAssigned).
func (c *Consumer) reclaim(client *kgo.Client, member string, stale []*tenure) error {
	c.log.Warn("the group took us back as a new member; partitions start again from their commits",
		zap.String("group", c.cfg.Group), zap.Int("partition_count", len(stale)))
	c.lose(stale)
	ctx, cancel := context.WithTimeout(c.open, 10*time.Second)
	defer cancel()
	committed, err := kadm.NewClient(client).FetchOffsets(kadm.RequireStable(ctx), c.cfg.Group)
	if err != nil {
		return fmt.Errorf("fetching the offsets of group %q: %w", c.cfg.Group, err)
	}
	starts := make([]batcher.Start, 0, len(stale))
	positions := map[string]map[int32]kgo.EpochOffset{}
	for _, t := range stale {
		topic, partition := t.handle.Topic, t.handle.Partition
		s := batcher.Start{Topic: topic, Partition: partition, Offset: -1, LeaderEpoch: -1}
		// Without a commit the client goes back to the first record it gave us,
		// not to the start policy: "latest" would skip what we dropped.
		position := kgo.EpochOffset{Epoch: -1, Offset: t.first}
		if o, ok := committed.Lookup(topic, partition); ok {
			if o.Err != nil {
				return fmt.Errorf("fetching the offset of %s/%d: %w", topic, partition, o.Err)
			}
			if o.At >= 0 {
				s.Offset, s.LeaderEpoch, s.Metadata = o.At, o.LeaderEpoch, o.Metadata
				position = kgo.EpochOffset{Epoch: o.LeaderEpoch, Offset: o.At}
			}
		}
		starts = append(starts, s)
		if position.Offset < 0 {
			continue // nothing was read, nothing is committed: the client stands right
		}
		if positions[topic] == nil {
			positions[topic] = map[int32]kgo.EpochOffset{}
		}
		positions[topic][partition] = position
	}
	if err := c.adopt(ctx, client, member, starts); err != nil {
		return err
	}
	client.SetOffsets(positions)
	return nil
}

// onFetched comes with the committed offsets of new partitions, before the first
// record of them. An error makes kgo end the group session and join again.
func (c *Consumer) onFetched(ctx context.Context, client *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	if c.open.Err() != nil {
		return ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.open, cancel)()
	member, _ := client.GroupMetadata()
	starts, err := c.starts(resp)
	if err != nil {
		return err
	}
	return c.adopt(ctx, client, member, starts)
}

// starts reads where the partitions begin that the group gave us. Others in the
// response are left alone, as kgo does; so are those with an error, which kgo
// takes out of the assignment and reports to the next poll.
func (c *Consumer) starts(resp *kmsg.OffsetFetchResponse) ([]batcher.Start, error) {
	var starts []batcher.Start
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			if t.Topic == "" {
				return nil, fmt.Errorf("consumer: committed offsets came for a topic without a name (id %x)", t.TopicID)
			}
			for _, p := range t.Partitions {
				if _, ours := c.announced[Partition{t.Topic, p.Partition}]; !ours || p.ErrorCode != 0 {
					continue
				}
				s := batcher.Start{Topic: t.Topic, Partition: p.Partition, Offset: -1, LeaderEpoch: -1}
				if p.Offset >= 0 {
					s.Offset, s.LeaderEpoch = p.Offset, p.LeaderEpoch
					if p.Metadata != nil {
						s.Metadata = *p.Metadata
					}
				}
				starts = append(starts, s)
			}
		}
	}
	return starts, nil
}

// adopt gets handles for partitions and makes them current.
func (c *Consumer) adopt(ctx context.Context, client *kgo.Client, member string, starts []batcher.Start) error {
	if len(starts) == 0 {
		return nil
	}
	if old := c.held(starts); len(old) > 0 {
		c.owner.Lost(handles(old))
	}
	as, err := c.owner.Assigned(ctx, starts)
	if err != nil {
		return fmt.Errorf("consumer: handing over %d partitions: %w", len(starts), err)
	}
	if len(as) != len(starts) {
		return fmt.Errorf("consumer: %d handles for %d partitions", len(as), len(starts))
	}
	var without []Partition
	var committed []*batcher.Assignment
	c.mu.Lock()
	for i, s := range starts {
		p := Partition{s.Topic, s.Partition}
		t := &tenure{handle: as[i], member: member, first: -1, next: s.Offset, highWatermark: -1}
		t.stuck = s.Offset < 0 && c.cfg.Start == StartCommitted && !c.isNew(s.Topic, s.Partition)
		t.gone = c.topics[s.Topic] != nil && c.topics[s.Topic].replaced
		switch {
		case t.stuck:
			without = append(without, p)
		case s.Offset >= 0:
			committed = append(committed, as[i])
		}
		c.forget(p)
		c.tenures[p] = t
	}
	c.mu.Unlock()
	for _, p := range without {
		c.problems.report(partitionProblem(p), errNoCommit)
	}
	c.inspect(client, committed, nil)
	return nil
}

var errNoCommit = errors.New("the group has no committed offset for this partition, and start is committed")

// held returns the tenures of partitions that are given to us once more while we
// still hold them: the old assignment is over.
func (c *Consumer) held(starts []batcher.Start) (ts []*tenure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range starts {
		if t := c.tenures[Partition{s.Topic, s.Partition}]; t != nil {
			ts = append(ts, t)
		}
	}
	return ts
}

// onRevoked comes when the group takes partitions back, with an empty map at the
// end of sessions, and on Close. It may also come for partitions that were lost
// long ago, when the group meanwhile took us back under another member id:
// committing for those would move the new owner back.
func (c *Consumer) onRevoked(_ context.Context, client *kgo.Client, gone map[string][]int32) {
	member, _ := client.GroupMetadata()
	var revoked, lost []*tenure
	c.mu.Lock()
	for topic, partitions := range gone {
		for _, p := range partitions {
			delete(c.announced, Partition{topic, p})
			switch t := c.tenures[Partition{topic, p}]; {
			case t == nil: // its offset was never fetched
			case t.member == member:
				revoked = append(revoked, t)
			default:
				lost = append(lost, t)
			}
		}
	}
	c.mu.Unlock()
	c.lose(lost)
	if len(revoked) == 0 {
		return
	}
	if c.open.Err() == nil {
		c.owner.Revoked(c.open, handles(revoked))
	}
	c.drop(revoked)
}

// onLost comes when our membership has ended without our doing. Whatever the map
// says, everything is lost with it. Nothing may be committed any more.
func (c *Consumer) onLost(context.Context, *kgo.Client, map[string][]int32) {
	c.pulse.ended()
	c.mu.Lock()
	lost := make([]*tenure, 0, len(c.tenures))
	for _, t := range c.tenures {
		lost = append(lost, t)
	}
	clear(c.announced)
	c.mu.Unlock()
	c.lose(lost)
}

// lose ends tenures first, so that no commit of them can start, and tells the
// owner then.
func (c *Consumer) lose(ts []*tenure) {
	if len(ts) == 0 {
		return
	}
	c.drop(ts)
	if c.open.Err() == nil {
		c.owner.Lost(handles(ts))
	}
}

func (c *Consumer) drop(ts []*tenure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range ts {
		c.forget(Partition{t.handle.Topic, t.handle.Partition})
	}
}

// forget ends a tenure, and what the client and the problems list still know of
// it: pauses survive a rebalance in kgo. c.mu is held.
func (c *Consumer) forget(p Partition) {
	t := c.tenures[p]
	delete(c.tenures, p)
	c.problems.drop(partitionProblem(p))
	c.problems.drop(commitProblem(p))
	c.problems.drop(schemaProblem(p))
	if t == nil {
		return
	}
	paused := t.paused || t.endWait != nil || t.fault != nil && t.fault.paused
	if t.fault != nil {
		c.faults--
	}
	if t.endWait != nil {
		t.endWait()
	}
	t.paused, t.endWait, t.fault = false, nil, nil
	if paused {
		c.applyPause(t)
	}
}

// sameMember reports whether every assignment was given to us under our present
// member id.
func (c *Consumer) sameMember() bool {
	member, _ := c.client.GroupMetadata()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tenures {
		if t.member != member {
			return false
		}
	}
	return true
}

func handles(ts []*tenure) []*batcher.Assignment {
	as := make([]*batcher.Assignment, len(ts))
	for i, t := range ts {
		as[i] = t.handle
	}
	return as
}

// groupError handles the end of a group session.
func (c *Consumer) groupError(err error) {
	if errors.Is(err, kerr.FencedInstanceID) {
		c.fail(&FencedError{c.cfg.Group, c.cfg.InstanceID})
	}
	c.problems.report(groupProblem, err)
}
