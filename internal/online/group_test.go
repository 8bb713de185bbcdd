package online_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
)

func TestOffsets(t *testing.T) {
	for _, tc := range []struct {
		name           string
		start, onReset string
		commit         map[int32]kadm.Offset
		deleteBefore   int64
		status         online.Status
		words          string
	}{
		{"start committed without offsets", "committed", "fail", map[int32]kadm.Offset{0: {At: 1}}, 0, online.Failed, "there is none for message-changes/1"},
		{"start committed with offsets", "committed", "fail", map[int32]kadm.Offset{0: {At: 5}, 1: {At: 3}}, 0, online.OK, "2 of 2 partitions have a commit, 2 records behind"},
		{"deleted", "earliest", "fail", map[int32]kadm.Offset{0: {At: 1}, 1: {At: 5}}, 3, online.Failed, "message-changes/0@1 (3 to 5)"},
		{"deleted, and it may", "earliest", "earliest", map[int32]kadm.Offset{0: {At: 1}, 1: {At: 5}}, 3, online.Warning, "reading begins at its start"},
		{"beyond the end", "earliest", "fail", map[int32]kadm.Offset{0: {At: 99}}, 0, online.Failed, "message-changes/0@99"},
		{"left open", "earliest", "fail", map[int32]kadm.Offset{0: {At: 2, Metadata: "kk1 open abc"}}, 0, online.OK, "1 partition not given back in order"},
		{"set by another tool", "earliest", "fail", map[int32]kadm.Offset{0: {At: 2}, 1: {At: 2, Metadata: "kk1 clean"}}, 0, online.OK, "1 partition not given back in order"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			w.cfg.Start, w.cfg.OnReset = tc.start, tc.onReset
			offsets := kadm.Offsets{}
			for p, o := range tc.commit {
				o.Topic, o.Partition, o.LeaderEpoch = "message-changes", p, -1
				offsets.Add(o)
			}
			if err := w.admin.CommitAllOffsets(t.Context(), "kafka-kustomer", offsets); err != nil {
				t.Fatal(err)
			}
			if tc.deleteBefore > 0 {
				cut := kadm.Offsets{}
				cut.AddOffset("message-changes", 0, tc.deleteBefore, -1)
				if _, err := w.admin.DeleteRecords(t.Context(), cut); err != nil {
					t.Fatal(err)
				}
			}
			must(t, w.check(t), "offsets and lag", tc.status, tc.words)
		})
	}
}

