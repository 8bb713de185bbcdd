package kafkatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	topicTimeout  = 20 * time.Second
	deleteTimeout = 2 * time.Second

	// The group coordinator learns of a topic a little after the brokers' metadata
	// shows it, which no client can see. A KIP-848 member that comes too early is
	// no error, but gets nothing until its next heartbeat, five seconds later.
	coordinatorLag = 500 * time.Millisecond
)

// Topic creates a topic of a unique name (prefix, "-", random letters) with the
// cluster's replication factor, and returns the name when every one of brokers
// knows a leader of each partition; all of them must be up. configs are topic
// settings as "key=value". The topic is deleted after the test.
func Topic(tb testing.TB, brokers []string, prefix string, partitions int, configs ...string) string {
	tb.Helper()
	name := prefix + "-" + strings.ToLower(rand.Text()[:12])
	settings := map[string]*string{}
	for _, config := range configs {
		key, value, found := strings.Cut(config, "=")
		if !found {
			tb.Fatalf("kafkatest: topic setting %q is not key=value", config)
		}
		settings[key] = &value
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		tb.Fatalf("kafkatest: %v", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(tb.Context(), topicTimeout)
	defer cancel()
	if _, err := kadm.NewClient(client).CreateTopic(ctx, int32(partitions), -1, settings, name); err != nil {
		tb.Fatalf("kafkatest: create topic %s on %v: %v", name, brokers, err)
	}
	tb.Cleanup(func() { deleteTopic(tb, brokers, name) })
	if err := awaitTopic(ctx, client, name, partitions); err != nil {
		tb.Fatalf("kafkatest: topic %s is created but not usable: %v", name, err)
	}
	return name
}

// awaitTopic asks each seed broker in turn until it knows all leaders: after the
// first has answered, the others may still call the topic unknown.
func awaitTopic(ctx context.Context, client *kgo.Client, name string, partitions int) error {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	lag := time.After(coordinatorLag)
	for _, broker := range client.SeedBrokers() {
		for {
			err := topicUsable(ctx, broker, name, partitions)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return errors.Join(ctx.Err(), err)
			case <-tick.C:
			}
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-lag:
		return nil
	}
}

func topicUsable(ctx context.Context, broker *kgo.Broker, name string, partitions int) error {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(ctx, broker)
	if err != nil {
		return err
	}
	for _, t := range res.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return err
		}
		if len(t.Partitions) != partitions {
			return fmt.Errorf("%d partitions of %d are known", len(t.Partitions), partitions)
		}
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, err)
			}
		}
	}
	return nil
}

// deleteTopic is a courtesy to a cluster that lives on, so a failure (a test may
// have killed it) is only noted.
func deleteTopic(tb testing.TB, brokers []string, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		tb.Logf("kafkatest: %v", err)
		return
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).DeleteTopic(ctx, name); err != nil {
		tb.Logf("kafkatest: topic %s stays: %v", name, err)
	}
}
