package results

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// wanted is a topic that must be there.
type wanted struct {
	topic       string
	section     string // of the configuration
	create      bool
	partitions  int32
	replication int16
	settings    map[string]*string
}

// Ensure sees that both topics exist and may be written to, and creates what is
// missing where the configuration says so. Several members may do so at the same
// time. Its errors name the topic and what to check; all are joined.
func (w *Writer) Ensure(ctx context.Context) error {
	c := &w.cfg
	var missing error
	for _, t := range w.wanted() {
		missing = errors.Join(missing, w.ensure(ctx, t))
	}
	if missing != nil {
		return missing
	}
	for _, topic := range []string{c.ResultsTopic, c.DeadLetterTopic} {
		if n, ok := w.topicSetting(ctx, topic, "max.message.bytes"); ok {
			c.Sizes.set(topic, n)
		}
	}
	// The client would fetch its producer id with the first record. When the only
	// broker it knows refuses connections just then, it asks again without a pause,
	// and takes a whole processor; without an id to fetch, it backs off.
	if _, _, err := w.client.ProducerID(ctx); err != nil {
		return fmt.Errorf("getting a producer id: %w; check the brokers, and that this program's Kafka user may write idempotently (Write on a topic, or IdempotentWrite on the cluster)", err)
	}
	return nil
}

// keep is the setting of a new topic of dead letters. They have the times of their
// records, and a broker deletes by those: one of an old record would be gone within
// minutes.
var keep = map[string]*string{"retention.ms": kadm.StringPtr("-1")}

func (w *Writer) wanted() []wanted {
	c := &w.cfg
	return []wanted{
		{c.ResultsTopic, "results", c.CreateResults, c.ResultsPartitions, c.ResultsReplication, nil},
		{c.DeadLetterTopic, "dead_letter", c.CreateDeadLetters, c.DeadLetterPartitions, c.DeadLetterReplication, keep},
	}
}

func (w *Writer) ensure(ctx context.Context, t wanted) error {
	topics, err := w.admin.ListTopics(kadm.WithAuthorizedOps(ctx), t.topic)
	detail, told := topics[t.topic]
	switch {
	case errors.Is(errors.Join(err, detail.Err), kerr.TopicAuthorizationFailed):
		// Without Describe a broker does not say whether the topic exists.
		return fmt.Errorf("looking for topic %s: %w; grant Describe and Write on it to this program's Kafka user (or Create, when it does not exist yet)", t.topic, kerr.TopicAuthorizationFailed)
	case err != nil:
		return fmt.Errorf("looking for topic %s: %w; check kafka.brokers, TLS and the login", t.topic, err)
	case !told:
		return fmt.Errorf("looking for topic %s: the brokers say nothing about it; check %s.topic", t.topic, t.section)
	case errors.Is(detail.Err, kerr.UnknownTopicOrPartition):
		return w.create(ctx, t)
	case errors.Is(detail.Err, kerr.InvalidTopicException):
		return fmt.Errorf("topic %q: %w; check %s.topic", t.topic, detail.Err, t.section)
	case detail.Err != nil:
		return fmt.Errorf("looking for topic %s: %w; check the brokers", t.topic, detail.Err)
	}
	// Brokers without authorization say nothing here, or that all is allowed.
	if ops := detail.AuthorizedOperations; len(ops) > 0 && !slices.Contains(ops, kmsg.ACLOperationWrite) {
		return fmt.Errorf("topic %s may not be written to; grant Write on it to this program's Kafka user", t.topic)
	}
	return nil
}

func (w *Writer) create(ctx context.Context, t wanted) error {
	if !t.create {
		return fmt.Errorf("topic %s does not exist and %s.create is never; create it, or set %s.create to if-missing", t.topic, t.section, t.section)
	}
	const brokerDefault = -1
	if t.partitions <= 0 {
		t.partitions = brokerDefault
	}
	if t.replication <= 0 {
		t.replication = brokerDefault
	}
	_, err := w.admin.CreateTopic(ctx, t.partitions, t.replication, t.settings, t.topic)
	switch {
	case err == nil:
		w.log.Info("topic created; a count of -1 is the broker's default", zap.String("topic", t.topic),
			zap.Int32("partition_count", t.partitions), zap.Int16("replica_count", t.replication))
		return nil
	case errors.Is(err, kerr.TopicAlreadyExists):
		return nil // another member was faster
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		return fmt.Errorf("creating topic %s: %w; grant Create on it to this program's Kafka user, or create it yourself", t.topic, err)
	case errors.Is(err, kerr.InvalidReplicationFactor), errors.Is(err, kerr.InvalidPartitions), errors.Is(err, kerr.PolicyViolation):
		return fmt.Errorf("creating topic %s: %w; check %s.partitions and %s.replication against the number of brokers and the cluster's policy", t.topic, err, t.section, t.section)
	}
	if t.settings != nil && errors.Is(err, kerr.InvalidConfig) {
		return fmt.Errorf("creating topic %s with retention.ms=-1: %w; the cluster does not allow it: create the topic yourself", t.topic, err)
	}
	return fmt.Errorf("creating topic %s: %w; check the brokers, or create it yourself", t.topic, err)
}
