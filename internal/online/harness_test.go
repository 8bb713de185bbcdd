package online_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"go.uber.org/goleak"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
	"kafka-kustomer/sink"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const apiKey = "canary-key-0123456789"

// world is a broker with users and rights, and a simulated Kustomer.
type world struct {
	cluster *kfake.Cluster
	admin   *kadm.Client
	sim     *kustomersim.Server
	cfg     online.Config
	timeout time.Duration // of all checks
}

// right is one ACL of the connector's user.
type right struct {
	kind kmsg.ACLResourceType
	name string
	op   kmsg.ACLOperation
}

// fullRights are those that the connector wants.
func fullRights() []right {
	return []right{
		{kmsg.ACLResourceTypeTopic, "message-changes", kmsg.ACLOperationRead},
		{kmsg.ACLResourceTypeGroup, "kafka-kustomer", kmsg.ACLOperationRead},
		{kmsg.ACLResourceTypeTopic, "kustomer-batch-results", kmsg.ACLOperationWrite},
		{kmsg.ACLResourceTypeTopic, "kustomer-batch-results", kmsg.ACLOperationDescribeConfigs},
		{kmsg.ACLResourceTypeTopic, "kustomer-dead-letters", kmsg.ACLOperationWrite},
		{kmsg.ACLResourceTypeTopic, "kustomer-dead-letters", kmsg.ACLOperationDescribeConfigs},
		{kmsg.ACLResourceTypeCluster, "kafka-cluster", kmsg.ACLOperationDescribeConfigs},
	}
}

func without(kind kmsg.ACLResourceType, name string, op kmsg.ACLOperation) func([]right) []right {
	return func(rights []right) []right {
		return slices.DeleteFunc(rights, func(r right) bool { return r.kind == kind && r.name == name && r.op == op })
	}
}

func login(user string) kgo.Opt {
	return kgo.SASL(plain.Auth{User: user, Pass: user + "-password"}.AsMechanism())
}

func newWorld(t *testing.T, rights []right, topics []string, script kustomersim.Script, opts ...kfake.Opt) *world {
	t.Helper()
	acls := make([]kfake.ACL, len(rights))
	for i, r := range rights {
		acls[i] = kfake.ACL{Resource: r.kind, Name: r.name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: r.op, Allow: true}
	}
	cluster, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("PLAIN", "root", "root-password"), kfake.User("PLAIN", "connector", "connector-password", acls...),
		kfake.SeedTopics(2, topics...),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	root, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), login("root"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(root.Close)
	w := &world{cluster: cluster, admin: kadm.NewClient(root), timeout: 20 * time.Second}
	for i := range 10 {
		if slices.Contains(topics, "message-changes") {
			if err := root.ProduceSync(t.Context(), &kgo.Record{Topic: "message-changes", Partition: int32(i % 2), Value: []byte("x")}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.sim = kustomersim.New(kustomersim.Options{Key: apiKey, Script: &script})
	t.Cleanup(w.sim.Close)
	server := httptest.NewServer(w.sim)
	t.Cleanup(server.Close)
	w.cfg = online.Config{
		Brokers: cluster.ListenAddrs(), Opts: []kgo.Opt{login("connector")}, Login: "plain as connector",
		Sources: []string{"message-changes"}, Group: "kafka-kustomer", Start: "earliest", OnReset: "fail",
		Protocol: "classic", SessionTimeout: 45 * time.Second, Lease: 40 * time.Second,
		Writes: []online.Topic{
			{Section: "results", Name: "kustomer-batch-results", Create: true, Replication: -1},
			{Section: "dead_letter", Name: "kustomer-dead-letters", Create: true, Replication: -1, Wants: 1 << 20},
		},
	}
	w.api(t, server.URL, apiKey, nil)
	return w
}

// api points the checks at an API.
func (w *world) api(t *testing.T, url, key string, edit func(*sink.Config)) {
	t.Helper()
	cfg := sink.Config{BaseURL: url, APIKey: key, Timeout: 5 * time.Second, MaxInFlight: 2}
	if edit != nil {
		edit(&cfg)
	}
	api, err := sink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	w.cfg.API, w.cfg.BaseURL = api, url
}

var allTopics = []string{"message-changes", "kustomer-batch-results", "kustomer-dead-letters"}

// kafkaState is what the checks must leave as it is.
type kafkaState struct {
	Ends    map[string]map[int32]int64
	Commits map[string]map[int32]int64
	Groups  []string
}

func (w *world) state(t *testing.T) (s kafkaState) {
	t.Helper()
	ends, err := w.admin.ListEndOffsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Ends, s.Commits = make(map[string]map[int32]int64), make(map[string]map[int32]int64)
	ends.Each(func(o kadm.ListedOffset) {
		if s.Ends[o.Topic] == nil {
			s.Ends[o.Topic] = make(map[int32]int64)
		}
		s.Ends[o.Topic][o.Partition] = o.Offset
	})
	groups, err := w.admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Groups = slices.Sorted(maps.Keys(groups))
	for _, g := range s.Groups {
		offsets, err := w.admin.FetchOffsets(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		s.Commits[g] = make(map[int32]int64)
		offsets.Each(func(o kadm.OffsetResponse) { s.Commits[g][o.Partition] = o.At })
	}
	return s
}

// check runs all checks and sees that they changed nothing.
func (w *world) check(t *testing.T) map[string]online.Check {
	t.Helper()
	before := w.state(t)
	ctx, cancel := context.WithTimeout(t.Context(), w.timeout)
	defer cancel()
	checks := make(map[string]online.Check)
	for _, c := range online.Run(ctx, w.cfg) {
		if _, again := checks[c.Name]; again {
			t.Errorf("check %q comes twice", c.Name)
		}
		checks[c.Name] = c
		if c.Found == "" {
			t.Errorf("check %q found nothing", c.Name)
		}
		if (c.Status == online.Failed || c.Status == online.Warning) && c.Next == "" {
			t.Errorf("check %q is %s and does not say what to check next: %s", c.Name, c.Status, c.Found)
		}
		if text := c.Found + c.Next + c.NotProven; strings.Contains(text, apiKey) || strings.Contains(text, "-password") {
			t.Errorf("check %q tells a secret: %s", c.Name, text)
		}
	}
	if diff := cmp.Diff(before, w.state(t)); diff != "" {
		t.Errorf("the checks changed something in Kafka (-before +after):\n%s", diff)
	}
	return checks
}

// must sees that a check has a status and says some words; with none of the others
// failed but those in also.
func must(t *testing.T, checks map[string]online.Check, name string, status online.Status, words string, also ...string) {
	t.Helper()
	c, ok := checks[name]
	if !ok {
		t.Fatalf("no check %q among %v", name, slices.Sorted(maps.Keys(checks)))
	}
	if c.Status != status || !strings.Contains(c.Found+" -> "+c.Next+" / "+c.NotProven, words) {
		t.Errorf("%s is %s: %s -> %s / %s; want %s with %q", name, c.Status, c.Found, c.Next, c.NotProven, status, words)
	}
	for _, c := range checks {
		if c.Name != name && c.Status == online.Failed && !slices.Contains(also, c.Name) {
			t.Errorf("%s failed as well: %s", c.Name, c.Found)
		}
	}
}

// serve is an API of the test's own.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
