//go:build kafka

package main

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/internal/registrytest"
	"kafka-kustomer/schemas"
)

// What the commands and a start make of a real registry's answers.
func TestSchemasWithARealRegistry(t *testing.T) {
	f := &fakeRegistry{url: registrytest.Start(t).URL()}
	path := f.config(t, "")
	c := registryClient(t, f.url)
	if _, err := resultsPrefix(t.Context(), c, resultsSubject, false); err == nil || !strings.Contains(err.Error(), `"kafka-kustomer schemas register" registers it`) {
		t.Errorf("a subject that is not there: %v", err)
	}
	for _, tc := range []struct{ args, says string }{
		{"list -c " + path, "batch-result    avro         kustomer-batch-results-value  missing "},
		{"register --dry-run -c " + path, "batch-result: acceptable under kustomer-batch-results-value; nothing was registered\n"},
		{"register -c " + path, "batch-result: registered under kustomer-batch-results-value, id "},
		{"register -c " + path, "batch-result: unchanged under kustomer-batch-results-value, id "},
		{"list -c " + path, "batch-result    avro         kustomer-batch-results-value  same (id 1, version 1)"},
	} {
		code, stdout, stderr := command(t, append([]string{"schemas"}, strings.Fields(tc.args)...)...)
		if code != exitDone || !strings.Contains(stdout, tc.says) {
			t.Errorf("%s: exit code %d, %s\n%s", tc.args, code, stderr, stdout)
		}
	}
	if prefix, err := resultsPrefix(t.Context(), c, resultsSubject, false); err != nil || len(prefix) != 5 || prefix[0] != 0 {
		t.Errorf("prefix %x, %v", prefix, err)
	}

	// Another schema is in the way of ours where the subject wants compatible ones.
	another := strings.Replace(schemas.BatchResultAvro, `"fields": [`, `"fields": [{"name": "old", "type": "string"},`, 1)
	if _, err := c.Register(t.Context(), "taken-value", another); err != nil {
		t.Fatal(err)
	}
	demandFull(t, f.url, "taken-value")
	if prefix, err := resultsPrefix(t.Context(), c, "taken-value", true); err == nil || !strings.Contains(err.Error(), "(409") {
		t.Errorf("an incompatible schema: %x, %v", prefix, err)
	}
	code, _, stderr := command(t, "schemas", "register", "--dry-run", "--subject", "taken-value", "-c", path)
	if code != exitFailure || !strings.Contains(stderr, "would be refused as incompatible") {
		t.Errorf("an incompatible schema: exit code %d, %s", code, stderr)
	}
}

// validate --online asks a real registry all that it asks, and leaves it as it was.
func TestValidateOnlineWithARealRegistry(t *testing.T) {
	url := registrytest.Start(t).URL()
	c := registryClient(t, url)
	another := strings.Replace(schemas.BatchResultAvro, `"fields": [`, `"fields": [{"name": "old", "type": "string"},`, 1)
	for subject, text := range map[string]string{"events-value": schemas.MessageChangeAvro, "rows-value": otherSchema, "taken-value": another} {
		if _, err := c.Register(t.Context(), subject, text); err != nil {
			t.Fatal(err)
		}
	}
	demandFull(t, url, "taken-value")
	for _, tc := range []struct {
		results string // topic
		says    []string
	}{
		{"fresh", []string{
			"ok       schema registry " + url, "ok       schema of results", "fresh-value does not have it yet; it is compatible",
			"ok       schema of source topic events", "Avro of message changes", "WARNING  schema of source topic rows", `no field has the name or alias "messageId"`,
			"skipped  schema of source topic none",
		}},
		{"taken", []string{"FAILED   schema of results", "taken-value does not have it, and the registry would refuse it as incompatible"}},
		{"fresh", []string{"fresh-value does not have it yet"}}, // still
	} {
		path := configFile(t, minimalConfig+"schema_registry: {urls: ["+url+"]}\nsource: {topics: [events, rows, none]}\nresults: {format: avro, topic: "+tc.results+"}\n")
		code, stdout, stderr := command(t, "validate", "--online", "-c", path)
		if code != exitOnline { // there is no broker
			t.Errorf("exit code %d, %s", code, stderr)
		}
		for _, words := range tc.says {
			if !strings.Contains(stdout, words) {
				t.Errorf("%s: %q is not in\n%s", tc.results, words, stdout)
			}
		}
	}
}

func demandFull(t *testing.T, url, subject string) {
	t.Helper()
	client, err := sr.NewClient(sr.URLs(url))
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range client.SetCompatibility(t.Context(), sr.SetCompatibility{Level: sr.CompatFullTransitive}, subject) {
		if result.Err != nil {
			t.Fatal(result.Err)
		}
	}
}
