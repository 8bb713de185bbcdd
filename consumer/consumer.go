package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

// Decoder turns records into changes. It is called from Poll only, one record at a
// time.
type Decoder interface {
	// Decode reads c.Record, which is at c.Offset of the partition, and sets the
	// members that tell of its content. It must not wait. Where a record can't be
	// decoded yet, it says what it needs, and returns a function that waits until that
	// is there or its context ends; the record is decoded again afterwards.
	Decode(topic string, partition int32, c *batcher.Change) (needs string, wait func(context.Context))
}

// Owner is told which partitions are ours. Its calls come from kgo's goroutines,
// never two of Assigned, Revoked and Lost at a time.
type Owner interface {
	// Assigned takes partitions over and returns a handle for each, in order. It
	// blocks until that is done. With an error, none was taken.
	Assigned(ctx context.Context, starts []batcher.Start) ([]*batcher.Assignment, error)
	// Revoked blocks until the partitions may be given back, or ctx is done.
	// Commits of them are accepted meanwhile.
	Revoked(ctx context.Context, as []*batcher.Assignment)
	// Lost blocks until it is known that the partitions are not ours any more.
	Lost(as []*batcher.Assignment)
	// Alive tells when the last heartbeat that the group acknowledged was sent.
	// It must not block.
	Alive(sent time.Time)
}

// Partition names one partition.
type Partition struct {
	Topic     string
	Partition int32
}

// ErrClosed is returned by Poll after Close.
var ErrClosed = errors.New("consumer: closed")

// FencedError says that another process has joined the group with our instance
// id. Which of the two is right can't be known here, so the program must end.
type FencedError struct{ Group, InstanceID string }

func (e *FencedError) Error() string {
	return fmt.Sprintf("consumer: group %q has another member with instance id %q, which has taken our place; check that each process has an instance_id of its own", e.Group, e.InstanceID)
}

// UnassignedError says that records came for a partition that was never handed
// to us. Going on would lose them, so the program must end; after a restart they
// are read again.
type UnassignedError struct {
	Partition
	Offset int64 // of the first such record
}

func (e *UnassignedError) Error() string {
	return fmt.Sprintf("consumer: records of %s/%d from offset %d came without an assignment; this is a defect of the program, please report it", e.Topic, e.Partition.Partition, e.Offset)
}

// tenure is what we know of one assignment.
type tenure struct {
	handle *batcher.Assignment
	member string // our member id when it was given to us

	first         int64  // offset of the first record handed over, -1: none yet
	next          int64  // offset after the last one, or the commit; -1: not known
	highWatermark int64  // at the last poll, -1: not known
	stuck         bool   // kgo does not fetch it, and will not say so again
	paused        bool   // by Pause
	endWait       func() // ends the wait until the next record can be decoded; nil: there is none
	fault         *fault
	lost          *positionError // what is to be read next is not in the log

	gone    bool  // of a topic that is no more: nothing is committed
	settled int64 // the newest commit; when gone, the newest that was asked for
}

// Consumer is a member of a consumer group. Poll must be called by one goroutine
// at a time; the other methods may be called by any.
type Consumer struct {
	cfg      Config
	client   *kgo.Client
	dec      Decoder
	owner    Owner
	log      *zap.Logger
	problems *problems
	pulse    *pulse
	appetite appetite

	protocol atomic.Value  // of the group, a string; see Protocol
	told     atomic.Value  // the one that was logged last, a string
	lookNow  chan struct{} // asks for a look at the topics

	open   context.Context // until Close begins
	close  context.CancelFunc
	kill   context.CancelFunc // cuts what kgo does
	failed context.Context    // its cause is the error that ends Poll
	fail   context.CancelCauseFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	tenures   map[Partition]*tenure
	announced map[Partition]struct{} // assigned by the group
	topics    map[string]*topicState // those of the configuration
	faults    int                    // tenures with a fault
	expired   uint64
	burst     time.Time // since when the client has gone back again and again
	wentBack  time.Time // the last time
	quiet     time.Time // until when partitions that wait rest

	// Used by Poll only, and again by the next.
	fetched []Fetched
	changes []batcher.Change
	stops   []stop
	backoff time.Duration
	room    int       // changes that may still come of this poll
	until   time.Time // when it has to end
	// perRecord is how many changes a record had in the last poll, rounded up.
	perRecord int
}

// New makes a consumer that joins its group at once: owner may be called before
// New has returned. It does not wait for Kafka; see Ping.
func New(cfg Config, dec Decoder, owner Owner, log *zap.Logger) (*Consumer, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Consumer{
		cfg: cfg, dec: dec, owner: owner, log: log,
		problems:  newProblems(log),
		pulse:     newPulse(),
		tenures:   map[Partition]*tenure{},
		announced: map[Partition]struct{}{},
		topics:    newTopicStates(cfg.Topics),
		lookNow:   make(chan struct{}, 1),
	}
	c.open, c.close = context.WithCancel(context.Background())
	c.failed, c.fail = context.WithCancelCause(context.Background())
	root, kill := context.WithCancel(context.Background())
	c.kill = kill
	client, err := kgo.NewClient(append(
		cfg.options(),
		kgo.WithContext(root),
		kgo.WithLogger(newTap(log, c.pulse)),
		kgo.WithHooks(hooks{c}),
		kgo.OnPartitionsAssigned(c.onAssigned),
		kgo.OnOffsetsFetched(c.onFetched),
		kgo.AdjustFetchOffsetsFn(c.adjust),
		kgo.OnPartitionsRevoked(c.onRevoked),
		kgo.OnPartitionsLost(c.onLost),
	)...)
	if err != nil {
		kill()
		c.close()
		c.fail(err)
		return nil, fmt.Errorf("consumer: %w", err)
	}
	// The callbacks use the client they are given, never this field, which they
	// may be too early for.
	c.client = client
	c.appetite.attach(client)
	c.wg.Go(func() { c.pulse.run(c.open, c.sameMember, owner.Alive) })
	c.wg.Go(c.watch)
	return c, nil
}

