package results

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
	"kafka-kustomer/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var recordTime = time.Date(2026, 11, 24, 2, 30, 0, 123e6, time.UTC)

func newCluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newClient(t *testing.T, c *kfake.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(append(ProducerOpts(), kgo.SeedBrokers(c.ListenAddrs()...)), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func newWriter(t *testing.T, c *kfake.Cluster, opts ...kgo.Opt) *Writer {
	t.Helper()
	return New(newClient(t, c, opts...), Config{Name: "kk", ResultsTopic: "results", DeadLetterTopic: "dead", Items: true}, nil)
}

// read takes n records of a topic.
func read(t *testing.T, c *kfake.Cluster, topic string, n int) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var records []*kgo.Record
	for len(records) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d of %d records of %s: %v", len(records), n, topic, err)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

// await waits for a callback, and sees that it comes once.
func await(t *testing.T, start func(done func(error))) error {
	t.Helper()
	called := make(chan error, 2)
	start(func(err error) { called <- err })
	select {
	case err := <-called:
		select {
		case <-called:
			t.Error("done was called twice")
		default:
		}
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("done was not called")
		return nil
	}
}

var partition = &batcher.Assignment{Topic: "message-changes", Partition: 3}

func report(events int) *batcher.Report {
	it := &batcher.Item{MessageID: "m1", Assignment: partition, Attempts: 1}
	for i := range events {
		it.Events = append(it.Events, &batcher.Event{Offset: int64(2 * i), EventID: []byte(strings.Repeat("e", 250)), Assignment: partition})
	}
	b := &batcher.Batch{ID: "c1x-9", Items: []*batcher.Item{it}}
	return &batcher.Report{
		Kind: batcher.ReportCompleted, Batch: b, Operation: &batcher.Operation{ID: "op1", Batch: b},
		Fates: []batcher.ItemFate{{Item: it}}, At: recordTime,
	}
}

func bury(value []byte) *batcher.Bury {
	return &batcher.Bury{
		Event: &batcher.Event{Offset: 1041, Assignment: partition, Record: batcher.Record{
			Key: []byte("k\x00\xff"), Value: value, Timestamp: recordTime,
			Headers: []batcher.Header{
				{Key: "traceparent", Value: []byte("00-4bf9")},
				{Key: "kafka-kustomer.reason", Value: []byte("old")},
				{Key: "nil", Value: nil},
				{Key: "__connect.errors.topic", Value: []byte("old")},
				{Key: "traceparent", Value: []byte{0xff, 0}},
			},
		}},
		MessageID: "m1", Reason: batcher.Reason{Code: "item_failed", Text: "not found"},
		BatchID: "c1x-9", Operation: "op1", Status: 201, Attempts: 4,
	}
}

func headers(r *kgo.Record) string {
	var b strings.Builder
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s=%q\n", h.Key, h.Value)
	}
	return b.String()
}

const addedHeaders = `__connect.errors.topic="message-changes"
__connect.errors.partition="3"
__connect.errors.offset="1041"
__connect.errors.connector.name="kk"
__connect.errors.task.id="0"
__connect.errors.stage="TASK_PUT"
__connect.errors.class.name="kafka-kustomer/sink"
__connect.errors.exception.class.name="item_failed"
__connect.errors.exception.message="not found"
kafka-kustomer.reason="item_failed"
kafka-kustomer.message.id="m1"
kafka-kustomer.batch.id="c1x-9"
kafka-kustomer.operation.id="op1"
kafka-kustomer.http.status="201"
kafka-kustomer.attempts="4"
`

const keptHeaders = `traceparent="00-4bf9"
nil=""
traceparent="\xff\x00"
`

func TestReportIsKeyedByBatch(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(4, "results"))
	w := newWriter(t, c)
	if err := await(t, func(done func(error)) { w.Report(report(2), done) }); err != nil {
		t.Fatal(err)
	}
	r := read(t, c, "results", 1)[0]
	if string(r.Key) != "c1x-9" || !strings.HasPrefix(string(r.Value), `{"eventId":"c1x-9.completed",`) || !strings.Contains(string(r.Value), `"items":[`) {
		t.Errorf("key %q, value %s", r.Key, r.Value)
	}
}

