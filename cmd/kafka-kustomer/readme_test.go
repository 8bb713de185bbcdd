package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command line in the README names a command and flags that there are. What
// else the README names is compared in internal/readme.
func TestCommandsOfTheReadme(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	lines := regexp.MustCompile("(?m)(?:`|^|bin/|cmd/)kafka-kustomer ([a-z][^`#|\n]*)").FindAllStringSubmatch(text, -1)
	if len(lines) < 20 {
		t.Fatalf("found only %d command lines", len(lines))
	}
	flag := regexp.MustCompile(`^--?[a-z][a-z-]*`)
	for _, line := range lines {
		root := newRoot(io.Discard, io.Discard)
		root.InitDefaultCompletionCmd("completion")
		words := strings.Fields(line[1])
		cmd, _, err := root.Find(words)
		if err != nil || cmd == root {
			t.Errorf("%q: %v", line[1], err)
			continue
		}
		for _, word := range words {
			if f := flag.FindString(word); f != "" && !takes(cmd, strings.TrimLeft(f, "-")) {
				t.Errorf("%q: %s has no flag %s", line[1], cmd.CommandPath(), f)
			}
		}
	}
	// Flags that stand alone are those of some command, or of a tool that is named.
	others := "--profile --build --property --reader-property"
	for _, f := range regexp.MustCompile("`(--[a-z][a-z-]*)").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(others, f[1]) && !anyTakes(newRoot(io.Discard, io.Discard), f[1][2:]) {
			t.Errorf("no command has the flag %s", f[1])
		}
	}
}

// readmeBlocks are the README's blocks of a language.
func readmeBlocks(t *testing.T, language string) (blocks []string) {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(data), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// complete makes a configuration of a part of one: with what has no default, with a
// registry, and with files in place of the README's.
func complete(t *testing.T, part string) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range regexp.MustCompile(`/run/secrets/[a-z-]+`).FindAllString(part, -1) {
		here := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(here, []byte("secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		part = strings.ReplaceAll(part, path, here)
	}
	for key, line := range map[string]string{
		"kafka":           `{brokers: ["127.0.0.1:1"]}`,
		"kustomer":        `{base_url: "http://127.0.0.1:2", api_key: k}`,
		"schema_registry": `{urls: ["http://127.0.0.1:3"]}`,
	} {
		if !regexp.MustCompile("(?m)^" + key + ":").MatchString(part) {
			part += key + ": " + line + "\n"
		}
	}
	return configFile(t, part)
}

// Every configuration in the README is one, and so is every setting of a topic in the
// table of formats.
func TestConfigurationsOfTheReadme(t *testing.T) {
	blocks := readmeBlocks(t, "yaml")
	if len(blocks) < 4 {
		t.Fatalf("found only %d blocks of YAML", len(blocks))
	}
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	settings := 0
	for _, m := range regexp.MustCompile("`((?:format|mapping|cloud_events|jq_file|nulls): [^`]*|\\{name: [^`]*\\})`").FindAllStringSubmatch(string(data), -1) {
		setting := m[1]
		switch {
		case strings.Contains(setting, "..."), strings.HasPrefix(setting, "jq_file: "):
			continue // a program or a file that is the reader's
		case strings.HasPrefix(setting, "{"):
			setting = "topics: [" + setting + "]"
		case !strings.HasPrefix(setting, "format: ") && !strings.HasPrefix(setting, "mapping: "):
			setting = "mapping: {" + setting + "}"
		}
		settings++
		blocks = append(blocks, "source: {"+setting+"}\n")
	}
	if settings < 5 {
		t.Errorf("found only %d settings of a topic", settings)
	}
	for _, block := range blocks {
		if code, _, stderr := command(t, "validate", "-c", complete(t, block)); code != exitDone {
			t.Errorf("exit code %d: %s\n%s", code, stderr, block)
		}
	}
}

// The program in the README does what is said of it.
func TestProgramOfTheReadme(t *testing.T) {
	blocks := slices.DeleteFunc(readmeBlocks(t, "yaml"), func(b string) bool { return !strings.Contains(b, "crm.tracks") })
	if len(blocks) != 1 {
		t.Fatalf("%d blocks have the topic crm.tracks", len(blocks))
	}
	lines := writeEvents(
		t,
		`{"type":"track","sentAt":"2026-11-25T13:45:32Z","messages":[{"id":"m1","status":"sent","tier":"gold"},{"id":"m2","status":"error","tier":null},{"id":"m3","status":"sent"}]}`,
		`{"type":"page"}`,
		`{"type":"track"}`,
	)
	code, stdout, stderr := command(t, "dry-run", "-c", complete(t, blocks[0]), "--file", lines, "--topic", "crm.tracks", "--raw")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, words := range []string{
		`[{"id":"m1","_clientRef":"dry-run-1.0","custom":{"tierStr":"gold"},"status":"sent"},{"id":"m2","_clientRef":"dry-run-1.1","custom":{},"status":"error"},{"id":"m3","_clientRef":"dry-run-1.2","custom":{},"status":"sent"}]`,
		"skipped events.ndjson:2: ", "dead letter events.ndjson:3: mapping_jq: the program called error: a track without messages\n",
	} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s", words, stdout)
		}
	}
}

// The rows in the README's example of Debezium become what its columns say.
func TestDebeziumOfTheReadme(t *testing.T) {
	blocks := slices.DeleteFunc(readmeBlocks(t, "yaml"), func(b string) bool { return !strings.Contains(b, "preset: debezium") })
	if len(blocks) != 1 {
		t.Fatalf("%d blocks are of Debezium", len(blocks))
	}
	const before, after = `{"message_id":"m1","state":"error","subject":"Hi","tier":"gold","sent_at":1792591331925000,"extra":"{\"a\":1}","other":1}`,
		`{"message_id":"m1","state":"sent","subject":null,"tier":null,"sent_at":1792591331925000,"extra":"{\"a\":2}","other":2}`
	lines := writeEvents(
		t,
		`{"op":"u","before":`+before+`,"after":`+after+`}`,
		strings.Replace(before, "m1", "m2", 1),
		`{"op":"d","before":`+before+`,"after":null}`,
	)
	requests, summary := dryRunLines(t, "-c", complete(t, blocks[0]), "--file", lines, "--topic", "crm.public.mail")
	const want = `[{"id":"m1","_clientRef":"dry-run-1.0","status":"sent","subject":null,"meta":{"a":2},"custom":{"tierStr":null}},` +
		`{"id":"m2","_clientRef":"dry-run-1.1","status":"error","subject":"Hi","sentAt":"2026-10-21T14:02:11.925Z","meta":{"a":1},"custom":{"tierStr":"gold"}}]`
	if len(requests) != 1 || requests[0].Body != want || summary.Skipped != 1 {
		t.Errorf("%+v, %+v\nwant %s", requests, summary, want)
	}
}

func takes(cmd *cobra.Command, flag string) bool {
	cmd.InitDefaultHelpFlag()
	return cmd.Flags().Lookup(flag) != nil || len(flag) == 1 && cmd.Flags().ShorthandLookup(flag) != nil
}

func anyTakes(cmd *cobra.Command, flag string) bool {
	for _, c := range cmd.Commands() {
		if takes(c, flag) || anyTakes(c, flag) {
			return true
		}
	}
	return false
}
