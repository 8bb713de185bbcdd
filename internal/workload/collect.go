package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Written is what a run wrote to its result and dead-letter topics.
type Written struct {
	Accepted    map[string]int       // "accepted" events by operation id
	Completed   map[string]int       // "completed" events by operation id
	DeadLetters map[string]int       // by source position, "topic/partition/offset"
	Reasons     map[string]int       // dead letters by reason code
	Updated     map[string]time.Time // by event id: when the operation that applied it was seen to have ended
}

// Collect reads both topics from their beginning to what is their end now.
func Collect(ctx context.Context, resultsTopic, deadLetterTopic string, opts ...kgo.Opt) (*Written, error) {
	w := &Written{Accepted: map[string]int{}, Completed: map[string]int{}, DeadLetters: map[string]int{}, Reasons: map[string]int{}, Updated: map[string]time.Time{}}
	err := Read(ctx, []string{resultsTopic, deadLetterTopic}, func(r *kgo.Record) error {
		if r.Topic == resultsTopic {
			return w.result(r)
		}
		w.deadLetter(r)
		return nil
	}, opts...)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Read calls f for each record of topics, from their beginning to what is their end
// now.
func Read(ctx context.Context, topics []string, f func(*kgo.Record) error, opts ...kgo.Opt) error {
	client, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(topics...))...)
	if err != nil {
		return err
	}
	defer client.Close()
	left, err := lengths(ctx, client, topics)
	if err != nil {
		return err
	}
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%d partitions not read to their end: %w", len(left), err)
		}
		for _, e := range fetches.Errors() {
			return e.Err
		}
		for r := range fetches.RecordsAll() {
			if err := f(r); err != nil {
				return err
			}
			if key := partitionKey(r.Topic, r.Partition); left[key] <= r.Offset+1 {
				delete(left, key)
			}
		}
	}
	return nil
}

// lengths are the end offsets of all partitions that are not empty.
func lengths(ctx context.Context, client *kgo.Client, topics []string) (map[string]int64, error) {
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, err
	}
	if err := ends.Error(); err != nil {
		return nil, err
	}
	of := make(map[string]int64)
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			of[partitionKey(o.Topic, o.Partition)] = o.Offset
		}
	})
	return of, nil
}

func partitionKey(topic string, partition int32) string {
	return fmt.Sprintf("%s/%d", topic, partition)
}

func (w *Written) result(r *kgo.Record) error {
	var event struct {
		Kind        string `json:"kind"`
		OperationID string `json:"operationId"`
		Part        int    `json:"part"`
		Times       struct {
			CompletedAt time.Time `json:"completedAt"`
		} `json:"times"`
		Items []struct {
			Status string `json:"status"`
			Events []struct {
				EventID string `json:"eventId"`
			} `json:"events"`
		} `json:"items"`
	}
	if err := json.Unmarshal(r.Value, &event); err != nil {
		return fmt.Errorf("result event at %s/%d/%d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	for _, item := range event.Items {
		if event.Kind != "completed" || item.Status != "updated" {
			continue
		}
		for _, e := range item.Events {
			w.Updated[e.EventID] = event.Times.CompletedAt
		}
	}
	if event.Part > 1 {
		return nil
	}
	switch event.Kind {
	case "accepted":
		w.Accepted[event.OperationID]++
	case "completed":
		w.Completed[event.OperationID]++
	}
	return nil
}

func (w *Written) deadLetter(r *kgo.Record) {
	h := make(map[string]string, len(r.Headers))
	for _, x := range r.Headers {
		h[x.Key] = string(x.Value)
	}
	w.DeadLetters[h["__connect.errors.topic"]+"/"+h["__connect.errors.partition"]+"/"+h["__connect.errors.offset"]]++
	w.Reasons[h["__connect.errors.exception.class.name"]]++
}
