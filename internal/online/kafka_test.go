package online_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
)

const (
	topicKind   = kmsg.ACLResourceTypeTopic
	groupKind   = kmsg.ACLResourceTypeGroup
	clusterKind = kmsg.ACLResourceTypeCluster
)

// With the rights that the README names, and no other, nothing fails.
func TestAllIsWell(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{Quota: kustomersim.Quota{PerMinute: 1000}})
	checks := w.check(t)
	for _, c := range checks {
		// The test's API has no TLS.
		if c.Status != online.OK && c.Name != "api address" && c.Name != "session time-out" {
			t.Errorf("%s is %s: %s -> %s", c.Name, c.Status, c.Found, c.Next)
		}
	}
	must(t, checks, "offsets and lag", online.OK, "0 of 2 partitions have a commit, 10 records behind")
	must(t, checks, "kafka login", online.OK, "plain as connector")
	must(t, checks, "api role to write messages", online.OK, "that Kustomer looks at the role before")
}

func TestMissingRights(t *testing.T) {
	for _, tc := range []struct {
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
	} {
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

func TestBrokersThatCantBeReached(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	listener.Close()
	web := httptest.NewServer(nil)
	defer web.Close()
	for _, tc := range []struct {
		name   string
		edit   func(*online.Config)
		check  string // the broker's when empty
		words  string
		others bool // the other broker answers, and all else is checked
	}{
		{"nobody listens", func(c *online.Config) { c.Brokers = []string{nobody} }, "", "nothing listens there", false},
		{"one of two", func(c *online.Config) { c.Brokers = []string{nobody, c.Brokers[0]} }, "", "nothing listens there", true},
		{"no such name", func(c *online.Config) { c.Brokers = []string{"broker.invalid:9092"} }, "", "name", false},
		{"a broker that hangs up on a wrong password", func(c *online.Config) { c.Opts = []kgo.Opt{login("nobody")} }, "", "kafka.sasl", false},
		{"no login", func(c *online.Config) { c.Opts, c.Login = nil, "" }, "", "kafka.sasl", false},
		{"TLS where there is none", func(c *online.Config) { c.Opts = append(c.Opts, kgo.DialTLSConfig(&tls.Config{})) }, "", "TLS", false},
		{"a web server", func(c *online.Config) { c.Brokers = []string{strings.TrimPrefix(web.URL, "http://")} }, "", "check", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			w.timeout = 2 * time.Second
			tc.edit(&w.cfg)
			checks := w.check(t)
			broker := "kafka broker " + w.cfg.Brokers[0]
			if tc.check == "" {
				tc.check = broker
			}
			must(t, checks, tc.check, online.Failed, tc.words, broker, "kafka login")
			want := online.Skipped
			if tc.others {
				want = online.OK
			}
			for _, name := range []string{"consumer group", "source topic message-changes", "kafka cluster", "idempotent writes"} {
				if checks[name].Status != want {
					t.Errorf("%s is %s (%s), want %s", name, checks[name].Status, checks[name].Found, want)
				}
			}
		})
	}
}

// A server with TLS, which need not be a broker: what is wrong shows before Kafka is
// spoken.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of each handshake that fails
	server.StartTLS()
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	for _, tc := range []struct {
		name, words string
		opts        []kgo.Opt
	}{
		{"an authority that is not trusted", "check kafka.tls.ca_file", []kgo.Opt{kgo.DialTLSConfig(&tls.Config{})}},
		{"another name", "kafka.tls.server_name", []kgo.Opt{kgo.DialTLSConfig(&tls.Config{RootCAs: trusted, ServerName: "broker.invalid"})}},
		{"no TLS where it is wanted", "kafka.tls", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			w.timeout = 2 * time.Second
			w.cfg.Brokers, w.cfg.Opts = []string{server.Listener.Addr().String()}, tc.opts
			must(t, w.check(t), "kafka broker "+w.cfg.Brokers[0], online.Failed, tc.words)
		})
	}
}

func TestRefusedLogin(t *testing.T) {
	for _, tc := range []struct {
		name  string
		key   kmsg.Key
		code  *kerr.Error
		words string
	}{
		{"password", kmsg.SASLAuthenticate, kerr.SaslAuthenticationFailed, "check kafka.sasl.username and password"},
		{"mechanism", kmsg.SASLHandshake, kerr.UnsupportedSaslMechanism, "check kafka.sasl.mechanism"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
			if _, err := w.admin.ListBrokers(t.Context()); err != nil { // the test's own client is in
				t.Fatal(err)
			}
			w.cluster.ControlKey(int16(tc.key), func(req kmsg.Request) (kmsg.Response, error, bool) {
				w.cluster.KeepControl()
				switch resp := req.ResponseKind().(type) {
				case *kmsg.SASLAuthenticateResponse:
					resp.ErrorCode = tc.code.Code
					return resp, nil, true
				case *kmsg.SASLHandshakeResponse:
					resp.ErrorCode = tc.code.Code
					return resp, nil, true
				}
				return nil, nil, false
			})
			checks := make(map[string]online.Check)
			for _, c := range online.Run(t.Context(), w.cfg) {
				checks[c.Name] = c
			}
			must(t, checks, "kafka login", online.Failed, tc.words, "kafka broker "+w.cfg.Brokers[0])
		})
	}
}

// Advertised addresses that lead nowhere are the most common fault of a Kafka in
// containers: the seed answers, and nothing else does.
func TestAdvertisedAddressThatLeadsNowhere(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	w.cluster.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = 0, "127.0.0.1", 1
		resp.Brokers = append(resp.Brokers, b)
		return resp, nil, true
	})
	w.cfg.Brokers = w.cluster.ListenAddrs()
	checks := make(map[string]online.Check)
	for _, c := range online.Run(t.Context(), w.cfg) {
		checks[c.Name] = c
	}
	c := checks["kafka cluster"]
	if c.Status != online.Failed || !strings.Contains(c.Found, "127.0.0.1:1") || !strings.Contains(c.Next, "advertised.listeners") {
		t.Errorf("kafka cluster is %+v", c)
	}
}

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

func TestOldBrokersWantTheRightToIdempotentWrites(t *testing.T) {
	old := kfake.MaxVersions(kversion.V2_7_0())
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{}, old)
	must(t, w.check(t), "idempotent writes", online.Failed, "grant IdempotentWrite")
	w = newWorld(t, append(fullRights(), right{clusterKind, "kafka-cluster", kmsg.ACLOperationIdempotentWrite}), allTopics, kustomersim.Script{}, old)
	must(t, w.check(t), "idempotent writes", online.OK, "allowed")
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

// A broker that takes the connection and says nothing must not hold up the rest, nor
// outlive the context.
func TestSilentBrokerEndsWithTheContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	w.cfg.Brokers = []string{listener.Addr().String()}
	ctx, cancel := contextWithTimeout(t, 500*time.Millisecond)
	defer cancel()
	begin := time.Now()
	checks := online.Run(ctx, w.cfg)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if c := checks[0]; c.Status != online.Failed || !strings.Contains(c.Found, "no answer in time") {
		t.Errorf("%+v", c)
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
