package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

// positionError says that what is to be read next is not in the log.
type positionError struct {
	what       string // "committed offset" or "position"
	at         int64
	start, end int64 // the log's first offset, and the one after its last
}

func (e *positionError) Error() string {
	if e.at < e.start {
		return fmt.Sprintf("the %s %d is before the start of the log, %d: offsets %d to %d were deleted before they were read",
			e.what, e.at, e.start, e.at, e.start-1)
	}
	return fmt.Sprintf("the %s %d is beyond the end of the log, %d: the offset was set too high, or the log was cut short",
		e.what, e.at, e.end)
}

func (e *positionError) Unwrap() error { return kerr.OffsetOutOfRange }

// inspectTimeout bounds one look at the logs.
const inspectTimeout = 10 * time.Second

// inspect compares positions with the logs, in the background: kgo either says
// OFFSET_OUT_OF_RANGE and nothing else, or resets without a word. cause is the
// error that led here, to be reported when no better one is found; nil: none.
func (c *Consumer) inspect(client *kgo.Client, as []*batcher.Assignment, cause error) {
	if len(as) == 0 || c.open.Err() != nil {
		return
	}
	c.wg.Go(func() {
		ctx, cancel := context.WithTimeout(c.open, inspectTimeout)
		defer cancel()
		topics := make([]string, 0, len(as))
		for _, a := range as {
			topics = append(topics, a.Topic)
		}
		admin := kadm.NewClient(client)
		starts, err := admin.ListStartOffsets(ctx, topics...)
		ends, err2 := admin.ListEndOffsets(ctx, topics...)
		if errors.Join(err, err2) != nil {
			starts, ends = nil, nil
		}
		for _, a := range as {
			start, ok := starts.Lookup(a.Topic, a.Partition)
			end, ok2 := ends.Lookup(a.Topic, a.Partition)
			known := ok && ok2 && start.Err == nil && end.Err == nil
			c.judge(a, start.Offset, end.Offset, known, cause)
		}
	})
}

// judge says what is to be said of a position, given the bounds of its log.
func (c *Consumer) judge(a *batcher.Assignment, start, end int64, known bool, cause error) {
	p := Partition{a.Topic, a.Partition}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.current(a)
	switch {
	case t == nil:
		return
	case !known || t.next < 0 || start <= t.next && t.next <= end:
		if cause != nil && t.lost == nil {
			c.problems.report(partitionProblem(p), cause)
		}
		return
	}
	err := &positionError{what: "committed offset", at: t.next, start: start, end: end}
	if t.first >= 0 {
		err.what = "position"
	}
	if c.cfg.OnReset == ResetFail {
		t.lost = err
		c.problems.report(partitionProblem(p), err)
		return
	}
	if t.first >= 0 {
		return // advance sees the jump, or has seen it
	}
	c.passOver(p, t, start)
	t.next = start
}

// passOver tells that reading goes on at the start of the log, from a position
// that is not in it. kgo does not tell. c.mu is held.
func (c *Consumer) passOver(p Partition, t *tenure, start int64) {
	if t.next > start {
		c.log.Warn("the position was beyond the end of the log; reading goes on at its start, so that records may be seen twice: check whether the topic was made anew or cut short, or the offset was set too high",
			zap.String("topic", p.Topic), zap.Int32("partition", p.Partition),
			zap.Int64("expected_offset", t.next), zap.Int64("offset", start))
		return
	}
	c.expired += uint64(start - t.next)
	c.log.Error("records were deleted by Kafka before they were read and are lost to this group; check the topic's retention and how far the group is behind",
		zap.String("topic", p.Topic), zap.Int32("partition", p.Partition),
		zap.Int64("first_lost_offset", t.next), zap.Int64("last_lost_offset", start-1), zap.Int64("lost_records", start-t.next))
}
