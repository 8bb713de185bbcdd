//go:build synctests

package consumer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

func TestPauseAndResume(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 2)
		h := m.handles()[0]
		m.Pause(h)
		time.Sleep(time.Second)
		w.produce(0, 1)
		w.produce(1, 1)
		w.await("the other partition", func() bool { return len(m.offsets(m.handles()[1])) == 1 })
		time.Sleep(10 * time.Second)
		if got := m.offsets(h); len(got) != 0 {
			t.Errorf("records %v of a paused partition", got)
		}
		m.Resume(&batcher.Assignment{Topic: "in"}) // not the current one: no effect
		time.Sleep(10 * time.Second)
		if got := m.offsets(h); len(got) != 0 {
			t.Errorf("records %v after another assignment was resumed", got)
		}
		m.Resume(h)
		w.await("the paused partition", func() bool { return len(m.offsets(h)) == 1 })
	})
}

// A pause belongs to an assignment; in kgo it would outlive it.
func TestPauseEndsWithTheAssignment(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		m := w.join("a", nil).run()
		w.awaitPartitions(m, 1)
		m.Pause(m.handles()[0])
		m.link.cut()
		w.await("lost", func() bool { return len(m.handles()) == 0 })
		m.link.mend()
		w.awaitPartitions(m, 1)
		w.produce(0, 1)
		w.await("a record", func() bool { return len(m.offsets(m.handles()[0])) == 1 })
	})
}

func TestCloseNeverHangs(t *testing.T) {
	errHand := errors.New("no more")
	for _, tt := range []struct {
		name string
		edit func(*Config, *member)
		act  func(w *world, m *member)
		late bool // Close may end with an error
	}{
		{"at once", nil, func(*world, *member) {}, false},
		{"after hand failed", nil, func(w *world, m *member) {
			if err := m.Poll(context.Background(), 10, func([]Fetched) error { return errHand }); !errors.Is(err, errHand) {
				w.t.Errorf("Poll: %v, want that of hand", err)
			}
		}, false},
		{"after hand panicked", nil, func(w *world, m *member) {
			defer func() { recover() }()
			m.Poll(context.Background(), 10, func([]Fetched) error { panic("hand") })
		}, false},
		{"after a cancelled poll", nil, func(w *world, m *member) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := m.Poll(ctx, 10, nothing); !errors.Is(err, context.Canceled) {
				w.t.Errorf("Poll: %v, want context.Canceled", err)
			}
		}, false},
		{"after a poll that timed out", nil, func(w *world, m *member) {
			m.Poll(context.Background(), 10, nothing)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := m.Poll(ctx, 10, nothing); !errors.Is(err, context.DeadlineExceeded) {
				w.t.Errorf("Poll: %v, want context.DeadlineExceeded", err)
			}
		}, false},
		{"cut off", nil, func(w *world, m *member) {
			m.Poll(context.Background(), 10, nothing)
			m.link.cut()
		}, true},
		{"while it joins, and the group waits for another", nil, func(w *world, m *member) {
			w.cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
				w.cluster.SleepControl(func() { time.Sleep(time.Minute) })
				return nil, nil, false
			})
			time.Sleep(time.Second)
		}, true},
		{"while the owner takes partitions over", func(_ *Config, m *member) { m.holds = true }, func(*world, *member) {
			time.Sleep(3 * time.Second)
		}, false},
		{"never connected", func(_ *Config, m *member) { m.link.cut() }, func(*world, *member) { time.Sleep(time.Minute) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, 1, func(w *world) {
				w.produce(0, 2)
				m := w.join("a", tt.edit)
				tt.act(w, m)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				began := time.Now()
				err := m.Close(ctx)
				if took := time.Since(began); took > 7*time.Second {
					t.Errorf("Close took %v, its context ended after 5s", took)
				}
				if err != nil && !tt.late {
					t.Errorf("Close: %v", err)
				}
				if err := m.Poll(context.Background(), 10, nothing); !errors.Is(err, ErrClosed) {
					t.Errorf("Poll after Close: %v, want ErrClosed", err)
				}
				time.Sleep(time.Minute) // the cluster's own sleepers end
			})
		})
	}
}