// Results in Avro are framed as readers with a registry expect it, also in parts.
func TestReportAsAvro(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results"))
	prefix := []byte{0, 0, 0, 0, 42}
	client := newClient(t, c)
	w := New(client, Config{ResultsTopic: "results", DeadLetterTopic: "dead", Items: true, Format: schemas.Avro, Prefix: prefix}, nil)
	for _, events := range []int{2, 6000} {
		if err := await(t, func(done func(error)) { w.Report(report(events), done) }); err != nil {
			t.Fatal(err)
		}
	}
	codec, err := goavro.NewCodec(schemas.BatchResultAvro)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range read(t, c, "results", 3) {
		value, framed := bytes.CutPrefix(r.Value, prefix)
		native, rest, err := codec.NativeFromBinary(value)
		if err != nil || len(rest) > 0 || !framed || string(r.Key) != "c1x-9" || len(r.Headers) > 0 {
			t.Fatalf("framed %v, key %q, %d headers, %d bytes more, %v", framed, r.Key, len(r.Headers), len(rest), err)
		}
		ids = append(ids, native.(map[string]any)["eventId"].(string))
	}
	if want := []string{"c1x-9.completed", "c1x-9.completed.1", "c1x-9.completed.2"}; !slices.Equal(ids[:3], want) {
		t.Errorf("events %q, want %q first", ids, want)
	}
}

// A report in parts is done when the last part is: here the others fail or wait.
func TestReportInPartsIsDoneOnce(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results"))
	w := newWriter(t, c)
	large := report(6000) // some 1.9 MB
	if err := await(t, func(done func(error)) { w.Report(large, done) }); err != nil {
		t.Fatal(err)
	}
	records := read(t, c, "results", 3)
	for i, r := range records {
		if want := fmt.Sprintf(`{"eventId":"c1x-9.completed.%d",`, i+1); !strings.HasPrefix(string(r.Value), want) || string(r.Key) != "c1x-9" {
			t.Errorf("part %d begins %.60s, want %s", i+1, r.Value, want)
		}
	}
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: 1})
	err := await(t, func(done func(error)) { w.Report(large, done) })
	if !errors.Is(err, kerr.MessageTooLarge) || !strings.Contains(err.Error(), "results") || !strings.Contains(err.Error(), "max.message.bytes") {
		t.Errorf("with a part refused: %v", err)
	}
}

func TestDeadLetterRepeatsTheRecord(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "dead"))
	w := newWriter(t, c)
	b := bury([]byte("{\"x\":\xff}"))
	if err := await(t, func(done func(error)) { w.Bury(b, done) }); err != nil {
		t.Fatal(err)
	}
	malformed := bury(nil)
	malformed.Event.Record.Key, malformed.Event.Record.Headers = nil, nil
	malformed.MessageID, malformed.BatchID, malformed.Operation, malformed.Status, malformed.Attempts = "", "", "", 0, 0
	malformed.Reason = batcher.Reason{Code: "tombstone", Text: "the value is null"}
	if err := await(t, func(done func(error)) { w.Bury(malformed, done) }); err != nil {
		t.Fatal(err)
	}
	records := read(t, c, "dead", 2)
	r := records[0]
	if string(r.Key) != "k\x00\xff" || string(r.Value) != "{\"x\":\xff}" || !r.Timestamp.Equal(recordTime) {
		t.Errorf("key %q, value %q, time %v", r.Key, r.Value, r.Timestamp)
	}
	if diff := cmp.Diff(keptHeaders+addedHeaders, headers(r)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	r = records[1]
	if r.Key != nil || r.Value != nil {
		t.Errorf("key %q, value %q; want both null", r.Key, r.Value)
	}
	want := strings.NewReplacer("TASK_PUT", "VALUE_CONVERTER", "kafka-kustomer/sink", "kafka-kustomer/schemas", "item_failed", "tombstone", "not found", "the value is null").
		Replace(addedHeaders[:strings.Index(addedHeaders, "kafka-kustomer.message.id")])
	if diff := cmp.Diff(want, headers(r)); diff != "" {
		t.Errorf("headers of a malformed record (-want +got):\n%s", diff)
	}
}

func TestDeadLetterThatIsTooLarge(t *testing.T) {
	value := []byte(strings.Repeat("v", 3000))
	sum := sha256.Sum256(value)
	valueHeaders := fmt.Sprintf("kafka-kustomer.value.size=\"3000\"\nkafka-kustomer.value.sha256=%q\n", hex.EncodeToString(sum[:]))
	tests := []struct {
		name    string
		fault   int // times that the broker refuses
		opts    []kgo.Opt
		headers string
		key     string
	}{
		{"for the topic", 1, nil, keptHeaders + addedHeaders + valueHeaders, "k\x00\xff"},
		{"for the client", 0, []kgo.Opt{kgo.ProducerBatchMaxBytes(2500)}, keptHeaders + addedHeaders + valueHeaders, "k\x00\xff"},
		{"even without its value", 2, nil, addedHeaders + valueHeaders, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t, kfake.SeedTopics(1, "dead"))
			if tt.fault > 0 {
				c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: tt.fault})
			}
			w := newWriter(t, c, tt.opts...)
			core, logs := observer.New(zap.WarnLevel)
			w.log = canary.Watch(t, core)
			if err := await(t, func(done func(error)) { w.Bury(bury(value), done) }); err != nil {
				t.Fatal(err)
			}
			r := read(t, c, "dead", 1)[0]
			if r.Value != nil || string(r.Key) != tt.key || !r.Timestamp.Equal(recordTime) {
				t.Errorf("key %q, %d bytes of value, time %v", r.Key, len(r.Value), r.Timestamp)
			}
			if diff := cmp.Diff(tt.headers, headers(r)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if logs.Len() != max(tt.fault, 1) || strings.Contains(fmt.Sprint(logs.All()), "vvvv") {
				t.Errorf("log: %v", logs.All())
			}
		})
	}
	c := newCluster(t, kfake.SeedTopics(1, "dead"))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: -1})
	w := newWriter(t, c)
	if err := await(t, func(done func(error)) { w.Bury(bury(value), done) }); !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("refused whatever it is: %v", err)
	}
}