// Ping reports whether a broker can be reached and lets us in. Trouble with the
// address, TLS or the login shows nowhere else: kgo retries it silently for ever,
// so Ping before anything that waits. The error says what to check.
func (c *Consumer) Ping(ctx context.Context) error {
	if err := c.client.Ping(ctx); err != nil {
		return fmt.Errorf("consumer: no broker of %s answers: %w; %s", strings.Join(c.cfg.Brokers, ", "), err, advice(err))
	}
	return nil
}

// Pause stops fetching a partition until Resume. It does nothing for an
// assignment that is not current.
func (c *Consumer) Pause(a *batcher.Assignment) { c.setPaused(a, true) }

// Resume ends a Pause.
func (c *Consumer) Resume(a *batcher.Assignment) { c.setPaused(a, false) }

func (c *Consumer) setPaused(a *batcher.Assignment, paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.current(a); t != nil {
		t.paused = paused
		c.applyPause(t)
	}
}

// applyPause makes kgo fetch a partition or not. c.mu is held, so that the last
// word is that of the last caller.
func (c *Consumer) applyPause(t *tenure) {
	p := map[string][]int32{t.handle.Topic: {t.handle.Partition}}
	if t.paused || t.endWait != nil || t.fault != nil && t.fault.paused {
		c.client.PauseFetchPartitions(p)
	} else {
		c.client.ResumeFetchPartitions(p)
	}
}

// current returns the tenure of a, or nil when a is not ours any more. c.mu is
// held.
func (c *Consumer) current(a *batcher.Assignment) *tenure {
	if t := c.tenures[Partition{a.Topic, a.Partition}]; t != nil && t.handle == a {
		return t
	}
	return nil
}

// Problems returns what is wrong at the moment, for a person to read.
func (c *Consumer) Problems() []Problem { return c.problems.list() }

// Lag returns, for each partition that is ours and was polled, the number of
// offsets from the last record handed over to the high watermark of that poll.
// While a transaction is open it stays above 0.
func (c *Consumer) Lag() map[Partition]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	lag := make(map[Partition]int64, len(c.tenures))
	for p, t := range c.tenures {
		if t.highWatermark >= 0 && t.next >= 0 {
			lag[p] = max(0, t.highWatermark-t.next)
		}
	}
	return lag
}

// Expired returns how many offsets Kafka deleted before they were read, at most
// (compaction and markers count). It grows only with ResetEarliest.
func (c *Consumer) Expired() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.expired
}

// Protocol returns the protocol that the group speaks, ProtocolClassic or
// ProtocolConsumer, or "" before the first answer. It can differ from what was
// configured: kgo falls back to classic where brokers lack the other.
func (c *Consumer) Protocol() string {
	p, _ := c.protocol.Load().(string)
	return p
}

func (c *Consumer) spoken(protocol string) {
	if before, _ := c.protocol.Swap(protocol).(string); before == protocol {
		return
	}
	if protocol == ProtocolClassic && c.cfg.Protocol == ProtocolConsumer {
		c.log.Warn("the brokers do not offer the configured group protocol; the group goes on with classic. Check that all run Kafka 4.0 or later, or set source.protocol to classic",
			zap.String("group", c.cfg.Group))
	}
}

// tellProtocol logs the protocol once it has led to an assignment: brokers that
// know one but do not offer it answer too.
func (c *Consumer) tellProtocol() {
	spoken := c.Protocol()
	if told, _ := c.told.Swap(spoken).(string); told != spoken {
		c.log.Info("joined the group", zap.String("group", c.cfg.Group), zap.String("protocol", spoken))
	}
}

// Close leaves the group and ends the client. Call it when the owner has
// finished with all partitions and Poll has returned: the owner is not called
// for what is revoked by it. When ctx ends first, the rest is cut short: the
// group then keeps our partitions until the session time-out.
func (c *Consumer) Close(ctx context.Context) error {
	c.close()
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	err := c.client.LeaveGroupContext(ctx) // waits for a poll that is handing over
	c.client.CloseAllowingRebalance()      // does not
	// Closing polls once more itself, and a goroutine of its second leave could
	// wait for the end of that poll for ever.
	c.client.AllowRebalance()
	c.kill()
	c.fail(ErrClosed)
	c.wg.Wait()
	if err != nil {
		return fmt.Errorf("consumer: leaving group %q: %w; its other members take over after the session time-out of %v", c.cfg.Group, err, c.cfg.SessionTimeout)
	}
	return nil
}
