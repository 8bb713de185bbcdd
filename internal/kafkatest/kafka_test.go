//go:build kafka

package kafkatest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"golang.org/x/sync/errgroup"
)

// kafkaTimeout bounds each test with a real broker.
const kafkaTimeout = 2 * time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), kafkaTimeout)
	t.Cleanup(cancel)
	return ctx
}

func startCluster(t *testing.T, ctx context.Context, o Options) *Cluster {
	t.Helper()
	begun := time.Now()
	cluster, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d brokers ready after %v", len(cluster.nodes), time.Since(begun).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}

// newClient tries a lost broker again soon, and looks for its successor.
func newClient(t *testing.T, seeds []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append(opts, kgo.SeedBrokers(seeds...), kgo.MetadataMinAge(100*time.Millisecond), kgo.DialTimeout(time.Second))
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// produce writes the values from to to-1, spread over the partitions.
func produce(t *testing.T, ctx context.Context, client *kgo.Client, topic string, from, to int) {
	t.Helper()
	var records []*kgo.Record
	for i := from; i < to; i++ {
		records = append(records, &kgo.Record{Topic: topic, Key: fmt.Append(nil, i), Value: fmt.Appendf(nil, "%04d", i)})
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("produce %d to %d: %v", from, to, err)
	}
}

// wantValues polls until the values 0 to n-1 have come, each once.
func wantValues(t *testing.T, ctx context.Context, client *kgo.Client, n int) {
	t.Helper()
	var got, want []string
	for i := range n {
		want = append(want, fmt.Sprintf("%04d", i))
	}
	for len(got) < n {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d records of %d came: %v", len(got), n, err)
		}
		fetches.EachError(func(topic string, p int32, err error) { t.Logf("fetch %s/%d: %v", topic, p, err) })
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func groupOf(topic, group string) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(2 * time.Second), kgo.HeartbeatInterval(500 * time.Millisecond),
	}
}

// Records and committed offsets outlive a kill -9, and the broker comes back on
// the same port, which the open clients show by going on.
func TestRestartKeepsRecords(t *testing.T) {
	ctx := testContext(t)
	cluster := startCluster(t, ctx, Options{})
	topic := Topic(t, cluster.Brokers(), "restart", 3)
	client := newClient(t, cluster.Brokers())
	produce(t, ctx, client, topic, 0, 100)

	member := newClient(t, cluster.Brokers(), groupOf(topic, "g")...)
	wantValues(t, ctx, member, 100)
	if err := member.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(client)
	if total := committed(t, ctx, admin, "g"); total != 100 {
		t.Errorf("committed %d records before the kill, want 100", total)
	}

	cluster.Kill(0)
	if cluster.nodes[0].proc.Running() {
		t.Fatal("the broker runs after Kill")
	}
	begun := time.Now()
	if err := cluster.Restart(ctx, 0); err != nil {
		t.Fatal(err)
	}
	t.Logf("ready again after %v", time.Since(begun).Round(time.Millisecond))

	if total := committed(t, ctx, admin, "g"); total != 100 {
		t.Errorf("committed %d records after the kill, want 100", total)
	}
	produce(t, ctx, client, topic, 100, 120)
	wantValues(t, ctx, newClient(t, cluster.Brokers(), groupOf(topic, "other")...), 120)
	wantNoCrash(t, cluster)
}

func committed(t *testing.T, ctx context.Context, admin *kadm.Client, group string) (total int64) {
	t.Helper()
	offsets, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		t.Fatal(err)
	}
	offsets.Each(func(o kadm.OffsetResponse) { total += o.At })
	return total
}

// wantNoCrash checks that ends which were asked for are not reported.
func wantNoCrash(t *testing.T, cluster *Cluster) {
	t.Helper()
	select {
	case err := <-cluster.crashed:
		t.Errorf("reported as a crash: %v", err)
	default:
	}
}

