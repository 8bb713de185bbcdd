package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/dryrun"
)

const (
	// askTimeout bounds what Kafka is asked before reading begins.
	askTimeout = 30 * time.Second
	// idleTimeout ends the reading of a log of which nothing comes although its end
	// has not been reached: what stood there may have been compacted away.
	idleTimeout = 10 * time.Second
)

// position is where to begin in each partition.
type position struct {
	word  string // "committed", "earliest", "latest", "offset", "last" or "time"
	n     int64  // of offset and last
	since time.Time
}

func parseFrom(text string) (position, error) {
	switch text {
	case "committed", "earliest", "latest":
		return position{word: text}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n < 0 {
			return position{word: "last", n: -n}, nil
		}
		return position{word: "offset", n: n}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return position{word: "time", since: at}, nil
	}
	return position{}, fmt.Errorf("--from %q is none of committed, earliest, latest, an offset, -N, or a time as in 2026-11-24T02:30:00Z", text)
}

// span is what is to be read of a partition: from next to before end.
type span struct {
	topic     string
	partition int32
	next, end int64
	commit    *kadm.Offset // where the group stands, when it is read from there
}

// readTopics hands over what stands in the configured topics, by direct reads: no
// group is joined.
func (d *rehearsal) readTopics(ctx context.Context, cfg *config.Config, from position, stage *dryrun.Run, p *printer) error {
	opts, err := kafkaOpts(cfg, zap.NewNop())
	if err != nil {
		return usageError{err}
	}
	isolation := kgo.ReadCommitted()
	if cfg.Source.Isolation == consumer.ReadUncommitted {
		isolation = kgo.ReadUncommitted()
	}
	client, err := kgo.NewClient(append(
		opts,
		kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords(), kgo.Rack(cfg.Kafka.Rack),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.MaxConcurrentFetches(1), kgo.FetchMaxBytes(4<<20), kgo.FetchMaxPartitionBytes(1<<20),
		kgo.MaxDecompressBatchBytes(int(cfg.Limits.MaxBatchBytes)),
	)...)
	if err != nil {
		return usageError{err}
	}
	defer client.Close()
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := pingBrokers(asking, client, cfg.Kafka.Brokers); err != nil {
		return err
	}
	spans, err := findSpans(asking, kadm.NewClient(client), cfg.Source, from, p)
	if err != nil {
		return err
	}
	if len(spans) == 0 {
		p.note("there is nothing to read: that is the end of the log (--from " + d.from + ")")
	}
	r := topicReader{client: client, spans: spans, stage: stage, limit: d.limit}
	if err := r.read(ctx); err != nil {
		return err
	}
	for _, s := range r.idle {
		p.note(fmt.Sprintf("nothing came of %s/%d from offset %d on within %v, although its end is %d: what stood there may have been compacted away", s.topic, s.partition, s.next, idleTimeout, s.end))
	}
	return nil
}

// logs is what Kafka says of the source topics and the group.
type logs struct {
	start, end, since kadm.ListedOffsets
	committed         kadm.OffsetResponses
}

func askLogs(ctx context.Context, admin *kadm.Client, source config.Source, from position) (l logs, err error) {
	ends := admin.ListCommittedOffsets // up to the first open transaction
	if source.Isolation == consumer.ReadUncommitted {
		ends = admin.ListEndOffsets
	}
	if l.start, err = admin.ListStartOffsets(ctx, source.TopicNames()...); err != nil {
		return l, err
	}
	if l.end, err = ends(ctx, source.TopicNames()...); err != nil {
		return l, err
	}
	switch from.word {
	case "time":
		l.since, err = admin.ListOffsetsAfterMilli(ctx, from.since.UnixMilli(), source.TopicNames()...)
	case "committed":
		l.committed, err = admin.FetchOffsets(ctx, source.Group)
		if errors.Is(err, kerr.GroupIDNotFound) {
			err = nil // it has committed nothing yet
		}
	}
	return l, err
}

// findSpans finds out what is to be read, and tells of partitions where a run would
// have trouble.
func findSpans(ctx context.Context, admin *kadm.Client, source config.Source, from position, p *printer) ([]*span, error) {
	l, err := askLogs(ctx, admin, source, from)
	if err != nil {
		return nil, fmt.Errorf("asking Kafka where the logs of %s begin and end, and for the offsets of group %s: %w; check the rights to read these topics and the group",
			strings.Join(source.TopicNames(), ", "), source.Group, err)
	}
	var spans []*span
	for _, end := range l.end.Offsets().Sorted() {
		switch err := l.failed(end.Topic, end.Partition); {
		case end.Partition < 0 && errors.Is(err, kerr.UnknownTopicOrPartition):
			p.note("topic " + end.Topic + " does not exist yet")
			continue
		case err != nil:
			p.note(fmt.Sprintf("%s/%d is left out, Kafka can't tell where it begins, ends or stands: %v", end.Topic, end.Partition, err))
			continue
		}
		if s := l.span(end, source, from, p); s.next < s.end {
			spans = append(spans, s)
		}
	}
	return spans, nil
}

// failed is why Kafka does not tell of a partition. Of a topic that can't be asked
// for there is one partition, -1, that says so.
func (l *logs) failed(topic string, partition int32) error {
	end, _ := l.end.Lookup(topic, partition)
	start, _ := l.start.Lookup(topic, partition)
	since, _ := l.since.Lookup(topic, partition)
	commit, _ := l.committed.Lookup(topic, partition)
	return cmp.Or(end.Err, start.Err, since.Err, commit.Err)
}

