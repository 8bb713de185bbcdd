//go:build synctests

package consumer

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/batcher"
)

// riddles is a decoder to which each record of a partition is a riddle of its own,
// solved in a moment.
type riddles struct {
	partition int32
	takes     time.Duration
	solved    map[int64]bool // used by the poller only
}

func (r *riddles) Decode(_ string, partition int32, c *batcher.Change) (string, func(context.Context)) {
	if partition != r.partition || r.solved[c.Offset] {
		return "", nil
	}
	r.solved[c.Offset] = true
	return "a schema", func(ctx context.Context) {
		select {
		case <-time.After(r.takes):
		case <-ctx.Done():
		}
	}
}

// Records that need a schema each, one after the other, hold up no partition of a
// broker that takes longer to answer than the registry does.
func TestManyStopsHoldUpNoOtherBroker(t *testing.T) {
	const many = 2000
	inWorld(t, 2, func(w *world) {
		for p := range int32(2) {
			if err := w.cluster.MoveTopicPartition("in", p, p); err != nil {
				t.Fatal(err)
			}
		}
		w.produce(0, many)
		w.produce(1, 20)
		w.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.cluster.KeepControl()
			if w.cluster.CurrentNode() == 1 {
				w.cluster.SleepControl(func() { time.Sleep(50 * time.Millisecond) })
			}
			return nil, nil, false
		})
		m := w.join("a", nil)
		m.dec = &riddles{partition: 0, takes: 2 * time.Millisecond, solved: map[int64]bool{}}
		m.run()
		w.awaitPartitions(m, 2)
		stopped, free := m.handles()[0], m.handles()[1]
		w.await("the other partition", func() bool { return len(m.offsets(free)) == 20 })
		if n := len(m.offsets(stopped)); n > many/2 {
			t.Errorf("it got its records after %d stops", n)
		}
		begun := time.Now()
		w.await("the rest", func() bool { return len(m.offsets(stopped)) == many })
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("what stops again and again took %v more", took)
		}
	}, kfake.NumBrokers(2), kfake.Ports(19092, 19093))
}
