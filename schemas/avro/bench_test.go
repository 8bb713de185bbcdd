package avro_test

import (
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"

	"kafka-kustomer/schemas"
)

// typicalChange is an event of 330 bytes: what a support tool would set.
func typicalChange(t testing.TB) []byte {
	at := goavro.Union("long.timestamp-millis", time.Date(2026, 11, 24, 2, 30, 0, 123e6, time.UTC))
	b := encode(t, schemas.MessageChangeAvro, object{
		"messageId": "64a1f0c2b7d9e30012ab1001", "eventId": text("0f7f0a4e-0c1e-4c4e-9a0e-3c5b7a1d2e3f"), "occurredAt": at,
		"changes": object{
			"conversation": text("64a1f0c2b7d9e30012ab2001"), "externalId": text("ticket-4711"),
			"subject": text("Re: where is my order?"), "preview": text("Hello, it was to arrive on Tuesday, and nobody has told me a thing"),
			"status": goavro.Union("kafka_kustomer.MessageStatus", "sent"), "sentAt": at, "updatedAt": at,
			"modifiedBy": text("64a1f0c2b7d9e30012ab0002"),
			"custom": goavro.Union("map", object{
				"tierStr": text("gold"), "noteTxt": text("asked twice"), "scoreNum": goavro.Union("double", 4.5), "vipBool": goavro.Union("boolean", true),
			}),
		},
		"clear": []any{"lang"},
	})
	if len(b) != 328 {
		t.Fatalf("the typical event has %d bytes", len(b))
	}
	return b
}

func TestNoAllocations(t *testing.T) {
	events := compile(t, schemas.MessageChangeAvro)
	typical, full := typicalChange(t), golden(t, "message-change.golden.avro", nil)
	results := compile(t, schemas.BatchResultAvro)
	result := golden(t, "result-completed.golden.avro", nil)
	buf := make([]byte, 0, 8192)
	for name, transcode := range map[string]func() ([]byte, error){
		"a typical event":       func() ([]byte, error) { return events.AppendEvent(buf, typical) },
		"a full event":          func() ([]byte, error) { return events.AppendEvent(buf, full) },
		"as JSON":               func() ([]byte, error) { return events.AppendJSON(buf, full) },
		"a result of 464 bytes": func() ([]byte, error) { return results.AppendJSON(buf, result) },
	} {
		var err error
		if n := testing.AllocsPerRun(200, func() { _, err = transcode() }); n != 0 || err != nil {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
}

func BenchmarkTranscode(b *testing.B) {
	tr, value := compile(b, schemas.MessageChangeAvro), typicalChange(b)
	buf := make([]byte, 0, 4096)
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = tr.AppendEvent(buf[:0], value); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGoavro is what goavro takes to the same JSON, but for the rules of
// events.
func BenchmarkGoavro(b *testing.B) {
	codec, err := goavro.NewCodecForStandardJSONFull(schemas.MessageChangeAvro)
	if err != nil {
		b.Fatal(err)
	}
	value := typicalChange(b)
	buf := make([]byte, 0, 4096)
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		native, _, err := codec.NativeFromBinary(value)
		if err != nil {
			b.Fatal(err)
		}
		if buf, err = codec.TextualFromNative(buf[:0], native); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, schemas.MessageChangeAvro)
	}
}
