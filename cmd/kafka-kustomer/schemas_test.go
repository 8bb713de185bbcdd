package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/schemas"
)

func TestSchemasList(t *testing.T) {
	code, stdout, _ := command(t, "schemas", "list")
	for _, words := range []string{
		"batch-result    avro         kustomer-batch-results-value  -", "batch-result    json-schema  -",
		"message-change  avro         message-changes-value         -", "message-change  json-schema  -",
	} {
		if code != exitDone || !strings.Contains(stdout, words) {
			t.Errorf("exit code %d, no %q in\n%s", code, words, stdout)
		}
	}
	if code, stdout, _ := command(t, "schemas", "list", "-c", configFile(t, minimalConfig+"results: {topic: r}\n")); code != exitDone || !strings.Contains(stdout, " r-value  ") {
		t.Errorf("without a registry: exit code %d\n%s", code, stdout)
	}

	f := newFakeRegistry(t)
	for _, r := range [][2]string{ // their ids are counted from 1, one for each text
		{"r-value", schemas.BatchResultAvro},
		{"same-value", schemas.MessageChangeAvro},
		{"older-value", schemas.MessageChangeAvro},
		{"older-value", otherSchema},
		{"differs-value", otherSchema},
	} {
		if _, _, err := f.RegisterSchema(r[0], avroSchema(r[1])); err != nil {
			t.Fatal(err)
		}
	}
	path := f.config(t, "results: {topic: r}\nsource: {topics: [same, older, differs, missing]}\n")
	code, stdout, stderr := command(t, "schemas", "list", "-c", path, "--json")
	var list []listedSchema
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, %v, stderr %q: %s", code, err, stderr, stdout)
	}
	got := map[string]standing{}
	for _, l := range list {
		if l.Format == formatAvro {
			got[l.Subject] = *l.Registry
		} else if l.Registry != nil || l.Subject != "" {
			t.Errorf("a JSON Schema is compared: %+v", l)
		}
	}
	for subject, want := range map[string]standing{
		"r-value": {standsSame, "1", 1}, "same-value": {standsSame, "2", 1}, "older-value": {standsOlder, "3", 2},
		"differs-value": {standsDiffers, "3", 1}, "missing-value": {standsMissing, "", 0},
	} {
		if got[subject] != want {
			t.Errorf("%s is %+v, want %+v", subject, got[subject], want)
		}
	}
	if _, stdout, _ := command(t, "schemas", "list", "-c", path); !strings.Contains(stdout, "older-value    older (id 3, version 2)") {
		t.Errorf("for people:\n%s", stdout)
	}
	f.answer("", "", 500, "")
	if code, _, stderr := command(t, "schemas", "list", "-c", path); code != exitFailure || !strings.Contains(stderr, `"r-value": schema registry http`) {
		t.Errorf("a registry in trouble: exit code %d, %s", code, stderr)
	}
}

// Message changes in Avro are for topics that may have them: not for those that have
// JSON, nor for those that a mapping reads.
func TestSchemasOfOtherTopics(t *testing.T) {
	for _, tc := range []struct {
		topics   string
		subjects []string // of message-change
		refusal  string   // of registering it without a subject
	}{
		{"a, {name: b, format: json}, {name: c, mapping: {preset: item}}, {name: d, mapping: {jq: .}}", []string{"a-value"}, ""},
		{"{name: a, format: avro}, {name: b, format: avro, mapping: {preset: message-change}}", []string{"a-value", "b-value"}, "there are 2 source topics"},
		{"{name: b, format: json}, {name: c, mapping: {preset: item}}", nil, "--subject"},
	} {
		f := newFakeRegistry(t)
		path := f.config(t, "source: {topics: ["+tc.topics+"]}\n")
		_, stdout, _ := command(t, "schemas", "list", "-c", path, "--json")
		var list []listedSchema
		if err := json.Unmarshal([]byte(stdout), &list); err != nil {
			t.Fatalf("%v: %s", err, stdout)
		}
		var got []string
		for _, l := range list {
			if l.Name == messageChange && l.Format == formatAvro {
				got = append(got, l.Subject)
			}
		}
		if diff := cmp.Diff(tc.subjects, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.topics, diff)
		}
		code, _, stderr := command(t, "schemas", "register", messageChange, "--dry-run", "-c", path)
		if wantCode := map[bool]int{true: exitDone, false: exitUsage}[tc.refusal == ""]; code != wantCode || !strings.Contains(stderr, tc.refusal) {
			t.Errorf("%s: exit code %d, %q", tc.topics, code, stderr)
		}
	}
}

