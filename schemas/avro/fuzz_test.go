package avro_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/avro"
)

var fuzzSchemas = []string{
	schemas.MessageChangeAvro,
	schemas.BatchResultAvro,
	withClear,
	`{"type":"record","name":"All","namespace":"n","fields":[
		{"name":"list","type":{"type":"array","items":["null","boolean","int","long","float","double","bytes","string","All",
			{"type":"fixed","name":"F","size":2},{"type":"enum","name":"E","symbols":["a","b"]},
			{"type":"map","values":["string","All",{"type":"array","items":"E"}]}]}}]}`,
	`{"type":"array","items":[` + typed("int", "date") + `,` + typed("long", "timestamp-micros") + `,` +
		`{"type":"bytes","logicalType":"decimal","precision":9,"scale":3},` +
		`{"type":"fixed","name":"D","size":12,"logicalType":"duration"},{"type":"fixed","name":"U","size":16,"logicalType":"uuid"},` +
		`{"type":"fixed","name":"N","size":5,"logicalType":"decimal","precision":9}]}`,
	`{"type":"array","items":[` + typed("int", "time-millis") + `,` + typed("long", "timestamp-millis") + `]}`,
	`{"type":"map","values":[` + typed("long", "time-micros") + `,` + typed("string", "uuid") + `]}`,
	`{"type":"map","values":` + typed("long", "local-timestamp-micros") + `}`,
	`{"type":"array","items":{"type":"record","name":"R","fields":[{"name":"a","type":"null"},{"name":"b","type":{"type":"array","items":"null"}}]}}`,
	`{"type":"map","values":{"type":"map","values":"boolean"}}`,
}

// stricter are the codes with which a value is refused that goavro may take.
var stricter = []string{avro.CodeVarint, avro.CodeBlock, avro.CodeTooDeep, avro.CodeTooMany, avro.CodeOutputLarge}

// FuzzTranscode reads any bytes by several schemas. Nothing panics, what comes out
// is JSON, and it is what goavro reads, which refuses what we refuse but for the
// bounds.
func FuzzTranscode(f *testing.F) {
	oracles := make([]*oracle, len(fuzzSchemas))
	transcoders := make([]*avro.Transcoder, len(fuzzSchemas))
	for i, schema := range fuzzSchemas {
		var err error
		if oracles[i], err = newOracle(schema); err != nil {
			f.Fatal(schema, err)
		}
		transcoders[i] = compile(f, schema, avro.MaxOutput(1<<20))
	}
	f.Add(uint8(0), encode(f, fuzzSchemas[0], fullChange()))
	f.Add(uint8(2), encode(f, withClear, object{"messageId": "m", "changes": object{"subject": text("s"), "preview": nil, "custom": nil}, "clear": []any{"custom.a", "lang"}}))
	f.Add(uint8(3), []byte("\x0a\x00\x10\x00\x16\x02\x02k\x04\x02\x00\x00\x00\x0e\x04\xc3\xa4\x0c"+nan+"\x00"))
	f.Add(uint8(4), []byte("\x04\x00\x80\x01\x04\x04\xff\x10\x00"))
	f.Add(uint8(5), []byte("\x02\x02\xfe\xff\x03\x00"))
	f.Add(uint8(6), []byte("\x03\x08\x02a\x00\x02\x00"))
	f.Add(uint8(8), []byte("\x04\x02\x00\x00\x00"))
	f.Add(uint8(8), []byte("\xfe\xff\xff\xff\x0f"))
	f.Add(uint8(9), []byte("\x02\x00\x02\x00\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, which uint8, value []byte) {
		i := int(which) % len(fuzzSchemas)
		tr, o := transcoders[i], oracles[i]
		kept := bytes.Clone(value)
		got, err := tr.AppendJSON([]byte("[1,"), value)
		wantSound(t, value, got, err)
		against(t, o, value, got, err, o.decode)
		if tr.EventErr() == nil {
			got, err := tr.AppendEvent([]byte("[1,"), value)
			wantSound(t, value, got, err)
			against(t, o, value, got, err, o.event)
			c := batcher.Change{Record: batcher.Record{Value: got[3:]}}
			if schemas.NewDecoder(schemas.Config{}).Decode(&c); err == nil && c.Reason.Code == schemas.CodeMalformed {
				t.Errorf("%q: the event is malformed: %s", value, got)
			}
		}
		if !bytes.Equal(kept, value) {
			t.Error("the value was changed")
		}
	})
}

func wantSound(t *testing.T, value, got []byte, err error) {
	t.Helper()
	if !bytes.HasPrefix(got, []byte("[1,")) {
		t.Fatalf("%q: what was in the buffer is gone: %s", value, got)
	}
	if err == nil {
		if !jsontext.Value(got[3:]).IsValid() {
			t.Fatalf("%q: not valid JSON: %s", value, got)
		}
		return
	}
	var e *avro.Error
	if !errors.As(err, &e) || len(got) != 3 || e.Offset < 0 || e.Offset > len(value) {
		t.Fatalf("%q: %s, %+v", value, got, err)
	}
}

func against(t *testing.T, o *oracle, value, got []byte, err error, decode func([]byte) (any, error)) {
	t.Helper()
	if len(value) > 1<<10 || err != nil && slices.Contains(stricter, code(err)) {
		return // goavro could take what there is of memory
	}
	want, oerr := decode(value)
	switch refused := oerr != nil || o.refuse != ""; {
	case refused != (err != nil):
		t.Fatalf("%q: %s, %v; goavro says %v, the oracle %q", value, got, err, oerr, o.refuse)
	case !refused:
		if diff := cmp.Diff(want, read(t, got[3:])); diff != "" {
			t.Fatalf("%q (-goavro +ours):\n%s", value, diff)
		}
	}
}
