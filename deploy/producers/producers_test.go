//go:build producers

package producers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/registrytest"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/avro"
	"kafka-kustomer/schemas/mapping"
	"kafka-kustomer/schemas/registry"
)

const readTimeout = 30 * time.Second

// change is what must come out of a record.
type change struct {
	messageID, eventID string
	occurredAt         time.Time
	patch              string
}

const (
	first  = "5f2f3c1a9d1e8b0012345678"
	second = "5f2f3c1a9d1e8b0012345679"
)

// changes are those that every program writes, in this order by message.
var changes = []change{
	{first, "e-1", time.Date(2026, 11, 24, 2, 30, 0, 123e6, time.UTC), `{"subject":"Re: commande n° 7","custom":{"tierStr":"gold","visitsNum":3}}`},
	{first, "e-2", time.Date(2026, 11, 24, 2, 30, 1, 0, time.UTC), `{"status":"sent","sentAt":"2026-11-24T02:30:00.987Z","lang":null}`},
	{second, "e-3", time.Date(2026, 11, 24, 2, 30, 2, 0, time.UTC), `{"status":"error","error":{"status":550,"code":"mailbox_full"},"custom":{"noteTxt":null}}`},
}

// expected are the changes as a format can say them.
func expected(format string) []change {
	want := slices.Clone(changes)
	if format == "item" {
		for i := range want {
			want[i].eventID, want[i].occurredAt = "", time.Time{}
		}
	}
	return want
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var reg *registrytest.Registry

func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	var err error
	if reg, err = registrytest.Open(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := kafkatest.Main(m)
	if err := reg.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func TestProducers(t *testing.T) {
	brokers := kafkatest.Brokers(t)
	partitions := map[string]int32{} // where each key is, whoever wrote it
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			p := prepare(t, l)
			// Avro twice: Apicurio counts the texts of schemas (content id), and apart
			// from that what was registered (global id). In a second topic with the same
			// text the two differ, and a serializer that writes the wrong one is found.
			for _, format := range append(l.formats, "avro") {
				t.Run(format, func(t *testing.T) {
					topic := kafkatest.Topic(t, brokers, l.name+"-"+format, 6)
					must(t, run(t, p, format, topic, "SCHEMA="+schemaFile()))
					records := read(t, brokers, topic, len(changes))
					wantPlaces(t, partitions, records)
					wantChanges(t, format, records, expected(format))
				})
			}
		})
	}
}

// run runs a program to its end. The error holds what it said.
func run(t *testing.T, p program, format, topic string, env ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	url := reg.URL()
	if p.native {
		url = reg.NativeURL()
	}
	env = append(env, "BROKERS="+strings.Join(kafkatest.Brokers(t), ","), "SCHEMA_REGISTRY_URL="+url)
	if out, err := p.command(ctx, format, topic, env...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", p.name, format, err, out)
	}
	return nil
}

// read returns the first n records of a topic, and fails if there is one more by
// then. Those of a partition are in order.
func read(t *testing.T, brokers []string, topic string, n int) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	must(t, err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), readTimeout)
	defer cancel()
	var records []*kgo.Record
	for len(records) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d records of %d came: %v", len(records), n, err)
		}
		records = append(records, fetches.Records()...)
	}
	if len(records) != n {
		t.Errorf("%d records came, want %d", len(records), n)
	}
	slices.SortStableFunc(records, func(a, b *kgo.Record) int { return bytes.Compare(a.Key, b.Key) })
	return records
}

// wantPlaces checks that the key is the message id, and that a key is in the same
// partition whatever program wrote it: programs in two languages may share a topic.
func wantPlaces(t *testing.T, partitions map[string]int32, records []*kgo.Record) {
	t.Helper()
	for i, r := range records {
		key := string(r.Key)
		if i < len(changes) && key != changes[i].messageID {
			t.Errorf("key %q, want %q", key, changes[i].messageID)
		}
		if p, known := partitions[key]; !known {
			partitions[key] = r.Partition
		} else if p != r.Partition {
			t.Errorf("%s is in partition %d, the first program put it into %d", key, r.Partition, p)
		}
	}
}

func wantChanges(t *testing.T, format string, records []*kgo.Record, want []change) {
	t.Helper()
	client, err := registry.New(registry.Config{URLs: []string{reg.URL()}, UnknownGrace: time.Millisecond})
	must(t, err)
	defer client.Close()
	decoder := schemas.NewDecoder(schemas.Config{MaxEventBytes: 1 << 20})
	for i, r := range records {
		event := mapped(t, format, r)
		if format == "avro" {
			event = transcoded(t, client, r)
		}
		c := batcher.Change{Record: batcher.Record{Key: r.Key, Value: event}}
		decoder.Decode(&c)
		if c.Verdict != batcher.Send {
			t.Fatalf("record %d: %+v of %s", i, c.Reason, event)
		}
		got := change{string(c.MessageID), string(c.EventID), c.OccurredAt.UTC(), ""}
		w := want[i]
		if diff := cmp.Diff(parse(t, w.patch), parse(t, string(c.Patch))); diff != "" {
			t.Errorf("record %d: patch (-want +got):\n%s", i, diff)
		}
		w.patch = ""
		if got != w {
			t.Errorf("record %d: %+v, want %+v", i, got, w)
		}
	}
}

// parse is for comparing: the order of members is a schema's or a map's.
func parse(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	must(t, d.Decode(&v))
	return v
}

// transcoded is the event in a record with a schema's id in front, and Avro.
func transcoded(t *testing.T, client *registry.Client, r *kgo.Record) []byte {
	t.Helper()
	if h := header(r, registry.ValueHeader); h != nil {
		t.Fatalf("the schema's id is in a header: %x", h)
	}
	id, body, framing, err := registry.Parse(nil, r.Value)
	if err != nil || framing != registry.Prefixed || r.Value[0] != 0 {
		t.Fatalf("framing %v, %v: %x", framing, err, r.Value)
	}
	schema, err := client.Schema(t.Context(), id)
	must(t, err)
	if schema.Type != registry.Avro {
		t.Fatalf("schema of type %s", schema.Type)
	}
	transcoder, err := avro.Compile(schema.Text)
	must(t, err)
	event, err := transcoder.AppendEvent(nil, body)
	must(t, err)
	return event
}

// mapped is the event in a record of JSON, made by the preset of the format.
func mapped(t *testing.T, format string, r *kgo.Record) []byte {
	t.Helper()
	if format == "avro" {
		return nil
	}
	if _, _, framing, err := registry.Parse(header(r, registry.ValueHeader), r.Value); framing != registry.Unframed || err != nil {
		t.Fatalf("JSON is taken for framing %v, %v", framing, err)
	}
	if isCloudEvent := header(r, "ce_id") != nil; isCloudEvent != (format == "cloudevents") {
		t.Errorf("headers %v", r.Headers)
	}
	preset := mapping.MessageChange
	if format == "item" {
		preset = mapping.Item
	}
	mapper, err := mapping.New(mapping.Config{Preset: preset})
	must(t, err)
	record := &mapping.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, mapping.Header{Key: h.Key, Value: h.Value})
	}
	result := mapper.Map(record)
	if len(result.Events) != 1 {
		t.Fatalf("mapped to %+v", result)
	}
	return result.Events[0]
}

func header(r *kgo.Record, name string) []byte {
	for _, h := range r.Headers {
		if h.Key == name {
			return h.Value
		}
	}
	return nil
}
