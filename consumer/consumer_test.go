package consumer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

func TestConfigValidate(t *testing.T) {
	good := Config{
		Brokers: []string{"localhost:9092"}, Topics: []string{"in"}, Group: "group",
		Start: StartEarliest, OnReset: ResetFail, Isolation: ReadCommitted,
		SessionTimeout: time.Second, RebalanceTimeout: time.Second, MaxEventBytes: 1,
	}
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want string // part of the error, empty: none
	}{
		{"good", func(*Config) {}, ""},
		{"KIP-848", func(c *Config) { c.Protocol = ProtocolConsumer }, ""},
		{"static", func(c *Config) { c.InstanceID = "one" }, ""},
		{"no brokers", func(c *Config) { c.Brokers = nil }, "brokers"},
		{"no topics", func(c *Config) { c.Topics = nil }, "topics"},
		{"no group", func(c *Config) { c.Group = "" }, "group"},
		{"no start", func(c *Config) { c.Start = "" }, "start"},
		{"no reset", func(c *Config) { c.OnReset = "latest" }, "on_reset"},
		{"no isolation", func(c *Config) { c.Isolation = "" }, "isolation"},
		{"protocol", func(c *Config) { c.Protocol = "eager" }, "protocol"},
		{"static KIP-848", func(c *Config) { c.Protocol, c.InstanceID = ProtocolConsumer, "one" }, "instance_id"},
		{"no session", func(c *Config) { c.SessionTimeout = 0 }, "session"},
		{"no size", func(c *Config) { c.MaxEventBytes = 0 }, "max event bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good
			tt.edit(&c)
			err := c.validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("validate: %v, want %q", err, tt.want)
			}
		})
	}
}

