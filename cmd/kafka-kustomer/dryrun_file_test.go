package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDryRunOfAFile(t *testing.T) {
	path := writeEvents(
		t,
		`{"eventId":"e1","messageId":"m1","changes":{"subject":"<one> & \u2028"}}`,
		"",
		`{"eventId":"e2","messageId":"m1","changes":{"custom":{"noteTxt":null}}}`,
		`{"messageId":"m2","changes":{}}`,
		`{"messageId":"m2"}`,
		strings.Repeat("x", 2<<20),
		`{"eventId":"e3","messageId":"m2","changes":{"status":"sent"}}`,
	)
	code, stdout, stderr := command(t, "dry-run", "--file", path)
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for _, words := range []string{
		"PUT https://YOUR-ORG.api.kustomerapp.com/v1/messages/bulk\n", "Authorization: Bearer ***\n",
		`    "subject": "<one> & \u2028",`, "[0] m1 from events.ndjson:1 (e1), events.ndjson:3 (e2)\n",
		"skipped events.ndjson:4: ", "dead letter events.ndjson:5: ", "dead letter events.ndjson:6: oversize: ",
		"3 would be sent, 1 skipped, 2 dead-lettered\n", "1.50 records an item", "nothing was sent, written or committed\n",
	} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s", words, stdout)
		}
	}
	const body = `[{"id":"m1","_clientRef":"dry-run-1.0","subject":"<one> & \u2028","custom":{"noteTxt":null}},{"id":"m2","_clientRef":"dry-run-1.1","status":"sent"}]`
	if _, stdout, _ = command(t, "dry-run", "--file", path, "--raw"); !strings.Contains(stdout, "\n"+body+"\n") {
		t.Errorf("--raw does not print the body byte for byte:\n%s", stdout)
	}
	requests, summary := dryRunLines(t, "--file", path)
	if len(requests) != 1 || requests[0].Body != body || requests[0].Items[0].Records[1].Line != 3 {
		t.Errorf("%+v", requests)
	}
	if summary.Records != 6 || summary.Sent != 3 || summary.BodyBytes != len(body) {
		t.Errorf("%+v", summary)
	}
	if _, summary := dryRunLines(t, "--file", path, "--limit", "1"); summary.Records != 1 {
		t.Errorf("--limit 1: %+v", summary)
	}
}

// Of a record that the mapping makes several changes of, each is told apart, for
// people and for programs.
func TestDryRunTellsChangesOfOneRecordApart(t *testing.T) {
	events := writeEvents(t, `{"ids":["m1","m2"]}`, `{"ids":["m3"]}`)
	cfg := configFile(t, `
kustomer: {base_url: https://example.invalid, api_key: none}
source: {topics: [changes], mapping: {jq: '.ids[] | {messageId: ., changes: {lang: "de"}}'}}
`)
	_, stdout, stderr := command(t, "dry-run", "-c", cfg, "--file", events)
	for _, words := range []string{"m1 from events.ndjson:1 change 1 of 2\n", "m2 from events.ndjson:1 change 2 of 2\n", "m3 from events.ndjson:2\n"} {
		if !strings.Contains(stdout, words) {
			t.Errorf("%q is not in\n%s%s", words, stdout, stderr)
		}
	}
	requests, _ := dryRunLines(t, "-c", cfg, "--file", events)
	var got [][2]int
	for _, it := range requests[0].Items {
		got = append(got, [2]int{it.Records[0].Change, it.Records[0].Changes})
	}
	if diff := cmp.Diff([][2]int{{1, 2}, {2, 2}, {}}, got); diff != "" {
		t.Errorf("change and changes of each item (-want +got):\n%s", diff)
	}
}

// dryRunLines runs dry-run --json and reads what it prints.
func dryRunLines(t *testing.T, args ...string) (requests []requestLine, summary summaryLine) {
	t.Helper()
	code, stdout, stderr := command(t, append([]string{"dry-run", "--json"}, args...)...)
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for line := range strings.Lines(stdout) {
		var kind struct{ Kind string }
		if err := json.Unmarshal([]byte(line), &kind); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch kind.Kind {
		case "request":
			var r requestLine
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			requests = append(requests, r)
		case "summary":
			if err := json.Unmarshal([]byte(line), &summary); err != nil {
				t.Fatal(err)
			}
		}
	}
	return requests, summary
}

// writeEvents makes a file of events.
func writeEvents(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file of long lines is not read into memory as a whole.
func TestLineReaderReadsInParts(t *testing.T) {
	const lines, size = 20, 1 << 20
	text := strings.Repeat(strings.Repeat("x", size-1)+"\n", lines)
	l := lineReader{in: bufio.NewReader(strings.NewReader(text)), most: size}
	total := 0
	for {
		changes, err := l.next(maxPoll)
		total += len(changes)
		if len(changes) > maxFetch/size {
			t.Fatalf("%d lines of %d bytes at once", len(changes), size)
		}
		if err != nil {
			break
		}
	}
	if total != lines {
		t.Errorf("%d lines, want %d", total, lines)
	}
}

// Where nothing comes, an interrupt ends the reading all the same.
func TestReadingIsInterrupted(t *testing.T) {
	in, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		l := lineReader{in: bufio.NewReader(interruptedReader{ctx, in}), most: 99}
		for {
			if _, err := l.next(1); err != nil {
				ended <- err
				return
			}
		}
	}()
	if _, err := out.Write([]byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if err := out.Close(); err != nil { // lets the read that is left end
		t.Fatal(err)
	}
}
