package consumer

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
)

// waitShown is how long a partition waits to be decoded until that is a problem. A
// registry that is well answers in a hundredth of it.
const waitShown = 2 * time.Second

// waitLooked is how often it is seen after that why what it waits for is not there.
const waitLooked = 5 * time.Second

// Where records need schemas that are not known one after the other, partitions that
// wait go on for [burstMost], and then all rest for [quietTime]. Each time that one goes
// back the client gives up the fetches that are under way, those of other partitions
// too: they would get nothing, for as long as such records come faster than a broker
// answers.
const (
	burstMost = time.Second
	quietTime = fetchMaxWait
)

// stop is where a poll ends for one partition, with records left behind.
type stop struct {
	handle *batcher.Assignment
	offset int64 // of the first one left behind

	// A record that can't be decoded yet, in the words of the decoder, and how to
	// wait until it can; nil when the poll just brought enough.
	needs string
	wait  func(context.Context)
}

// undecodedError says that a partition waits until its next record can be decoded.
type undecodedError struct {
	offset int64
	needs  string
	why    string // what it needs is not there; empty where that is not known
}

func (e *undecodedError) Error() string {
	text := fmt.Sprintf("the record at offset %d needs %s, which is not there yet; the partition waits for it", e.offset, e.needs)
	if e.why != "" {
		text += ": " + e.why
	}
	return text
}

func schemaProblem(p Partition) problemKey {
	return problemKey{kind: "schema", topic: p.Topic, partition: p.Partition}
}

// leave ends a poll for one partition at a record.
func (c *Consumer) leave(s stop, rest []*kgo.Record) {
	recycle(rest)
	c.stops = append(c.stops, s)
}

func recycle(records []*kgo.Record) {
	for _, r := range records {
		r.Recycle()
	}
}

// left reports whether this poll has ended for a partition. What comes of it from
// another broker is left behind too.
func (c *Consumer) left(p Partition) bool {
	for i := range c.stops {
		if h := c.stops[i].handle; h.Topic == p.Topic && h.Partition == p.Partition {
			return true
		}
	}
	return false
}

// goBack has the client read again what was left behind, from now on, or when it can
// be decoded. To keep the records instead would take memory for as long as a schema
// registry is down, times the number of partitions. No rebalance can run meanwhile.
func (c *Consumer) goBack() {
	if len(c.stops) == 0 {
		return
	}
	positions := map[string]map[int32]kgo.EpochOffset{}
	c.mu.Lock()
	for _, s := range c.stops {
		t := c.current(s.handle)
		if t == nil {
			continue
		}
		if t.next = s.offset; t.first >= s.offset {
			t.first = -1
		}
		if s.wait != nil {
			if t.first < 0 {
				c.fetched = append(c.fetched, Fetched{Assignment: s.handle, Waits: true, Position: s.offset})
			}
			c.startWait(t, s)
		}
		if positions[s.handle.Topic] == nil {
			positions[s.handle.Topic] = map[int32]kgo.EpochOffset{}
		}
		positions[s.handle.Topic][s.handle.Partition] = kgo.EpochOffset{Epoch: -1, Offset: s.offset}
	}
	c.restNow(time.Now())
	c.mu.Unlock()
	clear(c.stops)
	c.stops = c.stops[:0]
	c.client.SetOffsets(positions)
}

// restNow begins a rest where the client went back again and again. c.mu is held.
func (c *Consumer) restNow(now time.Time) {
	if now.Sub(c.wentBack) > quietTime {
		c.burst = now
	}
	c.wentBack = now
	if now.Sub(c.burst) >= burstMost {
		c.quiet = now.Add(quietTime)
		c.burst = c.quiet
	}
}

// rest waits for the end of a rest.
func (c *Consumer) rest(ctx context.Context) {
	c.mu.Lock()
	left := time.Until(c.quiet)
	c.mu.Unlock()
	if left <= 0 {
		return
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// startWait stops a partition until its next record can be decoded. c.mu is held.
func (c *Consumer) startWait(t *tenure, s stop) {
	ctx, cancel := context.WithCancel(c.open)
	t.endWait = cancel
	c.applyPause(t)
	key := schemaProblem(Partition{t.handle.Topic, t.handle.Partition})
	waited, told := context.WithCancel(ctx)
	c.wg.Go(func() { c.tellOfWait(waited, key, t.handle, s) })
	c.wg.Go(func() {
		s.wait(ctx)
		told()
		c.rest(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		cancel()
		if c.current(t.handle) == nil {
			return
		}
		t.endWait = nil
		c.applyPause(t)
		c.problems.clear(key)
	})
}

// tellOfWait makes a wait a problem that lasts, and says why it does, until ctx ends.
func (c *Consumer) tellOfWait(ctx context.Context, key problemKey, handle *batcher.Assignment, s stop) {
	t := time.NewTimer(waitShown)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		why := ""
		if c.cfg.Missing != nil {
			why = c.cfg.Missing()
		}
		c.mu.Lock()
		if c.current(handle) != nil && ctx.Err() == nil {
			c.problems.report(key, &undecodedError{s.offset, s.needs, why})
		}
		c.mu.Unlock()
		t.Reset(waitLooked)
	}
}

// Waiting returns how many partitions wait until their next record can be decoded.
func (c *Consumer) Waiting() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tenures {
		if t.endWait != nil {
			n++
		}
	}
	return n
}
