//go:build synctests

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/canary"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/formats"
	"kafka-kustomer/sink"
	"kafka-kustomer/sink/results"
)

// errRefused is what a dial to a host that is down comes to; kgo tells it from
// other errors.
var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

func (l *link) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	down := l.down
	l.mu.Unlock()
	if down {
		return nil, errRefused
	}
	for l.silent.Load() {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	conn, err := l.network.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	conn = &quiet{conn, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down { // cut while it was dialled
		conn.Close()
		return nil, errRefused
	}
	l.conns = append(l.conns, conn)
	return conn, nil
}

// quiet is a connection on which everything vanishes while its link is silent: a
// network that drops packets, and resets nothing.
type quiet struct {
	net.Conn
	link *link
}

func (q *quiet) Read(b []byte) (int, error) {
	for {
		n, err := q.Conn.Read(b)
		if err != nil || !q.link.silent.Load() {
			return n, err
		}
	}
}

func (q *quiet) Write(b []byte) (int, error) {
	if q.link.silent.Load() {
		return len(b), nil
	}
	return q.Conn.Write(b)
}

// speak ends a silence. What was lost meanwhile is not made up for, so the
// connections end.
func (l *link) speak() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent.Store(false)
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
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

// member is one connector, wired as the program is.
type member struct {
	w          *world
	name       string
	kafka, api *link
	setup
	loop  *Pipeline
	logs  *observer.ObservedLogs
	stop  context.CancelFunc
	ended chan error
}

// setup is how a member is configured.
type setup struct {
	core   batcher.Config
	timing Config
	source consumer.Config
	sink   sink.Config
	// told, when set, hears of each callback of the group before the loop does.
	told func(what callback, as []*batcher.Assignment, starts []batcher.Start)
}

// callback is what the group does to a member.
type callback string

const (
	callAssigned callback = "assigned"
	callRevoked  callback = "revoked"
	callGiven    callback = "given back" // Revoked has returned
	callLost     callback = "lost"
)

// join starts a member; edits may change how it is configured.
func (w *world) join(edits ...func(*setup)) *member {
	w.names++
	observed, logs := observer.New(zapcore.InfoLevel)
	ctx, stop := context.WithCancel(context.Background())
	m := &member{
		w: w, name: fmt.Sprintf("m%d", w.names), kafka: &link{network: w.network}, api: &link{network: w.network},
		logs: logs, stop: stop, ended: make(chan error, 1),
	}
	m.core = testCore()
	m.core.MaxItems, m.core.Lease, m.core.LostReplyWait = 25, session-2*time.Second, longestWrite
	m.core.BatchPrefix, m.core.Seed = m.name, w.random.Uint64()
	m.timing = Config{
		MaxPoll: 500, RevokeTimeout: 2 * time.Second, DrainTimeout: drainTimeout,
		CommitTimeout: time.Second, ProduceRetry: time.Second,
	}
	m.source = consumer.Config{
		Brokers: w.cluster.ListenAddrs(), ClientID: m.name, Topics: []string{topicIn}, Group: groupName,
		Start: consumer.StartEarliest, OnReset: consumer.ResetFail, Isolation: consumer.ReadCommitted,
		SessionTimeout: session, RebalanceTimeout: rebalanceTimeout, MaxEventBytes: 1 << 20,
	}
	m.sink = sink.Config{BaseURL: "http://" + apiAddress, APIKey: canary.Secret, Timeout: callTimeout, MaxInFlight: 8, Dial: m.api.dial}
	for _, edit := range edits {
		edit(&m.setup)
	}
	m.loop = New(m.timing, batcher.New(m.core), nil, nil, canary.Watch(w.t, observed))
	w.members = append(w.members, m)
	go func() { m.ended <- m.run(ctx) }()
	return m
}

// run wires a member and runs it until ctx ends; see run in cmd/kafka-kustomer.
func (m *member) run(ctx context.Context) (err error) {
	within := func() context.Context {
		ctx, cancel := context.WithTimeout(context.Background(), m.timing.DrainTimeout)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
	opts := []kgo.Opt{kgo.SeedBrokers(m.w.cluster.ListenAddrs()...), kgo.Dialer(m.kafka.dial)}
	// kgo closes its zstd decoders in finalizers, which run outside of the bubble.
	plain := kgo.ProducerBatchCompression(kgo.NoCompression())
	producer, err := kgo.NewClient(append(append(opts, results.ProducerOpts()...), plain)...)
	if err != nil {
		return err
	}
	defer producer.Close()
	writer := results.New(producer, results.Config{Name: m.name, Items: true, ResultsTopic: topicResults, DeadLetterTopic: topicDead}, m.loop.log)
	defer func() { err = errors.Join(err, writer.Close(within())) }()
	if err := writer.Ensure(ctx); err != nil {
		return err
	}
	api, err := sink.New(m.sink)
	if err != nil {
		return err
	}
	defer api.Close()
	m.loop.sink, m.loop.results = api, writer
	from := m.source
	from.Opts = opts
	decoder, err := formats.New(formats.Config{
		Topics: []formats.Topic{{Name: topicIn}}, Events: schemas.Config{MaxEventBytes: 1 << 20},
	})
	if err != nil {
		return err
	}
	source, err := consumer.New(from, decoder, counting{m.loop, m}, m.loop.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close(within())) }()
	return m.loop.Run(ctx, source)
}

// counting counts what the group does to the members, and tells who asked for it.
type counting struct {
	*Pipeline
	m *member
}

func (c counting) tell(what callback, as []*batcher.Assignment, starts []batcher.Start) {
	if c.m.told != nil {
		c.m.told(what, as, starts)
	}
}

func (c counting) Assigned(ctx context.Context, starts []batcher.Start) ([]*batcher.Assignment, error) {
	c.m.w.assigned.Add(1)
	as, err := c.Pipeline.Assigned(ctx, starts)
	c.tell(callAssigned, as, starts)
	return as, err
}

func (c counting) Revoked(ctx context.Context, as []*batcher.Assignment) {
	c.m.w.revoked.Add(1)
	c.tell(callRevoked, as, nil)
	c.Pipeline.Revoked(ctx, as)
	c.tell(callGiven, as, nil)
}

func (c counting) Lost(as []*batcher.Assignment) {
	c.m.w.lost.Add(1)
	c.tell(callLost, as, nil)
	c.Pipeline.Lost(as)
}

// leave ends a member in order.
func (w *world) leave(m *member) {
	w.retire(m)
	m.stop()
	// Another member that has crashed can hold up its leaving, not its work.
	if err := <-m.ended; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		w.t.Errorf("%s, told to stop: %v", m.name, err)
	}
	m.ended <- nil
}

// crash cuts a member off from everything, for ever. What is left of it runs on
// for a while and must do no harm.
func (w *world) crash(m *member) {
	w.retire(m)
	m.kafka.cut()
	m.api.cut()
	m.stop()
}

func (w *world) retire(m *member) {
	for i, x := range w.members {
		if x == m {
			w.members = append(w.members[:i], w.members[i+1:]...)
			break
		}
	}
	w.retired = append(w.retired, m)
}

// endAll waits for every member that was told to end, and tells those that were
// not.
func (w *world) endAll() {
	for len(w.members) > 0 {
		w.crash(w.members[0])
	}
	for _, m := range w.retired {
		<-m.ended
	}
}
