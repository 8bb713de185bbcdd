//go:build synctests

package consumer

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

// waitsAt can't decode the record at an offset of partition 0 until there is a schema.
type waitsAt struct {
	offset int64
	schema chan struct{}
}

func (d waitsAt) Decode(_ string, partition int32, c *batcher.Change) (needs string, wait func(context.Context)) {
	if partition != 0 || c.Offset != d.offset {
		return "", nil
	}
	select {
	case <-d.schema:
		return "", nil
	default:
	}
	return "schema 7", func(ctx context.Context) {
		select {
		case <-d.schema:
		case <-ctx.Done():
		}
	}
}

// A record that can't be decoded yet stops its partition there, and no other. What is
// before it is handed over once, and so is the rest, in order, when it can be.
func TestRecordThatWaitsStopsItsPartition(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 6)
		w.produce(1, 6)
		m := w.join("a", nil)
		schema := make(chan struct{})
		m.dec = waitsAt{3, schema}
		m.run()
		offsets := func(partition int32) (list []int64) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for a, of := range m.records {
				if a.Partition == partition {
					list = append(list, of...)
				}
			}
			return list
		}
		w.await("the other partition is read", func() bool { return len(offsets(1)) == 6 })
		w.await("the wait is a problem", func() bool { return len(m.Problems()) == 1 })
		if diff := cmp.Diff([]int64{0, 1, 2}, offsets(0)); diff != "" {
			t.Errorf("before there is a schema (-want +got):\n%s", diff)
		}
		if n := m.Waiting(); n != 1 {
			t.Errorf("%d partitions wait, want 1", n)
		}
		close(schema)
		w.await("all is read", func() bool { return len(offsets(0)) >= 6 })
		if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 5}, offsets(0)); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
		if problems := m.Problems(); len(problems) > 0 || m.Waiting() > 0 {
			t.Errorf("problems %v, %d partitions wait", problems, m.Waiting())
		}
		m.leave()
	})
}
