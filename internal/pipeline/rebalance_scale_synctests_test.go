//go:build synctests

package pipeline

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"kafka-kustomer/consumer"
)

// addPartitions adds some to the topic, and returns when producers know it.
func (w *world) addPartitions(n int) {
	w.t.Helper()
	if _, err := kadm.NewClient(w.client).CreatePartitions(context.Background(), n, topicIn); err != nil {
		w.t.Fatal(err)
	}
	w.client.ForceMetadataRefresh()
	time.Sleep(10 * time.Second) // its own refresh is not sooner than its MetadataMinAge
}

// TestScale goes from one member to five and back under load, against an API on a
// very bad day. It runs half as many seeds of each protocol as TestStorm has.
func TestScale(t *testing.T) {
	from, n := uint64(1), uint64(seedsByDefault/2)
	if s, err := strconv.ParseUint(os.Getenv("PIPELINE_SEEDS"), 10, 64); err == nil {
		n = s
	}
	if s, err := strconv.ParseUint(os.Getenv("PIPELINE_SEED"), 10, 64); err == nil {
		from, n = s, 1
	}
	for _, protocol := range []string{consumer.ProtocolClassic, consumer.ProtocolConsumer} {
		var sum totals
		for seed := from; seed < from+n; seed++ {
			t.Run(fmt.Sprint(protocol, " ", seed), func(t *testing.T) {
				inWorld(t, seed, func(w *world) {
					w.addPartitions(6)
					w.scale(&sum, func(s *setup) { s.source.Protocol = protocol })
				}, brokerTimes)
			})
		}
		t.Logf("%s, %d seeds: %+v", protocol, n, sum)
		if n > 1 && (sum.repliesLost == 0 || sum.overtaken == 0 || sum.revoked == 0 || sum.crashes == 0 || sum.leaves == 0) {
			t.Errorf("something never happened in %+v", sum)
		}
	}
}

func (w *world) scale(sum *totals, edit func(*setup)) {
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			w.produce(3)
			time.Sleep(50 * time.Millisecond)
		}
	}()
	some := func() { time.Sleep(time.Duration(500+w.random.IntN(5000)) * time.Millisecond) }
	for range 5 {
		w.join(edit)
		some()
	}
	w.awaitShared(2)
	for len(w.members) > 1 {
		m := w.members[w.random.IntN(len(w.members))]
		if w.random.IntN(3) == 0 {
			sum.crashes++
			w.crash(m)
		} else {
			sum.leaves++
			w.leave(m)
		}
		some()
	}
	w.awaitShared(10)
	cancel()
	<-done
	if err := w.client.Flush(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.awaitNoLag()
	if s := w.members[0].snapshot(); !s.Counts.Balanced() || s.Counts.Open > 0 {
		w.t.Errorf("%+v: the count does not balance, or something is open", s.Counts)
	}
	w.leave(w.members[0])
	w.judge(sum)
}

// awaitShared waits until every member has n partitions.
func (w *world) awaitShared(n int) {
	w.t.Helper()
	var has []int
	for range 1200 {
		has = has[:0]
		for _, m := range w.members {
			if p := m.snapshot().Partitions; p != n {
				has = append(has, p)
			}
		}
		if len(has) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Fatalf("not in two minutes: each member has %d partitions; there are some with %v", n, has)
}
