package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/schemas/mapping"
)

const (
	eventSchema  = "../../schemas/message-change.avsc"
	resultSchema = "../../schemas/batch-result.avsc"
)

// written puts text into a file and returns its path.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mappingWith(edit func(*Mapping)) Mapping {
	m := defaultMapping()
	edit(&m)
	return m
}

// TestTopicsAreComplete: a topic has from the source what its entry does not say,
// wherever in the source that stands.
func TestTopicsAreComplete(t *testing.T) {
	program := written(t, "{id, changes: .c}\n")
	jq := mappingWith(func(m *Mapping) { m.JQ, m.JQFile, m.Nulls = "{id, changes: .c}\n", program, "all" })
	rows := mappingWith(func(m *Mapping) {
		m.Preset = mapping.Debezium
		m.Debezium.Columns = map[string]string{"tier": "custom.tierStr", "a.b": "status", "sent_at": "sentAt"}
		m.Debezium.Times, m.Debezium.JSON = map[string]string{"sent_at": "ms"}, []string{}
	})
	tests := []struct {
		name, file string
		env        []string
		want       []Topic
	}{
		{name: "names only", file: `source: {topics: [a, "${env:B}"]}`, env: []string{"B=b"}, want: []Topic{
			{Name: "a", Format: "auto", Mapping: defaultMapping()},
			{Name: "b", Format: "auto", Mapping: defaultMapping()},
		}},
		{name: "the default topic has the source's format", file: "source: {format: avro, schema: " + eventSchema + "}", want: []Topic{
			{Name: "message-changes", Format: "avro", Schema: eventSchema, Mapping: defaultMapping()},
		}},
		{name: "mixed", file: `
source:
  topics:
    - a
    - name: b
      format: json
    - {name: "${env:C}", schema: ` + resultSchema + `, mapping: {preset: item}}
    - {name: d, format: json, mapping: ~}
  format: avro
  schema: ` + eventSchema + `
  mapping: {jq_file: ` + program + `, nulls: all}
`, env: []string{"C=c"}, want: []Topic{
			{Name: "a", Format: "avro", Schema: eventSchema, Mapping: jq},
			{Name: "b", Format: "json", Mapping: jq},
			{Name: "c", Format: "avro", Schema: resultSchema, Mapping: mappingWith(func(m *Mapping) { m.Preset = "item" })},
			{Name: "d", Format: "json", Mapping: defaultMapping()},
		}},
		{name: "maps and lists of an entry", file: `
source:
  topics:
    - name: rows
      mapping:
        preset: debezium
        debezium: {columns: {tier: custom.tierStr, a.b: status, sent_at: sentAt}, times: {sent_at: ms}, json: []}
`, want: []Topic{{Name: "rows", Format: "auto", Mapping: rows}}},
		{name: "a registry stands in for the schema", file: "source: {topics: [{name: a, format: avro}]}\nschema_registry: {urls: [http://registry]}", want: []Topic{
			{Name: "a", Format: "avro", Mapping: defaultMapping()},
		}},
		{name: "a schema of its own stands in for the source's", file: "source: {format: avro, topics: [{name: a, schema: " + eventSchema + "}]}", want: []Topic{
			{Name: "a", Format: "avro", Schema: eventSchema, Mapping: defaultMapping()},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("good.yaml", []byte(test.file+"\n"+required), environment(test.env...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, c.Source.Topics); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			var names []string
			for _, topic := range test.want {
				names = append(names, topic.Name)
			}
			if diff := cmp.Diff(names, c.Source.TopicNames()); diff != "" {
				t.Errorf("names: -want +got:\n%s", diff)
			}
		})
	}
}

func TestFaultsOfTopics(t *testing.T) {
	checkFaults(t, []faultTest{
		{name: "entries", file: `
source:
  topics:
    - a
    - {name: a, formt: json}
    - {name: "a b", format: xml}
    - {format: json, format: json}
    - {name}
    - {name: b, mapping: {jq: '.[', debezum: {}, jq_limits: {time: 1m}}}
    - {name: d, mapping: 7}
results: {topic: b}
` + required, want: `
5:14: source.topics[1].name: "a" is the same as source.topics[0]
5:17: source.topics[1]: unknown key "formt"; did you mean source.topics[1].format?
6:14: source.topics[2].name: "a b" is not a legal name: only letters, digits, '.', '_' and '-' are
6:29: source.topics[2].format: "xml" is none of auto, json, avro
7:7: source.topics[3].name: is required: the topic to read
7:22: source.topics[3].format: is set a second time; it is on line 7 already
8:12: source.topics[4].name: has no value; write one, or remove the key for its default
9:31: source.topics[5].mapping.jq: the program is wrong at line 1, column 3: unexpected EOF
9:37: source.topics[5].mapping: unknown key "debezum"; did you mean source.topics[5].mapping.debezium?
9:68: source.topics[5].mapping.jq_limits.time: "1m" is outside 1ms to 5s
10:26: source.topics[6].mapping: needs a section of keys, not a single value
11:18: results.topic: "b" is also read: source.topics[5].name "b" (9:14); the connector would read its own output
`},
		{name: "a name that has a value elsewhere", file: "jq: .\nurls: []\n" + required, want: `
1:1: unknown key "jq"; did you mean source.mapping.jq?
2:1: unknown key "urls"; did you mean schema_registry.urls?
`},
	})
}

func TestFaultsOfMapping(t *testing.T) {
	blank, program := written(t, " \n"), written(t, ".id |\ninput")
	checkFaults(t, []faultTest{
		{name: "words", file: `
source: {mapping: {preset: debesium, nulls: none, cloud_events: binary, debezium: {id_colum: x}}}
` + required, want: `
2:28: source.mapping.preset: "debesium" is none of message-change, item, debezium, kustomer-event; did you mean debezium?
2:45: source.mapping.nulls: "none" is none of clearable, all
2:65: source.mapping.cloud_events: "binary" is none of auto, structured, off
2:84: source.mapping.debezium: unknown key "id_colum"; did you mean source.mapping.debezium.id_column?
`},
		{name: "maps", file: `
source:
  mapping:
    preset: debezium
    debezium:
      columns: {id: status, a: [b], c: ~, d, ? [x] : y, a: z}
      times: {at: weeks, on: dys, by: ~, of: "${env:T}", "x\ny": s}
  topics:
    - {name: a, mapping: {preset: debezium, debezium: {columns: [a], times: ms}}}
` + required, env: []string{"T=not shown"}, want: `
6:32: source.mapping.debezium.columns.a: needs a single value, not a list
6:40: source.mapping.debezium.columns.c: has no value; write one, or remove the key for its default
6:43: source.mapping.debezium.columns: a key without a value; is it the rest of a value with a comma, which needs quotes?
6:48: source.mapping.debezium.columns: a name that is not text of at most 512 bytes on one line; merge keys (<<) and lists as names are not supported
6:57: source.mapping.debezium.columns.a: is set a second time; it is on line 6 already
7:19: source.mapping.debezium.times.at: "weeks" is none of ns, us, ms, s, days
7:30: source.mapping.debezium.times.on: "dys" is none of ns, us, ms, s, days; did you mean days?
7:39: source.mapping.debezium.times.by: has no value; write one, or remove the key for its default
7:46: source.mapping.debezium.times.of: "${env:T}" is none of ns, us, ms, s, days
7:58: source.mapping.debezium.times: a name that is not text of at most 512 bytes on one line; merge keys (<<) and lists as names are not supported
9:65: source.topics[0].mapping.debezium.columns: needs a section of names and values, as in {a: b}, not a list
9:77: source.topics[0].mapping.debezium.times: needs a section of names and values, as in {a: b}, not a single value
`},
		{name: "columns", file: `
source:
  mapping:
    preset: debezium
    debezium:
      columns: {id: status}
  topics:
    - {name: a, mapping: {preset: debezium, debezium: {columns: {x: status, y: "${env:T}"}}}}
    - {name: b, mapping: {preset: kustomer-event}}
    - {name: c, mapping: {preset: kustomer-event, kustomer_event: {own_users: ['']}}}
` + required, env: []string{"T=status"}, want: `
6:16: source.mapping.debezium.columns: column "id" is source.mapping.debezium.id_column, which is sent as the id only
8:65: source.topics[0].mapping.debezium.columns: is refused; what a reference brings in is not shown: write the value out to see why
9:17: source.topics[1].mapping.kustomer_event: needs own_users, the id of the API key's user: every update of the connector comes back as an event, and would be sent again without end (other_org: true where the events come from another org than the one that is updated)
10:51: source.topics[2].mapping.kustomer_event: has an empty entry in own_users or own_clients
`},
		{name: "columns that are not sent", file: `
source:
  mapping:
    preset: debezium
    debezium:
      columns: {sent_at: sentAt, extra: meta}
      times: {sent_at: us, sentAt: us}
      json:
        - extra
        - extras
        - "${env:T}"
  topics:
    - {name: a, mapping: {preset: debezium, debezium: {times: {any: s}, json: [any]}}}
    - {name: b, mapping: {preset: debezium, debezium: {columns: {x: meta}, times: {id: days}}}}
    - {name: c, mapping: {preset: debezium, debezium: {columns: [x], times: {y: s}}}}
` + required, env: []string{"T=not shown"}, want: `
7:36: source.mapping.debezium.times.sentAt: the column "sentAt" is none of source.mapping.debezium.columns, so it is not sent; add it there, or remove it here
10:11: source.mapping.debezium.json[1]: the column "extras" is none of source.mapping.debezium.columns, so it is not sent; add it there, or remove it here
11:11: source.mapping.debezium.json[2]: the column "${env:T}" is none of source.mapping.debezium.columns, so it is not sent; add it there, or remove it here
14:88: source.topics[1].mapping.debezium.times.id: the column "id" is none of source.topics[1].mapping.debezium.columns, so it is not sent; add it there, or remove it here
15:65: source.topics[2].mapping.debezium.columns: needs a section of names and values, as in {a: b}, not a list
`},
		{name: "programs", file: `
source:
  mapping: {jq: "{id:\n  foo}"}
  topics:
    - {name: b, mapping: {jq: "${env:P}"}}
    - {name: c, mapping: {jq: ., jq_file: /nonexistent}}
    - {name: d, mapping: {jq_file: ` + blank + `}}
    - {name: e, mapping: {jq_file: "/nonexistent${env:P}"}}
    - {name: f, mapping: {jq: ., preset: item}}
    - {name: g, mapping: {jq_file: ` + program + `}}
    - {name: h, mapping: {jq: "$key"}}
` + required, env: []string{"P=notshown"}, want: `
3:17: source.mapping.jq: the program is wrong at line 2, column 3: function not defined: foo/0
5:31: source.topics[0].mapping.jq: is refused; what a reference brings in is not shown: write the value out to see why
6:43: source.topics[1].mapping.jq_file: is given, and so is source.topics[1].mapping.jq "." (6:31); remove one of them
7:36: source.topics[2].mapping.jq_file: the file "` + blank + `" is empty
8:36: source.topics[3].mapping.jq_file: the file "/nonexistent${env:P}" cannot be read; check that it exists and is this user's to read
9:31: source.topics[4].mapping.jq: is given, and so is source.topics[4].mapping.preset "item" (9:42); a program takes the place of a preset: remove one of them
10:36: source.topics[5].mapping.jq_file: the program calls input (line 2, column 1): a program sees one record; there is no next input
11:31: source.topics[6].mapping.jq: has a $ that begins neither ${env:NAME}, ${env:NAME:-default} nor ${file:/path}; write $$ for a plain $
`},
		{name: "keys without effect", file: `
source:
  mapping: {jq: ., debezium: {id_column: x, json: []}, kustomer_event: {own_users: [u], other_org: true}}
  topics:
    - {name: a, mapping: {debezium: {columns: {a: b}, unavailable: __debezium_unavailable_value}, jq_limits: {events: 5, bytes: 4MiB}}}
` + required, want: `
3:42: source.mapping.debezium.id_column: has no effect while source.mapping.preset is "message-change"
3:51: source.mapping.debezium.json: has no effect while source.mapping.preset is "message-change"
3:84: source.mapping.kustomer_event.own_users: has no effect while source.mapping.preset is "message-change"
3:100: source.mapping.kustomer_event.other_org: has no effect while source.mapping.preset is "message-change"
5:47: source.topics[0].mapping.debezium.columns: has no effect while source.topics[0].mapping.preset is "message-change"
5:119: source.topics[0].mapping.jq_limits.events: has no effect while source.topics[0].mapping.jq is empty
`},
	})
}

func TestMapperConfigHasEveryKey(t *testing.T) {
	m := Mapping{
		Preset: "a", JQ: "b", CloudEvents: "c", Nulls: "d",
		Debezium: Debezium{
			IDColumn: "e", Columns: map[string]string{"f": "g"}, JSON: []string{"h"},
			Times: map[string]string{"i": "j"}, Unavailable: "k",
		},
		KustomerEvent: KustomerEvent{OwnUsers: []string{"l"}, OwnClients: []string{"m"}, OtherOrg: true},
		JQLimits:      JQLimits{Time: time.Second, Events: 2, Bytes: 3},
	}
	want := mapping.Config{
		Preset: "a", JQ: "b", CloudEvents: "c", Nulls: "d",
		Debezium: mapping.DebeziumConfig{
			IDColumn: "e", Columns: map[string]string{"f": "g"}, JSON: []string{"h"},
			Times: map[string]string{"i": "j"}, Unavailable: "k",
		},
		KustomerEvent: mapping.KustomerEventConfig{OwnUsers: []string{"l"}, OwnClients: []string{"m"}, OtherOrg: true},
		Limits:        mapping.JQLimits{Time: time.Second, Events: 2, Bytes: 3},
	}
	if diff := cmp.Diff(want, m.MapperConfig()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := mapping.New((&Mapping{}).MapperConfig()); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}

// TestLimitsFitTheMapper: what the ranges of jq_limits allow package mapping takes.
func TestLimitsFitTheMapper(t *testing.T) {
	for _, limits := range []string{"{time: 1ms, events: 1, bytes: 1KiB}", "{time: 5s, events: 100000, bytes: 64MiB}"} {
		c, err := Parse("good.yaml", []byte("source: {mapping: {jq: ., jq_limits: "+limits+"}}\n"+required), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mapping.New(c.Source.Mapping.MapperConfig()); err != nil {
			t.Error(err)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	file := "source: {mapping: {preset: debezium, debezium: {columns: {id: " + strings.Repeat("x", 10_000) + ", b: " + strings.Repeat("x", 10_000) + "}}}}\n" + required
	_, err := Parse("long.yaml", []byte(file), nil)
	if err == nil || len(err.Error()) > 2*maxForeign {
		t.Errorf("%d bytes: %.100v", len(err.Error()), err)
	}
}
