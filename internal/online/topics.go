package online

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topic asks for one topic and what may be done with it. Topics are asked for one
// by one: one that is forbidden would hide the others.
func (k *cluster) topic(ctx context.Context, name string) (kadm.TopicDetail, error) {
	meta, err := k.admin.Metadata(kadm.WithAuthorizedOps(ctx), name)
	if err != nil {
		return kadm.TopicDetail{}, err
	}
	detail, ok := meta.Topics[name]
	if !ok {
		return detail, kerr.UnknownTopicOrPartition
	}
	return detail, detail.Err
}

// may says whether an operation is among those that are allowed. Brokers that have
// no authorizer, or are older than 2.3, tell nothing.
func may(ops []kadm.ACLOperation, op kmsg.ACLOperation) (allowed, told bool) {
	return slices.Contains(ops, op) || slices.Contains(ops, kmsg.ACLOperationAll), len(ops) > 0
}

func (k *cluster) source(ctx context.Context, c *Check, name string) {
	t, err := k.topic(ctx, name)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		c.warn("check source.topics; it is read as soon as it exists", "does not exist yet")
		return
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		c.fail("grant Read on topic "+name+" to this program's Kafka user", "may not even be described")
		return
	case err != nil:
		c.failForKafka("asking for it", err)
		return
	}
	c.partitions(t)
	if allowed, told := may(t.AuthorizedOperations, kmsg.ACLOperationRead); !told {
		c.unproven("the right to read, of which the brokers tell nothing")
	} else if !allowed {
		c.fail("grant Read on topic "+name+" to this program's Kafka user", "may not be read")
	}
}

func (c *Check) partitions(t kadm.TopicDetail) {
	c.found("%s", plural(len(t.Partitions), "partition"))
	for _, p := range t.Partitions.Sorted() {
		if p.Err != nil && !errors.Is(p.Err, kerr.ReplicaNotAvailable) || p.Leader < 0 {
			c.fail("see to the brokers of its replicas", "partition %d has no leader", p.Partition)
		}
	}
}

// writable checks a topic that is written to.
func (k *cluster) writable(ctx context.Context, c *Check, w Topic) {
	t, err := k.topic(ctx, w.Name)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		k.creatable(ctx, c, w)
		return
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		c.fail("grant Write on topic "+w.Name+" to this program's Kafka user", "may not even be described")
		return
	case err != nil:
		c.failForKafka("asking for it", err)
		return
	}
	c.partitions(t)
	if allowed, told := may(t.AuthorizedOperations, kmsg.ACLOperationWrite); !told {
		c.unproven("the right to write, of which the brokers tell nothing")
	} else if !allowed {
		c.fail("grant Write on topic "+w.Name+" to this program's Kafka user", "may not be written to")
	}
	k.topicConfig(ctx, c, w, t)
}

// creatable asks for the creation of a topic without carrying it out.
func (k *cluster) creatable(ctx context.Context, c *Check, w Topic) {
	if !w.Create {
		c.fail("create it, or set "+w.Section+".create to if-missing", "does not exist, and %s.create is never", w.Section)
		return
	}
	partitions, replication := w.Partitions, w.Replication
	if partitions <= 0 {
		partitions = -1
	}
	if replication <= 0 {
		replication = -1
	}
	said, err := k.admin.ValidateCreateTopics(ctx, partitions, replication, nil, w.Name)
	if err == nil {
		err = said[w.Name].Err
	}
	switch {
	case err == nil:
		c.found("does not exist yet; it may be created, and will be at the start")
		c.unproven("the right to write to it once it exists")
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		c.fail("grant Create and Write on topic "+w.Name+" to this program's Kafka user, or create it yourself", "does not exist, and may not be created")
	case errors.Is(err, kerr.InvalidReplicationFactor), errors.Is(err, kerr.InvalidPartitions), errors.Is(err, kerr.PolicyViolation):
		c.fail("check "+w.Section+".partitions and replication against the number of brokers and the cluster's policy", "does not exist, and can't be created as configured: %v", err)
	default:
		c.failForKafka("asking whether it may be created", err)
	}
}

