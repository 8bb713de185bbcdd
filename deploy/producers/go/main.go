// Command go writes three message changes to a topic, in one of four formats:
//
//	go run ./deploy/producers/go json|avro|item|cloudevents TOPIC
//
// BROKERS is where Kafka is (localhost:9092). For avro, SCHEMA_REGISTRY_URL is the
// registry, and SCHEMA the file with the schema, message-change.avsc.
//
// It imports nothing of this module, so the folder can be copied.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// encoder fills in a record's value and headers.
type encoder func(*kgo.Record, event) error

func asJSON(r *kgo.Record, e event) (err error) {
	r.Value, err = json.Marshal(e)
	return err
}

// asItem writes an item of Kustomer's bulk API.
func asItem(r *kgo.Record, e event) (err error) {
	item := object{"id": e.MessageID}
	maps.Copy(item, e.Changes)
	r.Value, err = json.Marshal(item)
	return err
}

// asCloudEvent writes a CloudEvent in binary mode: its id and time are in headers.
func asCloudEvent(r *kgo.Record, e event) error {
	for _, h := range [][2]string{
		{"ce_specversion", "1.0"},
		{"ce_id", e.EventID},
		{"ce_source", "/example"},
		{"ce_type", "com.example.message.changed"},
		{"ce_time", e.OccurredAt.Format(time.RFC3339Nano)},
		{"content-type", "application/json"},
	} {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	return asJSON(r, event{MessageID: e.MessageID, Changes: e.Changes})
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go json|avro|item|cloudevents TOPIC")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := produce(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func produce(ctx context.Context, format, topic string) (err error) {
	encode := map[string]encoder{"json": asJSON, "item": asItem, "cloudevents": asCloudEvent}[format]
	if format == "avro" {
		encode, err = newAvroEncoder(ctx, topic)
	}
	if err != nil {
		return err
	}
	if encode == nil {
		return fmt.Errorf("no format %q: json, avro, item and cloudevents are", format)
	}
	// What all replicas have acknowledged, and idempotent, is kgo's default.
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(cmp.Or(os.Getenv("BROKERS"), "localhost:9092"), ",")...))
	if err != nil {
		return err
	}
	defer client.Close()
	var records []*kgo.Record
	for _, e := range events {
		// Order holds within a partition, so changes of one message share a key.
		r := &kgo.Record{Topic: topic, Key: []byte(e.MessageID)}
		if err := encode(r, e); err != nil {
			return err
		}
		records = append(records, r)
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}
