//go:build synctests

package consumer

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/batcher"
)

// needy is a decoder to which one record is a riddle until it is solved.
type needy struct {
	partition int32
	offset    int64
	solved    chan struct{} // closed when it is
	asked     atomic.Int32  // times that the record was decoded unsolved
	calledOff atomic.Int32  // waits that ended before
}

func (n *needy) Decode(_ string, partition int32, c *batcher.Change) (string, func(context.Context)) {
	if partition != n.partition || c.Offset != n.offset {
		return "", nil
	}
	select {
	case <-n.solved:
		return "", nil
	default:
	}
	if n.asked.Add(1) > 100 {
		panic("a record that can't be decoded yet is decoded again and again")
	}
	return "schema 7", func(ctx context.Context) {
		select {
		case <-n.solved:
		case <-ctx.Done():
			n.calledOff.Add(1)
		}
	}
}

func upTo(n int) (offsets []int64) {
	for i := range n {
		offsets = append(offsets, int64(i))
	}
	return offsets
}

func (m *member) logged(message string) (n int) {
	for _, e := range m.logs.All() {
		if e.Message == message {
			n++
		}
	}
	return n
}

func TestRecordThatCannotBeDecodedYet(t *testing.T) {
	for _, offset := range []int64{0, 5, 19} {
		inWorld(t, 2, func(w *world) {
			dec := &needy{offset: offset, solved: make(chan struct{})}
			w.produce(0, 20)
			w.produce(1, 20)
			m := w.join("a", nil)
			m.dec = dec
			m.run()
			w.awaitPartitions(m, 2)
			stuck, free := m.handles()[0], m.handles()[1]
			w.await("the other partition", func() bool { return len(m.offsets(free)) == 20 })
			if ps := m.Problems(); len(ps) != 0 {
				t.Errorf("problems after a moment: %v", ps)
			}
			time.Sleep(time.Minute)
			w.produce(1, 5)
			w.await("what comes later in the other partition", func() bool { return len(m.offsets(free)) == 25 })
			if diff := cmp.Diff(upTo(int(offset)), m.offsets(stuck)); diff != "" {
				t.Errorf("before it can be decoded (-want +got):\n%s", diff)
			}
			if got := dec.asked.Load(); got != 1 {
				t.Errorf("it was decoded %d times in a minute, want once", got)
			}
			if got := m.Waiting(); got != 1 {
				t.Errorf("%d partitions wait, want 1", got)
			}
			ps := m.Problems()
			if len(ps) != 1 || ps[0].Partition != 0 || !strings.Contains(ps[0].Text, "needs schema 7") || !strings.Contains(ps[0].Check, "schema_registry") {
				t.Errorf("problems: %+v", ps)
			}
			if n := m.logged("a partition waits for a schema"); n != 1 {
				t.Errorf("told %d times, want once", n)
			}
			m.Consumer.mu.Lock()
			first := m.tenures[Partition{"in", 0}].first
			m.Consumer.mu.Unlock()
			if want := map[bool]int64{true: -1, false: 0}[offset == 0]; first != want {
				t.Errorf("the first record handed over is %d, want %d", first, want)
			}
			if lag := m.Lag()[Partition{"in", 0}]; lag != 20-offset {
				t.Errorf("lag %d, want %d", lag, 20-offset)
			}
			close(dec.solved)
			w.await("the rest", func() bool { return len(m.offsets(stuck)) == 20 })
			w.produce(0, 1)
			w.await("what comes after", func() bool { return len(m.offsets(stuck)) == 21 })
			if diff := cmp.Diff(upTo(21), m.offsets(stuck)); diff != "" {
				t.Errorf("all records (-want +got):\n%s", diff)
			}
			if len(m.Problems()) != 0 || m.Waiting() != 0 || m.logged("a partition waits for a schema no more") != 1 {
				t.Errorf("afterwards: problems %v, %d wait", m.Problems(), m.Waiting())
			}
		})
	}
}

