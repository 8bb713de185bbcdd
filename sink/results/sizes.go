package results

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka's default of max.message.bytes, which is the most a batch may have.
const defaultBatchBytes = 1_000_012

// Sizes are the largest batches that topics take, where those are smaller than
// the client's. A broker refuses a larger batch as a whole, though each of its
// records would fit, and the client does not take it apart.
//
// The client gets them as [Sizes.Opt], the writer as [Config.Sizes]: the client
// asks for a topic's size once, when it first produces to it, which is after
// [Writer.Ensure], which finds it out. The zero value is ready to use.
type Sizes struct {
	mu      sync.Mutex
	byTopic map[string]int32
}

// Opt makes a client heed the sizes.
func (s *Sizes) Opt() kgo.Opt { return kgo.ProducerBatchMaxBytesFn(s.batch) }

// batch is the most bytes of a batch for a topic.
func (s *Sizes) batch(topic string) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.byTopic[topic]; ok {
		return n
	}
	return defaultBatchBytes
}

func (s *Sizes) set(topic string, maxMessageBytes int) {
	const least = 512 // the client takes no less
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byTopic == nil {
		s.byTopic = map[string]int32{}
	}
	s.byTopic[topic] = int32(min(max(maxMessageBytes, least), defaultBatchBytes))
}

// event is where a result event for a topic is split: a tenth is left for the
// batch around it.
func (s *Sizes) event(topic string) int { return int(s.batch(topic)) * 9 / 10 }

// topicSetting reads a setting of a topic, if we may; that takes a right that
// nothing else here needs.
func (w *Writer) topicSetting(ctx context.Context, topic, key string) (n int, ok bool) {
	configs, err := w.admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return 0, false
	}
	for _, c := range configs {
		i := slices.IndexFunc(c.Configs, func(c kadm.Config) bool { return c.Key == key && c.Value != nil })
		if i < 0 {
			continue
		}
		n, err := strconv.Atoi(*c.Configs[i].Value)
		return n, err == nil
	}
	return 0, false
}
