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
