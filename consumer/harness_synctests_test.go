//go:build synctests

package consumer

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
)

// world is a fake cluster on a network in memory, inside a bubble of virtual
// time.
type world struct {
	t       *testing.T
	cluster *kfake.Cluster
	network *kfake.VirtualNetwork
	admin   *kgo.Client
	members []*member
}

// inWorld runs f in a bubble with a cluster that has topic "in".
func inWorld(t *testing.T, partitions int32, f func(w *world), opts ...kfake.Opt) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, network: new(kfake.VirtualNetwork)}
		c, err := kfake.NewCluster(append([]kfake.Opt{
			kfake.NumBrokers(1), kfake.Ports(19092), kfake.ListenFn(w.network.Listen),
			kfake.SeedTopics(partitions, "in"), kfake.GroupMinSessionTimeout(time.Second),
			kfake.BrokerConfigs(map[string]string{"group.consumer.heartbeat.interval.ms": "1000"}),
		}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		w.cluster = c
		w.admin, err = kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.Dialer(w.network.DialContext),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(64<<20), kgo.ProducerBatchCompression(kgo.GzipCompression().WithLevel(1)))
		if err != nil {
			t.Fatal(err)
		}
		defer w.admin.Close()
		defer w.end()
		f(w)
	})
}

// end stops what a failed test has left running.
func (w *world) end() {
	for _, m := range w.members {
		if m.open.Err() == nil {
			m.onRevoked = nil
			m.leave()
		}
	}
}

// produce appends n records to a partition; their values are their offsets.
func (w *world) produce(partition int32, n int) {
	w.t.Helper()
	for range n {
		r := &kgo.Record{
			Topic: "in", Partition: partition, Key: []byte(canary.Key), Value: []byte(canary.Value),
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte(canary.Header)}},
		}
		if err := w.admin.ProduceSync(context.Background(), r).FirstErr(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// committed reads what the group has committed for a partition.
func (w *world) committed(partition int32) kadm.Offset {
	w.t.Helper()
	os, err := kadm.NewClient(w.admin).FetchOffsets(context.Background(), "group")
	if err != nil {
		w.t.Fatal(err)
	}
	o, ok := os.Lookup("in", partition)
	if !ok {
		return kadm.Offset{At: -1}
	}
	return o.Offset
}

// commit sets the group's offset as an administrator would.
func (w *world) commit(partition int32, at int64, metadata string) {
	w.t.Helper()
	os := kadm.Offsets{}
	os.Add(kadm.Offset{Topic: "in", Partition: partition, At: at, LeaderEpoch: -1, Metadata: metadata})
	if err := kadm.NewClient(w.admin).CommitAllOffsets(context.Background(), "group", os); err != nil {
		w.t.Fatal(err)
	}
}

// link is a member's own connection to the network.
type link struct {
	w     *world
	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func (l *link) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	conn, err := l.w.network.DialContext(ctx, network, addr)
	if err == nil {
		l.mu.Lock()
		l.conns = append(l.conns, conn)
		l.mu.Unlock()
	}
	return conn, err
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// await waits, in virtual time, until cond holds.
func (w *world) await(what string, cond func() bool) {
	w.t.Helper()
	for range 1200 {
		if cond() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Fatalf("not in two minutes: %s", what)
}