// Where the first record of all can't be decoded yet, its position is handed over once:
// with the start policy "latest" and no commit, the next owner would pass it by.
func TestPositionOfAFirstRecordThatCannotBeDecodedYet(t *testing.T) {
	for _, offset := range []int64{3, 4} {
		inWorld(t, 1, func(w *world) {
			w.produce(0, 3)
			m := w.join("a", func(c *Config, _ *member) { c.Start = StartLatest })
			m.dec = &needy{offset: offset, solved: make(chan struct{})}
			var waits []int64
			records := 0
			poll := func() {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				if err := m.Poll(ctx, 100, func(fs []Fetched) error {
					for _, f := range fs {
						if records += len(f.Changes); f.Waits {
							waits = append(waits, f.Position)
						}
					}
					return nil
				}); err != nil && ctx.Err() == nil {
					t.Fatal(err)
				}
			}
			poll() // nothing: it begins at the end
			w.produce(0, 3)
			for m.Waiting() == 0 {
				poll()
			}
			poll()
			var want []int64
			if offset == 3 {
				want = []int64{3}
			}
			if diff := cmp.Diff(want, waits); diff != "" || records != int(offset-3) {
				t.Errorf("%d records were handed over, and of one at %d the position (-want +got):\n%s", records, offset, diff)
			}
		})
	}
}

// A poller keeps no copy of the record that it has gone back to.
func TestRecordLeftBehindIsNotKept(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		w.produce(0, 5)
		m := w.join("a", nil)
		m.dec = &needy{offset: 3, solved: make(chan struct{})}
		for m.Waiting() == 0 {
			if err := m.Poll(context.Background(), 100, m.hand); err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range m.changes[:cap(m.changes)] {
			if c.Record.Value != nil {
				t.Errorf("change %d, of offset %d, is still there", i, c.Offset)
			}
		}
	})
}

// A wait that lasts says why, also where that shows late, and is over without a word of it.
func TestWaitSaysWhy(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		dec := &needy{solved: make(chan struct{})}
		w.produce(0, 1)
		var why atomic.Value
		why.Store("")
		m := w.join("a", func(c *Config, _ *member) { c.Missing = func() string { return why.Load().(string) } })
		m.dec = dec
		m.run()
		w.await("the problem", func() bool { return len(m.Problems()) == 1 })
		if p := m.Problems()[0]; !p.Waits || p.Text != "the record at offset 0 needs schema 7, which is not there yet; the partition waits for it" {
			t.Errorf("problem %+v", p)
		}
		why.Store("schema registry http://r: no answer within 10s")
		const want = "the record at offset 0 needs schema 7, which is not there yet; the partition waits for it: schema registry http://r: no answer within 10s"
		w.await("the reason", func() bool { return m.Problems()[0].Text == want })
		w.await("it in the log", func() bool {
			for _, e := range m.logs.FilterMessage("a partition waits for a schema").All() {
				if e.ContextMap()["error"] == want {
					return true
				}
			}
			return false
		})
		close(dec.solved)
		w.await("the end", func() bool { return len(m.Problems()) == 0 })
		time.Sleep(time.Minute)
		if len(m.Problems()) != 0 || m.logged("a partition waits for a schema no more") != 1 {
			t.Errorf("problems after the end: %v", m.Problems())
		}
	})
}

// A wait ends with its assignment, and the next one begins its own.
func TestWaitEndsWithTheAssignment(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		dec := &needy{offset: 3, solved: make(chan struct{})}
		w.produce(0, 6)
		m := w.join("a", nil)
		m.dec = dec
		m.run()
		w.awaitPartitions(m, 1)
		w.await("the wait", func() bool { return m.Waiting() == 1 })
		m.link.cut()
		w.await("lost", func() bool { return len(m.handles()) == 0 })
		w.await("the end of the wait", func() bool { return dec.calledOff.Load() == 1 && m.Waiting() == 0 })
		m.link.mend()
		w.awaitPartitions(m, 1)
		h := m.handles()[0]
		w.await("another wait", func() bool { return m.Waiting() == 1 })
		close(dec.solved)
		w.await("all records", func() bool { return len(m.offsets(h)) == 6 })
		if diff := cmp.Diff(upTo(6), m.offsets(h)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestCloseEndsAWait(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		dec := &needy{solved: make(chan struct{})}
		w.produce(0, 1)
		m := w.join("a", nil)
		m.dec = dec
		m.run()
		w.await("the wait", func() bool { return m.Waiting() == 1 })
		m.leave()
		if dec.calledOff.Load() != 1 {
			t.Error("Close returned before the wait had ended")
		}
	})
}

