package results

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
)

// Config is where results go.
type Config struct {
	Name string // of the connector, in dead letters

	ResultsTopic    string
	DeadLetterTopic string
	Items           bool // result events list their items one by one
	// Format and Prefix are those of result events: for Avro, the prefix is what tells
	// readers the schema, as a registry knows it. It is found out before the writer is
	// made, so that results are never written in a form that nobody can read.
	Format schemas.Format
	Prefix []byte

	// Topics that do not exist are created, or else Ensure fails. 0 partitions
	// and a replication of 0 or -1 stand for the broker's default.
	CreateResults, CreateDeadLetters          bool
	ResultsPartitions, DeadLetterPartitions   int32
	ResultsReplication, DeadLetterReplication int16

	Sizes *Sizes // optional: those of the client
}

// The bounds of what the client holds unacknowledged. Both are far above what
// the open events' credit lets come to be, because a full client blocks its
// caller.
const (
	maxBufferedRecords = 200_000
	maxBufferedBytes   = 256 << 20
)

// ProducerOpts are the options of a client that can be trusted with results:
// acknowledged by all in-sync replicas, idempotent, and tried without end. A
// topic that another member is creating at this moment is no error, and neither
// is a connection that a restarting broker closes. LZ4 makes result events six
// times smaller. Zstd would make them twelve times smaller for more than twice the
// processor time.
func ProducerOpts() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.UnknownTopicRetries(-1),
		kgo.AlwaysRetryEOF(),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.MaxBufferedRecords(maxBufferedRecords),
		kgo.MaxBufferedBytes(maxBufferedBytes),
	}
}

// Writer writes result events and dead letters. It is safe for concurrent use.
type Writer struct {
	client  *kgo.Client
	admin   *kadm.Client
	cfg     Config
	log     *zap.Logger
	pending pending
	buffers buffers
	trouble *troubles
}

// New returns a writer on a client made with [ProducerOpts]. The client stays
// the caller's to close. A nil log is silent.
func New(client *kgo.Client, cfg Config, log *zap.Logger) *Writer {
	if log == nil {
		log = zap.NewNop()
	}
	if cfg.Sizes == nil {
		cfg.Sizes = &Sizes{}
	}
	w := &Writer{client: client, admin: kadm.NewClient(client), cfg: cfg, log: log}
	w.trouble = newTroubles(log, &w.pending, w.diagnose)
	return w
}

// Report writes the result event of a report, in parts where it is large. done
// is called once, by a goroutine of the client, when Kafka has acknowledged all
// parts, or with the first error. What the report points to is read before
// Report returns. Report blocks only when the client's buffers are full.
func (w *Writer) Report(r *batcher.Report, done func(error)) {
	events := schemas.Results(r, schemas.ResultOptions{
		Items: w.cfg.Items, MaxBytes: w.cfg.Sizes.event(w.cfg.ResultsTopic), Buffer: w.buffers.get,
		Format: w.cfg.Format, Prefix: w.cfg.Prefix,
	})
	key := []byte(r.Batch.ID)
	finish := w.begin(w.cfg.ResultsTopic, len(events), done)
	for _, event := range events {
		record := &kgo.Record{Topic: w.cfg.ResultsTopic, Key: key, Value: event}
		w.client.Produce(context.Background(), record, func(r *kgo.Record, err error) {
			w.buffers.put(event) // the client has done with it, whatever came of it
			letGo(r)
			finish(w.explain(w.cfg.ResultsTopic, err))
		})
	}
}

// Bury writes a dead letter. done is called as that of [Writer.Report]. When the
// record is too large for the topic, less of it is written: first without its
// value, then without its key and headers too.
func (w *Writer) Bury(b *batcher.Bury, done func(error)) {
	w.bury(w.client.Produce, b, whole, w.begin(w.cfg.DeadLetterTopic, 1, done))
}

type produce func(context.Context, *kgo.Record, func(*kgo.Record, error))

func (w *Writer) bury(produce produce, b *batcher.Bury, much extent, finish func(error)) {
	produce(context.Background(), w.deadLetter(b, much), func(r *kgo.Record, err error) {
		letGo(r)
		if errors.Is(err, kerr.MessageTooLarge) && much < bare {
			w.log.Warn("dead letter is too large for its topic: written with less of the record",
				zap.String("topic", w.cfg.DeadLetterTopic), zap.String("source_topic", b.Event.Assignment.Topic),
				zap.Int32("source_partition", b.Event.Assignment.Partition), zap.Int64("source_offset", b.Event.Offset),
				zap.Int("value_bytes", len(b.Event.Record.Value)))
			// This is the client's own goroutine: waiting in it for room in the
			// buffers would wait for itself.
			w.bury(w.client.TryProduce, b, much+1, finish)
			return
		}
		finish(w.explain(w.cfg.DeadLetterTopic, err))
	})
}

