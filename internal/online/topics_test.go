package online_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
)

const (
	topicKind   = kmsg.ACLResourceTypeTopic
	groupKind   = kmsg.ACLResourceTypeGroup
	clusterKind = kmsg.ACLResourceTypeCluster
)

var missingRights = []struct {
	name   string
	rights func([]right) []right
	topics []string
	edit   func(*online.Config)
	check  string
	status online.Status
	words  string
	also   []string // fail for the same reason
}{
	{
		"read the source", without(topicKind, "message-changes", kmsg.ACLOperationRead), allTopics, nil,
		"source topic message-changes", online.Failed, "grant Read on topic message-changes", nil,
	},
	{
		"only describe the source", func(r []right) []right {
			return append(without(topicKind, "message-changes", kmsg.ACLOperationRead)(r), right{topicKind, "message-changes", kmsg.ACLOperationDescribe})
		}, allTopics, nil,
		"source topic message-changes", online.Failed, "may not be read", nil,
	},
	{
		"read the group", without(groupKind, "kafka-kustomer", kmsg.ACLOperationRead), allTopics, nil,
		"consumer group", online.Failed, "grant Read on group kafka-kustomer",
		[]string{"offsets and lag"},
	},
	{
		"only describe the group", func(r []right) []right {
			return append(without(groupKind, "kafka-kustomer", kmsg.ACLOperationRead)(r), right{groupKind, "kafka-kustomer", kmsg.ACLOperationDescribe})
		}, allTopics, nil,
		"consumer group", online.Failed, "grant Read on group kafka-kustomer", nil,
	},
	{
		"write results", func(r []right) []right {
			return append(without(topicKind, "kustomer-batch-results", kmsg.ACLOperationWrite)(r), right{topicKind, "kustomer-batch-results", kmsg.ACLOperationRead})
		}, allTopics, nil,
		"results topic kustomer-batch-results", online.Failed, "may not be written to", nil,
	},
	{
		"write dead letters", without(topicKind, "kustomer-dead-letters", kmsg.ACLOperationWrite), allTopics, nil,
		"dead_letter topic kustomer-dead-letters", online.Failed, "grant Write on topic kustomer-dead-letters", nil,
	},
	{
		"describe the configuration of dead letters", without(topicKind, "kustomer-dead-letters", kmsg.ACLOperationDescribeConfigs), allTopics, nil,
		"dead_letter topic kustomer-dead-letters", online.Warning, "grant DescribeConfigs on topic kustomer-dead-letters", nil,
	},
	{
		"create results", nil,
		[]string{"message-changes", "kustomer-dead-letters"},
		nil,
		"results topic kustomer-batch-results", online.Failed, "may not be created", nil,
	},
	{
		"create results, and it may", func(r []right) []right {
			return append(r, right{topicKind, "kustomer-batch-results", kmsg.ACLOperationCreate})
		},
		[]string{"message-changes", "kustomer-dead-letters"},
		nil,
		"results topic kustomer-batch-results", online.OK, "it may be created", nil,
	},
	{
		"create never", nil,
		[]string{"message-changes", "kustomer-dead-letters"},
		func(c *online.Config) { c.Writes[0].Create = false },
		"results topic kustomer-batch-results", online.Failed, "results.create is never", nil,
	},
	{
		"more replicas than brokers", func(r []right) []right {
			return append(r, right{topicKind, "kustomer-batch-results", kmsg.ACLOperationCreate})
		},
		[]string{"message-changes", "kustomer-dead-letters"},
		func(c *online.Config) { c.Writes[0].Replication = 7 },
		"results topic kustomer-batch-results", online.Failed, "check results.partitions and replication", nil,
	},
	{
		"no source", nil, allTopics[1:], nil,
		"source topic message-changes", online.Warning, "does not exist yet", nil,
	},
	{
		"a dead letter that does not fit", nil, allTopics, func(c *online.Config) { c.Writes[1].Wants = 4 << 20 },
		"dead_letter topic kustomer-dead-letters", online.Warning, "raise max.message.bytes", nil,
	},
}

// Every right that is missing is named, and nothing else fails.
func TestMissingRights(t *testing.T) {
	for _, tc := range missingRights {
		t.Run(tc.name, func(t *testing.T) {
			rights := fullRights()
			if tc.rights != nil {
				rights = tc.rights(rights)
			}
			w := newWorld(t, rights, tc.topics, kustomersim.Script{})
			if tc.edit != nil {
				tc.edit(&w.cfg)
			}
			must(t, w.check(t), tc.check, tc.status, tc.words, tc.also...)
		})
	}
}

func TestOldBrokersWantTheRightToIdempotentWrites(t *testing.T) {
	old := kfake.MaxVersions(kversion.V2_7_0())
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{}, old)
	must(t, w.check(t), "idempotent writes", online.Failed, "grant IdempotentWrite")
	w = newWorld(t, append(fullRights(), right{clusterKind, "kafka-cluster", kmsg.ACLOperationIdempotentWrite}), allTopics, kustomersim.Script{}, old)
	must(t, w.check(t), "idempotent writes", online.OK, "allowed")
}

func TestPartitionWithoutLeader(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	w.cluster.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		asked := req.(*kmsg.MetadataRequest)
		if len(asked.Topics) != 1 || *asked.Topics[0].Topic != "message-changes" || !asked.IncludeTopicAuthorizedOperations {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = asked.Topics[0].Topic
		p := kmsg.NewMetadataResponseTopicPartition()
		p.ErrorCode, p.Leader = kerr.LeaderNotAvailable.Code, -1
		topic.Partitions = append(topic.Partitions, p)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	must(t, w.check(t), "source topic message-changes", online.Failed, "partition 0 has no leader", "offsets and lag")
}
