package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/schemas"
)

// mixedTopics are topics in four shapes; %s is a schema file.
const mixedTopics = `
source:
  topics:
    - message-changes
    - {name: crm.items, format: json, mapping: {preset: item}}
    - {name: crm.rows, mapping: {preset: debezium, debezium: {id_column: mid, columns: {state: status}}}}
    - name: crm.tracks
      mapping:
        jq: |
          if .broken then error("no \(.kind) here")
          else .list[] | {messageId: .id, eventId: .e, changes: .set} end
    - {name: crm.avro, format: avro, schema: %s}
`

func mixedConfig(t *testing.T, extra string) string {
	t.Helper()
	schema := filepath.Join(t.TempDir(), "own.avsc")
	if err := os.WriteFile(schema, []byte(schemas.MessageChangeAvro), 0o600); err != nil {
		t.Fatal(err)
	}
	return extra + fmt.Sprintf(mixedTopics, schema)
}

// The lines of a file are read as the records of the topic that is named, and of the
// first where none is.
func TestDryRunOfAFileByTopic(t *testing.T) {
	config := configFile(t, mixedConfig(t, minimalConfig))
	for _, tc := range []struct {
		topic string // empty: none is named
		line  string
		body  string // of the request
	}{
		{"", `{"messageId":"m1","changes":{"status":"sent"}}`, `[{"id":"m1","_clientRef":"dry-run-1.0","status":"sent"}]`},
		{"message-changes", `{"messageId":"m1","changes":{"status":"sent"}}`, `[{"id":"m1","_clientRef":"dry-run-1.0","status":"sent"}]`},
		{"crm.items", `{"id":"m1","status":"sent"}`, `[{"id":"m1","_clientRef":"dry-run-1.0","status":"sent"}]`},
		{
			"crm.rows", `{"op":"u","before":{"mid":"m1","state":"error","n":1},"after":{"mid":"m1","state":"sent","n":2},"ts_ms":1792591332010}`,
			`[{"id":"m1","_clientRef":"dry-run-1.0","status":"sent"}]`,
		},
		{"crm.tracks", `{"list":[{"id":"m1","set":{"status":"sent"}}]}`, `[{"id":"m1","_clientRef":"dry-run-1.0","status":"sent"}]`},
		{"crm.avro", `{"messageId":"m1","changes":{"status":"sent"}}`, `[{"id":"m1","_clientRef":"dry-run-1.0","status":"sent"}]`}, // a file's lines are JSON
	} {
		t.Run(tc.topic, func(t *testing.T) {
			args := []string{"-c", config, "--file", writeEvents(t, tc.line)}
			if tc.topic != "" {
				args = append(args, "--topic", tc.topic)
			}
			requests, summary := dryRunLines(t, args...)
			if len(requests) != 1 || requests[0].Body != tc.body || summary.Sent != 1 {
				t.Errorf("requests %+v, summary %+v; want %s", requests, summary, tc.body)
			}
		})
	}
}

var trackLines = []string{
	`{"list":[{"id":"m1","e":"e1","set":{"status":"sent"}},{"id":"m2","e":"e2","set":{"subject":"<canary> two"}}]}`,
	`{"list":[]}`,
	`{"broken":true,"kind":"<canary> kind"}`,
	`{"list":[{"id":"m1","e":"e3","set":{"subject":"<canary> one"}}]}`,
	`{"list":[{"id":"m3","e":"e4","set":{"status":"sent"}},{"id":"","set":{"status":"sent"}}]}`,
}