func (l *logs) span(end kadm.Offset, source config.Source, from position, p *printer) *span {
	start, _ := l.start.Lookup(end.Topic, end.Partition)
	first := start.Offset
	s := &span{topic: end.Topic, partition: end.Partition, next: first, end: end.At}
	switch from.word {
	case "latest":
		s.next = s.end
	case "offset":
		s.next = max(from.n, first)
	case "last":
		s.next = max(s.end-from.n, first)
	case "time":
		if o, ok := l.since.Lookup(end.Topic, end.Partition); ok && o.Offset >= 0 {
			s.next = max(o.Offset, first)
		}
	case "committed":
		o, ok := l.committed.Lookup(end.Topic, end.Partition)
		s.fromCommit(o.Offset, ok && o.At >= 0, first, source, p)
	}
	return s
}

// fromCommit begins where a run would.
func (s *span) fromCommit(commit kadm.Offset, known bool, first int64, source config.Source, p *printer) {
	at, place := commit.At, fmt.Sprintf("%s/%d", s.topic, s.partition)
	switch {
	case !known && source.Start == consumer.StartCommitted:
		p.note("a run would not start: group " + source.Group + " has no offset for " + place + " (source.start is committed)")
		s.next = s.end
	case !known && source.Start == consumer.StartLatest:
		s.next = s.end
	case !known:
	case first <= at && at <= s.end:
		s.next, s.commit = at, &commit
	case source.OnReset == consumer.ResetFail:
		p.note(fmt.Sprintf("a run would stop at %s: its committed offset %d is not in the log, %d to %d (source.on_reset is fail)", place, at, first, s.end))
		s.next = s.end
	default:
		p.note(fmt.Sprintf("the committed offset %d of %s is not in the log, %d to %d; as in a run, reading begins at its start (source.on_reset)", at, place, first, s.end))
	}
}

// topicReader reads spans.
type topicReader struct {
	client *kgo.Client
	spans  []*span
	stage  *dryrun.Run
	limit  int // 0: none
	got    int
	idle   []*span // of which nothing more came
}

func (r *topicReader) read(ctx context.Context) error {
	partitions := make(map[string]map[int32]kgo.Offset)
	for _, s := range r.spans {
		if partitions[s.topic] == nil {
			partitions[s.topic] = make(map[int32]kgo.Offset)
		}
		partitions[s.topic][s.partition] = kgo.NewOffset().At(s.next)
		if s.commit != nil {
			r.stage.Begin(batcher.Start{Topic: s.topic, Partition: s.partition, Offset: s.commit.At, LeaderEpoch: s.commit.LeaderEpoch, Metadata: s.commit.Metadata})
		}
	}
	r.client.AddConsumePartitions(partitions)
	for len(r.spans) > 0 && (r.limit == 0 || r.got < r.limit) && ctx.Err() == nil {
		most := min(r.stage.Room(), maxPoll)
		if r.limit > 0 {
			most = min(most, r.limit-r.got)
		}
		polling, cancel := context.WithTimeout(ctx, idleTimeout)
		fetches := r.client.PollRecords(polling, most)
		idle := polling.Err() != nil && ctx.Err() == nil
		cancel()
		if idle && fetches.NumRecords() == 0 {
			r.idle = r.spans
			return nil
		}
		if err := r.take(fetches); err != nil {
			return err
		}
		if err := r.stage.Step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *topicReader) take(fetches kgo.Fetches) error {
	for _, e := range fetches.Errors() {
		if !errors.Is(e.Err, context.DeadlineExceeded) && !errors.Is(e.Err, context.Canceled) {
			return fmt.Errorf("reading %s/%d: %w; check the topic and the right to read it", e.Topic, e.Partition, e.Err)
		}
	}
	var failed error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		i := slices.IndexFunc(r.spans, func(s *span) bool { return s.topic == p.Topic && s.partition == p.Partition })
		if i < 0 {
			return // what came after the end
		}
		s := r.spans[i]
		changes := make([]batcher.Change, 0, len(p.Records))
		for _, rec := range p.Records {
			if s.next = rec.Offset + 1; rec.Offset < s.end {
				changes = append(changes, changeOf(rec))
			}
		}
		if s.next >= s.end {
			r.spans = slices.Delete(r.spans, i, i+1)
			r.client.PauseFetchPartitions(map[string][]int32{s.topic: {s.partition}})
		}
		r.got += len(changes)
		failed = errors.Join(failed, r.stage.Records(s.topic, s.partition, changes))
	})
	return failed
}

// changeOf takes a record over as the consumer of a run does, but for the copy.
func changeOf(r *kgo.Record) batcher.Change {
	c := batcher.Change{Offset: r.Offset, LeaderEpoch: r.LeaderEpoch}
	if r.Attrs.IsControl() {
		c.Verdict, c.Reason = batcher.Skip, batcher.Reason{Code: "transaction_marker", Text: "the end of a transaction"}
		return c
	}
	c.Record = batcher.Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	for _, h := range r.Headers {
		c.Record.Headers = append(c.Record.Headers, batcher.Header{Key: h.Key, Value: h.Value})
	}
	return c
}