func TestThreeBrokersDoWithoutOne(t *testing.T) {
	ctx := testContext(t)
	cluster := startCluster(t, ctx, Options{Brokers: 3})
	topic := Topic(t, cluster.Brokers(), "three", 6)
	client := newClient(t, cluster.Brokers())
	produce(t, ctx, client, topic, 0, 100)

	cluster.Kill(0)
	begun := time.Now()
	produce(t, ctx, client, topic, 100, 200)
	t.Logf("produced after %v with one of three dead", time.Since(begun).Round(time.Millisecond))
	if err := cluster.Restart(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Stop(1); err != nil {
		t.Fatal(err)
	}
	produce(t, ctx, client, topic, 200, 300)
	wantValues(t, ctx, newClient(t, cluster.Brokers(), groupOf(topic, "g")...), 300)
	wantNoCrash(t, cluster)
}

// A broker that ends on its own must be reported, with the reason.
func TestWaitReportsCrash(t *testing.T) {
	ctx := testContext(t)
	cluster := startCluster(t, ctx, Options{})
	if err := cluster.nodes[0].proc.Signal(os.Kill); err != nil { // a stranger does it
		t.Fatal(err)
	}
	wantError(t, cluster.Wait(ctx), "broker 1 ended by itself", "signal: killed", cluster.nodes[0].dir)
	if err := cluster.Restart(ctx, 0); err != nil {
		t.Errorf("restart after a crash: %v", err)
	}
}

func TestStartsSideBySide(t *testing.T) {
	ctx := testContext(t)
	clusters := make([]*Cluster, 2)
	var group errgroup.Group
	for i := range clusters {
		group.Go(func() (err error) {
			clusters[i], err = Start(ctx, Options{})
			return err
		})
	}
	err := group.Wait()
	for _, cluster := range clusters {
		if cluster != nil {
			t.Cleanup(func() { _ = cluster.Close() })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	want := make([]string, len(clusters))
	for i, cluster := range clusters {
		want[i] = Topic(t, cluster.Brokers(), "side", 1)
	}
	if a, b := clusters[0].Brokers(), clusters[1].Brokers(); a[0] == b[0] {
		t.Errorf("both have the address %v", a)
	}
	for i, cluster := range clusters {
		topics, err := kadm.NewClient(newClient(t, cluster.Brokers())).ListTopics(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want[i]}, topics.Names()); diff != "" {
			t.Errorf("topics of cluster %d (-want +got):\n%s", i, diff)
		}
	}
}

// A folder keeps its data through an orderly stop, on other ports too.
func TestDirKeepsDataAndListenersWork(t *testing.T) {
	ctx := testContext(t)
	o := Options{
		Dir: t.TempDir(), Listeners: []Listener{{"SASLP", "SASL_PLAINTEXT"}},
		Properties: map[string]string{
			"listener.name.saslp.sasl.enabled.mechanisms": "PLAIN",
			"listener.name.saslp.plain.sasl.jaas.config":  `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-pw";`,
		},
	}
	first := startCluster(t, ctx, o)
	topic := Topic(t, first.Brokers(), "kept", 1)
	produce(t, ctx, newClient(t, first.Brokers()), topic, 0, 10)
	if err := first.Stop(0); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := startCluster(t, ctx, o)
	if second.Listener("nobody's") != nil {
		t.Error("an address for a listener that does not exist")
	}
	login := func(password string) kgo.Opt {
		return kgo.SASL(plain.Auth{User: "alice", Pass: password}.AsMechanism())
	}
	if err := newClient(t, second.Listener("SASLP"), login("wrong")).Ping(ctx); err == nil {
		t.Error("a wrong password was accepted: the listener has no security")
	}
	wantValues(t, ctx, newClient(t, second.Listener("SASLP"), append(groupOf(topic, "g"), login("alice-pw"))...), 10)
}

func TestSharedBrokerAndTopics(t *testing.T) {
	ctx := testContext(t)
	brokers := Brokers(t)
	if diff := cmp.Diff(brokers, Brokers(t)); diff != "" {
		t.Errorf("the second call gave another broker: %s", diff)
	}
	admin := kadm.NewClient(newClient(t, brokers))
	var topic string
	t.Run("in use", func(t *testing.T) {
		topic = Topic(t, brokers, "compacted", 4, "cleanup.policy=compact", "max.message.bytes=5000")
		if other := Topic(t, brokers, "compacted", 1); other == topic {
			t.Errorf("two topics of the name %s", topic)
		}
		details, err := admin.ListTopics(ctx, topic)
		if err != nil || len(details[topic].Partitions) != 4 {
			t.Errorf("partitions: %v, %v, want 4", details[topic].Partitions, err)
		}
		configs, err := admin.DescribeTopicConfigs(ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, config := range configs[0].Configs {
			if config.Source == kmsg.ConfigSourceDynamicTopicConfig {
				got[config.Key] = config.MaybeValue()
			}
		}
		want := map[string]string{"cleanup.policy": "compact", "max.message.bytes": "5000"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("topic settings (-want +got):\n%s", diff)
		}
	})
	if topics, err := admin.ListTopics(ctx); err != nil || topics.Has(topic) {
		t.Errorf("topic %s is there after its test (%v)", topic, err)
	}
}