// A broker that never acknowledges is silent: only the age tells.
func TestOldestAndClose(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results", "dead"))
	stuck := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "results", Err: kerr.NotEnoughReplicas, Count: -1})
	w := newWriter(t, c, kgo.MetadataMinAge(50*time.Millisecond))
	before := time.Now()
	if age := w.Oldest(before); age != 0 {
		t.Errorf("nothing is under way, age %v", age)
	}
	done := make(chan error, 1)
	w.Report(report(1), func(err error) { done <- err })
	if err := await(t, func(done func(error)) { w.Bury(bury(nil), done) }); err != nil {
		t.Fatal(err) // a later write that ends first must not hide the older
	}
	if age := w.Oldest(before.Add(time.Hour)); age < 59*time.Minute || age > time.Hour {
		t.Errorf("age %v, want about an hour", age)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := w.Close(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "1 result events") {
		t.Errorf("Close with a write stuck: %v", err)
	}
	stuck.Remove()
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if age := w.Oldest(before.Add(time.Hour)); age != 0 {
		t.Errorf("all acknowledged, age %v", age)
	}
}

func TestWritesAfterTheClientIsClosedFail(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results", "dead"))
	w := newWriter(t, c)
	w.client.Close()
	for _, start := range []func(func(error)){
		func(done func(error)) { w.Report(report(1), done) },
		func(done func(error)) { w.Bury(bury(nil), done) },
	} {
		if err := await(t, start); !errors.Is(err, kgo.ErrClientClosed) {
			t.Errorf("%v, want that the client is closed", err)
		}
	}
}

// A topic may take less than the client puts in a batch. Each of many small dead
// letters still has its value, and result events are split to fit.
func TestTopicsWithSmallBatches(t *testing.T) {
	small := "2000"
	c := newCluster(t)
	sizes := &Sizes{}
	w := New(newClient(t, c, sizes.Opt()), Config{Name: "kk", ResultsTopic: "results", DeadLetterTopic: "dead", Items: true, Sizes: sizes}, nil)
	for _, topic := range []string{"results", "dead"} {
		if _, err := w.admin.CreateTopic(t.Context(), 1, 1, map[string]*string{"max.message.bytes": &small}, topic); err != nil {
			t.Fatal(err)
		}
	}
	var largest atomic.Int32
	c.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		for _, topic := range req.(*kmsg.ProduceRequest).Topics {
			for _, p := range topic.Partitions {
				largest.Store(max(largest.Load(), int32(len(p.Records))))
			}
		}
		return nil, nil, false
	})
	if err := w.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 100
	done := make(chan error, n+1)
	for range n {
		w.Bury(bury([]byte(rand.Text()+rand.Text())), func(err error) { done <- err })
	}
	w.Report(report(50), func(err error) { done <- err })
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, r := range read(t, c, "dead", n) {
		if r.Value == nil {
			t.Fatal("a dead letter has lost its value")
		}
	}
	if n := largest.Load(); n > 2000 {
		t.Errorf("a batch has %d bytes", n)
	}
	if r := read(t, c, "results", 2)[0]; !strings.Contains(string(r.Value), `"parts":`) {
		t.Errorf("not split: %.100s", r.Value)
	}
}

// A topic that is deleted and made anew is written to again.
func TestTopicMadeAnew(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "results"))
	w := newWriter(t, c, kgo.MetadataMinAge(50*time.Millisecond))
	defer w.trouble.close()
	if err := await(t, func(done func(error)) { w.Report(report(1), done) }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin.DeleteTopic(t.Context(), "results"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin.CreateTopic(t.Context(), 1, 1, nil, "results"); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for tries := 1; ; tries++ {
		err := await(t, func(done func(error)) { w.Report(report(1), done) })
		if err == nil {
			break
		}
		if tries == 100 || !errors.Is(err, kerr.UnknownTopicID) {
			t.Fatalf("try %d: %v", tries, err)
		}
		<-tick.C
	}
	if r := read(t, c, "results", 1)[0]; string(r.Key) != "c1x-9" {
		t.Errorf("key %q", r.Key)
	}
}