// A pause of the owner's and a wait are two things: either keeps the partition.
func TestWaitAndPause(t *testing.T) {
	inWorld(t, 1, func(w *world) {
		dec := &needy{offset: 2, solved: make(chan struct{})}
		w.produce(0, 4)
		m := w.join("a", nil)
		m.dec = dec
		m.run()
		w.await("the wait", func() bool { return m.Waiting() == 1 })
		h := m.handles()[0]
		m.Pause(h)
		close(dec.solved)
		w.await("the end of the wait", func() bool { return m.Waiting() == 0 })
		time.Sleep(10 * time.Second)
		if got := len(m.offsets(h)); got != 2 {
			t.Errorf("%d records of a partition that is paused, want 2", got)
		}
		m.Resume(h)
		w.await("all records", func() bool { return len(m.offsets(h)) == 4 })
	})
}

// slow takes its time for each record.
type slow time.Duration

func (s slow) Decode(string, int32, *batcher.Change) (string, func(context.Context)) {
	time.Sleep(time.Duration(s))
	return "", nil
}

// A mapping that takes long holds up no rebalance: a poll ends in time, with what is
// done by then.
func TestSlowDecodingHoldsUpNoRebalance(t *testing.T) {
	for _, tt := range []struct {
		records int
		takes   time.Duration // for each
	}{{200, 200 * time.Millisecond}, {10, 10 * time.Second}} {
		inWorld(t, 2, func(w *world) {
			w.produce(0, tt.records)
			w.produce(1, tt.records)
			m := w.join("a", nil)
			m.dec = slow(tt.takes)
			longest := time.Duration(0)
			read := map[int32][]int64{}
			for len(read[0])+len(read[1]) < 2*tt.records {
				start := time.Now()
				var handed time.Time
				err := m.Poll(context.Background(), 2000, func(fs []Fetched) error {
					handed = time.Now()
					for _, f := range fs {
						for _, c := range f.Changes {
							read[f.Assignment.Partition] = append(read[f.Assignment.Partition], c.Offset)
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if !handed.IsZero() {
					longest = max(longest, handed.Sub(start))
				}
			}
			for p, offsets := range read {
				if diff := cmp.Diff(upTo(tt.records), offsets); diff != "" {
					t.Errorf("partition %d (-want +got):\n%s", p, diff)
				}
			}
			// The record at which the time is over, and the wait for the first fetch.
			if most := decodeTime + tt.takes + 2*time.Second; longest > most {
				t.Errorf("a poll took %v, want at most %v", longest, most)
			}
		})
	}
}

// many makes so many changes of each record.
type many int

func (n many) Decode(_ string, _ int32, c *batcher.Change) (string, func(context.Context)) {
	c.More = make([]batcher.Update, n-1)
	return "", nil
}

// A poll brings about as many changes as it may, whatever a record has of them, and
// soon as few records as that takes.
func TestPollIsBoundedByChanges(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		w.produce(0, 300)
		w.produce(1, 300)
		m := w.join("a", nil)
		m.dec = many(10)
		var fetches atomic.Int32
		w.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
			w.cluster.KeepControl()
			fetches.Add(1)
			return nil, nil, false
		})
		read, polls := map[int32][]int64{}, 0
		for len(read[0])+len(read[1]) < 600 {
			err := m.Poll(context.Background(), 100, func(fs []Fetched) error {
				polls++
				changes := 0
				for _, f := range fs {
					for _, c := range f.Changes {
						changes += 1 + len(c.More)
						read[f.Assignment.Partition] = append(read[f.Assignment.Partition], c.Offset)
					}
				}
				if changes > 109 {
					t.Errorf("%d changes in one poll, at most 100 and the rest of a record were asked for", changes)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for p, offsets := range read {
			if diff := cmp.Diff(upTo(300), offsets); diff != "" {
				t.Errorf("partition %d (-want +got):\n%s", p, diff)
			}
		}
		// Each time that records are left behind, they are fetched again.
		if n := fetches.Load(); n > 20 {
			t.Errorf("%d fetches", n)
		}
		if polls < 55 || polls > 75 {
			t.Errorf("%d polls for 6,000 changes, want some 60", polls)
		}
	})
}
