package avro_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/avro"
)

// Producers and readers are not upgraded at the same time as the connector. So what is
// written with any released version of a schema must be readable with the current one,
// and the reverse.
func TestEveryVersionReadsEveryOther(t *testing.T) {
	for name, current := range map[string]string{"batch-result": schemas.BatchResultAvro, "message-change": schemas.MessageChangeAvro} {
		samples := samplesOf(t, name)
		wantRich(t, current, samples)
		files, err := filepath.Glob(filepath.Join("..", "testdata", "released", "v*", name+".avsc"))
		if err != nil || len(files) == 0 {
			t.Fatal("no released version of ", name, err)
		}
		for _, file := range files {
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := compile(t, string(before)).EventErr(); name == "message-change" && err != nil {
				t.Errorf("%s is none of events any more: %v", file, err)
			}
			if err := compatible(t, string(before), current, samples); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// samplesOf are values in JSON that have every field set, in one or the other.
func samplesOf(t *testing.T, name string) []any {
	t.Helper()
	if name == "message-change" {
		full := fullChange()
		second := fullChange()
		changes := second["changes"].(object)
		changes["sentAt"], changes["lang"], second["clear"] = full["occurredAt"], text("de"), []any{}
		tr := compile(t, schemas.MessageChangeAvro)
		var samples []any
		for _, native := range []object{full, second, {"messageId": "m1", "changes": object{}}} {
			said, err := tr.AppendJSON(nil, encode(t, schemas.MessageChangeAvro, native))
			if err != nil {
				t.Fatal(err)
			}
			samples = append(samples, read(t, said))
		}
		return samples
	}
	files, err := filepath.Glob("../testdata/result-*.golden.json")
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	var samples []any
	for _, file := range files {
		said, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, read(t, said))
	}
	part := read(t, mustMarshal(t, samples[0])).(object)
	part["part"], part["parts"] = json.Number("1"), json.Number("2")
	return append(samples, part)
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantRich checks that the samples leave no field of a schema out.
func wantRich(t *testing.T, schema string, samples []any) {
	t.Helper()
	var s any
	if err := json.Unmarshal([]byte(schema), &s); err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	avroNames(t, s, "", want)
	var walk func(v any, path string)
	walk = func(v any, path string) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e, path)
			}
		case object:
			for name, e := range v {
				if e != nil {
					got[path+"."+name] = true
					walk(e, path+"."+name)
				}
			}
		}
	}
	for _, sample := range samples {
		walk(sample, "")
	}
	for name := range want {
		if !got[name] {
			t.Errorf("no sample has %s", name)
		}
	}
}

// compatible writes the samples with each of two schemas and reads them with the other.
func compatible(t *testing.T, before, after string, samples []any) error {
	t.Helper()
	for i, sample := range samples {
		if err := pass(t, sample, before, after); err != nil {
			return fmt.Errorf("sample %d, written before and read after: %w", i, err)
		}
		if err := pass(t, sample, after, before); err != nil {
			return fmt.Errorf("sample %d, written after and read before: %w", i, err)
		}
	}
	return nil
}

// pass has a writer write a sample, and a reader read it: what the reader knows must
// come to it as it was.
func pass(t *testing.T, sample any, writer, reader string) error {
	t.Helper()
	written, err := through(t, writer, sample)
	if err != nil {
		t.Fatal("the writer itself: ", err)
	}
	got, err := through(t, reader, written)
	if err != nil {
		return err
	}
	return equalWhereBoth(written, got, "")
}

// through returns a value in JSON as it is after it was encoded with a schema.
func through(t *testing.T, schema string, v any) (any, error) {
	t.Helper()
	o, err := newOracle(schema)
	if err != nil {
		return nil, err
	}
	o.define(o.schema, "")
	native, err := o.fit(o.schema, "", v)
	if err != nil {
		return nil, err
	}
	tr, err := avro.Compile(schema)
	if err != nil {
		return nil, err
	}
	said, err := tr.AppendJSON(nil, encode(t, schema, native))
	if err != nil {
		return nil, err
	}
	return read(t, said), nil
}

func equalWhereBoth(a, b any, path string) error {
	ao, isObject := a.(object)
	bo, both := b.(object)
	if !isObject || !both {
		al, isList := a.([]any)
		bl, both := b.([]any)
		if !isList || !both || len(al) != len(bl) {
			if !reflect.DeepEqual(a, b) {
				return fmt.Errorf("%s: %v became %v", path, a, b)
			}
			return nil
		}
		for i := range al {
			if err := equalWhereBoth(al[i], bl[i], path+"[]"); err != nil {
				return err
			}
		}
		return nil
	}
	for name := range ao {
		if _, has := bo[name]; has {
			if err := equalWhereBoth(ao[name], bo[name], path+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// The test of versions notices what must not be done, and lets pass what may.
func TestIncompatibleVersionsAreNoticed(t *testing.T) {
	cut := func(s, from, to string) string { // a field of its own line
		i := strings.Index(s, from)
		return s[:i] + s[i+strings.Index(s[i:], to)+len(to):]
	}
	first := `"fields": [` // of the outermost record
	for _, tc := range []struct {
		name, schema, says string
		change             func(string) string
	}{
		{"a new field with a default", schemas.BatchResultAvro, "", func(s string) string {
			return strings.Replace(s, first, first+`{"name": "new", "type": ["null", "string"], "default": null},`, 1)
		}},
		{"an optional field less", schemas.BatchResultAvro, "", func(s string) string { return cut(s, `{"name": "org"`, "},") }},
		{"a new field without a default", schemas.BatchResultAvro, "no member new", func(s string) string {
			return strings.Replace(s, first, first+`{"name": "new", "type": ["null", "string"]},`, 1)
		}},
		{"a required field less", schemas.BatchResultAvro, "no member attempts", func(s string) string { return cut(s, `{"name": "attempts"`, "},") }},
		{"another type", schemas.BatchResultAvro, "attempts: ", func(s string) string {
			return strings.Replace(s, `{"name": "attempts", "type": "int"`, `{"name": "attempts", "type": "string"`, 1)
		}},
		{"a symbol less", schemas.BatchResultAvro, "kind: ", func(s string) string { return strings.Replace(s, `, "overdue"]`, "]", 1) }},
		{"a required field less, deep", schemas.BatchResultAvro, "no member offset", func(s string) string { return cut(s, `{"name": "offset"`, "},") }},
		{"a branch less", schemas.MessageChangeAvro, "custom: ", func(s string) string {
			return strings.Replace(s, `{"name": "custom", "type": ["null", {"type": "map", "values": ["null", "boolean", "long", "double", "string"]}]`,
				`{"name": "custom", "type": ["null", {"type": "map", "values": ["null", "long", "double", "string"]}]`, 1)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			after := tc.change(tc.schema)
			if after == tc.schema {
				t.Fatal("nothing is changed")
			}
			name := "batch-result"
			if tc.schema == schemas.MessageChangeAvro {
				name = "message-change"
			}
			err := compatible(t, tc.schema, after, samplesOf(t, name))
			if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want %q", err, tc.says)
			}
		})
	}
}