func nothing([]Fetched) error { return nil }

func TestRecordsWithoutAnAssignmentEndPoll(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		m := w.join("a", nil)
		w.awaitPartitions(m, 1)
		m.Consumer.mu.Lock()
		clear(m.tenures) // as if a callback had been missed
		m.Consumer.mu.Unlock()
		w.produce(0, 1)
		err := m.Poll(context.Background(), 10, func([]Fetched) error {
			t.Error("records were handed over")
			return nil
		})
		var unassigned *UnassignedError
		if !errors.As(err, &unassigned) || !strings.Contains(err.Error(), "in/0 from offset 0") || unassigned.Topic != "in" || unassigned.Offset != 0 {
			t.Errorf("Poll: %v, want an UnassignedError of in/0 at 0", err)
		}
	})
}

func TestPing(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		m := w.join("a", nil)
		if err := m.Ping(context.Background()); err != nil {
			t.Errorf("Ping: %v", err)
		}
		m.link.cut()
		err := m.Ping(context.Background())
		if err == nil || !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), "check kafka.brokers") {
			t.Errorf("Ping of a broker that is not there: %v", err)
		}
		m.link.mend()
	})
}

// A poll that ends as it has brought records hands them over first: kgo does not
// bring them again.
func TestEndedPollHandsOver(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 3)
		m := w.join("a", nil)
		ctx, cancel := context.WithCancel(context.Background())
		m.dec = decoderFunc(func(*batcher.Change) { cancel() })
		handed := 0
		err := m.Poll(ctx, 10, func(fs []Fetched) error {
			for _, f := range fs {
				handed += len(f.Changes)
			}
			return nil
		})
		if handed == 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d records handed over and %v, want some and context.Canceled", handed, err)
		}
	})
}

type decoderFunc func(*batcher.Change)

func (f decoderFunc) Decode(_ string, _ int32, c *batcher.Change) (string, func(context.Context)) {
	f(c)
	return "", nil
}

// A poller that waits keeps nothing of what it has handed over alive.
func TestHandedOverIsForgotten(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 3)
		m := w.join("a", nil)
		if err := m.Poll(context.Background(), 10, nothing); err != nil {
			t.Fatal(err)
		}
		changes, fetched := m.changes[:cap(m.changes)], m.fetched[:cap(m.fetched)]
		for i := range changes {
			if changes[i].Record.Value != nil {
				t.Errorf("change %d of %d is kept", i, len(changes))
			}
		}
		for i := range fetched {
			if fetched[i].Assignment != nil || fetched[i].Changes != nil {
				t.Errorf("slice %d of %d is kept", i, len(fetched))
			}
		}
		if len(changes) == 0 || len(fetched) == 0 {
			t.Error("nothing was polled")
		}
	})
}

// Handed-over bytes stay as they are when the next poll uses the slices again.
func TestHandedOverBytesStay(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		m := w.join("a", nil)
		var kept []batcher.Change
		for range 3 {
			w.produce(0, 1)
			if err := m.Poll(context.Background(), 10, func(fs []Fetched) error {
				for _, f := range fs {
					kept = append(kept, f.Changes...)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range kept {
			got := []string{string(c.Record.Key), string(c.Record.Value), c.Record.Headers[0].Key, string(c.Record.Headers[0].Value)}
			if diff := cmp.Diff([]string{canary.Key, canary.Value, "h", canary.Header}, got); diff != "" || c.Offset != int64(i) || c.LeaderEpoch < 0 {
				t.Errorf("change %d at %d, epoch %d (-want +got):\n%s", i, c.Offset, c.LeaderEpoch, diff)
			}
		}
		if len(kept) != 3 {
			t.Errorf("%d changes, want 3", len(kept))
		}
	})
}
