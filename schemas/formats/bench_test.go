package formats

import (
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/registry"
)

// typical is the same event in both forms: what a support tool would set.
func typical(t testing.TB) (json, avro []byte) {
	json = []byte(`{"messageId":"64a1f0c2b7d9e30012ab1001","eventId":"0f7f0a4e-0c1e-4c4e-9a0e-3c5b7a1d2e3f","occurredAt":"2026-11-24T02:30:00.123Z",` +
		`"changes":{"conversation":"64a1f0c2b7d9e30012ab2001","externalId":"ticket-4711","subject":"Re: where is my order?",` +
		`"preview":"Hello, it was to arrive on Tuesday, and nobody has told me a thing","status":"sent","sentAt":"2026-11-24T02:30:00.123Z",` +
		`"updatedAt":"2026-11-24T02:30:00.123Z","modifiedBy":"64a1f0c2b7d9e30012ab0002",` +
		`"custom":{"tierStr":"gold","noteTxt":"asked twice","scoreNum":4.5,"vipBool":true},"lang":null}}`)
	text := func(s string) any { return goavro.Union("string", s) }
	at := goavro.Union("long.timestamp-millis", time.Date(2026, 11, 24, 2, 30, 0, 123e6, time.UTC))
	return json, numbered(1, encoded(t, schemas.MessageChangeAvro, map[string]any{
		"messageId": "64a1f0c2b7d9e30012ab1001", "eventId": text("0f7f0a4e-0c1e-4c4e-9a0e-3c5b7a1d2e3f"), "occurredAt": at,
		"changes": map[string]any{
			"conversation": text("64a1f0c2b7d9e30012ab2001"), "externalId": text("ticket-4711"),
			"subject": text("Re: where is my order?"), "preview": text("Hello, it was to arrive on Tuesday, and nobody has told me a thing"),
			"status": goavro.Union("kafka_kustomer.MessageStatus", "sent"), "sentAt": at, "updatedAt": at,
			"modifiedBy": text("64a1f0c2b7d9e30012ab0002"),
			"custom": goavro.Union("map", map[string]any{
				"tierStr": text("gold"), "noteTxt": text("asked twice"), "scoreNum": goavro.Union("double", 4.5), "vipBool": goavro.Union("boolean", true),
			}),
		},
		"clear": []any{"lang"},
	}))
}

// BenchmarkDecode reads the same event as JSON and as Avro behind the number of its
// schema, with what is kept of it.
func BenchmarkDecode(b *testing.B) {
	json, avro := typical(b)
	from := &shelf{schemas: map[registry.ID]registry.Schema{registry.Number(1): {Type: registry.Avro, Text: schemas.MessageChangeAvro}}}
	for _, form := range []struct {
		name  string
		value []byte
	}{{"json", json}, {"avro", avro}} {
		b.Run(form.name, func(b *testing.B) {
			d := decoder(b, from, Topic{})
			if c := read(b, d, form.value); c.Verdict != batcher.Send || len(c.Patch) < 400 {
				b.Fatalf("%v: %s", c.Reason, c.Patch)
			}
			b.SetBytes(int64(len(form.value)))
			b.ReportAllocs()
			for b.Loop() {
				c := batcher.Change{Record: batcher.Record{Value: form.value}}
				d.Decode(topicName, 0, &c)
			}
		})
	}
}
