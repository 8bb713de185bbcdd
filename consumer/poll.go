package consumer

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
)

// Fetched is what one poll brought for one assignment, in offset order. A poll
// may bring several for one assignment, then they are in order too.
type Fetched = batcher.Fetched

// Poll waits for records, at most limit of them, and hands them over once. The
// slices given to hand, but not the bytes of the records, are used again when it
// has returned. While hand runs no rebalance can: it must not wait for long.
//
// Poll returns nil also when it handed nothing over. Its errors end the program:
// that of ctx, ErrClosed, *FencedError, *UnassignedError, and hand's own. Trouble
// with Kafka is no error but a Problem, and Poll waits a little for it to pass.
// Poll itself may wait past ctx, for as long as the owner takes for a revocation.
func (c *Consumer) Poll(ctx context.Context, limit int, hand func([]Fetched) error) error {
	failing, err := c.pollOnce(ctx, limit, hand)
	if err != nil {
		return err
	}
	if !failing {
		c.backoff = 0
		return nil
	}
	c.backoff = min(pollBackoffMax, 2*c.backoff+pollBackoffMin)
	t := time.NewTimer(c.backoff)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-c.failed.Done():
	}
	return nil // what ended the wait ends the next poll
}

// pollOnce polls once. failing says that an error came which no pause of a
// partition keeps from coming back at once.
func (c *Consumer) pollOnce(ctx context.Context, limit int, hand func([]Fetched) error) (failing bool, err error) {
	// kgo counts a poll as one that blocks rebalances, also when it returns an
	// error: without this on every path, Close and every rebalance would hang.
	defer c.client.AllowRebalance()
	fetches := c.poll(ctx, max(1, limit/max(1, c.perRecord)))
	defer c.release()
	if err := c.collect(fetches, limit); err != nil {
		return false, err
	}
	c.goBack()
	failing, err = c.fetchErrors(ctx, fetches)
	if len(c.fetched) > 0 {
		// Before err, which comes again: what was polled will not.
		if err := hand(c.fetched); err != nil {
			return false, err
		}
	}
	return failing, err
}

func (c *Consumer) poll(ctx context.Context, limit int) kgo.Fetches {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if at := c.endFaults(time.Now()); !at.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	defer context.AfterFunc(c.failed, cancel)()
	return c.client.PollRecords(ctx, limit)
}

// release forgets what was handed over, lest an idle poller keeps it alive.
func (c *Consumer) release() {
	clear(c.changes)
	clear(c.fetched)
	c.changes, c.fetched = c.changes[:0], c.fetched[:0]
}

// decodeTime is how long the records of a poll may take to decode; what is left then is
// left to the next one. No rebalance can run meanwhile, and a mapping may take ten
// seconds for one record: so the clock is looked at for each, which costs a fifteenth
// of what reading a small event does.
const decodeTime = time.Second

// collect copies and decodes the records of a poll, until there are so many changes.
// Most records have one.
func (c *Consumer) collect(fetches kgo.Fetches, limit int) error {
	n := fetches.NumRecords()
	c.room, c.until = limit, time.Now().Add(decodeTime)
	if cap(c.changes) < n {
		c.changes = make([]batcher.Change, 0, n)
	}
	for i := range fetches {
		for j := range fetches[i].Topics {
			t := &fetches[i].Topics[j]
			for k := range t.Partitions {
				if err := c.collectPartition(t.Topic, &t.Partitions[k]); err != nil {
					return err
				}
			}
		}
	}
	if records := len(c.changes); records > 0 {
		c.perRecord = (limit - c.room + records - 1) / records
	}
	return nil
}

func (c *Consumer) collectPartition(topic string, p *kgo.FetchPartition) error {
	if len(p.Records) == 0 {
		return nil
	}
	if c.left(Partition{topic, p.Partition}) {
		recycle(p.Records)
		return nil
	}
	handle := c.advance(topic, p)
	if handle == nil {
		return &UnassignedError{Partition{topic, p.Partition}, p.Records[0].Offset}
	}
	start := len(c.changes)
	for i, r := range p.Records {
		if time.Now().After(c.until) {
			c.room = 0
		}
		if c.room <= 0 {
			c.leave(stop{handle: handle, offset: r.Offset}, p.Records[i:])
			break
		}
		c.changes = c.changes[:len(c.changes)+1] // collect has made room
		ch := &c.changes[len(c.changes)-1]
		offset := r.Offset // decode gives the record back, and then it is empty
		if needs, wait := c.decode(topic, p.Partition, ch, r); wait != nil {
			c.leave(stop{handle, offset, needs, wait}, p.Records[i+1:])
			*ch = batcher.Change{} // release does not reach it
			c.changes = c.changes[:len(c.changes)-1]
			break
		}
		c.room -= 1 + len(ch.More)
	}
	if end := len(c.changes); end > start {
		c.fetched = append(c.fetched, Fetched{Assignment: handle, Changes: c.changes[start:end:end]})
	}
	return nil
}

// decode makes a change of a record. The record is the client's again after that, and
// may be another one.
func (c *Consumer) decode(topic string, partition int32, ch *batcher.Change, r *kgo.Record) (needs string, wait func(context.Context)) {
	defer r.Recycle() // its bytes may be another record's from here on
	if r.Attrs.IsControl() {
		skipMarker(ch, r)
		return "", nil
	}
	copyRecord(ch, r)
	if size := len(ch.Record.Key) + len(ch.Record.Value); size > c.cfg.MaxEventBytes {
		reject(ch, size, c.cfg.MaxEventBytes)
		return "", nil
	}
	return c.dec.Decode(topic, partition, ch)
}

// advance enters records in the partition's tenure and returns its handle, or
// nil when there is none.
func (c *Consumer) advance(topic string, p *kgo.FetchPartition) *batcher.Assignment {
	from, to := p.Records[0].Offset, p.Records[len(p.Records)-1].Offset+1
	c.mu.Lock()
	t := c.tenures[Partition{topic, p.Partition}]
	if t == nil {
		c.mu.Unlock()
		return nil
	}
	due := t.next
	if t.first < 0 {
		t.first = from
	}
	switch key := (Partition{topic, p.Partition}); {
	case due < 0 || from == due:
	case from > due && p.LogStartOffset > due:
		c.passOver(key, t, p.LogStartOffset)
	case from < due:
		c.passOver(key, t, from)
	}
	t.next, t.highWatermark, t.stuck, t.lost = to, p.HighWatermark, false, nil
	if t.fault != nil && !t.fault.paused {
		t.fault = nil
		c.faults--
	}
	c.problems.clear(partitionProblem(Partition{topic, p.Partition}))
	c.wholeAgain(topic)
	c.mu.Unlock()
	return t.handle
}
