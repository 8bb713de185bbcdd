//go:build kafka && linux

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
)

// The end of a transaction is the last record, and nothing that could be sent:
// the lag becomes 0 all the same.
func TestEdgeTransactions(t *testing.T) { testTransactions(t, "read_committed") }

func TestEdgeTransactionsUncommitted(t *testing.T) { testTransactions(t, "read_uncommitted") }

func testTransactions(t *testing.T, isolation string) {
	t.Parallel()
	w := edgeWorld(t)
	sent := w.transaction(20, kgo.TryCommit)
	aborted := w.transaction(20, kgo.TryAbort)
	sent = append(sent, w.put(w.topic, 0, 1)...)
	aborted = append(aborted, w.transaction(5, kgo.TryAbort)...)
	c := w.connector("reads", ", isolation: "+isolation)
	w.awaitCommitted(time.Minute, w.topic, 0, 49) // 46 events and three markers
	w.awaitNoLag(time.Second)
	sent = append(sent, w.transaction(3, kgo.TryCommit)...)
	w.awaitCommitted(time.Minute, w.topic, 0, 53)
	c.term()
	if isolation == "read_committed" {
		w.wantDelivered(sent, aborted...)
	} else {
		w.wantDelivered(append(sent, aborted...))
	}
	if n := len(c.lines("trouble with Kafka")); n > 0 {
		t.Errorf("%d lines of trouble", n)
	}
}

func (w *world) transaction(n int, end kgo.TransactionEndTry) (ids []string) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.TransactionalID(w.topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		w.t.Fatal(err)
	}
	for i := range n {
		id := fmt.Sprintf("%08x%016x", 0xffff, time.Now().UnixNano()+int64(i))
		ids = append(ids, id)
		r := &kgo.Record{Topic: w.topic, Key: []byte(id), Value: fmt.Appendf(nil, `{"messageId":%q,"changes":{"subject":"%s %d"}}`, id, canary.Value, i)}
		client.Produce(w.t.Context(), r, nil)
	}
	if err := client.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := client.EndTransaction(w.t.Context(), end); err != nil {
		w.t.Fatal(err)
	}
	return ids
}

// A compacted topic has holes, at its front and in its middle.
func TestEdgeCompactedTopic(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	value := func(s string) *string { return &s }
	compacted := w.topic + "-compacted"
	w.createTopic(compacted, 1, map[string]*string{
		"cleanup.policy": value("compact"), "min.cleanable.dirty.ratio": value("0.001"), "segment.ms": value("100"),
		"min.compaction.lag.ms": value("0"), "max.compaction.lag.ms": value("1"),
	})
	t.Cleanup(func() { _, _ = w.admin.DeleteTopic(context.Background(), compacted) })
	w.topic = compacted
	id := func(n int) string { return fmt.Sprintf("%024x", n) }
	end := int64(0)
	newest := map[string]string{}
	round := func(n int) {
		for i := range 10 {
			if i > 0 && n%2 == 0 {
				continue // only every second round writes all of them
			}
			text := fmt.Sprintf("%d", n)
			newest[id(i)] = `"` + text + `"`
			w.putRecords(nil, &kgo.Record{Topic: compacted, Key: []byte(id(i)), Value: fmt.Appendf(nil, `{"messageId":%q,"changes":{"subject":"%d"}}`, id(i), n)})
			end++
		}
		pass(t, 150*time.Millisecond) // the next record rolls the segment
	}
	for n := range 6 {
		round(n)
	}
	await(t, 90*time.Second, "the log is compacted", func() error {
		round(6)
		if n := w.countRecords(compacted, end); n > int(end)-20 {
			return fmt.Errorf("%d of %d records are left", n, end)
		}
		return nil
	})
	c := w.connector("holes", "")
	w.awaitCommitted(time.Minute, compacted, 0, end)
	w.awaitNoLag(time.Second)
	c.term()
	states := w.api.states()
	for id, want := range newest {
		if got := states[id]["subject"]; got != want {
			t.Errorf("message %s is at %s, want %s", id, got, want)
		}
	}
	for _, text := range []string{"lost to this group", "beyond the end", "trouble"} {
		if n := len(c.lines(text)); n > 0 {
			t.Errorf("%d lines %q: the holes were taken for something else", n, text)
		}
	}
}

