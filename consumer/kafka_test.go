//go:build kafka

package consumer

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kafkatest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

// keeper is an owner that keeps what it is given, and commits offset 7 of each
// partition it has to give back.
type keeper struct {
	c     *Consumer
	mu    sync.Mutex
	live  map[int32]*batcher.Assignment
	start map[int32]batcher.Start
	alive time.Time
}

func (k *keeper) Assigned(_ context.Context, starts []batcher.Start) (as []*batcher.Assignment, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range starts {
		a := &batcher.Assignment{Topic: s.Topic, Partition: s.Partition}
		k.live[s.Partition], k.start[s.Partition] = a, s
		as = append(as, a)
	}
	return as, nil
}

func (k *keeper) Revoked(ctx context.Context, as []*batcher.Assignment) {
	commit := &batcher.Commit{}
	for _, a := range as {
		commit.Partitions = append(commit.Partitions, batcher.PartitionCommit{
			Assignment: a, Offset: 7, LeaderEpoch: -1, Metadata: "kk1 clean",
		})
	}
	k.mu.Lock()
	c := k.c
	k.mu.Unlock()
	c.Commit(ctx, commit)
	k.Lost(as)
}

func (k *keeper) Lost(as []*batcher.Assignment) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range as {
		delete(k.live, a.Partition)
	}
}

func (k *keeper) Alive(sent time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.alive = sent
}

func (k *keeper) has() map[int32]*batcher.Assignment {
	k.mu.Lock()
	defer k.mu.Unlock()
	has := map[int32]*batcher.Assignment{}
	for p, a := range k.live {
		has[p] = a
	}
	return has
}

// TestGroupOnKafka is the way of a partition from one member to another on a
// real broker, and the late commit that it would accept.
func TestGroupOnKafka(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			topic := kafkatest.Topic(t, brokers, "consumer", 2)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			a, leaveA := joinKafka(t, ctx, brokers, topic, protocol)
			defer leaveA()
			await(t, ctx, "a has both", func() bool { return len(a.has()) == 2 })
			old := a.has()
			b, leaveB := joinKafka(t, ctx, brokers, topic, protocol)
			defer leaveB()
			await(t, ctx, "b has one", func() bool { return len(b.has()) == 1 && len(a.has()) == 1 })
			for p, h := range b.has() {
				if s := b.start[p]; s.Offset != 7 || s.Metadata != "kk1 clean" {
					t.Errorf("b starts at %d with %q, want 7, kk1 clean", s.Offset, s.Metadata)
				}
				for _, step := range []struct {
					k      *keeper
					handle *batcher.Assignment
					offset int64
					want   batcher.CommitResult
				}{{b, h, 9, batcher.CommitDone}, {a, old[p], 3, batcher.CommitRefused}} {
					commit := &batcher.Commit{Partitions: []batcher.PartitionCommit{{Assignment: step.handle, Offset: step.offset, LeaderEpoch: -1, Metadata: "kk1 open"}}}
					step.k.c.Commit(ctx, commit)
					if got := commit.Partitions[0].Result; got != step.want {
						t.Errorf("commit of %d: %v, want %v", step.offset, got, step.want)
					}
				}
				if got := committed(t, ctx, brokers, topic, p); got != 9 {
					t.Errorf("committed %d, want 9", got)
				}
			}
			await(t, ctx, "both are alive", func() bool {
				a.mu.Lock()
				defer a.mu.Unlock()
				b.mu.Lock()
				defer b.mu.Unlock()
				return time.Since(a.alive) < 10*time.Second && time.Since(b.alive) < 10*time.Second
			})
		})
	}
}

func joinKafka(t *testing.T, ctx context.Context, brokers []string, topic, protocol string) (*keeper, func()) {
	t.Helper()
	k := &keeper{live: map[int32]*batcher.Assignment{}, start: map[int32]batcher.Start{}}
	c, err := New(Config{
		Brokers: brokers, Topics: []string{topic}, Group: topic, Protocol: protocol,
		Start: StartEarliest, OnReset: ResetFail, Isolation: ReadCommitted,
		SessionTimeout: 10 * time.Second, RebalanceTimeout: 20 * time.Second, MaxEventBytes: 1 << 20,
	}, none{}, k, canary.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	k.c = c
	k.mu.Unlock()
	polling, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c.Poll(polling, 100, func([]Fetched) error { return nil }) == nil {
		}
	}()
	return k, func() {
		stop()
		<-done
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(closing); err != nil {
			t.Error(err)
		}
	}
}

func await(t *testing.T, ctx context.Context, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not in time: %s", what)
		}
	}
}

func committed(t *testing.T, ctx context.Context, brokers []string, topic string, p int32) int64 {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	os, err := kadm.NewClient(client).FetchOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := os.Lookup(topic, p)
	return o.At
}
