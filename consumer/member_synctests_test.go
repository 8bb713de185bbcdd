//go:build synctests

package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

// member is a consumer with an owner that keeps a diary, and a loop that polls.
type member struct {
	*Consumer
	w    *world
	name string
	link *link
	logs *observer.ObservedLogs

	// onRevoked, when set, runs in Revoked.
	onRevoked func(as []*batcher.Assignment)
	// onLost, when set, runs in Lost.
	onLost func(as []*batcher.Assignment)
	// holds makes Assigned wait until it is not wanted any more.
	holds bool

	mu       sync.Mutex
	refusals int // of Assigned, still to come
	diary    []string
	live     map[int32]*batcher.Assignment
	starts   map[int32]batcher.Start
	records  map[*batcher.Assignment][]int64 // offsets by handle
	sends    map[*batcher.Assignment]int     // of them, to be sent
	beats    []aliveCall
	polls    int
	pollErr  error
	stop     context.CancelFunc
	done     chan struct{}
}

func (w *world) config() Config {
	return Config{
		Brokers: w.cluster.ListenAddrs(), ClientID: "test", Topics: []string{"in"}, Group: "group",
		Start: StartEarliest, OnReset: ResetFail, Isolation: ReadCommitted,
		SessionTimeout: 10 * time.Second, RebalanceTimeout: 8 * time.Second, MaxEventBytes: 1 << 20,
	}
}

// join starts a consumer; edit may change its configuration.
func (w *world) join(name string, edit func(*Config, *member)) *member {
	w.t.Helper()
	m := &member{
		w: w, name: name, link: &link{w: w},
		live: map[int32]*batcher.Assignment{}, starts: map[int32]batcher.Start{},
		records: map[*batcher.Assignment][]int64{}, sends: map[*batcher.Assignment]int{},
	}
	cfg := w.config()
	cfg.Opts = []kgo.Opt{kgo.Dialer(m.link.dial)}
	if edit != nil {
		edit(&cfg, m)
	}
	core, logs := observer.New(zapcore.InfoLevel)
	m.logs = logs
	c, err := New(cfg, decodeNothing{}, m, canary.Watch(w.t, core))
	if err != nil {
		w.t.Fatal(err)
	}
	m.Consumer = c
	w.members = append(w.members, m)
	return m
}

// run polls until leave is called or Poll returns an error.
func (m *member) run() *member {
	ctx, stop := context.WithCancel(context.Background())
	m.stop, m.done = stop, make(chan struct{})
	go func() {
		defer close(m.done)
		for {
			err := m.Poll(ctx, 100, m.hand)
			m.mu.Lock()
			m.polls++
			m.pollErr = err
			m.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return m
}

func (m *member) hand(fs []Fetched) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range fs {
		if m.live[f.Assignment.Partition] != f.Assignment {
			m.w.t.Errorf("%s: records of %d under a handle that is not live", m.name, f.Assignment.Partition)
		}
		for _, c := range f.Changes {
			m.records[f.Assignment] = append(m.records[f.Assignment], c.Offset)
			if c.Verdict == batcher.Send {
				m.sends[f.Assignment]++
			}
		}
		m.diary = append(m.diary, fmt.Sprintf("records %d: %d", f.Assignment.Partition, len(f.Changes)))
	}
	return nil
}

// leave stops polling and closes the consumer.
func (m *member) leave() {
	m.w.t.Helper()
	m.halt()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := m.Close(ctx); err != nil {
		m.w.t.Errorf("%s: Close: %v", m.name, err)
	}
}

func (m *member) halt() {
	if m.stop != nil {
		m.stop()
		<-m.done
	}
}

func (m *member) Assigned(ctx context.Context, starts []batcher.Start) (as []*batcher.Assignment, err error) {
	if m.holds {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refusals > 0 {
		m.refusals--
		return nil, errors.New("not now")
	}
	for _, s := range starts {
		a := &batcher.Assignment{Topic: s.Topic, Partition: s.Partition}
		if m.live[s.Partition] != nil {
			m.w.t.Errorf("%s: partition %d assigned twice", m.name, s.Partition)
		}
		m.live[s.Partition], m.starts[s.Partition] = a, s
		as = append(as, a)
		m.diary = append(m.diary, fmt.Sprintf("assigned %d at %d %q", s.Partition, s.Offset, s.Metadata))
	}
	return as, nil
}

func (m *member) Revoked(_ context.Context, as []*batcher.Assignment) {
	m.note("revoking", as, false)
	if m.onRevoked != nil {
		m.onRevoked(as)
	}
	m.note("revoked", as, true)
}

func (m *member) Lost(as []*batcher.Assignment) {
	if m.onLost != nil {
		m.onLost(as)
	}
	m.note("lost", as, true)
}

func (m *member) note(what string, as []*batcher.Assignment, dead bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ps []int32
	for _, a := range as {
		ps = append(ps, a.Partition)
		if dead {
			if m.live[a.Partition] != a {
				m.w.t.Errorf("%s: %s: the handle of %d is not live", m.name, what, a.Partition)
			}
			delete(m.live, a.Partition)
		}
	}
	slices.Sort(ps)
	m.diary = append(m.diary, fmt.Sprintf("%s %v", what, ps))
}

func (m *member) Alive(sent time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beats = append(m.beats, aliveCall{sent, time.Now()})
}

// aliveCall is one call of Alive.
type aliveCall struct{ sent, told time.Time }

func (m *member) aliveCalls() []aliveCall {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.beats)
}

// handles returns the live handles by partition.
func (m *member) handles() map[int32]*batcher.Assignment {
	m.mu.Lock()
	defer m.mu.Unlock()
	hs := map[int32]*batcher.Assignment{}
	for p, a := range m.live {
		hs[p] = a
	}
	return hs
}

func (m *member) partitions() []int32 {
	var ps []int32
	for p := range m.handles() {
		ps = append(ps, p)
	}
	slices.Sort(ps)
	return ps
}

func (m *member) offsets(a *batcher.Assignment) []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.records[a])
}

func (m *member) start(p int32) batcher.Start {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.starts[p]
}

func (m *member) entries() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.diary)
}

func (m *member) lastAlive() time.Time {
	calls := m.aliveCalls()
	if len(calls) == 0 {
		return time.Time{}
	}
	return calls[len(calls)-1].sent
}

const commitDeadline = 3 * time.Second

// commitAt commits one position under a handle.
func (m *member) commitAt(a *batcher.Assignment, offset int64, metadata string) batcher.CommitResult {
	ctx, cancel := context.WithTimeout(context.Background(), commitDeadline)
	defer cancel()
	c := &batcher.Commit{Partitions: []batcher.PartitionCommit{{Assignment: a, Offset: offset, LeaderEpoch: -1, Metadata: metadata}}}
	m.Commit(ctx, c)
	return c.Partitions[0].Result
}

func (w *world) awaitPartitions(m *member, n int) {
	w.t.Helper()
	w.await(fmt.Sprintf("%s has %d partitions", m.name, n), func() bool { return len(m.handles()) == n })
}

type decodeNothing struct{}

func (decodeNothing) Decode(string, int32, *batcher.Change) (string, func(context.Context)) {
	return "", nil
}