// countRecords reads partition 0 from its start to the end.
func (w *world) countRecords(topic string, end int64) (n int) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			w.t.Fatalf("reading %s: %v", topic, err)
		}
		for _, r := range fetches.Records() {
			n++
			if r.Offset == end-1 {
				return n
			}
		}
	}
}

// A batch that grows to far more than its size when it is decompressed stops its
// partition, takes no memory, and can be read or passed over as one decides.
func TestEdgeDecompressionBomb(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	before := w.put(w.topic, 0, 3)
	bomb := &kgo.Record{Topic: w.topic, Value: []byte(strings.Repeat(" ", 48<<20))}
	w.putRecords([]kgo.Opt{kgo.ProducerBatchMaxBytes(64 << 20), kgo.ProducerBatchCompression(kgo.ZstdCompression())}, bomb)
	after := w.put(w.topic, 0, 3)

	c := w.connector("careful", "")
	l := c.awaitTrouble(time.Minute, "fetch", "the batch of offsets 3 to 3 is larger than 33554432 bytes (limits.max_batch_bytes) when decompressed")
	wantPlace(t, l, w.topic, 0)
	if !strings.Contains(l.text("check"), "move its offset of this partition to 4") {
		t.Errorf("want it to name the next offset: %v", l)
	}
	others := w.put(w.topic, 1, 3)
	w.awaitCommitted(time.Minute, w.topic, 1, 3)
	w.awaitCommitted(time.Minute, w.topic, 0, 3)
	high := c.memory("VmHWM")
	c.term()
	t.Logf("VmHWM %d MiB", high>>20)
	if !raceDetector && high > 160<<20 {
		t.Errorf("it took %d MiB", high>>20)
	}
	w.wantDelivered(append(before, others...), after...)

	// Read it after all: one event larger than the most, and than its topic takes.
	c = w.connector("generous", "", "limits: {max_batch_bytes: 64MiB}")
	w.awaitCommitted(time.Minute, w.topic, 0, 7)
	c.term()
	letter := w.readAll(w.deadLetters, 1)[0]
	headers := map[string]string{}
	for _, h := range letter.Headers {
		headers[h.Key] = string(h.Value)
	}
	if letter.Value != nil || headers["kafka-kustomer.value.size"] != fmt.Sprint(48<<20) || headers["__connect.errors.offset"] != "3" ||
		headers["kafka-kustomer.reason"] != "oversize" || len(headers["kafka-kustomer.value.sha256"]) != 64 {
		t.Errorf("dead letter: %d bytes, headers %v", len(letter.Value), headers)
	}
	w.wantDelivered(after)
}

// A batch that is too large without any compression does not even arrive.
func TestEdgeOversizedBatch(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	limit := "80000000"
	w.topic += "-large"
	w.createTopic(w.topic, 2, map[string]*string{"max.message.bytes": &limit})
	t.Cleanup(func() { _, _ = w.admin.DeleteTopic(context.Background(), w.topic) })
	before := w.put(w.topic, 0, 3)
	w.putRecords([]kgo.Opt{kgo.ProducerBatchMaxBytes(64 << 20), kgo.ProducerBatchCompression(kgo.NoCompression())},
		&kgo.Record{Topic: w.topic, Value: []byte(strings.Repeat(" ", 52<<20))})
	after := w.put(w.topic, 0, 3)
	c := w.connector("small", "")
	l := c.awaitTrouble(time.Minute, "response", "a batch larger than 33554432 bytes (limits.max_batch_bytes)")
	if l.text("broker") == "" {
		t.Errorf("want it to name the broker: %v", l)
	}
	others := w.put(w.topic, 1, 3)
	w.awaitCommitted(time.Minute, w.topic, 0, 3)
	w.awaitCommitted(time.Minute, w.topic, 1, 3)
	c.term()
	if n := len(c.lines("trouble with Kafka: response")); n > 10 {
		t.Errorf("%d lines", n)
	}
	w.wantDelivered(append(before, others...), after...)
	c = w.connector("large", "", "limits: {max_batch_bytes: 64MiB}")
	w.awaitCommitted(time.Minute, w.topic, 0, 7)
	c.term()
	w.wantDelivered(after)
}
