package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func TestDebezium(t *testing.T) {
	m := mapper(t, Config{Preset: Debezium})
	for value, want := range map[string]string{
		// kinds of changes
		`{"op":"c","before":null,"after":{"id":"m","status":"sent","lang":null,"error":null},"ts_ms":1500}`:                        `{"occurredAt":"1970-01-01T00:00:01.5Z","messageId":"m","changes":{"status":"sent","lang":null}}`,
		`{"op":"r","after":{"id":"m","status":"sent"},"source":{"ts_ms":0},"ts_ms":1500}`:                                          `{"occurredAt":"1970-01-01T00:00:00Z","messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":{"id":"m","status":"error","size":1},"after":{"id":"m","status":"sent","size":1}}`:                     `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":{"size":1,"status":"error"},"after":{"id":"m","status":"sent","size":1}}`:                              `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":{"id":"m","status":"sent"},"after":{"id":"m","status":"sent"}}`:                                        "skip: unchanged",
		`{"op":"r","before":{"id":"m","status":"sent"},"after":{"id":"m","status":"sent"}}`:                                        `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":null,"after":{"id":"m","status":"sent"}}`:                                                              `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":{"id":"m","subject":"a"},"after":{"id":"m","subject":null}}`:                                           `{"messageId":"m","changes":{"subject":null}}`,
		`{"op":"u","before":{"id":"m","status":"sent"},"after":{"id":"m","status":null}}`:                                          "skip: unchanged",
		`{"op":"u","before":{"id":"m","preview":"a"},"after":{"id":"m","preview":"__debezium_unavailable_value","status":"sent"}}`: `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":{"subject":"a","id":"m","lang":"en"},"after":{"subject":"a","id":"n","lang":"de"}}`:                    `{"messageId":"n","changes":{"subject":"a","lang":"de"}}`,
		`{"op":"u","before":{"id":null,"status":"sent"},"after":{"id":"m","status":"sent"}}`:                                       `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":{"id":"\u006d","status":"sent"},"after":{"id":"m","status":"sent"}}`:                                   "skip: unchanged",
		`{"op":"u","before":{"id":"m","status":"sent"},"after":{"id":null,"status":"sent"}}`:                                       `mapping_shape: the row's column "id" is null, not a string: it must hold the message's id (mapping.debezium.id_column)`,
		`{"op":"c","after":{"id":"m","status":"sent"},"source":{"ts_ms":null},"ts_ms":1500}`:                                       `{"occurredAt":"1970-01-01T00:00:01.5Z","messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"d","before":{"id":"m"},"after":null}`:                                                                              "skip: deleted",
		`{"op":"t","before":null,"after":null,"source":{},"ts_ms":1}`:                                                              "skip: not_a_row",
		`{"op":"t","source":{},"ts_ms":1}`:                                                                                         "skip: not_a_row",
		`{"op":"m","source":{},"message":{"prefix":"x","content":"eA=="}}`:                                                         "skip: not_a_row",
		`{"schema":{"type":"struct"},"payload":null}`:                                                                              "skip: tombstone",
		`{"schema":null,"payload":{"op":"c","after":{"id":"m","status":"sent"}}}`:                                                  `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"c","after":{"id":"m","status":"sent"},"ts_ms":9223372036854775807}`:                                                `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"c","after":{"id":"m","\u0073tatus":"\u0073ent","n":1e400,"d":0.10}}`:                                               `{"messageId":"m","changes":{"\u0073tatus":"\u0073ent","n":1e400,"d":0.10}}`,
		`{"op":"u","before":{"id":"m","custom":"{\"a\":1,\"b\":[1]}"},"after":{"id":"m","custom":"{\"a\":2,\"b\":[1]}"}}`:          `{"messageId":"m","changes":{"custom":{"a":2}}}`,
		`{"op":"u","before":{"id":"m","custom":"{\"a\":1}"},"after":{"id":"m","custom":null}}`:                                     `{"messageId":"m","changes":{"custom":{"a":null}}}`,
		`{"op":"u","before":{"id":"m","custom":null},"after":{"id":"m","custom":" {\"a\":1} "}}`:                                   `{"messageId":"m","changes":{"custom":{"a":1}}}`,
		`{"op":"u","before":{"id":"m","custom":"{\"a\":1}"},"after":{"id":"m","custom":"{ \"a\": 1 }"}}`:                           "skip: unchanged",
		`{"op":"u","before":{"id":"m","custom":"not JSON"},"after":{"id":"m","custom":"{\"a\":1}"}}`:                               `{"messageId":"m","changes":{"custom":{"a":1}}}`,
		`{"op":"c","after":{"id":"m","custom":{"a":1},"meta":"[]"}}`:                                                               `{"messageId":"m","changes":{"custom":{"a":1},"meta":[]}}`,
		`{"op":"c","after":{"id":"m","custom":null,"status":"sent"}}`:                                                              `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"c","after":{"id":"m","custom":"{\"a\":\"\\u00e9 \\\"q\\\"\"}"}}`:                                                   `{"messageId":"m","changes":{"custom":{"a":"\u00e9 \"q\""}}}`,
		`{"id":"m","status":"sent","__deleted":"false","__op":"c","__ts_ms":1000,"__lsn":5}`:                                       `{"occurredAt":"1970-01-01T00:00:01Z","messageId":"m","changes":{"status":"sent"}}`,
		`{"id":"m","status":"sent","__ts_ms":1000,"__source_ts_ms":2000}`:                                                          `{"occurredAt":"1970-01-01T00:00:02Z","messageId":"m","changes":{"status":"sent"}}`,
		`{"id":"m","op":"c","status":"sent"}`:                                                                                      `{"messageId":"m","changes":{"op":"c","status":"sent"}}`,
		`{"id":"m","schema":{},"payload":"x"}`:                                                                                     `{"messageId":"m","changes":{"schema":{},"payload":"x"}}`,
		`{"id":"m","__deleted":"true"}`:                                                                                            "skip: deleted",
		`{"id":"m","__deleted":true}`:                                                                                              "skip: deleted",
		`{"id":"m","__op":"d"}`:                                                                                                    "skip: deleted",
		`{"id":"m","__op":"t"}`:                                                                                                    "skip: not_a_row",
		// hostile
		`{"op":"x","after":{"id":"m"}}`:                              `mapping_shape: the change's "op" is none of c, u, r, d, t, m`,
		`{"op":null,"after":{"id":"m"}}`:                             `mapping_shape: the change's "op" is none of c, u, r, d, t, m`,
		`{"op":["c"],"after":{"id":"m"}}`:                            `mapping_shape: the change's "op" is none of c, u, r, d, t, m`,
		`{"op":"u","before":{"id":"m"}}`:                             `mapping_shape: the change's "after" is missing, not an object`,
		`{"op":"c","after":null}`:                                    `mapping_shape: the change's "after" is null, not an object`,
		`{"op":"u","before":7,"after":{"id":"m"}}`:                   `mapping_shape: the change's "before" is a number, not an object`,
		`{"op":"c","after":{"status":"sent"}}`:                       `mapping_shape: the row's column "id" is missing, not a string: it must hold the message's id (mapping.debezium.id_column)`,
		`{"op":"c","after":{"id":null,"status":"sent"}}`:             `mapping_shape: the row's column "id" is null, not a string: it must hold the message's id (mapping.debezium.id_column)`,
		`{"op":"c","after":{"id":12,"status":"sent"}}`:               `mapping_shape: the row's column "id" is a number, not a string: it must hold the message's id (mapping.debezium.id_column)`,
		`{"op":"c","after":{"id":"m","custom":"{oops"}}`:             `mapping_shape: the row's column "custom" is a text that is not valid JSON, or not unambiguous`,
		`{"op":"c","after":{"id":"m","custom":""}}`:                  `mapping_shape: the row's column "custom" is a text that is not valid JSON, or not unambiguous`,
		`{"op":"c","after":{"id":"m","custom":"{\"a\":1,\"a\":2}"}}`: `mapping_shape: the row's column "custom" is a text that is not valid JSON, or not unambiguous`,
		`{"schema":{},"payload":[1]}`:                                `mapping_shape: the row change is an array, not an object`,
		`{"schema":{"fields":[1,{"field":2,"name":[]},{"field":"after","fields":{}}]},"payload":{"op":"c","after":{"id":"m","a":1}}}`: `{"messageId":"m","changes":{"a":1}}`,
		`{"schema":{"fields":{"field":"after"}},"payload":{"op":"c","after":{"id":"m","a":1}}}`:                                       `{"messageId":"m","changes":{"a":1}}`,
	} {
		if res := got(m.Map(&Record{Value: []byte(value)})); res != want {
			t.Errorf("%s:\n got %s\nwant %s", value, res, want)
		}
	}
}