// topicConfig looks at what the topic takes: the size of a record, and how many
// replicas must be there.
func (k *cluster) topicConfig(ctx context.Context, c *Check, w Topic, t kadm.TopicDetail) {
	values, err := k.configs(ctx, kmsg.ConfigResourceTypeTopic, w.Name, "max.message.bytes", "min.insync.replicas")
	if err != nil {
		c.warn("grant DescribeConfigs on topic "+w.Name+" to this program's Kafka user", "its max.message.bytes can't be read, so what is written can't be fitted to it")
		return
	}
	if most, ok := values["max.message.bytes"]; ok && most < w.Wants {
		c.warn("raise max.message.bytes of topic "+w.Name+" to at least "+strconv.Itoa(w.Wants), "max.message.bytes is %d: %s", most, tooSmall(w))
	}
	if least, ok := values["min.insync.replicas"]; ok {
		for _, p := range t.Partitions.Sorted() {
			if len(p.ISR) < least {
				c.fail("see to the brokers of its replicas; until then nothing is committed", "partition %d has %s in sync, min.insync.replicas is %d", p.Partition, plural(len(p.ISR), "replica"), least)
				break
			}
		}
	}
}

func tooSmall(w Topic) string {
	if w.Section == "dead_letter" {
		return "a dead letter that is larger is written without its value"
	}
	return "result events are written in parts"
}

// configs reads whole numbers out of the configuration of a topic, a broker or a group.
func (k *cluster) configs(ctx context.Context, kind kmsg.ConfigResourceType, name string, keys ...string) (map[string]int, error) {
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.ConfigNames = kind, name, keys
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = append(req.Resources, resource)
	resp, err := req.RequestWith(ctx, k.client)
	if err != nil {
		return nil, err
	}
	values := make(map[string]int)
	for _, r := range resp.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return nil, err
		}
		for _, conf := range r.Configs {
			if conf.Value == nil || !slices.Contains(keys, conf.Name) {
				continue
			}
			if n, err := strconv.Atoi(*conf.Value); err == nil {
				values[conf.Name] = n
			}
		}
	}
	return values, nil
}

const keyDescribeCluster = 60 // came with Kafka 2.8

// idempotent checks the right to write so that nothing is written twice.
func (k *cluster) idempotent(ctx context.Context, c *Check) {
	meta, err := k.admin.BrokerMetadata(kadm.WithAuthorizedOps(ctx))
	if err != nil {
		c.failForKafka("asking for the rights on the cluster", err)
		return
	}
	allowed, told := may(clusterOps(ctx, k, meta), kmsg.ACLOperationIdempotentWrite)
	v, err := k.version(ctx)
	recent := false
	if err == nil {
		_, recent = v.KeyMaxVersion(keyDescribeCluster)
	}
	switch {
	case allowed:
		c.found("allowed")
	case recent:
		c.found("come with the right to write to any topic, since Kafka 2.8")
	case told:
		c.fail("grant IdempotentWrite on the cluster to this program's Kafka user", "not allowed, and these brokers are older than 2.8")
	default:
		c.warn("grant IdempotentWrite on the cluster to this program's Kafka user if result events are refused", "the brokers don't tell whether they are allowed")
	}
}

// clusterOps are the operations that are allowed on the cluster. Kafka 2.8 moved them
// from one request to another.
func clusterOps(ctx context.Context, k *cluster, meta kadm.Metadata) []kadm.ACLOperation {
	if len(meta.AuthorizedOperations) > 0 {
		return meta.AuthorizedOperations
	}
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeClusterAuthorizedOperations = true
	resp, err := req.RequestWith(ctx, k.client)
	if err != nil {
		return nil
	}
	return kadm.DecodeACLOperations(resp.ClusterAuthorizedOperations)
}
