package avro_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/linkedin/goavro/v2"

	"kafka-kustomer/schemas/avro"
)

func TestSchemasThatAreRefused(t *testing.T) {
	nested := func(n int) string {
		return strings.Repeat(`{"type":"array","items":`, n) + `"int"` + strings.Repeat(`}`, n)
	}
	tests := []struct{ schema, code, says string }{
		{``, avro.CodeSchemaInvalid, "not JSON"},
		{`{`, avro.CodeSchemaInvalid, "not JSON"},
		{`"nothing"`, avro.CodeSchemaInvalid, "nothing"},
		{`7`, avro.CodeSchemaInvalid, ""},
		{`{}`, avro.CodeSchemaInvalid, "type"},
		{`{"type":"record","name":"R"}`, avro.CodeSchemaInvalid, "fields"},
		{`{"type":"record","name":"R","fields":[{"name":"a","type":"Other"}]}`, avro.CodeSchemaInvalid, "Other"},
		{`{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}`, avro.CodeSchemaInvalid, "unique"},
		{`{"type":"record","name":"R","fields":[{"name":"a\"b","type":"int"}]}`, avro.CodeSchemaInvalid, ""},
		{`{"type":"record","name":"R","fields":[{"name":"a.b","type":"int"}]}`, avro.CodeSchemaInvalid, "a.b"},
		{`{"type":"record","name":"record","fields":[]}`, avro.CodeSchemaInvalid, "record"},
		{`{"type":"record","name":"R-","fields":[]}`, avro.CodeSchemaInvalid, "R-"},
		{`{"type":"record","name":"R","namespace":"a","fields":[{"name":"a","type":"b.R"}]}`, avro.CodeSchemaInvalid, "b.R"},
		{`{"type":"record","name":"R","namespace":"a","fields":[{"name":"a","type":{"type":"record","name":"O","namespace":"","fields":[{"name":"r","type":"R"}]}}]}`, avro.CodeSchemaInvalid, "R"},
		{`{"type":"record","name":"a.","fields":[]}`, avro.CodeSchemaInvalid, "name"},
		{`["int","int"]`, avro.CodeSchemaInvalid, "unique"},
		{`[{"type":"map","values":{"type":"array","items":["int",["null"]]}}]`, avro.CodeSchemaInvalid, "union"},
		{`["int",["null"]]`, avro.CodeSchemaInvalid, "union"},
		{`{"type":"fixed","name":"F","size":0}`, avro.CodeSchemaInvalid, "size"},
		{`{"type":"fixed","name":"F","size":1.5}`, avro.CodeSchemaInvalid, "size"},
		{`{"type":"fixed","name":"F","size":-1}`, avro.CodeSchemaInvalid, "size"},
		{`{"type":"fixed","name":"F","size":1e18}`, avro.CodeSchemaUnsupported, "at most"},
		{`{"type":"bytes","logicalType":"decimal","precision":1000,"scale":999}`, avro.CodeSchemaUnsupported, "scale"},
		{nested(5000), avro.CodeSchemaUnsupported, "deep"},
		{nested(20000), avro.CodeSchemaInvalid, ""},
		{`"` + strings.Repeat("x", 2<<20) + `"`, avro.CodeSchemaUnsupported, "bytes"},
		{`"` + strings.Repeat("x", 1<<19) + `"`, avro.CodeSchemaInvalid, "xxx"},
	}
	for _, tt := range tests {
		_, err := avro.Compile(tt.schema)
		var serr *avro.SchemaError
		if !errors.As(err, &serr) || serr.Code != tt.code || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 600 {
			t.Errorf("%.80s: %.700v; want %s, %q", tt.schema, err, tt.code, tt.says)
		}
	}
}

// Good schemas on which goavro v2.15.0 alone fails or panics.
func TestSchemasThatGoavroCannot(t *testing.T) {
	for name, schema := range map[string]string{
		"second decimal without a scale": `{"type":"record","name":"R","fields":[
			{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4}},
			{"name":"b","type":{"type":"bytes","logicalType":"decimal","precision":5}}]}`,
		"default of a decimal in a union": `{"type":"record","name":"R","fields":[
			{"name":"a","type":[{"type":"bytes","logicalType":"decimal","precision":4,"scale":0},"null"],"default":"\u0000"}]}`,
		"namespace that is null": `{"type":"record","name":"R","namespace":null,"fields":[{"name":"a","type":"int"}]}`,
		"namespace with a hyphen": `{"type":"record","name":"Envelope","namespace":"my-server.public.messages","fields":[
			{"name":"before","type":["null",{"type":"record","name":"Value","fields":[{"name":"id","type":"string"}]}]},
			{"name":"after","type":["null","Value"]}]}`,
		"no namespace within one": `{"type":"record","name":"R","namespace":"a","fields":[
			{"name":"a","type":{"type":"record","name":"Shared","namespace":"","fields":[{"name":"x","type":"int"}]}},
			{"name":"b","type":{"type":"record","name":"R","namespace":"b","fields":[{"name":"c","type":"Shared"}]}}]}`,
		"invalid decimal is ignored": `{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}`,
	} {
		if err := goavroOnly(schema); err == nil {
			t.Errorf("%s: goavro can now", name)
		}
		if _, err := avro.Compile(schema); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func goavroOnly(schema string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	_, err = goavro.NewCodec(schema)
	return err
}

// A name without a dot is one of the namespace it is used in, if there is one.
func TestNames(t *testing.T) {
	enum := func(name, symbol string) string {
		return `{"type":"enum","name":"` + name + `","symbols":["` + symbol + `"]}`
	}
	schema := `{"type":"record","name":"Outer","fields":[
		{"name":"a","type":` + enum("E", "outer") + `},
		{"name":"b","type":{"type":"record","name":"R","namespace":"ns","fields":[
			{"name":"a","type":` + enum("E", "inner") + `},
			{"name":"b","type":"E"},
			{"name":"c","type":` + enum("other.E", "other") + `},
			{"name":"d","type":"ns.E"},
			{"name":"e","type":"other.E"},
			{"name":"f","type":["null","Outer"]}]}},
		{"name":"c","type":"E"},
		{"name":"d","type":{"type":"ns.E"}}]}`
	got, err := compile(t, schema).AppendJSON(nil, make([]byte, 9))
	want := `{"a":"outer","b":{"a":"inner","b":"inner","c":"other","d":"inner","e":"other","f":null},"c":"outer","d":"inner"}`
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

// One transcoder serves many goroutines, and schemas are compiled at any time.
func TestConcurrentUse(t *testing.T) {
	tr := compile(t, withClear)
	value := encode(t, withClear, object{"messageId": "m", "changes": object{"subject": nil, "preview": text("p"), "custom": nil}, "clear": []any{"lang"}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				got, err := tr.AppendEvent(nil, value)
				if err != nil || string(got) != `{"messageId":"m","changes":{"preview":"p","lang":null}}` {
					t.Errorf("%s, %v", got, err)
					return
				}
			}
			if _, err := avro.Compile(`{"type":"string","logicalType":"validated-string","pattern":"a"}`); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