// With nulls: all, every column that became null is sent as such.
func TestDebeziumAllNulls(t *testing.T) {
	m := mapper(t, Config{Preset: Debezium, Nulls: NullsAll})
	res := m.Map(&Record{Value: []byte(`{"op":"c","after":{"id":"m","status":null,"custom":null}}`)})
	if want := `{"messageId":"m","changes":{"status":null,"custom":null}}`; got(res) != want || res.LeftOut != 0 {
		t.Errorf("%s, left out %d", got(res), res.LeftOut)
	}
}

func TestDebeziumNames(t *testing.T) {
	m := mapper(t, Config{Preset: Debezium, Debezium: DebeziumConfig{
		IDColumn: "msg", Unavailable: "?", JSON: []string{"doc"},
		Columns: map[string]string{"__kept": "subject", "tier": "custom.tierStr", "doc": "meta", "odd": `custom.a"b`},
	}})
	for value, want := range map[string]string{
		`{"msg":"m","__kept":"s","tier":null,"doc":"{}","custom":"x","id":7}`: `{"messageId":"m","changes":{"subject":"s","meta":{},"custom":{"tierStr":null}}}`,
		`{"msg":"m","tier":"?","__kept":"__debezium_unavailable_value"}`:      `{"messageId":"m","changes":{"subject":"__debezium_unavailable_value"}}`,
		`{"msg":"m","odd":1}`: `{"messageId":"m","changes":{"custom":{"a\"b":1}}}`,
		`{"op":"u","before":{"msg":"m","tier":1,"n":1},"after":{"msg":"m","tier":1,"n":2}}`: "skip: unchanged",
		`{"msg":"m","tier":"?"}`:         "skip: unchanged",
		`{"id":"m","__kept":"s"}`:        `mapping_shape: the row's column "msg" is missing, not a string: it must hold the message's id (mapping.debezium.id_column)`,
		`{"msg":"m","doc":"\"\\ud800"}`:  `mapping_shape: the row's column "doc" is a text that is not valid JSON, or not unambiguous`,
		`{"msg":"m","doc":"[1, 2.50]" }`: `{"messageId":"m","changes":{"meta":[1, 2.50]}}`,
	} {
		if res := got(m.Map(&Record{Value: []byte(value)})); res != want {
			t.Errorf("%s:\n got %s\nwant %s", value, res, want)
		}
	}
	// Without a list of columns the row's own key is no member all the same.
	other := mapper(t, Config{Preset: Debezium, Debezium: DebeziumConfig{IDColumn: "msg"}})
	res := other.Map(&Record{Value: []byte(`{"id":7,"msg":"m","status":"sent","_clientRef":"x"}`)})
	if want := `{"messageId":"m","changes":{"status":"sent"}}`; got(res) != want || res.LeftOut != 2 {
		t.Errorf("%s, left out %d", got(res), res.LeftOut)
	}
}