// Each of several changes of a record is told by its number; one that is not well
// takes the record with it.
func TestDryRunOfSeveralChanges(t *testing.T) {
	args := []string{"-c", configFile(t, mixedConfig(t, minimalConfig)), "--file", writeEvents(t, trackLines...), "--topic", "crm.tracks"}
	code, stdout, stderr := command(t, append([]string{"dry-run"}, args...)...)
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for _, words := range []string{
		"skipped events.ndjson:2: the jq program gave nothing for the record\n",
		"dead letter events.ndjson:3: mapping_jq: the program called error: no … here\n",
		"dead letter events.ndjson:5: invalid_message_id: event 2 of 2 that the mapping makes of the record: ",
		": 2 items of 2 records, ",
		"[0] m1 from events.ndjson:1 change 1 of 2 (e1), events.ndjson:4 (e3)\n",
		"[1] m2 from events.ndjson:1 change 2 of 2 (e2)\n",
		"5 records of ", ": 2 would be sent, 1 skipped, 2 dead-lettered\n",
	} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s", words, stdout)
		}
	}
	if strings.Contains(stdout, "m3") {
		t.Errorf("a change of a record that is dead-lettered is sent:\n%s", stdout)
	}

	requests, _ := dryRunLines(t, args...)
	if len(requests) != 1 {
		t.Fatalf("%d requests", len(requests))
	}
	want := []itemLine{
		{"m1", []recordLine{{File: "events.ndjson", Line: 1, Event: "e1", Change: 1, Changes: 2}, {File: "events.ndjson", Line: 4, Event: "e3"}}},
		{"m2", []recordLine{{File: "events.ndjson", Line: 1, Event: "e2", Change: 2, Changes: 2}}},
	}
	if diff := cmp.Diff(want, requests[0].Items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// From Kafka every topic is read by its own mapping, and --topic is not for that.
func TestDryRunOfMixedTopics(t *testing.T) {
	w := newTopicWorld(t, "source: {topics: [message-changes, {name: crm.items, mapping: {preset: item}}]}\n")
	if err := w.client.ProduceSync(t.Context(), &kgo.Record{Topic: "message-changes", Value: []byte(`{"id":"not-an-event"}`)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if _, err := kadm.NewClient(w.client).CreateTopic(t.Context(), 1, 1, nil, "crm.items"); err != nil {
		t.Fatal(err)
	}
	if err := w.client.ProduceSync(t.Context(), &kgo.Record{Topic: "crm.items", Value: []byte(`{"id":"item-1","status":"sent"}`)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := command(t, "dry-run", "-c", w.config)
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for _, words := range []string{"item-1 from crm.items/0@0\n", "dead letter message-changes/0@10: ", ": 21 would be sent, 0 skipped, 1 dead-lettered\n"} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s", words, stdout)
		}
	}
}

func TestDryRunMistakesOfTopics(t *testing.T) {
	config := configFile(t, mixedConfig(t, minimalConfig))
	for _, tc := range []struct {
		name string
		args []string
		says string
	}{
		{"a topic of Kafka's", []string{"-c", config, "--topic", "crm.items"}, "--topic says which mapping the lines of --file need"},
		{"a topic that is not configured", []string{"-c", config, "--topic", "crm.item", "--file", "x"}, "is none of source.topics (message-changes, crm.items, crm.rows, crm.tracks, crm.avro)"},
		{"a topic without a configuration", []string{"--topic", "crm.items", "--file", "x"}, "is none of source.topics (message-changes)"},
		{"a file that is not there", []string{"-c", config, "--topic", "crm.items", "--file", "/nowhere"}, "/nowhere"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := command(t, append([]string{"dry-run"}, tc.args...)...)
			if code != exitUsage || stdout != "" || !strings.Contains(stderr, tc.says) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %q", code, stdout, stderr, tc.says)
			}
		})
	}
}

// What takes effect names each topic with what it has of its own.
func TestValidateMixedTopics(t *testing.T) {
	code, stdout, _ := command(t, "validate", "--json", "-c", configFile(t, mixedConfig(t, minimalConfig)))
	var said struct {
		Effective struct{ Source struct{ Topics []any } }
	}
	if err := json.Unmarshal([]byte(stdout), &said); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v, %s", code, err, stdout)
	}
	topics := said.Effective.Source.Topics
	if len(topics) != 5 || topics[0] != "message-changes" {
		t.Fatalf("topics: %v", topics)
	}
	for i, want := range []struct{ name, format, preset string }{
		{"crm.items", "json", "item"}, {"crm.rows", "auto", "debezium"}, {"crm.tracks", "auto", "message-change"}, {"crm.avro", "avro", "message-change"},
	} {
		topic := topics[i+1].(map[string]any)
		mapping := topic["mapping"].(map[string]any)
		if topic["name"] != want.name || topic["format"] != want.format || mapping["preset"] != want.preset {
			t.Errorf("topic %d is %v %v %v, want %v", i+1, topic["name"], topic["format"], mapping["preset"], want)
		}
		if jq := mapping["jq"] != ""; jq != (want.name == "crm.tracks") {
			t.Errorf("topic %s has a program: %v", want.name, jq)
		}
	}
}

func TestValidateMistakesOfTopics(t *testing.T) {
	for _, tc := range []struct{ name, topic, says string }{
		{"a program that is wrong", `{name: a, mapping: {jq: '.['}}`, "mapping.jq"},
		{"a program and a preset", `{name: a, mapping: {jq: '.', preset: item}}`, "mapping.preset"},
		{"webhooks of which the own are not known", `{name: a, mapping: {preset: kustomer-event}}`, "own_users"},
		{"Avro that nothing can read", `{name: a, format: avro}`, "schema_registry.urls"},
		{"a schema of JSON", `{name: a, format: json, schema: a.avsc}`, "is for the format avro"},
		{"a topic twice", `message-changes`, "twice"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := configFile(t, minimalConfig+"source: {topics: [message-changes, "+tc.topic+"]}\n")
			code, stdout, stderr := command(t, "validate", "-c", path)
			if code != exitUsage || stdout != "" || !strings.Contains(stderr, "source.topics[1]") || !strings.Contains(stderr, tc.says) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %q", code, stdout, stderr, tc.says)
			}
		})
	}
}