// Of a partition that has no leader nobody knows whether its commit is in the log.
func TestOffsetsOfAPartitionWithoutLeader(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	offsets := kadm.Offsets{}
	for p := range int32(2) {
		offsets.Add(kadm.Offset{Topic: "message-changes", Partition: p, At: 5, LeaderEpoch: -1, Metadata: "kk1 clean"})
	}
	if err := w.admin.CommitAllOffsets(t.Context(), "kafka-kustomer", offsets); err != nil {
		t.Fatal(err)
	}
	w.cluster.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, ask := range req.(*kmsg.ListOffsetsRequest).Topics {
			topic := kmsg.NewListOffsetsResponseTopic()
			topic.Topic = ask.Topic
			for _, p := range ask.Partitions {
				said := kmsg.NewListOffsetsResponseTopicPartition()
				said.Partition, said.Offset = p.Partition, 5
				switch {
				case p.Partition == 1:
					said.Offset, said.ErrorCode = -1, kerr.UnknownServerError.Code
				case p.Timestamp == -2:
					said.Offset = 0
				}
				topic.Partitions = append(topic.Partitions, said)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
	checks := w.check(t)
	must(t, checks, "offsets and lag", online.OK, "1 of 1 partition have a commit, 0 records behind")
	must(t, checks, "offsets and lag", online.OK, "message-changes/1 (UNKNOWN_SERVER_ERROR")
}

// What these checks take for a clean commit, the core does too.
func TestCleanCommitIsTheCores(t *testing.T) {
	for metadata, want := range map[string]bool{"kk1 clean": false, "kk1 open": true, "": true} {
		core := batcher.New(batcher.Config{LostReplyWait: time.Minute, Rules: batcher.AllRules()})
		core.Assigned(time.Unix(1, 0), batcher.Start{Topic: "t", Offset: 1, Metadata: metadata})
		notice, _ := core.Next(time.Unix(1, 0)).(batcher.Notice)
		if waits := notice.Kind == batcher.TakeoverBegun; waits != want {
			t.Errorf("metadata %q: the core waits: %v, want %v", metadata, waits, want)
		}
	}
}

// configured makes the broker answer what it is asked of its configuration.
func configured(w *world, values map[string]string) {
	w.cluster.ControlKey(int16(kmsg.DescribeConfigs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		asked := req.(*kmsg.DescribeConfigsRequest).Resources[0]
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		r := kmsg.NewDescribeConfigsResponseResource()
		r.ResourceType, r.ResourceName = asked.ResourceType, asked.ResourceName
		for _, name := range asked.ConfigNames {
			if v, ok := values[name]; ok {
				c := kmsg.NewDescribeConfigsResponseResourceConfig()
				c.Name, c.Value = name, &v
				r.Configs = append(r.Configs, c)
			}
		}
		resp.Resources = append(resp.Resources, r)
		return resp, nil, true
	})
}

func TestSessionAndProtocol(t *testing.T) {
	bounds := map[string]string{"group.min.session.timeout.ms": "6000", "group.max.session.timeout.ms": "30000", "consumer.session.timeout.ms": "20000"}
	for _, tc := range []struct {
		name     string
		protocol string
		session  time.Duration
		configs  map[string]string
		opts     []kfake.Opt
		check    string
		status   online.Status
		words    string
	}{
		{"within", "classic", 20 * time.Second, bounds, nil, "session time-out", online.OK, "6s to 30s"},
		{"above", "classic", 45 * time.Second, bounds, nil, "session time-out", online.Failed, "6s to 30s"},
		{"below", "classic", 5 * time.Second, bounds, nil, "session time-out", online.Failed, "6s to 30s"},
		{"not told", "classic", 45 * time.Second, map[string]string{}, nil, "session time-out", online.OK, "grant DescribeConfigs on the cluster"},
		{"consumer within", "consumer", 20 * time.Second, bounds, nil, "session time-out", online.OK, "the brokers' is 20s"},
		{"consumer above", "consumer", 21 * time.Second, bounds, nil, "session time-out", online.Failed, "end the session after 20s"},
		{"consumer is known", "consumer", 20 * time.Second, bounds, nil, "group protocol", online.OK, "KIP-848"},
		{"consumer is not known", "consumer", 20 * time.Second, bounds, []kfake.Opt{kfake.MaxVersions(kversion.V3_6_0())}, "group protocol", online.Warning, "classic will be spoken"},
		{"replicas missing", "classic", 20 * time.Second, map[string]string{"min.insync.replicas": "9"}, nil, "results topic kustomer-batch-results", online.Failed, "min.insync.replicas is 9"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{}, tc.opts...)
			configured(w, tc.configs)
			w.cfg.Protocol, w.cfg.SessionTimeout = tc.protocol, tc.session
			must(t, w.check(t), tc.check, tc.status, tc.words, "dead_letter topic kustomer-dead-letters")
		})
	}
}

// A static member that is there already, and a group that is none of consumers.
func TestWhoIsInTheGroup(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(*kmsg.DescribeGroupsResponseGroup)
		status online.Status
		words  string
	}{
		{"our instance", func(g *kmsg.DescribeGroupsResponseGroup) {
			id := "kk-0"
			m := kmsg.NewDescribeGroupsResponseGroupMember()
			m.InstanceID, m.ClientID, m.ClientHost = &id, "kafka-kustomer", "/10.0.0.7"
			g.State, g.ProtocolType, g.Members = "Stable", "consumer", append(g.Members, m)
		}, online.Warning, "client kafka-kustomer at /10.0.0.7"},
		{"a group of connectors", func(g *kmsg.DescribeGroupsResponseGroup) { g.State, g.ProtocolType = "Stable", "connect" }, online.Failed, `type "connect"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			w.cfg.InstanceID = "kk-0"
			w.cluster.ControlKey(int16(kmsg.DescribeGroups), func(req kmsg.Request) (kmsg.Response, error, bool) {
				w.cluster.KeepControl()
				resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
				g := kmsg.NewDescribeGroupsResponseGroup()
				g.Group = req.(*kmsg.DescribeGroupsRequest).Groups[0]
				tc.answer(&g)
				resp.Groups = append(resp.Groups, g)
				return resp, nil, true
			})
			must(t, w.check(t), "consumer group", tc.status, tc.words)
		})
	}
}

// A coordinator that comes only after a while, and one that does not come: it says
// "no error" to a heartbeat as long as it reads its log.
func TestCoordinatorThatIsLate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		late   int
		status online.Status
		words  string
	}{
		{"in time", 3, online.OK, "may be joined"},
		{"never", 1 << 20, online.Failed, "the group's coordinator is not there"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			w.timeout = 2 * time.Second
			left := tc.late
			w.cluster.ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
				w.cluster.KeepControl()
				left--
				return req.ResponseKind(), nil, left >= 0
			})
			must(t, w.check(t), "consumer group", tc.status, tc.words)
		})
	}
}
