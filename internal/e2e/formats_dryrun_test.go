//go:build kafka && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kafka-kustomer/internal/canary"
)

// recorder stands in front of an API and keeps the bodies of the requests that were
// taken.
type recorder struct {
	mu     sync.Mutex
	bodies [][]byte
}

// record returns the address of a recorder in front of the one of an API.
func record(t *testing.T, to string) (*recorder, string) {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	rec, proxy := new(recorder), httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			rec.mu.Lock()
			rec.bodies = append(rec.bodies, body)
			rec.mu.Unlock()
		}
		proxy.ServeHTTP(out, r)
	}))
	t.Cleanup(server.Close)
	return rec, server.URL
}

var clientRef = regexp.MustCompile(`"_clientRef":"[^"]*"`)

// itemsOf takes bodies apart: the items of each message in their order, each byte for
// byte but for the name of its batch.
func itemsOf(t *testing.T, bodies [][]byte) map[string][]string {
	t.Helper()
	items := map[string][]string{}
	for _, body := range bodies {
		var list []json.RawMessage
		if err := json.Unmarshal(body, &list); err != nil {
			t.Fatal(err)
		}
		for _, item := range list {
			var named struct{ ID string }
			if err := json.Unmarshal(item, &named); err != nil || named.ID == "" {
				t.Fatalf("an item without an id: %v", err)
			}
			if !clientRef.Match(item) {
				t.Fatal("an item without a _clientRef")
			}
			items[named.ID] = append(items[named.ID], clientRef.ReplaceAllString(string(item), "_"))
		}
	}
	return items
}

// dryRun runs the command on a configuration. Its standard output is full of
// payloads, its standard error must have none.
func dryRun(t *testing.T, path string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"dry-run", "-c", path, "--from", "earliest", "--limit", "0"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dry-run: %v\n%s", err, stderr.Bytes())
	}
	if at, as := canary.Find(stderr.Bytes()); at >= 0 {
		t.Errorf("a payload on standard error, %s", as)
	}
	return out
}

// dryLine is a line of dry-run --json, but the last one, which has numbers.
type (
	dryLine struct {
		Kind, Code, Body string
		Record           dryRecord
		Items            []struct {
			MessageID string `json:"message_id"`
			Records   []dryRecord
		}
	}
	drySummary struct {
		Kind                   string
		Records, Sent, Skipped int
		DeadLetters            int `json:"dead_letters"`
	}
)

type dryRecord struct {
	Topic           string
	Partition       int32
	Offset          int64
	EventID         string `json:"event_id"`
	Change, Changes int
}

// at names a record, and which of its changes it is.
func (r dryRecord) at() string {
	place := fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)
	if r.Changes > 0 {
		place += fmt.Sprintf(" change %d of %d", r.Change, r.Changes)
	}
	return place
}

// What a dry run shows is what a run sends, in every format: each item to the byte,
// each skip, each dead letter. (Changes are not merged here, as what merges depends on
// what waits together.)
func TestDryRunShowsWhatIsSent(t *testing.T) {
	t.Parallel()
	w := newMixedWorld(t, 80)
	rec, url := record(t, w.api.url)
	w.baseURL = url
	sections := append(w.mixed(), "batch: {linger: 200ms, merge: {enabled: false}}")
	path := w.configure("rehearsal", "", sections...)
	w.wantText(string(dryRun(t, path)))
	bodies := w.wantLines(dryRun(t, path, "--json"))
	if stats := w.api.stats(); stats.Puts > 0 {
		t.Errorf("a dry run made %d requests", stats.Puts)
	}

	c := w.connector("performance", "", sections...)
	w.awaitNoLag(2 * time.Minute)
	c.term()
	w.wantFates()
	rehearsed, sent := itemsOf(t, bodies), itemsOf(t, rec.bodies)
	wantSame(t, "items shown and sent", rehearsed, sent)
	t.Logf("%d records, %d messages, %d requests shown, %d sent", len(w.records), len(sent), len(bodies), len(rec.bodies))
}

// wantLines checks the lines of --json against the fates, and returns the bodies.
func (w *formatWorld) wantLines(out []byte) (bodies [][]byte) {
	w.t.Helper()
	want, got := map[string]string{}, map[string]string{}
	total := drySummary{Kind: "summary", Records: len(w.records)}
	for _, f := range w.records {
		r := dryRecord{Topic: f.Topic, Partition: f.Partition, Offset: f.Offset}
		for i, c := range f.changes {
			if len(f.changes) > 1 {
				r.Change, r.Changes = i+1, len(f.changes)
			}
			want[r.at()] = "sent " + c.message + " " + c.event
		}
		switch {
		case f.skip != "":
			total.Skipped++
			want[r.at()] = "skipped " + f.skip
		case f.dead != "":
			total.DeadLetters++
			want[r.at()] = "dead_letter " + f.dead
		default:
			total.Sent++
		}
	}
	lines := slices.Collect(bytes.Lines(out))
	var summary drySummary
	if err := json.Unmarshal(lines[len(lines)-1], &summary); err != nil {
		w.t.Fatal(err)
	}
	wantSame(w.t, "the summary", total, summary)
	for _, line := range lines[:len(lines)-1] {
		var l dryLine
		if err := json.Unmarshal(line, &l); err != nil {
			w.t.Fatal(err)
		}
		switch l.Kind {
		case "request":
			bodies = append(bodies, []byte(l.Body))
			for _, it := range l.Items {
				for _, r := range it.Records {
					got[r.at()] = "sent " + it.MessageID + " " + r.EventID
				}
			}
		case "skipped", "dead_letter":
			got[l.Record.at()] = l.Kind + " " + l.Code
		}
	}
	wantSame(w.t, "what a dry run says of each record", want, got)
	return bodies
}

// wantText checks that a person sees which change of its record an item is.
func (w *formatWorld) wantText(out string) {
	w.t.Helper()
	missing := 0
	for _, f := range w.records {
		for i, c := range f.changes {
			if len(f.changes) == 1 {
				continue
			}
			line := fmt.Sprintf("] %s from %s/%d@%d change %d of %d (%s)\n", c.message, f.Topic, f.Partition, f.Offset, i+1, len(f.changes), c.event)
			if !strings.Contains(out, line) {
				missing++
			}
		}
	}
	if missing > 0 {
		w.t.Errorf("%d changes are not shown as such", missing)
	}
	if end := "nothing was sent, written or committed\n"; !strings.HasSuffix(out, end) {
		w.t.Errorf("it does not end with %q", end)
	}
}
