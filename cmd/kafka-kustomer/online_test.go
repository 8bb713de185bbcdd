package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
	"kafka-kustomer/schemas"
)

// onlineWorld is a configuration whose broker and API are there.
func onlineWorld(t *testing.T, script kustomersim.Script, extra string) (path string, sim *kustomersim.Server, kafka *topicWorld) {
	t.Helper()
	sim = kustomersim.New(kustomersim.Options{Key: "canary-key", Script: &script})
	t.Cleanup(sim.Close)
	api := httptest.NewServer(sim)
	t.Cleanup(api.Close)
	kafka = newTopicWorld(t, "")
	return configFile(t, fmt.Sprintf("kafka: {brokers: [%q]}\nkustomer: {base_url: %q, api_key: canary-key}\n%s", kafka.cluster.ListenAddrs()[0], api.URL, extra)), sim, kafka
}

func TestValidateOnline(t *testing.T) {
	path, sim, kafka := onlineWorld(t, kustomersim.Script{Quota: kustomersim.Quota{PerMinute: 1000}}, "")
	code, stdout, stderr := command(t, "validate", "-c", path, "--online")
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, stderr %q\n%s", code, stderr, stdout)
	}
	for _, words := range []string{
		"ok       source topic message-changes", "2 partitions", "20 records behind", "not proven: that Kustomer looks at the role before",
		"1000 requests a minute", "WARNING  api address", "-> use https outside of tests", " 0 failed, ", "nothing was written, registered or committed\n",
	} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s", words, stdout)
		}
	}
	if strings.Contains(stdout, "canary-key") {
		t.Error("the key is in the output")
	}
	if s := sim.Stats(); s.OperationsAccepted != 0 || s.Puts+s.Gets != 3 {
		t.Errorf("%d operations accepted, %d calls", s.OperationsAccepted, s.Puts+s.Gets)
	}
	kafka.untouched(t, nil)
}

func TestValidateOnlineFails(t *testing.T) {
	path, _, _ := onlineWorld(t, kustomersim.Script{Deny: kustomersim.DenyWrite}, "source: {start: committed}\n")
	code, stdout, stderr := command(t, "validate", "-c", path, "--online")
	if code != exitOnline || !strings.Contains(stderr, "an online check failed") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if !strings.Contains(stdout, "FAILED   api role to write messages") || !strings.Contains(stdout, "FAILED   offsets and lag") || !strings.Contains(stdout, ", 2 failed, ") {
		t.Errorf("stdout:\n%s", stdout)
	}

	code, stdout, stderr = command(t, "validate", "-c", path, "--online", "--json")
	var said validated
	if err := json.Unmarshal([]byte(stdout), &said); err != nil || code != exitOnline || stderr != "" {
		t.Fatalf("exit code %d, %v, stderr %q, stdout %s", code, err, stderr, stdout)
	}
	failed := make(map[string]bool)
	for _, c := range said.Online {
		if c.Status == online.Failed {
			failed[c.Name] = c.Next != ""
		}
	}
	if !said.Valid || len(failed) != 2 || !failed["api role to write messages"] || !failed["offsets and lag"] {
		t.Errorf("valid %v, failed %v", said.Valid, failed)
	}
}

// The registry is asked about results in Avro, and about topics whose records may name
// a schema; and nothing is registered.
func TestValidateOnlineWithARegistry(t *testing.T) {
	registry := newFakeRegistry(t)
	registry.SeedSchema("message-changes-value", 1, 7, avroSchema(otherSchema))
	own := filepath.Join(t.TempDir(), "own.avsc")
	if err := os.WriteFile(own, []byte(schemas.MessageChangeAvro), 0o600); err != nil {
		t.Fatal(err)
	}
	extra := fmt.Sprintf(`
schema_registry: {urls: [%q], username: me, password: %s}
results: {format: avro}
source:
  topics: [message-changes, {name: rows, mapping: {preset: debezium}}, {name: plain, format: json}, {name: bare, format: avro, schema: %s}]
`, registry.url, canary.Secret, own)
	path, _, _ := onlineWorld(t, kustomersim.Script{}, extra)
	_, stdout, _ := command(t, "validate", "-c", path, "--online")
	for _, words := range []string{
		"ok       schema registry " + registry.url, "ok       schema of results", "not proven: that the login may register it",
		"WARNING  schema of source topic message-changes", `no field has the name or alias "messageId"`,
		"skipped  schema of source topic rows", "nothing was written, registered or committed\n",
	} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s", words, stdout)
		}
	}
	for _, topic := range []string{"plain", "bare"} {
		if strings.Contains(stdout, "schema of source topic "+topic) {
			t.Errorf("records of %s name no schema, and the registry was asked for it:\n%s", topic, stdout)
		}
	}
	if registry.SubjectExists(resultsSubject) {
		t.Error("the schema of results was registered")
	}
	registry.answer("", "", http.StatusUnauthorized, "")
	code, stdout, _ := command(t, "validate", "-c", path, "--online")
	if code != exitOnline || !strings.Contains(stdout, "FAILED   schema registry "+registry.url) || !strings.Contains(stdout, "skipped  schema of results") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}

// A configuration that is wrong is not taken online, and has its own exit code.
func TestValidateOnlineOfAWrongFile(t *testing.T) {
	code, stdout, _ := command(t, "validate", "-c", configFile(t, "nonsense: 1\n"), "--online")
	if code != exitUsage || stdout != "" {
		t.Errorf("exit code %d, stdout %q", code, stdout)
	}
}

func TestValidateOnlineWithNobodyThere(t *testing.T) {
	begin := time.Now()
	code, stdout, _ := command(t, "validate", "-c", configFile(t, minimalConfig), "--online", "--timeout", "2s")
	if took := time.Since(begin); code != exitOnline || took > 10*time.Second {
		t.Errorf("exit code %d after %v", code, took)
	}
	for _, words := range []string{"FAILED   kafka broker 127.0.0.1:1", "nothing listens there", "FAILED   api address", "skipped  consumer group"} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s", words, stdout)
		}
	}
}

// Checks that were cut short by an interrupt have no verdict.
func TestValidateOnlineInterrupted(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	path := configFile(t, fmt.Sprintf("kafka: {brokers: [%q]}\nkustomer: {base_url: 'http://%s', api_key: k}\n", silent.Addr(), silent.Addr()))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // the first call that nobody answers
		if c, err := silent.Accept(); err == nil {
			defer c.Close()
		}
		cancel()
	}()
	var stdout, stderr bytes.Buffer
	code := execute(ctx, []string{"validate", "--online", "-c", path}, &stdout, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), "interrupted") || stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}
