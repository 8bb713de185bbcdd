//go:build kafka

package consumer

import (
	"context"
	"sync"
	"testing"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kafkatest"
)

// slowKeeper takes longer to give back than the group waits, and tries to commit
// then.
type slowKeeper struct {
	keeper
	begun  chan struct{} // closed when it is asked for partitions
	goOn   chan struct{} // closed when it may answer
	once   sync.Once
	result chan batcher.CommitResult
}

func (k *slowKeeper) Revoked(ctx context.Context, as []*batcher.Assignment) {
	k.once.Do(func() {
		close(k.begun)
		select {
		case <-k.goOn:
		case <-ctx.Done():
		}
		for _, a := range as {
			k.result <- k.commit(ctx, a, 3)
		}
	})
	k.Lost(as)
}

func (k *keeper) commit(ctx context.Context, a *batcher.Assignment, offset int64) batcher.CommitResult {
	k.mu.Lock()
	c := k.c
	k.mu.Unlock()
	commit := &batcher.Commit{Partitions: []batcher.PartitionCommit{{Assignment: a, Offset: offset, LeaderEpoch: -1, Metadata: "kk1 open"}}}
	c.Commit(ctx, commit)
	return commit.Partitions[0].Result
}

// TestRevocationPastItsBoundOnKafka: a member answers a revocation long after the
// group has given everything to others, which have gone on. Neither in the
// callback nor after it has been taken back may it move an offset back.
func TestRevocationPastItsBoundOnKafka(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	for _, protocol := range []string{ProtocolClassic, ProtocolConsumer} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			topic := kafkatest.Topic(t, brokers, "bound", 2)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			late := &slowKeeper{
				keeper: keeper{live: map[int32]*batcher.Assignment{}, start: map[int32]batcher.Start{}},
				begun:  make(chan struct{}), goOn: make(chan struct{}), result: make(chan batcher.CommitResult, 2),
			}
			defer joinAs(t, ctx, brokers, topic, protocol, late, &late.keeper)()
			await(t, ctx, "the first member has both", func() bool { return len(late.has()) == 2 })
			old := late.has()
			two := newKeeper()
			defer joinAs(t, ctx, brokers, topic, protocol, two, two)()
			select {
			case <-late.begun:
			case <-ctx.Done():
				t.Fatal("it was never asked for a partition")
			}
			three := newKeeper()
			defer joinAs(t, ctx, brokers, topic, protocol, three, three)()
			await(t, ctx, "the others have both", func() bool { return len(two.has()) == 1 && len(three.has()) == 1 })
			for _, k := range []*keeper{two, three} {
				for p, a := range k.has() {
					if r := k.commit(ctx, a, 50); r != batcher.CommitDone {
						t.Errorf("the new owner's commit of %d: %v", p, r)
					}
				}
			}
			close(late.goOn)
			if r := <-late.result; r != batcher.CommitRefused {
				t.Errorf("the late commit: %v, want CommitRefused", r)
			}
			await(t, ctx, "its old assignments are over", func() bool {
				for p, a := range late.has() {
					if old[p] == a {
						return false
					}
				}
				return true
			})
			for p, a := range old {
				if r := late.commit(ctx, a, 4); r != batcher.CommitRefused {
					t.Errorf("a commit of the old assignment of %d: %v, want CommitRefused", p, r)
				}
			}
			for p := range int32(2) {
				if got := committed(t, ctx, brokers, topic, p); got < 7 { // the keepers commit 7 as they give back
					t.Errorf("partition %d: committed %d, want 50, or 7 by who gave it back since", p, got)
				}
			}
		})
	}
}

func newKeeper() *keeper {
	return &keeper{live: map[int32]*batcher.Assignment{}, start: map[int32]batcher.Start{}}
}

// joinAs joins with a rebalance time-out of three seconds.
func joinAs(t *testing.T, ctx context.Context, brokers []string, topic, protocol string, owner Owner, k *keeper) (leave func()) {
	t.Helper()
	c, err := New(Config{
		Brokers: brokers, Topics: []string{topic}, Group: topic, Protocol: protocol,
		Start: StartEarliest, OnReset: ResetFail, Isolation: ReadCommitted,
		SessionTimeout: 10 * time.Second, RebalanceTimeout: 3 * time.Second, MaxEventBytes: 1 << 20,
	}, none{}, owner, canary.Logger(t))
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
	return func() {
		stop()
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(closing); err != nil {
			t.Error(err)
		}
		<-done
	}
}