// begin notes a write of n records, and returns what to call for each. done is
// called after the last.
func (w *Writer) begin(topic string, n int, done func(error)) func(error) {
	entry, alone := w.pending.add(topic, time.Now())
	if alone {
		w.trouble.watch(stallAfter)
	}
	var mu sync.Mutex
	var failed error
	return func(err error) {
		mu.Lock()
		if failed == nil {
			failed = err
		}
		n--
		last := n == 0
		mu.Unlock()
		if last {
			w.pending.remove(entry)
			tell := done
			done = nil // see letGo
			tell(failed)
		}
	}
}

// letGo empties a record that has been written. The client keeps records and
// promises in a pool after their end, and each would keep a batch with all its
// events alive.
func letGo(r *kgo.Record) { r.Key, r.Value, r.Headers = nil, nil, nil }

// Oldest is how long the oldest write that Kafka has not acknowledged has been
// under way, 0 when there is none.
func (w *Writer) Oldest(now time.Time) time.Duration { return w.pending.oldest(now) }

// Problems returns what is wrong at the moment, for a person to read: writes
// that Kafka refuses, and the oldest one when it has no answer for 30 s.
func (w *Writer) Problems() []Problem { return w.trouble.list() }

// Close waits until Kafka has acknowledged everything, or ctx is done. The
// client stays open.
func (w *Writer) Close(ctx context.Context) error {
	defer w.trouble.close()
	if err := w.client.Flush(ctx); err != nil {
		return fmt.Errorf("%d result events and dead letters were not acknowledged in time; their source records are read again after the next start: %w",
			w.pending.count(), err)
	}
	return nil
}

// pending are the writes under way in the order they began, which is the order
// they mostly end in.
type pending struct {
	mu      sync.Mutex
	entries []*write // from the oldest still under way
}

type write struct {
	topic string
	began time.Time
	ended bool
}

// add enters a write; alone says that there is no other.
func (p *pending) add(topic string, now time.Time) (e *write, alone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e = &write{topic: topic, began: now}
	p.entries = append(p.entries, e)
	return e, len(p.entries) == 1
}

// first returns a copy of the oldest, if there is one.
func (p *pending) first() (oldest write, some bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.entries) == 0 {
		return write{}, false
	}
	return *p.entries[0], true
}

func (p *pending) remove(e *write) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.ended = true
	for len(p.entries) > 0 && p.entries[0].ended {
		p.entries[0] = nil
		p.entries = p.entries[1:]
	}
}

func (p *pending) oldest(now time.Time) time.Duration {
	oldest, some := p.first()
	if !some {
		return 0
	}
	return max(0, now.Sub(oldest.began))
}

func (p *pending) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, e := range p.entries {
		if !e.ended {
			n++
		}
	}
	return n
}

// explain adds to a failed write what to check, and notes it as trouble. The
// client holds on to a topic that was made anew until it is told to forget it.
func (w *Writer) explain(topic string, err error) error {
	if err == nil {
		return nil
	}
	hint := "check the brokers"
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		// The broker names the cluster when an idempotent producer may write to
		// no topic at all.
		hint = "grant Write on the topic to this program's Kafka user"
	case errors.Is(err, kerr.MessageTooLarge):
		hint = "raise the topic's max.message.bytes, or start this program again if it was lowered while it ran"
	case errors.Is(err, kerr.UnknownTopicID):
		hint = "the topic was deleted and made anew; the new one is written to from now on"
		w.trouble.background(func() { w.client.PurgeTopicsFromProducing(topic) })
	case errors.Is(err, kgo.ErrClientClosed):
		hint = "the program was stopping"
	case errors.Is(err, kerr.InvalidTimestamp):
		hint = "raise the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms: a dead letter keeps its record's time"
	}
	if !errors.Is(err, kgo.ErrClientClosed) {
		w.trouble.refuse(topic, err.Error(), hint)
	}
	return fmt.Errorf("writing to topic %s: %w; %s", topic, err, hint)
}
