package avro_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden returns the bytes of a file in testdata, which are these with -update, if
// any are given.
func golden(t *testing.T, name string, now func() []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update && now != nil {
		if err := os.WriteFile(path, now(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fullChange is a change with every member of the schema.
func fullChange() object {
	at := goavro.Union("long.timestamp-millis", time.Date(2026, 11, 24, 2, 30, 0, 123e6, time.UTC))
	free := goavro.Union("map", object{
		"list": goavro.Union("array", []any{"a", "b"}), "map": goavro.Union("map", object{"c": "d"}),
		"n": goavro.Union("double", 0.5), "b": goavro.Union("boolean", true), "i": goavro.Union("long", 1<<53+1), "null": nil,
	})
	return object{
		"messageId": "64a1f0c2b7d9e30012ab1001", "eventId": text("e1"), "occurredAt": at,
		"changes": object{
			"conversation": text("64a1f0c2b7d9e30012ab2001"), "related": text("64a1f0c2b7d9e30012ab2002"), "externalId": text("x-1"),
			"subject": text("Re: \"order\""), "preview": text("Grüße"), "lang": nil, "status": goavro.Union("kafka_kustomer.MessageStatus", "error"),
			"error": goavro.Union("kafka_kustomer.DeliveryError", object{
				"status": goavro.Union("int", 550), "code": text("bounce"), "title": text("Refused"), "detail": text("No such mailbox"),
				"source": free, "meta": free, "links": goavro.Union("map", object{"about": text("https://example.com/550")}),
			}),
			"errorAt": at, "sentAt": nil, "createdAt": at, "modifiedAt": at, "updatedAt": at,
			"createdBy": text("64a1f0c2b7d9e30012ab0002"), "modifiedBy": text("64a1f0c2b7d9e30012ab0002"), "size": goavro.Union("long", 1234),
			"attachments": goavro.Union("array", []any{
				object{"_id": "64a1f0c2b7d9e30012ab3001", "name": "a.png", "contentType": "image/png", "contentLength": 4321, "sourceId": nil},
				object{"_id": "64a1f0c2b7d9e30012ab3002", "name": "b.pdf", "contentType": "application/pdf", "contentLength": 1, "sourceId": text("s")},
			}),
			"meta":      free,
			"custom":    goavro.Union("map", object{"tierStr": text("gold"), "noteTxt": nil, "scoreNum": goavro.Union("double", 4.5), "vipBool": goavro.Union("boolean", true), "countNum": goavro.Union("long", 7)}),
			"sentiment": goavro.Union("kafka_kustomer.Sentiment", object{"polarity": -1, "confidence": 0.25}),
		},
		"clear": []any{"sentAt", "custom.seenAt", "lang"},
	}
}

func TestMessageChange(t *testing.T) {
	tr := compile(t, schemas.MessageChangeAvro)
	if err := tr.EventErr(); err != nil {
		t.Fatal(err)
	}
	value := golden(t, "message-change.golden.avro", func() []byte { return encode(t, schemas.MessageChangeAvro, fullChange()) })
	event, err := tr.AppendEvent(nil, value)
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, event, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	want := golden(t, "message-change.golden.json", pretty.Bytes)
	if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
		t.Errorf("the event differs from the file (-file +event):\n%s", diff)
	}
	wantEvent(t, schemas.MessageChangeAvro, value, event, nil)
	wantDecoded(t, event, "64a1f0c2b7d9e30012ab1001")

	// The file is what the schema's encoder writes now, but for the order in maps.
	codec, err := goavro.NewCodec(schemas.MessageChangeAvro)
	if err != nil {
		t.Fatal(err)
	}
	inFile, _, err := codec.NativeFromBinary(value)
	if err != nil {
		t.Fatal(err)
	}
	now, _, err := codec.NativeFromBinary(encode(t, schemas.MessageChangeAvro, fullChange()))
	if diff := cmp.Diff(inFile, now); diff != "" || err != nil {
		t.Errorf("the file is old, rewrite it with -update: %v\n%s", err, diff)
	}
}

// wantDecoded has the decoder of JSON events take an event.
func wantDecoded(t *testing.T, event []byte, id string) {
	t.Helper()
	c := batcher.Change{Record: batcher.Record{Value: event}}
	schemas.NewDecoder(schemas.Config{}).Decode(&c)
	if c.Verdict != batcher.Send || string(c.MessageID) != id || string(c.EventID) != "e1" ||
		!c.OccurredAt.Equal(time.Date(2026, 11, 24, 2, 30, 0, 123e6, time.UTC)) {
		t.Fatalf("decoded to %v %+v %s %s %v", c.Verdict, c.Reason, c.MessageID, c.EventID, c.OccurredAt)
	}
	whole := read(t, event).(object)
	if diff := cmp.Diff(whole["changes"], read(t, c.Patch)); diff != "" {
		t.Errorf("the patch is not the changes:\n%s", diff)
	}
}

// A producer that has written only what it had to.
func TestMessageChangeDefaults(t *testing.T) {
	value := encode(t, schemas.MessageChangeAvro, object{"messageId": "m1", "changes": object{}})
	got, err := compile(t, schemas.MessageChangeAvro).AppendEvent(nil, value)
	if want := `{"messageId":"m1","eventId":null,"occurredAt":null,"changes":{}}`; string(got) != want || err != nil {
		t.Fatalf("got %s, %v", got, err)
	}
	c := batcher.Change{Record: batcher.Record{Value: got}}
	if schemas.NewDecoder(schemas.Config{}).Decode(&c); c.Verdict != batcher.Skip || c.Reason.Code != schemas.CodeEmptyChange {
		t.Errorf("%v %+v", c.Verdict, c.Reason)
	}
}

// Each result of the JSON form can be told in Avro, and is the same again in JSON.
func TestBatchResult(t *testing.T) {
	tr := compile(t, schemas.BatchResultAvro)
	o, err := newOracle(schemas.BatchResultAvro)
	if err != nil {
		t.Fatal(err)
	}
	o.define(o.schema, "")
	files, err := filepath.Glob("../testdata/result-*.golden.json")
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := read(t, text)
		native, err := o.fit(o.schema, "", want)
		if err != nil {
			t.Fatal(file, err)
		}
		now := encode(t, schemas.BatchResultAvro, native)
		name := strings.Replace(filepath.Base(file), ".json", ".avro", 1)
		value := golden(t, name, func() []byte { return now })
		if !bytes.Equal(value, now) {
			t.Errorf("%s is old, rewrite it with -update", name)
		}
		got, err := tr.AppendJSON(nil, value)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(want, withoutNulls(read(t, got))); diff != "" {
			t.Errorf("%s (-JSON +Avro):\n%s", name, diff)
		}
	}
}

func withoutNulls(v any) any {
	switch v := v.(type) {
	case object:
		for name, member := range v {
			if member == nil {
				delete(v, name)
			} else {
				withoutNulls(member)
			}
		}
	case []any:
		for _, item := range v {
			withoutNulls(item)
		}
	}
	return v
}

// The schema files of both forms name the same members.
func TestSchemaFilesAgree(t *testing.T) {
	for _, tt := range []struct {
		avro string
		json []byte
	}{{schemas.MessageChangeAvro, schemas.MessageChangeSchema}, {schemas.BatchResultAvro, schemas.BatchResultSchema}} {
		var a, j any
		if err := json.Unmarshal([]byte(tt.avro), &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(tt.json, &j); err != nil {
			t.Fatal(err)
		}
		got, want := map[string]bool{}, map[string]bool{}
		avroNames(t, a, "", got)
		jsonNames(j, "", want)
		delete(got, ".clear") // JSON has null
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("members differ (-JSON +Avro):\n%s", diff)
		}
	}
}

func avroNames(t *testing.T, schema any, path string, into map[string]bool) {
	switch s := schema.(type) {
	case []any:
		for _, b := range s {
			avroNames(t, b, path, into)
		}
	case object:
		if s["type"] == "array" {
			avroNames(t, s["items"], path, into)
		}
		fields, _ := s["fields"].([]any)
		for _, f := range fields {
			field := f.(object)
			name := path + "." + field["name"].(string)
			into[name] = true
			if doc, _ := field["doc"].(string); doc == "" {
				t.Errorf("%s has no doc", name)
			}
			if union, ok := field["type"].([]any); ok && (union[0] != "null" || len(field) != 4) {
				t.Errorf("%s is no nullable union with the default null", name)
			}
			avroNames(t, field["type"], name, into)
		}
	}
}

func jsonNames(schema any, path string, into map[string]bool) {
	s, _ := schema.(object)
	if s["type"] == "array" {
		jsonNames(s["items"], path, into)
	}
	properties, _ := s["properties"].(object)
	for name, p := range properties {
		into[path+"."+name] = true
		jsonNames(p, path+"."+name, into)
	}
}
