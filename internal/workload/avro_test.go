package workload

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"
)

// tiny is as much of the schema of message changes as an event needs, with a field
// that no event has.
const tiny = `{"type":"record","name":"MessageChange","namespace":"kafka_kustomer","fields":[
	{"name":"messageId","type":"string"},
	{"name":"eventId","type":["null","string"],"default":null},
	{"name":"occurredAt","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},
	{"name":"changes","type":{"type":"record","name":"Changes","fields":[
		{"name":"subject","type":["null","string"],"default":null},
		{"name":"status","type":["null",{"type":"enum","name":"MessageStatus","symbols":["sent","received"]}],"default":null},
		{"name":"custom","type":["null",{"type":"map","values":["null","long","string"]}],"default":null}]}},
	{"name":"clear","type":{"type":"array","items":"string"},"default":[]},
	{"name":"more","type":"string","default":"as ever"}]}`

func TestAvro(t *testing.T) {
	a, err := NewAvro(tiny, 0x01020304)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second must not be written over the first
		got, err := a.Encode([]byte(`{"eventId":"e-7","occurredAt":"2026-01-01T00:00:00.123Z","messageId":"m","changes":{"subject":"a \"b\"","status":"sent","custom":{"noteTxt":null,"countNum":7,"tierStr":"gold"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		value, framed := bytes.CutPrefix(got, []byte{0, 1, 2, 3, 4})
		if !framed {
			t.Fatalf("no prefix in %x", got)
		}
		codec, err := goavro.NewCodecForStandardJSONFull(tiny)
		if err != nil {
			t.Fatal(err)
		}
		native, rest, err := codec.NativeFromBinary(value)
		if err != nil || len(rest) > 0 {
			t.Fatalf("%v, %d bytes left", err, len(rest))
		}
		want := map[string]any{
			"messageId": "m", "eventId": map[string]any{"string": "e-7"}, "more": "as ever", "clear": []any{},
			"occurredAt": map[string]any{"long.timestamp-millis": epoch.Add(123e6)},
			"changes": map[string]any{
				"subject": map[string]any{"string": `a "b"`}, "status": map[string]any{"kafka_kustomer.MessageStatus": "sent"},
				"custom": map[string]any{"map": map[string]any{
					"noteTxt": nil, "countNum": map[string]any{"long": int64(7)}, "tierStr": map[string]any{"string": "gold"},
				}},
			},
		}
		if diff := cmp.Diff(want, native); diff != "" {
			t.Errorf("the event (-want +got):\n%s", diff)
		}
	}
}

// What can't be written is an error, and no event with something left out.
func TestAvroRefuses(t *testing.T) {
	if _, err := NewAvro(`{"type":"what"}`, 1); err == nil {
		t.Error("a schema that is none is taken")
	}
	a, err := NewAvro(tiny, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{
		``, `{"messageId":"m","changes":`,
		`{"messageId":"m","changes":{"subject":1}}`,
		`{"messageId":"m","changes":{"subject":null}}`,
		`{"messageId":"m","changes":{"status":"lost"}}`,
		`{"messageId":"m","changes":{"custom":{"aNum":1.5}}}`,
		`{"messageId":"m","changes":{"custom":{"aBool":true}}}`,
	} {
		if got, err := a.Encode([]byte(value)); err == nil {
			t.Errorf("%s is written as %x", value, got)
		}
	}
}
