package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"kafka-kustomer/deploy"
	"kafka-kustomer/internal/config"
)

func TestEveryCommandHelps(t *testing.T) {
	var walk func(c *cobra.Command)
	seen := make(map[string]bool)
	walk = func(c *cobra.Command) {
		seen[c.CommandPath()] = true
		if c.HasParent() && (c.Example == "" || c.Short == "") {
			t.Errorf("%s has no example or no short text", c.CommandPath())
		}
		for line := range strings.Lines(c.Long) {
			if len(line) > 91 {
				t.Errorf("%s: a line of %d characters: %s", c.CommandPath(), len(line), line)
			}
		}
		for _, below := range c.Commands() {
			walk(below)
		}
	}
	walk(newRoot(io.Discard, io.Discard))
	for path := range examples {
		if !seen[path] {
			t.Errorf("there is an example of %q, and no such command", path)
		}
	}
	_, help, _ := command(t, "--help")
	for _, words := range []string{"Exit codes:", "  3  a check of", "dry-run", "completion", "config"} {
		if !strings.Contains(help, words) {
			t.Errorf("--help does not say %q", words)
		}
	}
}

func TestMistypedCommands(t *testing.T) {
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"validat"}, "did you mean validate?"},
		{[]string{"dryrun"}, "did you mean dry-run?"},
		{[]string{"config", "exmaple"}, "did you mean example?"},
		{[]string{"completion", "bsh"}, "did you mean bash?"},
		{[]string{"wander"}, "see kafka-kustomer --help"},
		{[]string{"version", "please"}, "kafka-kustomer version takes no argument"},
		{[]string{"completion", "bash", "now"}, "takes no argument"},
		{[]string{"schemas", "shwo"}, "did you mean show?"},
		{[]string{"schemas", "show"}, "takes the name of a schema"},
		{[]string{"schemas", "show", "batch"}, "there are batch-result and message-change"},
		{[]string{"schemas", "show", "batch-result", "--format", "xml"}, "--format is avro or json-schema"},
		{[]string{"schemas", "list", "now"}, "takes no argument"},
		{[]string{"validate", "--onlin"}, "see kafka-kustomer validate --help"},
		{[]string{"validate", "--timeout", "5s"}, "--timeout is for --online"},
		{[]string{"validate", "--online", "--timeout", "0s"}, "above 0"},
		{[]string{"dry-run", "--from", "yesterday"}, "--from"},
		{[]string{"dry-run", "--file", "x", "--from", "earliest"}, "--from is for topics"},
		{[]string{"dry-run", "--limit", "-1"}, "--limit"},
		{[]string{"dry-run", "--json", "--raw"}, "--raw"},
		{[]string{"dry-run", "--file", "/nowhere.ndjson"}, "/nowhere.ndjson"},
		{[]string{"dry-run", "-c", "/nowhere.yaml"}, "/nowhere.yaml"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			code, stdout, stderr := command(t, tc.args...)
			if code != exitUsage || !strings.Contains(stderr, tc.says) || stdout != "" {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

// The example that is printed is a file to begin with: with the address and the key
// it is valid.
func TestConfigExample(t *testing.T) {
	code, stdout, _ := command(t, "config", "example")
	if code != exitDone || stdout != string(deploy.Example) {
		t.Fatalf("exit code %d, %d bytes", code, len(stdout))
	}
	t.Setenv("KUSTOMER_ORG", "acme")
	t.Setenv("KUSTOMER_API_KEY", "key")
	if _, err := config.Load(configFile(t, stdout)); err != nil {
		t.Error(err)
	}
}

func TestConfigSchema(t *testing.T) {
	code, stdout, _ := command(t, "config", "schema")
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal([]byte(stdout), &schema); err != nil || code != exitDone || len(schema.Properties) < 10 {
		t.Errorf("exit code %d, %v, %d properties", code, err, len(schema.Properties))
	}
}

func TestVersionJSON(t *testing.T) {
	code, stdout, _ := command(t, "version", "--json")
	var b build
	if err := json.Unmarshal([]byte(stdout), &b); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v: %s", code, err, stdout)
	}
	if b.Version != buildVersion() || b.Go == "" || !strings.Contains(b.Platform, "/") {
		t.Errorf("%+v", b)
	}
	if text := (build{Version: "v1", Go: "go1", Platform: "a/b", Commit: "0123456789abcdef", Date: "2026-11-25", Modified: true}).String(); text != "kafka-kustomer v1 go1 a/b, commit 0123456789ab of 2026-11-25, modified" {
		t.Error(text)
	}
}

func TestValidateJSON(t *testing.T) {
	path := configFile(t, "kustomer: {base_url: nowhere, api_key: canary-key}\nbatch:\n  max_itmes: 1\n")
	code, stdout, stderr := command(t, "validate", "-c", path, "--json")
	var said validated
	if err := json.Unmarshal([]byte(stdout), &said); err != nil || code != exitUsage || stderr != "" {
		t.Fatalf("exit code %d, %v, stdout %q, stderr %q", code, err, stdout, stderr)
	}
	if said.Valid || said.File != path || len(said.Errors) != 2 {
		t.Fatalf("%+v", said)
	}
	if e := said.Errors[1]; e.Line != 3 || e.Column != 3 || e.Key != "batch" || !strings.Contains(e.Text, "max_items") {
		t.Errorf("%+v", e)
	}

	code, stdout, _ = command(t, "validate", "-c", configFile(t, minimalConfig), "--json")
	said = validated{}
	if err := json.Unmarshal([]byte(stdout), &said); err != nil || code != exitDone || !said.Valid || said.Errors == nil {
		t.Fatalf("exit code %d, %v: %s", code, err, stdout)
	}
	effective := said.Effective.(map[string]any)
	if effective["batch"].(map[string]any)["max_items"] != 100.0 || strings.Contains(stdout, "canary-key") {
		t.Errorf("what takes effect is %v", effective)
	}

	code, stdout, stderr = command(t, "validate", "-c", "/nowhere.yaml", "--json")
	if code != exitUsage || !strings.Contains(stdout, `"valid":false`) || stderr != "" {
		t.Errorf("no file: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, stdout, _ := command(t, "completion", shell); code != exitDone || !strings.Contains(stdout, "kafka-kustomer") {
			t.Errorf("%s: exit code %d", shell, code)
		}
	}
	for _, tc := range []struct {
		args []string
		says []string
	}{
		{[]string{"__complete", "v"}, []string{"validate\t", "version\t"}},
		{[]string{"__complete", "dry-run", "--from", ""}, []string{"committed\n", "earliest\n", "latest\n"}},
		{[]string{"__complete", "run", "-c", ""}, []string{"yaml\nyml\n", "ShellCompDirectiveFilterFileExt"}},
		{[]string{"__complete", "dry-run", "--file", ""}, []string{"ndjson\n"}},
		{[]string{"__complete", "schemas", "show", ""}, []string{"batch-result\n", "message-change\n"}},
		{[]string{"__complete", "schemas", "show", "--format", ""}, []string{"avro\n", "json-schema\n"}},
		{[]string{"__complete", "config", ""}, []string{"example\t", "schema\t"}},
	} {
		code, stdout, stderr := command(t, tc.args...)
		for _, words := range tc.says {
			if code != exitDone || !strings.Contains(stdout+stderr, words) {
				t.Errorf("%v: exit code %d, no %q in %q", tc.args, code, words, stdout+stderr)
			}
		}
	}
}
