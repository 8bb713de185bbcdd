package consumer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
)

// Fetched is what one poll brought for one assignment, in offset order. A poll
// may bring several for one assignment, then they are in order too.
type Fetched = batcher.Fetched

// The backoff after errors. An error of a partition pauses that partition, since
// kgo would otherwise report a lasting one thousands of times a second; any other
// error pauses polling.
const (
	pollBackoffMin  = 100 * time.Millisecond
	pollBackoffMax  = 5 * time.Second
	faultBackoffMin = time.Second
	faultBackoffMax = 30 * time.Second
	faultProbe      = 10 * time.Second // without the error for this long, it is over
)

// fault is an error that fetching one partition came to.
type fault struct {
	paused  bool
	until   time.Time // end of the pause, or of the probe that follows it
	backoff time.Duration
}

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
	fetches := c.poll(ctx, limit)
	defer c.release()
	if err := c.collect(fetches); err != nil {
		return false, err
	}
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

// collect copies and decodes all records of a poll.
func (c *Consumer) collect(fetches kgo.Fetches) error {
	n := fetches.NumRecords()
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
	return nil
}

func (c *Consumer) collectPartition(topic string, p *kgo.FetchPartition) error {
	if len(p.Records) == 0 {
		return nil
	}
	handle := c.advance(topic, p)
	if handle == nil {
		return &UnassignedError{Partition{topic, p.Partition}, p.Records[0].Offset}
	}
	start := len(c.changes)
	for _, r := range p.Records {
		c.changes = c.changes[:len(c.changes)+1] // collect has made room
		ch := &c.changes[len(c.changes)-1]
		if r.Attrs.IsControl() {
			skipMarker(ch, r)
			continue
		}
		copyRecord(ch, r)
		if size := len(r.Key) + len(r.Value); size > c.cfg.MaxEventBytes {
			reject(ch, size, c.cfg.MaxEventBytes)
			continue
		}
		c.dec.Decode(ch)
	}
	end := len(c.changes)
	c.fetched = append(c.fetched, Fetched{Assignment: handle, Changes: c.changes[start:end:end]})
	return nil
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

// fetchErrors notes the errors of a poll; the error it returns ends the program.
func (c *Consumer) fetchErrors(ctx context.Context, fetches kgo.Fetches) (failing bool, err error) {
	for i := range fetches {
		for j := range fetches[i].Topics {
			t := &fetches[i].Topics[j]
			for k := range t.Partitions {
				p := &t.Partitions[k]
				if p.Err == nil || ctx.Err() != nil || c.failed.Err() != nil {
					continue
				}
				failing = c.fetchError(Partition{t.Topic, p.Partition}, p.Err) || failing
			}
		}
	}
	if cause := context.Cause(c.failed); cause != nil {
		return false, cause
	}
	return failing, ctx.Err()
}

// fetchError notes one error, and reports whether polling must slow down for it.
func (c *Consumer) fetchError(p Partition, err error) (failing bool) {
	var session *kgo.ErrGroupSession
	switch {
	case errors.Is(err, kgo.ErrClientClosed):
		c.fail(ErrClosed)
		return false
	case errors.Is(err, context.DeadlineExceeded) && p.Topic == "":
		return false // the end of a fault's pause woke the poll
	case errors.As(err, &session):
		c.groupError(session.Err)
		return true
	case p.Topic == "":
		c.problems.report(groupProblem, err)
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tenures[p]
	if t == nil {
		c.problems.report(partitionProblem(p), err)
		return true
	}
	var tooLarge *kgo.ErrDecompressTooLarge
	switch {
	case t.stuck:
		return false // known, and kgo says it once
	case errors.As(err, &tooLarge):
		t.stuck = true
		c.problems.report(partitionProblem(p), &batchTooLargeError{tooLarge, c.cfg.batchLimit()})
		return false
	case errors.Is(err, kerr.UnknownTopicID) && (t.gone || t.fault == nil || t.fault.backoff < faultBackoffMax):
		c.lookSoon() // most likely it was made anew, which is trouble of the topic
	case errors.Is(err, kerr.OffsetOutOfRange):
		if t.lost == nil {
			c.inspect(c.client, []*batcher.Assignment{t.handle}, err)
		}
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		c.problems.report(partitionProblem(Partition{p.Topic, -1}), err) // once, not for each
	default:
		c.problems.report(partitionProblem(p), err)
	}
	c.pauseFor(t)
	return false
}

// responded notes how a fetch from a broker ended. kgo cuts the connection when
// a response is too large, tries again for ever, and tells nobody.
func (c *Consumer) responded(broker string, err error) {
	if err != nil && strings.Contains(err.Error(), "invalid large response size") {
		c.problems.report(responseProblem(broker), &responseTooLargeError{err, c.cfg.batchLimit()})
	}
}

// wholeAgain ends the trouble of a topic as a whole when none of its partitions
// has any. c.mu is held.
func (c *Consumer) wholeAgain(topic string) {
	for p, t := range c.tenures {
		if p.Topic == topic && t.fault != nil {
			return
		}
	}
	c.problems.clear(partitionProblem(Partition{topic, -1}))
}

// pauseFor stops a partition for a while, for a fault that was found in it. c.mu
// is held.
func (c *Consumer) pauseFor(t *tenure) {
	if t.fault == nil {
		t.fault = &fault{}
		c.faults++
	}
	f := t.fault
	f.backoff = min(faultBackoffMax, max(faultBackoffMin, 2*f.backoff))
	f.paused, f.until = true, time.Now().Add(f.backoff)
	c.applyPause(t)
}

// endFaults resumes partitions whose pause is over, and forgets faults that did
// not come back. It returns when it must be called next.
func (c *Consumer) endFaults(now time.Time) (next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults == 0 {
		return time.Time{}
	}
	for p, t := range c.tenures {
		f := t.fault
		switch {
		case f == nil:
			continue
		case now.Before(f.until):
		case f.paused:
			f.paused, f.until = false, now.Add(faultProbe)
			c.applyPause(t)
		default:
			t.fault, t.lost = nil, nil
			c.faults--
			c.problems.clear(partitionProblem(p))
			c.wholeAgain(p.Topic)
			continue
		}
		if next.IsZero() || f.until.Before(next) {
			next = f.until
		}
	}
	return next
}
