package main

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/workload"
	"kafka-kustomer/schemas/formats"
)

func emptyRegistry() *schemaRegistry {
	return &schemaRegistry{held: srfake.NewRegistry(), subject: "message-changes-value", front: &front{}}
}

// decodes returns how the connector reads values of the source topic.
func decodes(t *testing.T, r *schemaRegistry) func(value []byte) batcher.Change {
	t.Helper()
	web := httptest.NewServer(r.held.Handler())
	t.Cleanup(web.Close)
	cfg := config.Default()
	cfg.SchemaRegistry.URLs = []string{web.URL}
	client, err := openRegistry(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	decoder, err := newDecoder(cfg, client)
	if err != nil {
		t.Fatal(err)
	}
	return func(value []byte) batcher.Change { return decoded(t, decoder, cfg.Source.Topics[0].Name, value) }
}

func decoded(t *testing.T, d *formats.Decoder, topic string, value []byte) batcher.Change {
	t.Helper()
	for range 2 { // the second time, its schema is there
		c := batcher.Change{Record: batcher.Record{Value: value}}
		_, wait := d.Decode(topic, 0, &c)
		if wait == nil {
			return c
		}
		wait(t.Context())
	}
	t.Fatal("the schema does not come")
	return batcher.Change{}
}

// content is what a change says; the order of members means nothing.
func content(t *testing.T, c batcher.Change) map[string]any {
	t.Helper()
	var patch map[string]any
	if err := json.Unmarshal(c.Patch, &patch); err != nil || c.Verdict != batcher.Send {
		t.Fatalf("verdict %v, %s: %v", c.Verdict, c.Reason.Text, err)
	}
	return map[string]any{"event": string(c.EventID), "message": string(c.MessageID), "at": c.OccurredAt.UTC(), "patch": patch}
}

// An event says the same in Avro, whatever version of the schema, as in JSON.
func TestDemoEventsSayTheSameInAvro(t *testing.T) {
	r := emptyRegistry()
	decode := decodes(t, r)
	events := workload.New(workload.Config{Seed: 5, Messages: 20, Poison: 0.2, Distinct: true})
	for version := range 3 {
		avro, err := r.register(version)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			e := events.Next(time.Date(2026, 1, 1, 0, 0, 0, 123e6, time.UTC))
			value, err := avro.Encode(e.Value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]byte{0, 0, 0, 0, byte(version + 1)}, value[:5]); diff != "" {
				t.Fatalf("the id of version %d (-want +got):\n%s", version, diff)
			}
			if diff := cmp.Diff(content(t, decode(e.Value)), content(t, decode(value))); diff != "" {
				t.Fatalf("version %d of %s (-JSON +Avro):\n%s", version, e.Value, diff)
			}
		}
	}
}

// Of the changes of a message some are Avro and some JSON, and a new version of the
// schema is in one partition only. What is malformed stays as it is.
func TestFeedMixesFormats(t *testing.T) {
	r := emptyRegistry()
	old, err := r.register(0)
	if err != nil {
		t.Fatal(err)
	}
	other, err := r.register(1)
	if err != nil {
		t.Fatal(err)
	}
	f := &feed{
		topic: "message-changes", places: kgo.StickyKeyPartitioner(nil).ForTopic("message-changes"),
		events: workload.New(workload.Config{Seed: 1, Messages: 30, Malformed: 0.1}),
	}
	for i := range f.avro {
		f.avro[i] = old
	}
	f.useSchema(newSchemaIn, other)
	decode := decodes(t, r)
	plain, avro := map[string]int{}, map[string]int{} // by message
	for range 2000 {
		record, err := f.next(time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		if len(record.Value) < 5 || record.Value[0] != 0 {
			plain[string(record.Key)]++
			continue
		}
		avro[string(record.Key)]++
		want, partition := byte(1), f.places.Partition(record, demoPartitions)
		if partition == int(newSchemaIn) {
			want = 2
		}
		if id := record.Value[4]; id != want {
			t.Fatalf("an event of partition %d has schema %d, want %d", partition, id, want)
		}
		if c := decode(record.Value); c.Verdict != batcher.Send {
			t.Fatalf("an event in Avro is not one: %s", c.Reason.Text)
		}
	}
	total := 0
	for _, message := range slices.Sorted(maps.Keys(plain)) {
		if avro[message] == 0 {
			t.Errorf("message %s has %d events in JSON and none in Avro", message, plain[message])
		}
		total += avro[message]
	}
	if len(plain) != 30 || total != f.inAvro() || total < 400 || total > 500 {
		t.Errorf("%d of 2,000 events, of %d messages, are Avro, and %d are said to be", total, len(plain), f.inAvro())
	}
}

func TestStoodStill(t *testing.T) {
	at := func(committed ...int64) (l look) {
		for i, c := range committed {
			l.core.Places = append(l.core.Places, batcher.Place{Topic: "t", Partition: int32(i), Committed: c})
		}
		slices.Reverse(l.core.Places) // their order means nothing
		return l
	}
	for _, tt := range []struct {
		name     string
		from, to look
		want     int
	}{
		{"all but the one", at(5, 5, -1), at(5, 6, 1), 0},
		{"the one alone", at(5, 5, 5), at(6, 5, 5), 2},
		{"one of them", at(5, 5, 5), at(5, 5, 9), 1},
	} {
		if got := stoodStill(tt.from, tt.to); got != tt.want {
			t.Errorf("%s: %d stood still, want %d", tt.name, got, tt.want)
		}
	}
}
