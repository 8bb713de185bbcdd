package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

type topicID = [16]byte

// topicState is what we know of a source topic.
type topicState struct {
	id         topicID // of the one we read; zero: not seen yet
	partitions int     // when it was first seen; those beyond are new
	replaced   bool    // kgo holds on to one that was deleted and made anew
	fresh      bool    // we have let go of such a one, and read the new
}

var errNoTopic = errors.New("the topic does not exist; it is read as soon as it does")

var errTopicDeleted = errors.New("the topic was deleted; what it still held is gone, and it is read again once it exists")

// replacedError says that a topic is not the one we have read.
type replacedError struct{ topic string }

func (e *replacedError) Error() string {
	return fmt.Sprintf("topic %s was deleted and made anew; with source.on_reset fail, its partitions stand still", e.topic)
}

func (e *replacedError) Unwrap() error { return kerr.UnknownTopicID }

// watch looks at the topics now and then, and when asked to, until Close. kgo
// says nothing when a topic does not exist or is deleted, and only that it knows
// no such id when it was made anew.
func (c *Consumer) watch() {
	tick := time.NewTicker(metadataMaxAge)
	defer tick.Stop()
	for {
		c.lookAtTopics()
		c.problems.expire(time.Now())
		c.problems.settled(time.Now())
		select {
		case <-c.open.Done():
			return
		case <-tick.C:
		case <-c.lookNow:
		}
		// What asks for a look comes for many partitions at a time.
		pause := time.NewTimer(time.Second)
		select {
		case <-c.open.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// lookSoon asks for a look at the topics.
func (c *Consumer) lookSoon() {
	select {
	case c.lookNow <- struct{}{}:
	default:
	}
}

// lookAtTopics asks for each topic by itself, as kadm gives no answer at all when
// one of them may not be read. What fails here is told of by who polls.
func (c *Consumer) lookAtTopics() {
	ctx, cancel := context.WithTimeout(c.open, inspectTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	for _, topic := range c.cfg.Topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		switch {
		case t.Topic == nil:
		case t.ErrorCode == kerr.UnknownTopicOrPartition.Code:
			c.missing(*t.Topic)
		case t.ErrorCode == 0:
			c.seen(*t.Topic, t.TopicID, len(t.Partitions))
		}
	}
}

func (c *Consumer) missing(topic string) {
	c.mu.Lock()
	known := c.topics[topic].id != (topicID{})
	c.mu.Unlock()
	if known {
		c.problems.report(topicProblem(topic), errTopicDeleted)
	} else {
		c.problems.report(topicProblem(topic), errNoTopic)
	}
}

func (c *Consumer) seen(topic string, id topicID, partitions int) {
	c.mu.Lock()
	s := c.topics[topic]
	if s.id == (topicID{}) {
		s.id, s.partitions = id, partitions
	}
	begun := !s.replaced && s.id != id
	s.replaced = s.replaced || begun
	if begun {
		c.letGo(topic)
	}
	settled := s.replaced && c.settled(topic)
	c.mu.Unlock()
	switch {
	case !s.replaced:
		c.problems.clear(topicProblem(topic))
		c.mu.Lock()
		c.wholeAgain(topic)
		c.mu.Unlock()
	case c.cfg.OnReset == ResetFail:
		c.problems.report(topicProblem(topic), &replacedError{topic})
	default:
		if begun {
			c.log.Error("a topic was deleted and made anew; what was read of the old one is still delivered, then the new one is read from its beginning. What the old one still held is gone",
				zap.String("topic", topic))
		}
		if settled {
			c.takeAnew(topic, id, partitions)
		}
	}
}

// letGo makes commits for a topic that is no more impossible: a broker before
// Kafka 4.1 would take them for the new one. c.mu is held.
func (c *Consumer) letGo(topic string) {
	for p, t := range c.tenures {
		if p.Topic == topic {
			t.gone = true
		}
	}
}

// settled reports whether all that was handed over of a topic that is gone has
// come to its end, by the commits that were asked for. c.mu is held.
func (c *Consumer) settled(topic string) bool {
	for p, t := range c.tenures {
		if p.Topic == topic && t.first >= 0 && t.settled < t.next {
			return false
		}
	}
	return true
}

// takeAnew makes kgo forget a topic and begin with the one that has its name.
// The partitions then come as new ones, and the old assignments end.
func (c *Consumer) takeAnew(topic string, id topicID, partitions int) {
	c.mu.Lock()
	s := c.topics[topic]
	s.id, s.partitions, s.replaced, s.fresh = id, partitions, false, true
	c.mu.Unlock()
	c.client.PurgeTopicsFromClient(topic)
	c.client.AddConsumeTopics(topic)
	c.log.Info("reading the topic that was made anew", zap.String("topic", topic))
}

// adjust decides where partitions without a commit start that came to be while
// we ran: at their beginning, whatever the start policy is, since nobody can
// have read them.
func (c *Consumer) adjust(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, partitions := range offsets {
		for p := range partitions {
			if t := c.tenures[Partition{topic, p}]; t != nil && t.next < 0 && c.isNew(topic, p) {
				partitions[p] = kgo.NewOffset().AtStart()
			}
		}
	}
	return offsets, nil
}

// isNew reports whether a partition came to be while we ran. c.mu is held.
func (c *Consumer) isNew(topic string, p int32) bool {
	s := c.topics[topic]
	return s != nil && (s.fresh || s.partitions > 0 && int(p) >= s.partitions)
}

func newTopicStates(topics []string) map[string]*topicState {
	states := make(map[string]*topicState, len(topics))
	for _, topic := range slices.Compact(slices.Sorted(slices.Values(topics))) {
		states[topic] = &topicState{}
	}
	return states
}