// A row without any of the columns is no row without changes: the configuration is
// for other rows.
func TestDebeziumRowsWithoutTheColumns(t *testing.T) {
	m := mapper(t, Config{Preset: Debezium, Debezium: DebeziumConfig{
		Columns: map[string]string{"state": "status", "tier": "custom.tierStr"}, JSON: []string{"doc"}, Times: map[string]string{"at": "ms"},
	}})
	const fault = "mapping_shape: the row has none of the columns that are to be sent: they are misspelt, or the row is of another table (mapping.debezium.columns)"
	for value, want := range map[string]string{
		`{"op":"c","after":{"id":"m","State":"sent"}}`:                                       fault,
		`{"op":"r","after":{"id":"m","doc":"{}","at":1}}`:                                    fault, // these say how to read columns, not which
		`{"op":"u","before":{"id":"m","status":"error"},"after":{"id":"m","status":"sent"}}`: fault,
		`{"op":"u","before":{"id":"m","n":1},"after":{"id":"m","n":1}}`:                      fault,
		`{"id":"m","status":"sent"}`:                                                         fault,
		`{"id":"m"}`:                                                                         fault,
		// one of them is enough
		`{"op":"c","after":{"id":"m","state":"sent"}}`:                         `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"op":"u","before":{"id":"m","tier":1},"after":{"id":"m","tier":1}}`:  "skip: unchanged",
		`{"op":"c","after":{"id":"m","state":null}}`:                           "skip: unchanged",
		`{"op":"c","after":{"id":"m","state":"__debezium_unavailable_value"}}`: "skip: unchanged",
		// and none is expected of a row that is gone
		`{"op":"d","before":{"id":"m"},"after":null}`: "skip: deleted",
		`{"id":"m","__deleted":"true"}`:               "skip: deleted",
	} {
		if res := got(m.Map(&Record{Value: []byte(value)})); res != want {
			t.Errorf("%s:\n got %s\nwant %s", value, res, want)
		}
	}
	// Without a list there is nothing to miss.
	all := mapper(t, Config{Preset: Debezium, Debezium: DebeziumConfig{Times: map[string]string{"at": "ms"}}})
	if res := got(all.Map(&Record{Value: []byte(`{"id":"m"}`)})); res != "skip: unchanged" {
		t.Error(res)
	}
}

