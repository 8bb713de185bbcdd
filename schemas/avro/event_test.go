package avro_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/avro"
)

type object = map[string]any

const (
	nullableText = `["null","string"]`
	customMap    = `["null",{"type":"map","values":["null","string","long"]}]`
)

// eventSchema is a record with these fields of "changes" and more fields.
func eventSchema(changes, more string) string {
	return `{"type":"record","name":"E","fields":[{"name":"messageId","type":"string"},` +
		`{"name":"changes","type":{"type":"record","name":"C","fields":[` + changes + `]}}` + more + `]}`
}

func named(name, schema string) string { return `{"name":"` + name + `","type":` + schema + `}` }

var (
	listOfText = `{"type":"array","items":"string"}`
	withClear  = eventSchema(named("subject", nullableText)+","+named("preview", nullableText)+","+named("custom", customMap),
		","+named("clear", listOfText))
)

func text(s string) any { return goavro.Union("string", s) }

func TestEvents(t *testing.T) {
	changes := func(c object, clear ...any) object {
		if clear == nil {
			clear = []any{}
		}
		return object{"messageId": "m", "changes": c, "clear": clear}
	}
	unset := object{"subject": nil, "preview": nil, "custom": nil}
	custom := func(m object) object {
		return object{"subject": text("s"), "preview": nil, "custom": goavro.Union("map", m)}
	}
	deep := eventSchema(named("error", `["null",{"type":"record","name":"X","fields":[`+named("code", nullableText)+","+named("title", nullableText)+","+named("none", `"null"`)+`]}]`)+","+
		named("attachments", `{"type":"array","items":{"type":"record","name":"A","fields":[`+named("name", nullableText)+`]}}`)+","+
		named("list", `{"type":"array","items":`+nullableText+`}`), "")
	tests := []struct {
		name, schema string
		native       object
		want         string // empty: invalid_clear
	}{
		{"nothing set", withClear, changes(unset), `{"messageId":"m","changes":{}}`},
		{"set", withClear, changes(object{"subject": text("s"), "preview": text(""), "custom": nil}), `{"messageId":"m","changes":{"subject":"s","preview":""}}`},
		{"a null in a map stays", withClear, changes(custom(object{"noteTxt": nil})), `{"messageId":"m","changes":{"subject":"s","custom":{"noteTxt":null}}}`},
		{"clear a member", withClear, changes(unset, "subject", "lang"), `{"messageId":"m","changes":{"subject":null,"lang":null}}`},
		{"clear beside what is set", withClear, changes(custom(object{}), "preview"), `{"messageId":"m","changes":{"subject":"s","custom":{},"preview":null}}`},
		{"clear an attribute", withClear, changes(unset, "custom.noteTxt", "custom.tierStr"), `{"messageId":"m","changes":{"custom":{"noteTxt":null,"tierStr":null}}}`},
		{"clear an attribute beside others", withClear, changes(custom(object{"aStr": goavro.Union("string", "a")}), "custom.noteTxt", "preview"), `{"messageId":"m","changes":{"subject":"s","custom":{"aStr":"a","noteTxt":null},"preview":null}}`},
		{"clear an attribute of an empty custom", withClear, changes(custom(object{}), "custom.b"), `{"messageId":"m","changes":{"subject":"s","custom":{"b":null}}}`},
		{"clear custom", withClear, changes(unset, "custom"), `{"messageId":"m","changes":{"custom":null}}`},
		{"clear twice", withClear, changes(unset, "lang", "lang"), `{"messageId":"m","changes":{"lang":null}}`},
		{"clear a name to be escaped", withClear, changes(unset, "a\"\n", `custom."`), `{"messageId":"m","changes":{"a\"\n":null,"custom":{"\"":null}}}`},
		{"clear what is set", withClear, changes(object{"subject": text("s"), "preview": nil, "custom": nil}, "subject"), ""},
		{"clear an attribute that is set", withClear, changes(custom(object{"a": goavro.Union("long", 1)}), "custom.a"), ""},
		{"clear an attribute that is null", withClear, changes(custom(object{"a": nil}), "custom.a"), ""},
		{"clear custom that is set", withClear, changes(custom(object{}), "custom"), ""},
		{"clear custom and one of it", withClear, changes(unset, "custom.a", "custom"), ""},
		{"clear one of custom and it", withClear, changes(unset, "custom", "custom.a"), ""},
		{"clear nothing's name", withClear, changes(unset, ""), ""},
		{"clear no attribute's name", withClear, changes(unset, "custom."), ""},
		{"clear deep in custom", withClear, changes(unset, "custom.a.b"), ""},
		{"clear deep in another", withClear, changes(unset, "meta.a"), ""},

		{"nulls in records within changes", deep, object{"messageId": "m", "changes": object{
			"error": goavro.Union("X", object{"code": nil, "title": text("t"), "none": nil}), "attachments": []any{object{"name": nil}}, "list": []any{nil, text("a")},
		}}, `{"messageId":"m","changes":{"error":{"title":"t","none":null},"attachments":[{}],"list":[null,"a"]}}`},
		{
			"another custom",
			eventSchema(named("error", `{"type":"record","name":"X","fields":[`+named("custom", `{"type":"map","values":"string"}`)+`]}`), ","+named("clear", listOfText)),
			object{"messageId": "m", "changes": object{"error": object{"custom": object{"a": "b"}}}, "clear": []any{"custom.a"}},
			`{"messageId":"m","changes":{"error":{"custom":{"a":"b"}},"custom":{"a":null}}}`,
		},
		{
			"changes as a map", `{"type":"record","name":"E","fields":[` + named("clear", `["null",`+listOfText+`]`) + "," + named("changes", `{"type":"map","values":["null","string"]}`) + "," + named("messageId", `"string"`) + `]}`,
			object{"messageId": "m", "changes": object{"subject": nil}, "clear": goavro.Union("array", []any{"lang"})},
			`{"changes":{"subject":null,"lang":null},"messageId":"m"}`,
		},
		{
			"no changes, no clear", `{"type":"record","name":"E","fields":[` + named("clear", `["null",`+listOfText+`]`) + "," + named("changes", `["null",{"type":"map","values":"string"}]`) + "," + named("messageId", nullableText) + `]}`,
			object{"messageId": nil, "changes": nil, "clear": nil},
			`{"changes":{},"messageId":null}`,
		},
		{
			"no changes but clear", `{"type":"record","name":"E","fields":[` + named("clear", listOfText) + "," + named("changes", `["null",{"type":"map","values":"string"}]`) + "," + named("messageId", nullableText) + `]}`,
			object{"messageId": nil, "changes": nil, "clear": []any{"lang"}},
			`{"changes":{"lang":null},"messageId":null}`,
		},
		{
			"custom is no object", eventSchema(named("custom", nullableText), ","+named("clear", listOfText)),
			object{"messageId": "m", "changes": object{"custom": text("x")}, "clear": []any{"custom.a"}},
			"",
		},
		{
			"others pass, nulls too", eventSchema("", ","+named("eventId", nullableText)+","+named("occurredAt", `["null",`+typed("long", "timestamp-millis")+`]`)+","+named("tenant", nullableText)),
			object{"messageId": "m", "changes": object{}, "eventId": nil, "occurredAt": goavro.Union("long.timestamp-millis", int64(0)), "tenant": nil},
			`{"messageId":"m","changes":{},"eventId":null,"occurredAt":"1970-01-01T00:00:00.000Z","tenant":null}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := compile(t, tt.schema)
			if err := tr.EventErr(); err != nil {
				t.Fatal(err)
			}
			value := encode(t, tt.schema, tt.native)
			got, err := tr.AppendEvent([]byte("before"), value)
			if want := "before" + tt.want; string(got) != want {
				t.Fatalf("got %s, %v\nwant %s", got, err, want)
			}
			if (tt.want == "") != (code(err) == avro.CodeClear) {
				t.Fatal(err)
			}
			wantEvent(t, tt.schema, value, got[len("before"):], err)
		})
	}
}

// wantEvent compares with the oracle's event.
func wantEvent(t *testing.T, schema string, value, got []byte, err error) {
	t.Helper()
	o, oerr := newOracle(schema)
	if oerr != nil {
		t.Fatal(oerr)
	}
	want, oerr := o.event(value)
	switch {
	case oerr != nil:
		t.Fatal(oerr)
	case o.refuse != "":
		if err == nil {
			t.Errorf("the oracle refuses (%s): %s", o.refuse, got)
		}
	case err != nil:
		t.Errorf("%v, the oracle says %v", err, want)
	default:
		if diff := cmp.Diff(want, read(t, got)); diff != "" {
			t.Errorf("not the oracle's event (-oracle +ours):\n%s", diff)
		}
	}
}

func TestMembersByAlias(t *testing.T) {
	schema := `{"type":"record","name":"E","fields":[
		{"name":"id","type":"string","aliases":["messageId","occurredAt"]},
		{"name":"nulls","type":{"type":"array","items":"string"},"aliases":["x","clear"]},
		{"name":"event_id","type":"string","aliases":["eventId"]},
		{"name":"eventId","type":"string","aliases":["occurredAt"]},
		{"name":"set","type":{"type":"map","values":"string"},"aliases":["changes"]}]}`
	tr := compile(t, schema)
	value := encode(t, schema, object{"id": "m", "nulls": []any{"lang"}, "event_id": "no", "eventId": "e", "set": object{"subject": "s"}})
	got, err := tr.AppendEvent(nil, value)
	// The name goes before the alias, and a member by name is no other by alias.
	want := `{"messageId":"m","event_id":"no","eventId":"e","changes":{"subject":"s","lang":null}}`
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	if got, err = tr.AppendJSON(nil, value); err != nil || !strings.Contains(string(got), `"nulls":["lang"]`) {
		t.Errorf("AppendJSON knows no event: %s, %v", got, err)
	}
}

func TestClearIsBounded(t *testing.T) {
	var names []any
	for i := range 257 {
		names = append(names, fmt.Sprint("m", i))
	}
	event := object{"messageId": "m", "changes": object{"subject": nil, "preview": nil, "custom": nil}, "clear": names[:256]}
	tr := compile(t, withClear)
	if got, err := tr.AppendEvent(nil, encode(t, withClear, event)); err != nil || strings.Count(string(got), ":null") != 256 {
		t.Errorf("%s, %v", got, err)
	}
	event["clear"] = names
	if _, err := tr.AppendEvent(nil, encode(t, withClear, event)); code(err) != avro.CodeTooMany {
		t.Error(err)
	}
	many := object{}
	for i := range 4100 {
		many[fmt.Sprint(i)] = nil
	}
	event["changes"] = object{"subject": nil, "preview": nil, "custom": goavro.Union("map", many)}
	event["clear"] = names[:1]
	if _, err := tr.AppendEvent(nil, encode(t, withClear, event)); code(err) != avro.CodeTooMany {
		t.Error(err)
	}
	event["clear"] = []any{}
	if _, err := tr.AppendEvent(nil, encode(t, withClear, event)); err != nil {
		t.Error(err)
	}
}

// A decoder that has failed leaves nothing for the next value.
func TestFailureLeavesNothing(t *testing.T) {
	tr := compile(t, withClear)
	good := encode(t, withClear, object{"messageId": "m", "changes": object{"subject": nil, "preview": nil, "custom": nil}, "clear": []any{}})
	bad := encode(t, withClear, object{"messageId": "m", "changes": object{"subject": text("s"), "preview": nil, "custom": goavro.Union("map", object{"a": nil})}, "clear": []any{"custom.a", "lang"}})
	other := encode(t, withClear, object{"messageId": "m", "changes": object{"subject": nil, "preview": nil, "custom": nil}, "clear": []any{"custom.b"}})
	for range 10 {
		if _, err := tr.AppendEvent(nil, bad); code(err) != avro.CodeClear {
			t.Fatal(err)
		}
		if _, err := tr.AppendEvent(nil, bad[:len(bad)-2]); code(err) != avro.CodeTruncated {
			t.Fatal(err)
		}
		if got, err := tr.AppendEvent(nil, good); err != nil || string(got) != `{"messageId":"m","changes":{}}` {
			t.Fatalf("%s, %v", got, err)
		}
		if got, err := tr.AppendEvent(nil, other); err != nil || string(got) != `{"messageId":"m","changes":{"custom":{"b":null}}}` {
			t.Fatalf("%s, %v", got, err)
		}
	}
}

// The event and its changes count as levels.
func TestDepthOfEvents(t *testing.T) {
	schema := `{"type":"record","name":"E","fields":[` + named("messageId", `"string"`) + "," +
		named("changes", `{"type":"record","name":"C","fields":[`+named("c", `["null","C"]`)+`]}`) + `]}`
	tr := compile(t, schema)
	deep := func(n int) []byte { return append(append([]byte{2, 'm'}, bytes.Repeat([]byte{2}, n)...), 0) }
	got, err := tr.AppendEvent(nil, deep(62))
	if err != nil || strings.Count(string(got), "{") != 64 {
		t.Errorf("%s, %v", got, err)
	}
	c := batcher.Change{Record: batcher.Record{Value: got}}
	if schemas.NewDecoder(schemas.Config{}).Decode(&c); c.Verdict != batcher.Send {
		t.Errorf("the decoder of events does not take it: %+v", c.Reason)
	}
	if _, err := tr.AppendEvent(nil, deep(63)); code(err) != avro.CodeTooDeep {
		t.Error(err)
	}
}

func TestSchemasThatAreNoEvents(t *testing.T) {
	fields := func(list ...string) string {
		return `{"type":"record","name":"E","fields":[` + strings.Join(list, ",") + `]}`
	}
	id, changes := named("messageId", `"string"`), named("changes", `{"type":"map","values":"string"}`)
	for schema, wants := range map[string][]string{
		`"string"`:      {"an event is a record"},
		fields():        {`"messageId"`, `"changes"`},
		fields(id):      {`"changes"`},
		fields(changes): {`"messageId"`},
		fields(named("messageId", `"long"`), changes):                               {`"messageId" can have another type than string`},
		fields(named("messageId", `["null"]`), changes):                             {`"messageId" is not of type string`},
		fields(id, named("changes", `["string",{"type":"map","values":"string"}]`)): {`"changes" can have another type than record or map`},
		fields(id, changes, named("occurredAt", `"long"`)):                          {`"occurredAt"`, "timestamp"},
		fields(id, changes, named("eventId", `"int"`), named("clear", `"string"`)):  {`"eventId"`, `"clear" can have another type than array of string`},
		// What is a member by its name is no other one by an alias.
		fields(changes, `{"name":"eventId","type":"string","aliases":["messageId"]}`):                                                       {`no field has the name or alias "messageId"`},
		fields(changes, `{"name":"a","type":"string","aliases":["messageId"]}`, `{"name":"b","type":"string","aliases":["messageId","x"]}`): {`more than one field has the alias "messageId"`},
	} {
		tr := compile(t, schema)
		err := tr.EventErr()
		var serr *avro.SchemaError
		if !errors.As(err, &serr) || serr.Code != avro.CodeSchemaNoEvent {
			t.Errorf("%s: %v", schema, err)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not tell of %s", schema, err, want)
			}
		}
		if got, err := tr.AppendEvent([]byte("x"), nil); err == nil || string(got) != "x" {
			t.Errorf("%s: %s, %v", schema, got, err)
		}
	}
}