// What the caller passes in Opts can't switch off what the package relies on.
func TestOwnOptionsCannotUndoOurs(t *testing.T) {
	c := Config{
		Brokers: []string{"localhost:1"}, Topics: []string{"in"}, Group: "group",
		Start: StartEarliest, OnReset: ResetFail, Isolation: ReadCommitted,
		SessionTimeout: 30 * time.Second, RebalanceTimeout: time.Minute, MaxEventBytes: 1,
		Opts: []kgo.Opt{kgo.SessionTimeout(time.Hour), kgo.ConsumerGroup("other"), kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd())},
	}
	client, err := kgo.NewClient(c.options()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"group", client.OptValue(kgo.ConsumerGroup), "group"},
		{"session", client.OptValue(kgo.SessionTimeout), 30 * time.Second},
		{"heartbeat", client.OptValue(kgo.HeartbeatInterval), 3 * time.Second},
		{"rebalance", client.OptValue(kgo.RebalanceTimeout), time.Minute},
		{"reset", client.OptValue(kgo.ConsumeResetOffset), kgo.NoResetOffset()},
		{"auto commit", client.OptValue(kgo.DisableAutoCommit), true},
		{"block", client.OptValue(kgo.BlockRebalanceOnPoll), true},
		{"fetch", client.OptValue(kgo.FetchMaxBytes), int32(fetchMinBytes)},
		{"decompress", client.OptValue(kgo.MaxDecompressBatchBytes), maxBatchBytes},
		{"response", client.OptValue(kgo.BrokerMaxReadBytes), int32(maxBatchBytes + readRoom)},
		{"markers", client.OptValue(kgo.KeepControlRecords), true},
	} {
		if fmt.Sprint(tt.got) != fmt.Sprint(tt.want) {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestCommitResult(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want batcher.CommitResult
	}{
		{nil, batcher.CommitDone},
		{kerr.IllegalGeneration, batcher.CommitRefused},
		{kerr.UnknownMemberID, batcher.CommitRefused},
		{kerr.StaleMemberEpoch, batcher.CommitRefused},
		{kerr.FencedInstanceID, batcher.CommitRefused},
		{kerr.RebalanceInProgress, batcher.CommitRefused},
		{kerr.OffsetMetadataTooLarge, batcher.CommitRefused},
		{kerr.UnknownTopicID, batcher.CommitRefused},
		{kerr.GroupAuthorizationFailed, batcher.CommitRefused},
		{kerr.RequestTimedOut, batcher.CommitUnknown},
		{kerr.CoordinatorNotAvailable, batcher.CommitUnknown},
		{kerr.NotCoordinator, batcher.CommitUnknown},
		{kerr.UnknownServerError, batcher.CommitUnknown},
	} {
		if got := commitResult(tt.err); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

// Answers may name a topic by its id alone, and may leave partitions out.
func TestCommitAnswered(t *testing.T) {
	id := [16]byte{1}
	req := &kmsg.OffsetCommitRequest{Topics: []kmsg.OffsetCommitRequestTopic{{Topic: "in", TopicID: id}}}
	resp := &kmsg.OffsetCommitResponse{Topics: []kmsg.OffsetCommitResponseTopic{{
		TopicID: id, Partitions: []kmsg.OffsetCommitResponseTopicPartition{
			{Partition: 0},
			{Partition: 1, ErrorCode: kerr.OffsetMetadataTooLarge.Code},
			{Partition: 2},
			{Partition: 4, ErrorCode: kerr.RebalanceInProgress.Code},
			{Partition: 9},
		},
	}}}
	commits := []batcher.PartitionCommit{
		{Result: batcher.CommitUnknown},
		{Result: batcher.CommitUnknown},
		{Result: batcher.CommitRefused},
		{Result: batcher.CommitUnknown},
		{Result: batcher.CommitUnknown},
	}
	by := map[Partition]*batcher.PartitionCommit{}
	for i := range commits {
		by[Partition{"in", int32(i)}] = &commits[i]
	}
	c := &Consumer{problems: newProblems(canary.Logger(t))}
	c.commitAnswered(req, resp, by)
	want := []batcher.CommitResult{
		batcher.CommitDone, batcher.CommitRefused, batcher.CommitRefused, batcher.CommitUnknown, batcher.CommitRefused,
	}
	for i := range commits {
		if commits[i].Result != want[i] {
			t.Errorf("partition %d: %v, want %v", i, commits[i].Result, want[i])
		}
	}
	if ps := c.Problems(); len(ps) != 1 || ps[0].Partition != 1 || !strings.Contains(ps[0].Check, "offset.metadata.max.bytes") {
		t.Errorf("problems: %+v", ps)
	}
}

// A fetch of committed offsets can bring partitions that are not ours, and some
// whose offset is not known: neither is begun.
func TestStartsAreOursAndKnown(t *testing.T) {
	metadata := "kk1 clean"
	partition := func(p int32, offset int64, code int16) kmsg.OffsetFetchResponseGroupTopicPartition {
		return kmsg.OffsetFetchResponseGroupTopicPartition{Partition: p, Offset: offset, LeaderEpoch: 3, Metadata: &metadata, ErrorCode: code}
	}
	resp := &kmsg.OffsetFetchResponse{Groups: []kmsg.OffsetFetchResponseGroup{{Topics: []kmsg.OffsetFetchResponseGroupTopic{{
		Topic: "in", Partitions: []kmsg.OffsetFetchResponseGroupTopicPartition{
			partition(0, 7, 0), partition(1, 7, kerr.UnstableOffsetCommit.Code), partition(2, 7, 0), partition(3, -1, 0),
		},
	}}}}}
	c := &Consumer{announced: map[Partition]struct{}{{"in", 0}: {}, {"in", 1}: {}, {"in", 3}: {}}}
	got, err := c.starts(resp)
	want := []batcher.Start{
		{Topic: "in", Partition: 0, Offset: 7, LeaderEpoch: 3, Metadata: metadata},
		{Topic: "in", Partition: 3, Offset: -1, LeaderEpoch: -1},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("starts: %v (-want +got):\n%s", err, diff)
	}
	resp.Groups[0].Topics[0].Topic = ""
	if _, err := c.starts(resp); err == nil {
		t.Error("no error for a topic without a name: its partitions would never be begun")
	}
}

// Offsets may be missing because of compaction or markers; only those before the
// start of the log were deleted.
func TestExpiredCountsOnlyWhatTheLogHasLost(t *testing.T) {
	for _, tt := range []struct {
		name                  string
		next, first, logStart int64
		expired               uint64
		logs                  int
	}{
		{"no gap", 5, 5, 0, 0, 0},
		{"compaction", 5, 9, 0, 0, 0},
		{"retention", 5, 12, 12, 7, 1},
		{"retention and compaction", 5, 14, 12, 7, 1},
		{"no commit", -1, 12, 12, 0, 0},
		{"back", 30, 12, 12, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			core, logs := observer.New(zapcore.InfoLevel)
			c := &Consumer{
				log: canary.Watch(t, core), problems: newProblems(canary.Logger(t)),
				tenures: map[Partition]*tenure{{"in", 0}: {handle: &batcher.Assignment{Topic: "in"}, first: -1, next: tt.next}},
			}
			c.advance("in", &kgo.FetchPartition{
				LogStartOffset: tt.logStart, HighWatermark: 100, Records: []*kgo.Record{{Offset: tt.first}},
			})
			if c.Expired() != tt.expired || logs.Len() != tt.logs {
				t.Errorf("expired %d, %d log lines; want %d, %d", c.Expired(), logs.Len(), tt.expired, tt.logs)
			}
			if got, want := c.Lag()[Partition{"in", 0}], 99-tt.first; got != want {
				t.Errorf("lag %d, want %d", got, want)
			}
		})
	}
}

// A request that failed on its way says nothing of the group.
func TestFailedResponseIsNoSignOfLife(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.Heartbeat, kmsg.ConsumerGroupHeartbeat, kmsg.JoinGroup, kmsg.SyncGroup} {
		c := &Consumer{pulse: newPulse(), problems: newProblems(canary.Logger(t)), log: canary.Logger(t)}
		failed := errors.New("connection reset")
		hooks{c}.OnBrokerE2E(kgo.BrokerMetadata{}, int16(key), kgo.BrokerE2E{WriteErr: failed})
		hooks{c}.OnBrokerE2E(kgo.BrokerMetadata{}, int16(key), kgo.BrokerE2E{ReadErr: failed})
		if n := len(c.pulse.beats); n != 0 || c.Protocol() != "" {
			t.Errorf("%s: %d signs of life of requests that failed, protocol %q", key.Name(), n, c.Protocol())
		}
		hooks{c}.OnBrokerE2E(kgo.BrokerMetadata{}, int16(key), kgo.BrokerE2E{})
		if n := len(c.pulse.beats); n != 1 {
			t.Errorf("%s: %d signs of life of one that did not", key.Name(), n)
		}
	}
}

func TestPulseHearsFailedHeartbeats(t *testing.T) {
	for _, tt := range []struct {
		msg  string
		err  any
		want uint64
	}{
		{"heartbeat errored", kerr.UnknownMemberID, 1},
		{"heartbeat errored again while waiting for user revoke to finish", kerr.IllegalGeneration, 1},
		{"heartbeat hit retryable error, retrying", kerr.NotCoordinator, 1},
		{"heartbeat errored", kerr.RebalanceInProgress, 0},
		{"heartbeat complete", nil, 0},
		{"joining group", kerr.UnknownMemberID, 0},
	} {
		p := newPulse()
		p.heard(tt.msg, []any{"group", "g", "err", tt.err})
		if got := p.doubts.Load(); got != tt.want {
			t.Errorf("%s, %v: %d doubts, want %d", tt.msg, tt.err, got, tt.want)
		}
	}
}

// Over a real network, in real time: nothing is left behind by Close.
func TestConsumeOverTCP(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	produce(t, cluster.ListenAddrs(), "small", strings.Repeat("x", 100))
	owner := quietOwner{}
	c, err := New(Config{
		Brokers: cluster.ListenAddrs(), Topics: []string{"in"}, Group: "group",
		Start: StartEarliest, OnReset: ResetFail, Isolation: ReadCommitted,
		SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second, MaxEventBytes: 50,
	}, upper{}, owner, canary.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
	var got []batcher.Change
	for len(got) < 2 {
		if err := c.Poll(ctx, 100, func(fs []Fetched) error {
			for _, f := range fs {
				got = append(got, f.Changes...)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if string(got[0].MessageID) != "SMALL" {
		t.Errorf("message id %q: the record was not decoded", got[0].MessageID)
	}
	if got[1].Verdict != batcher.Reject || got[1].Reason.Code != "oversize" || len(got[1].Record.Value) != 100 || got[1].MessageID != nil {
		t.Errorf("the large record came as %v, %+v, %d bytes", got[1].Verdict, got[1].Reason, len(got[1].Record.Value))
	}
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
}

func produce(t *testing.T, brokers []string, values ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, v := range values {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "in", Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

type upper struct{}

func (upper) Decode(_ string, _ int32, c *batcher.Change) (string, func(context.Context)) {
	c.MessageID = bytes.ToUpper(c.Record.Value)
	return "", nil
}

type quietOwner struct{}

func (quietOwner) Assigned(_ context.Context, starts []batcher.Start) (as []*batcher.Assignment, err error) {
	for _, s := range starts {
		as = append(as, &batcher.Assignment{Topic: s.Topic, Partition: s.Partition})
	}
	return as, nil
}

func (quietOwner) Revoked(context.Context, []*batcher.Assignment) {}

func (quietOwner) Lost([]*batcher.Assignment) {}

func (quietOwner) Alive(time.Time) {}

type none struct{}

func (none) Decode(string, int32, *batcher.Change) (string, func(context.Context)) { return "", nil }
