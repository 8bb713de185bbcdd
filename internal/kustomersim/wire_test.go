package kustomersim

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var idPattern = regexp.MustCompile(`[0-9a-f]{24}`)

// fixtureOp is the operation in the fixtures.
const fixtureOp = "64a1f0c2b7d9e30012ab4001"

// checkWire compares a reply about operation op with a fixture, as JSON values.
func checkWire(t *testing.T, fixture, op string, w *httptest.ResponseRecorder) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", fixture))
	if err != nil {
		t.Fatal(err)
	}
	got, want := normalise(t, w.Body.String(), op), normalise(t, string(text), fixtureOp)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nreply: %s", fixture, diff, w.Body)
	}
}

// normalise decodes a body in which drawn ids are told apart only as far as
// they matter: the operation, the org, the user, and others.
func normalise(t *testing.T, body, op string) (v any) {
	t.Helper()
	names := map[string]string{orgID: "<org>", userID: "<user>", op: "<operation>"}
	body = idPattern.ReplaceAllStringFunc(body, func(id string) string {
		if name, ok := names[id]; ok {
			return name
		}
		return "<drawn>"
	})
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

const (
	wireOK    = `{"id":"m-1","_clientRef":"b1-1","subject":"x"}`
	wireOK2   = `{"id":"m-2","_clientRef":"b1-2","custom":{"tierStr":"gold"}}`
	wireFails = `{"id":"m-3","_clientRef":"b1-3"}`
)

// TestWire runs one operation and compares every reply about it.
func TestWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := Script{Run: Run{Base: 1200 * ms}, FailIDs: []string{"m-3"}}
		s := start(t, Options{Script: &script})
		w := do(s, "PUT", putPath, "["+wireOK+","+wireOK2+","+wireFails+"]")
		id := idPattern.FindString(w.Body.String())
		checkWire(t, "put-queued.json", id, w)

		synctest.Wait()
		checkWire(t, "get-running.json", id, do(s, "GET", bulkPrefix+id, ""))
		checkWire(t, "batches-running.json", id, do(s, "GET", bulkPrefix+id+"/batches", ""))
		time.Sleep(1200 * time.Millisecond)
		synctest.Wait()
		checkWire(t, "get-complete-failure.json", id, do(s, "GET", bulkPrefix+id, ""))
		for shape, fixture := range map[Shape]string{
			ShapePaged:  "batches-complete.json",
			ShapeFlat:   "batches-flat.json",
			ShapeBeside: "batches-beside.json",
			ShapeNoRef:  "batches-noref.json",
		} {
			script.Batches = shape
			if err := s.SetScript(script); err != nil {
				t.Fatal(err)
			}
			checkWire(t, fixture, id, do(s, "GET", bulkPrefix+id+"/batches", ""))
		}
	})
}

func TestWireVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Options{Script: &Script{FirstComplete: 1}, Echo: true})
		w := do(s, "PUT", putPath, "["+wireOK2+"]")
		checkWire(t, "put-complete-echo.json", idPattern.FindString(w.Body.String()), w)
		if err := s.SetScript(Script{Minimal: true, PutStatus: 201}); err != nil {
			t.Fatal(err)
		}
		w = do(s, "PUT", putPath, "["+wireOK+"]")
		checkWire(t, "put-minimal.json", idPattern.FindString(w.Body.String()), w)
		if w.Code != 201 {
			t.Errorf("answered %d, want 201", w.Code)
		}
	})
}

// TestHeaders looks at what a reply carries beside its body.
func TestHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Options{Script: &Script{Quota: Quota{PerMinute: 1000}}})
		got := do(s, "PUT", putPath, `{}`).Header()
		want := map[string][]string{
			"Cache-Control":         {"no-cache,private"},
			"Content-Length":        {"93"},
			"Content-Type":          {"application/json; charset=utf-8"},
			"Date":                  {"Sat, 01 Jan 2000 00:00:00 GMT"},
			"Vary":                  {"X-HTTP-Method-Override, Accept-Encoding"},
			"Via":                   {"1.1 0000.cloudfront.net (CloudFront)"},
			"X-Kustomer-Pod":        {"prod1"},
			"X-Ratelimit-Limit":     {"1000"},
			"X-Ratelimit-Remaining": {"999"},
		}
		if diff := cmp.Diff(want, map[string][]string(got)); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
	})
}