func TestSchemasShow(t *testing.T) {
	for _, f := range schemaFiles {
		args := []string{"schemas", "show", f.name, "--format", f.format}
		code, stdout, _ := command(t, args...)
		if code != exitDone || strings.TrimSpace(stdout) != strings.TrimSpace(f.text) || !json.Valid([]byte(stdout)) {
			t.Errorf("%v: exit code %d, %d bytes", args, code, len(stdout))
		}
	}
	if _, stdout, _ := command(t, "schemas", "show", "message-change"); strings.TrimSpace(stdout) != strings.TrimSpace(schemas.MessageChangeAvro) {
		t.Error("without --format it is not the Avro schema")
	}
}

func TestSchemasRegister(t *testing.T) {
	f := newFakeRegistry(t)
	path := f.config(t, "")
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"--dry-run"}, "batch-result: acceptable under " + resultsSubject + "; nothing was registered\n"},
		{nil, "batch-result: registered under " + resultsSubject + ", id 1\n"},
		{nil, "batch-result: unchanged under " + resultsSubject + ", id 1\n"},
		{[]string{"--dry-run"}, "batch-result: unchanged under " + resultsSubject + ", id 1\n"},
		{[]string{"message-change"}, "message-change: registered under message-changes-value, id 2\n"},
		{[]string{"message-change", "--subject", "mine", "--json"}, `[{"name":"message-change","subject":"mine","state":"registered","id":"2"}]` + "\n"},
		{[]string{"message-change", "batch-result"}, "message-change: unchanged under message-changes-value, id 2\nbatch-result: unchanged under " + resultsSubject + ", id 1\n"},
	} {
		code, stdout, stderr := command(t, append([]string{"schemas", "register", "-c", path}, tc.args...)...)
		if code != exitDone || stdout != tc.says || stderr != "" {
			t.Errorf("%v: exit code %d, %q, want %q; stderr %q", tc.args, code, stdout, tc.says, stderr)
		}
		if there := f.SubjectExists(resultsSubject); there == strings.Contains(tc.says, "acceptable") {
			t.Errorf("%v: the subject is there: %v", tc.args, there)
		}
	}
	if got, _ := f.GetSchema("mine", 1); got.Schema.Schema != schemas.MessageChangeAvro {
		t.Errorf("registered %q", got.Schema.Schema)
	}
}

func TestSchemasRegisterFails(t *testing.T) {
	several := "source: {topics: [a, b]}\n"
	for _, tc := range []struct {
		name, extra string
		args        []string
		answer      func(*fakeRegistry)
		code        int
		says        string
	}{
		{"several topics", several, []string{"message-change"}, nil, exitUsage, "--subject, a-value for the first"},
		{"a subject for two", "", []string{"message-change", "batch-result", "--subject", "s"}, nil, exitUsage, "--subject is for one schema"},
		{"a name twice", "", []string{"batch-result", "batch-result"}, nil, exitUsage, "named twice"},
		{"no such name", "", []string{"batch"}, nil, exitUsage, "there are batch-result and message-change"},
		{
			"refused", "", nil, func(f *fakeRegistry) { f.answer(http.MethodPost, "/subjects/"+resultsSubject+"/versions", 409, `{}`) },
			exitFailure, `under the subject "` + resultsSubject + `"`,
		},
		{
			"would be refused", "",
			[]string{"--dry-run"},
			func(f *fakeRegistry) { f.answer(http.MethodPost, "/compatibility", 200, `{"is_compatible":false}`) },
			exitFailure, "would be refused as incompatible",
		},
		{"down", "", []string{"--dry-run"}, func(f *fakeRegistry) { f.answer("", "", 502, "") }, exitFailure, "status 502"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFakeRegistry(t)
			if tc.answer != nil {
				tc.answer(f)
			}
			code, stdout, stderr := command(t, append([]string{"schemas", "register", "-c", f.config(t, tc.extra)}, tc.args...)...)
			if code != tc.code || !strings.Contains(stderr, tc.says) || stdout != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			if f.SubjectExists(resultsSubject) || f.SubjectExists("a-value") {
				t.Error("something was registered")
			}
		})
	}
	// What was done before is told.
	f := newFakeRegistry(t)
	f.answer(http.MethodPost, "/subjects/"+resultsSubject+"/versions", 409, `{}`)
	code, stdout, stderr := command(t, "schemas", "register", "message-change", "batch-result", "-c", f.config(t, ""))
	if code != exitFailure || !strings.HasPrefix(stdout, "message-change: registered") || !strings.Contains(stderr, "409") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, _, stderr := command(t, "schemas", "register", "-c", configFile(t, minimalConfig)); code != exitUsage || !strings.Contains(stderr, "schema_registry.urls is empty") {
		t.Errorf("without a registry: exit code %d, %s", code, stderr)
	}
}