func TestDebeziumTimes(t *testing.T) {
	m := mapper(t, Config{Preset: Debezium, Debezium: DebeziumConfig{
		Times: map[string]string{"ns": "ns", "us": "us", "ms": "ms", "s": "s", "d": "days"},
	}})
	for cell, want := range map[string]string{
		`"ns":1792591331925123456`:      `"ns":"2026-10-21T14:02:11.925123456Z"`,
		`"us":1792591331925123`:         `"us":"2026-10-21T14:02:11.925123Z"`,
		`"ms":1792591331925`:            `"ms":"2026-10-21T14:02:11.925Z"`,
		`"s":1792591331`:                `"s":"2026-10-21T14:02:11Z"`,
		`"d":20747`:                     `"d":"2026-10-21T00:00:00Z"`,
		`"us":-1`:                       `"us":"1969-12-31T23:59:59.999999Z"`,
		`"us":"2026-10-21T14:02:11.9Z"`: `"us":"2026-10-21T14:02:11.9Z"`,
		`"s":253402300799`:              `"s":"9999-12-31T23:59:59Z"`,
		`"s":253402300800`:              "time whose year",
		`"ms":1792591331925123`:         "time whose year",
		`"us":9223372036854775807`:      "time whose year",
		`"s":9223372036854775807`:       "time whose year",
		`"d":9223372036854775807`:       "time whose year",
		`"d":-9223372036854775808`:      "time whose year",
		`"us":9223372036854775808`:      "no time",
		`"us":1.5`:                      "no time",
		`"us":{}`:                       "no time",
		`"us":true`:                     "no time",
	} {
		res := got(m.Map(&Record{Value: []byte(`{"id":"m",` + cell + `}`)}))
		if strings.HasPrefix(want, `"`) {
			want = `{"messageId":"m","changes":{` + want + `}}`
		} else if !strings.HasPrefix(res, FaultShape) {
			t.Errorf("%s: %s, want a fault", cell, res)
		}
		if !strings.Contains(res, want) {
			t.Errorf("%s: %s, want %s", cell, res, want)
		}
	}
}

// A schema says what columns hold, and a new one replaces what the last one said.
func TestDebeziumSchemas(t *testing.T) {
	m := mapper(t, Config{Preset: Debezium})
	field := func(name, typ string) string { return `{"type":"int64","name":"` + typ + `","field":"` + name + `"}` }
	unwrapped := func(fields ...string) string {
		return `{"schema":{"fields":[` + strings.Join(fields, ",") + `]},"payload":{"id":"m","at":1000000,"doc":"{\"a\":1}"}}`
	}
	for range 2 {
		for _, c := range []struct{ value, want string }{
			{unwrapped(field("at", "io.debezium.time.MicroTimestamp")), `"at":"1970-01-01T00:00:01Z","doc":"{\"a\":1}"`},
			{unwrapped(field("at", "io.debezium.time.Timestamp"), field("doc", "io.debezium.data.Json")), `"at":"1970-01-01T00:16:40Z","doc":{"a":1}`},
			{unwrapped(field("at", "io.debezium.time.NanoTimestamp")), `"at":"1970-01-01T00:00:00.001Z","doc":"{\"a\":1}"`},
			{unwrapped(field("at", "org.apache.kafka.connect.data.Timestamp")), `"at":"1970-01-01T00:16:40Z","doc":"{\"a\":1}"`},
			{unwrapped(field("at", "io.debezium.time.Date")), `"at":"4707-11-29T00:00:00Z","doc":"{\"a\":1}"`},
			{unwrapped(field("at", "io.debezium.time.ZonedTimestamp")), `"at":1000000,"doc":"{\"a\":1}"`},
			{unwrapped(), `"at":1000000,"doc":"{\"a\":1}"`},
		} {
			want := `{"messageId":"m","changes":{` + c.want + `}}`
			if res := got(m.Map(&Record{Value: []byte(c.value)})); res != want {
				t.Errorf("%s:\n got %s\nwant %s", c.value, res, want)
			}
		}
	}
	// The configured unit comes before the schema's.
	m = mapper(t, Config{Preset: Debezium, Debezium: DebeziumConfig{Times: map[string]string{"at": "s"}}})
	if res := got(m.Map(&Record{Value: []byte(unwrapped(field("at", "io.debezium.time.MicroTimestamp")))})); !strings.Contains(res, `"at":"1970-01-12T13:46:40Z"`) {
		t.Error(res)
	}
}

// A column that only the event names is not named in a fault.
func TestDebeziumNamesNoColumn(t *testing.T) {
	m := mapper(t, Config{Preset: Debezium})
	value := `{"schema":{"fields":[{"field":"birthOfPat","name":"io.debezium.time.Date"}]},"payload":{"id":"m","birthOfPat":1.5}}`
	if res, want := got(m.Map(&Record{Value: []byte(value)})), "mapping_shape: the row's column of a logical type is no time: neither a whole number nor a text"; res != want {
		t.Errorf("got %s\nwant %s", res, want)
	}
}

// Rows and attributes by the ten thousand, in whatever order, take no square of time:
// as one, this would take minutes.
func TestManyMembers(t *testing.T) {
	const n = 40000
	var before, after strings.Builder
	for i := range n {
		fmt.Fprintf(&before, `"a%d":%d,`, i, i)
		fmt.Fprintf(&after, `"a%d":%d,`, n-i, n-i)
	}
	m := mapper(t, Config{Preset: Debezium, Debezium: DebeziumConfig{IDColumn: "msg"}})
	for value, want := range map[string]string{
		`{"op":"u","before":{` + before.String() + `"msg":"m"},"after":{` + after.String() + `"msg":"m"}}`:                         `{"messageId":"m","changes":{"a40000":40000}}`,
		`{"op":"u","before":{"custom":{` + before.String() + `"b":1}},"after":{"custom":{` + after.String() + `"c":1},"msg":"m"}}`: `{"messageId":"m","changes":{"custom":{"a40000":40000,"c":1,"a0":null,"b":null}}}`,
	} {
		if res := got(m.Map(&Record{Value: []byte(value)})); res != want {
			t.Errorf("got %.200s\nwant %s", res, want)
		}
	}
}

func TestTwin(t *testing.T) {
	var object strings.Builder
	for i := range 3 * maxMisses {
		fmt.Fprintf(&object, `"a%d":%d,`, i, i)
	}
	for order := range 3 {
		tw := newTwin([]byte("{" + object.String() + `"\u0062":null}`))
		for i := range 3 * maxMisses {
			n := []int{i, 3*maxMisses - 1 - i, (i * 7) % (3 * maxMisses)}[order]
			if got := string(tw.value(fmt.Appendf(nil, "a%d", n))); got != fmt.Sprint(n) {
				t.Errorf("order %d: a%d is %q", order, n, got)
			}
			if got := tw.value([]byte("none")); order == 1 && got != nil {
				t.Errorf("none is %q", got)
			}
		}
		if got := string(tw.value([]byte("b"))); got != "null" {
			t.Errorf("order %d: b is %q", order, got)
		}
	}
	none := newTwin([]byte("7"))
	for range 2 * maxMisses {
		if got := none.value([]byte("a")); got != nil {
			t.Errorf("a of no object is %q", got)
		}
	}
}
