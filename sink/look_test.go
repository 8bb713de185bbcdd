package sink

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
)

const (
	opPath      = "/v1/bulk/" + opID
	batchesPath = opPath + "/batches?page=1&pageSize=100"
)

var (
	running  = `{"data":{"type":"bulk","id":"` + opID + `","attributes":{"status":"running","completed":false,"createdAt":"2026-10-21T14:02:11.925Z"}}}`
	complete = `{"data":{"type":"bulk","id":"` + opID + `","attributes":{"status":"complete","batchErrors":true,"completed":true,"createdAt":"2026-10-21T14:02:11.925Z","completedAt":"2026-10-21T14:02:13.118Z"}}}`
)

// batch wraps the members of one bulk batch as the API documents it.
func bulkBatch(id, members string) string {
	return `{"type":"bulk_batch","id":"` + id + `","attributes":{"status":"complete","completed":true,` + members + `},"links":{"self":"/x"}}`
}

func page(batches ...string) string {
	return `{"data":[` + strings.Join(batches, ",") + `],"meta":{"page":1,"pages":1,"count":1,"limit":100}}`
}

const allThree = `"results":[{"_clientRef":"c1x-9.0","objectId":"64a1f0c2b7d9e30012ab1001","status":"updated"},
	{"_clientRef":"c1x-9.1","objectId":"64a1f0c2b7d9e30012ab1002","status":"created"},{"_clientRef":"c1x-9.2","status":"error","error":"not found"}]`

// short writes results as one letter an item.
func short(results []batcher.ItemResult) string {
	var b strings.Builder
	for _, r := range results {
		b.WriteString([]string{".", "u", "f"}[r.Status])
	}
	return b.String()
}

// own is an operation of ours that was looked at often enough to be asked.
func own() *batcher.Operation {
	return &batcher.Operation{ID: opID, Batch: three(), Looks: cheapLooks + 1}
}

// The first looks spend one call on an operation that has visibly not ended.
func TestEarlyLooksAreCheap(t *testing.T) {
	for name, batches := range map[string]string{
		"no batches yet":        page(),
		"a batch still to come": page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.0","status":"updated"}]`), `{"id":"b2","attributes":{"status":"scheduled","completed":false}}`),
	} {
		op := own()
		for op.Looks = 1; op.Looks <= cheapLooks+1; op.Looks++ {
			srv := routes(map[string]string{batchesPath: batches, opPath: running})
			view, calls := newSink(t, srv).Look(t.Context(), op), 1
			if op.Looks > cheapLooks {
				calls = 2
			}
			if view.Kind != batcher.Running || view.Calls != calls {
				t.Errorf("%s, look %d: %v in %d calls, want %d", name, op.Looks, view.Kind, view.Calls, calls)
			}
			if batches != page() && short(view.Results) != "u.." {
				t.Errorf("%s: results %s", name, short(view.Results))
			}
		}
	}
}

func TestLookReadsEveryShape(t *testing.T) {
	const (
		objectIDs = `"successCount":2,"failureCount":1,"objectIds":["64a1f0c2b7d9e30012ab1001","64a1f0c2b7d9e30012ab1002"]`
		errorsOf3 = `"errors":[{"id":"64a1f0c2b7d9e30012ab1003","data":{"status":404,"code":"notfound","title":"Not Found"}}]`
	)
	tests := []struct {
		name, batches string
		want          string // with the operation complete
		text          string // of the last failure
		calls         int
	}{
		{"results in attributes", page(bulkBatch("b1", objectIDs+`,"errors":[{"id":"64a1f0c2b7d9e30012ab1003","data":{}}],`+allThree)), "uuf", "not found", 1},
		{"results beside attributes", page(`{"id":"b1","attributes":{"status":"complete"},` + allThree + `}`), "uuf", "not found", 1},
		{"flat array", `[{"successCount":2,"failureCount":1,` + allThree + `}]`, "uuf", "not found", 1},
		{"no references", page(bulkBatch("b1", objectIDs+`,`+errorsOf3)), "uuf", "notfound: Not Found", 1},
		{"flat, no references", `[{` + objectIDs + `,` + errorsOf3 + `}]`, "uuf", "notfound: Not Found", 1},
		{"error as object", page(bulkBatch("b1", strings.Replace(allThree, `"not found"`, `{"errors":[{"code":"badparam","title":"No"}]}`, 1))), "uuf", "badparam: No", 1},
		{"error with half a character", page(bulkBatch("b1", strings.Replace(allThree, "not found", `not \ud83d`+" caf\xc3", 1))), "uuf", "not \ufffd caf\ufffd", 1},
		{"error empty", page(bulkBatch("b1", strings.Replace(allThree, `"not found"`, `{}`, 1))), "uuf", "not why", 1},
		{"in two batches", page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.2","status":"updated"}]`), bulkBatch("b2", `"results":[{"_clientRef":"c1x-9.0","status":"updated"},{"_clientRef":"c1x-9.1","status":"updated"}]`)), "uuu", "", 1},
		{"result without reference", page(bulkBatch("b1", `"results":[{"objectId":"64a1f0c2b7d9e30012ab1001","status":"updated"}]`)), "u..", "", 3},
		{"unknown references", page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.3","status":"updated"},{"_clientRef":"c1x-9.01","status":"updated"},{"_clientRef":"c1x-9.-0","status":"updated"},{"_clientRef":"c1x-90","status":"updated"},{"_clientRef":"0","status":"updated"},{"_clientRef":"other.0","objectId":"64a1f0c2b7d9e30012ab1001","status":"updated"}]`)), "...", "", 3},
		{"unknown status", page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.0","status":"skipped"},{"_clientRef":"c1x-9.1"},{"_clientRef":"c1x-9.2","error":"no"}]`)), "..f", "no", 3},
		{"said twice", page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.0","status":"updated"},{"_clientRef":"c1x-9.0","status":"updated"}]`)), "u..", "", 3},
		{"contradiction", page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.0","status":"updated"},{"_clientRef":"c1x-9.0","status":"error","error":"no"}]`)), "f..", "no (the operation", 3},
		{"contradiction, the other way", page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.0","status":"error","error":"no"}]`), bulkBatch("b2", `"results":[{"_clientRef":"c1x-9.0","status":"updated"}]`)), "f..", "also says", 3},
		{"id in both lists", page(bulkBatch("b1", objectIDs+`,"errors":[{"id":"64a1f0c2b7d9e30012ab1001","data":{}}]`)), "fu.", "", 3},
		{"foreign id", page(bulkBatch("b1", `"objectIds":["64a1f0c2b7d9e30012ab9999"]`)), "...", "", 3},
		{"ids of a batch still to be done", page(`{"id":"b1","attributes":{"status":"queued","objectIds":["64a1f0c2b7d9e30012ab1001"]}}`), "...", "", 3},
		{"ids that the count contradicts", page(bulkBatch("b1", `"successCount":0,"objectIds":["64a1f0c2b7d9e30012ab1001"]`)), "...", "", 3},
		{"complete means nothing", page(bulkBatch("b1", `"successCount":3,"failureCount":0`)), "...", "", 3},
		{"no batches yet", page(), "...", "", 3},
		{"strange types", page(`7`, `null`, `{"id":"b1","attributes":[],"results":{"a":1}}`, bulkBatch("b2", `"objectIds":"x","errors":null,"results":[null,{"_clientRef":["c1x-9.0"],"status":{}},{"_clientRef":"c1x-9.1","status":"updated"}]`)), ".u.", "", 3},
		{"entry on two pages", page(bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.0","status":"updated"}]`), bulkBatch("b1", `"results":[{"_clientRef":"c1x-9.0","status":"updated"}]`)), "u..", "", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := routes(map[string]string{batchesPath: tt.batches, opPath: complete})
			view := newSink(t, srv).Look(t.Context(), own())
			if view.Kind != batcher.Complete || short(view.Results) != tt.want || view.Calls != tt.calls || view.Calls != srv.seen() {
				t.Errorf("%v, %s, %d calls, %d requests (%+v); want complete, %s, %d", view.Kind, short(view.Results), view.Calls, srv.seen(), view.Reason, tt.want, tt.calls)
			}
			for _, r := range view.Results {
				if (r.Status == batcher.Failed) != (r.Reason.Code == CodeItemFailed) {
					t.Errorf("%+v", r)
				}
				if r.Status == batcher.Failed && !strings.Contains(r.Reason.Text, tt.text) {
					t.Errorf("text %q, want %q in it", r.Reason.Text, tt.text)
				}
			}
			srv = routes(map[string]string{batchesPath: tt.batches, opPath: running})
			view = newSink(t, srv).Look(t.Context(), own())
			wantKind := batcher.Running
			if tt.calls == 1 {
				wantKind = batcher.Complete
			}
			if view.Kind != wantKind || short(view.Results) != tt.want {
				t.Errorf("with the operation running: %v, %s; want %v, %s", view.Kind, short(view.Results), wantKind, tt.want)
			}
		})
	}
}

// The samples of the API's documents, with the references of our batch.
func TestLookTellsHowLongItTook(t *testing.T) {
	batches := page(`{"id":"b1","attributes":{"status":"complete","createdAt":"2026-10-21T14:02:12.001Z","completedAt":"2026-10-21T14:02:13.101Z",` + allThree + `}}`)
	view := newSink(t, routes(map[string]string{batchesPath: batches})).Look(t.Context(), own())
	if view.Took != 1100*time.Millisecond {
		t.Errorf("by the batches: %v", view.Took)
	}
	view = newSink(t, routes(map[string]string{batchesPath: page(), opPath: complete})).Look(t.Context(), own())
	if view.Took != 1193*time.Millisecond {
		t.Errorf("by the operation: %v", view.Took)
	}
	for _, times := range [][2]string{{"", ""}, {"yesterday", "2026-10-21T14:02:13Z"}, {"2026-10-21T14:02:13Z", "2026-10-21T14:02:12Z"}, {"0001-01-01T00:00:00Z", "2026-10-21T14:02:12Z"}} {
		if got := elapsed(times[0], times[1]); got != 0 {
			t.Errorf("elapsed(%v) = %v", times, got)
		}
	}
}

func TestLookReadsAllPages(t *testing.T) {
	paged := func(n, pages int, ref int) string {
		return fmt.Sprintf(`{"data":[%s],"meta":{"page":%d,"pages":%d}}`, bulkBatch(fmt.Sprint("b", n), fmt.Sprintf(`"results":[{"_clientRef":"c1x-9.%d","status":"updated"}]`, ref)), n, pages)
	}
	path := func(n int) string { return fmt.Sprintf("%s/batches?page=%d&pageSize=100", opPath, n) }
	srv := routes(map[string]string{path(1): paged(1, 3, 2), path(2): paged(2, 3, 0), path(3): paged(3, 3, 1)})
	view := newSink(t, srv).Look(t.Context(), own())
	if view.Kind != batcher.Complete || short(view.Results) != "uuu" || view.Calls != 3 {
		t.Errorf("%v, %s, %d calls", view.Kind, short(view.Results), view.Calls)
	}
	// A page count out of all proportion, and none.
	endless := &script{serve: func(_ int, r *http.Request, conn net.Conn) bool {
		if r.URL.Path == opPath {
			return respond(conn, 200, complete)
		}
		return respond(conn, 200, `{"data":[],"meta":{"pages":1000000000}}`)
	}}
	if view = newSink(t, endless).Look(t.Context(), own()); view.Calls != 2*maxPages+1 {
		t.Errorf("%d calls, want a bound", view.Calls)
	}
	full := `{"data":[` + strings.TrimSuffix(strings.Repeat("{},", pageSize), ",") + `]}`
	srv = routes(map[string]string{path(1): full, path(2): page(bulkBatch("b1", allThree))})
	if view = newSink(t, srv).Look(t.Context(), own()); short(view.Results) != "uuf" {
		t.Errorf("after a full page: %s", short(view.Results))
	}
	// A page that is missing leaves nothing learned.
	srv = &script{serve: func(_ int, r *http.Request, conn net.Conn) bool {
		if r.URL.Query().Get("page") == "1" {
			return respond(conn, 200, paged(1, 2, 0))
		}
		return respond(conn, 500, "")
	}}
	if view = newSink(t, srv).Look(t.Context(), own()); view.Kind != batcher.NoView || view.Results != nil {
		t.Errorf("with a page missing: %v, %s", view.Kind, short(view.Results))
	}
}

// The operation may complete between the two calls: its results are read again.
func TestLookReadsResultsAgainAfterTheEnd(t *testing.T) {
	reads := 0
	srv := &script{serve: func(_ int, r *http.Request, conn net.Conn) bool {
		if r.URL.Path == opPath {
			return respond(conn, 200, complete)
		}
		if reads++; reads == 1 {
			return respond(conn, 200, page())
		}
		return respond(conn, 200, page(bulkBatch("b1", allThree)))
	}}
	view := newSink(t, srv).Look(t.Context(), own())
	if view.Kind != batcher.Complete || short(view.Results) != "uuf" || view.Calls != 3 {
		t.Errorf("%v, %s, %d calls", view.Kind, short(view.Results), view.Calls)
	}
}

func TestLookAtOneTakenOver(t *testing.T) {
	op := &batcher.Operation{ID: opID}
	for body, want := range map[string]batcher.ViewKind{
		running: batcher.Running, complete: batcher.Complete, opReply: batcher.Running,
		strings.Replace(complete, `"completed":true`, `"completed":"true"`, 1): batcher.Complete,
		strings.Replace(running, opID, "64a1f0c2b7d9e30012ab4999", 1):          batcher.NoView,
		strings.Replace(running, `"running"`, `"paused"`, 1):                   batcher.NoView,
		`{}`: batcher.NoView, `[]`: batcher.NoView, `<html>`: batcher.NoView, ``: batcher.NoView,
	} {
		srv := routes(map[string]string{opPath: body})
		view := newSink(t, srv).Look(t.Context(), op)
		if view.Kind != want || srv.seen() != 1 {
			t.Errorf("%s: %v after %d requests, want %v after one", body, view.Kind, srv.seen(), want)
		}
		if (view.Kind == batcher.NoView) != (view.Reason.Code == CodeForeignReply) {
			t.Errorf("%s: %+v", body, view.Reason)
		}
	}
	if view := newSink(t, routes(nil)).Look(t.Context(), op); view.Kind != batcher.Gone {
		t.Errorf("unknown to the API: %v", view.Kind)
	}
}

func TestLookThatFails(t *testing.T) {
	cut := func(status int) *script {
		return &script{serve: func(_ int, _ *http.Request, conn net.Conn) bool {
			fmt.Fprintf(conn, "HTTP/1.1 %d Text\r\nContent-Length: 500\r\n\r\n%s", status, replies["object"])
			return false
		}}
	}
	const readRoles = "org.permission.bulk.read or org.user.bulk.read"
	tests := []struct {
		name    string
		srv     *script
		kind    batcher.ViewKind
		code    string
		check   string
		limited bool
	}{
		{"429", always(429, "", "X-Ratelimit-Remaining: 0"), batcher.NoView, CodeLimited, "kustomer.reserve", true},
		{"401", always(401, replies["unauthorized"]), batcher.NoView, CodeUnauthorized, "API key", false},
		{"401 without words", always(401, ""), batcher.NoView, CodeUnauthorized, "API key", false},
		{"403", always(403, `{"errors":[{"status":403,"source":{"parameter":"roles"},"code":"forbidden","title":"Forbidden"}]}`), batcher.NoView, CodeForbidden, readRoles, false},
		{"403 without words", always(403, ""), batcher.NoView, CodeForbidden, readRoles, false},
		{"403 that is cut", cut(403), batcher.NoView, CodeForbidden, readRoles, false},
		{"404 of the path", always(404, replies["path"]), batcher.NoView, CodeWrongURL, "kustomer.base_url", false},
		{"region, 401", always(401, replies["region"]), batcher.NoView, CodeWrongRegion, "kustomer.base_url", false},
		{"region, 403", always(403, replies["region"]), batcher.NoView, CodeWrongRegion, "kustomer.base_url", false},
		{"region, 404", always(404, replies["region"]), batcher.NoView, CodeWrongRegion, "kustomer.base_url", false},
		{"404", always(404, replies["error"]), batcher.Gone, CodeNotFound, "operation", false},
		{"404 without words", always(404, ""), batcher.Gone, CodeNotFound, "operation", false},
		{"404 that is cut", cut(404), batcher.NoView, CodeForeignReply, "proxy", false},
		{"400", always(400, replies["error"]), batcher.NoView, CodeRefused, "proxy", false},
		{"408", always(408, ""), batcher.NoView, CodeRequestTimeout, "network", false},
		{"500", always(500, replies["error"]), batcher.NoView, CodeServerError, "status page", false},
		{"302", always(302, "", "Location: /x"), batcher.NoView, CodeRedirected, "kustomer.base_url", false},
		{"foreign", always(200, "<html>"), batcher.NoView, CodeForeignReply, "proxy", false},
		{"cut", cut(200), batcher.NoView, CodeForeignReply, "proxy", false},
		{"too large", always(200, `{"data":[],"x":"`+strings.Repeat("y", maxReply)+`"}`), batcher.NoView, CodeForeignReply, "proxy", false},
		{"closed", &script{serve: func(int, *http.Request, net.Conn) bool { return false }}, batcher.NoView, CodeConnectionLost, "network", false},
		{"batches unknown, operation running", routes(map[string]string{opPath: running}), batcher.Running, "", "", false},
		{"batches unknown, operation complete", routes(map[string]string{opPath: complete}), batcher.NoView, CodeNotFound, "operation", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op := own()
			op.Batch = audited() // which has no say in a look
			view := newSink(t, tt.srv).Look(t.Context(), op)
			if view.Kind != tt.kind || view.Reason.Code != tt.code || view.Limited != tt.limited || view.Results != nil {
				t.Errorf("%v, %+v, limited %v; want %v, %s, %v", view.Kind, view.Reason, view.Limited, tt.kind, tt.code, tt.limited)
			}
			if !strings.Contains(view.Reason.Text, tt.check) || tt.code != "" && !strings.Contains(view.Reason.Text, "check ") {
				t.Errorf("text %q, want what to check, with %q", view.Reason.Text, tt.check)
			}
			if want := slices.Contains([]string{CodeUnauthorized, CodeWrongURL, CodeWrongRegion}, tt.code); view.Locked != want {
				t.Errorf("locked %v, want %v: only a missing role to read leaves PUTs alone", view.Locked, want)
			}
			if tt.limited && view.Quota.Remaining != 0 {
				t.Errorf("quota %+v", view.Quota)
			}
		})
	}
}

// An API that takes a request and says nothing holds a look up for one time-out.
func TestLookHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := &script{serve: func(_ int, _ *http.Request, conn net.Conn) bool {
			_, _ = io.Copy(io.Discard, conn) // until it is closed
			return false
		}}
		s := newSink(t, silent, func(cfg *Config) { cfg.Timeout = time.Minute })
		begun := time.Now()
		view := s.Look(t.Context(), own())
		if took := time.Since(begun); took != time.Minute || view.Kind != batcher.NoView || view.Reason.Code != CodeTimeout {
			t.Errorf("%v, %+v after %v; want no view for a time-out after a minute", view.Kind, view.Reason, took)
		}
	})
}

// What an error repeats of the payload is no word about the region.
func TestRegionIsKustomersWord(t *testing.T) {
	b := three()
	b.Items[0].Patch = []byte(`{"subject":"the auth token of pod prod2"}`)
	const body = `{"errors":[{"code":"badparam","title":"Not allowed: the auth token of pod prod2"}]}`
	if out := newSink(t, always(400, body)).Put(t.Context(), b, nil); out.Kind != batcher.Refused {
		t.Errorf("a PUT: %v, %+v", out.Kind, out.Reason)
	}
	// Nor is what is left of a word when the payload's part is masked.
	b.Items[1].Patch = []byte(`{"subject":"abcd"}`)
	if out := newSink(t, always(400, `{"title":"abcdpod token"}`)).Put(t.Context(), b, nil); out.Kind != batcher.Refused {
		t.Errorf("half a word: %v, %+v", out.Kind, out.Reason)
	}
	op := own()
	op.Batch = b
	if view := newSink(t, always(401, body)).Look(t.Context(), op); view.Reason.Code != CodeUnauthorized {
		t.Errorf("a look: %+v", view.Reason)
	}
	op.Batch = nil
	if view := newSink(t, always(401, body)).Look(t.Context(), op); view.Reason.Code != CodeWrongRegion {
		t.Errorf("the control, without that payload: %+v", view.Reason)
	}
}

func TestOperationIDsLeadNowhereElse(t *testing.T) {
	for _, id := range []string{"", "..", "a/b", "a?b", "a%2fb", "é", strings.Repeat("a", 129), "a b", "a\nb"} {
		srv := always(200, complete)
		view := newSink(t, srv).Look(t.Context(), &batcher.Operation{ID: id})
		if view.Kind != batcher.Gone || srv.seen() != 0 {
			t.Errorf("%q: %v after %d requests", id, view.Kind, srv.seen())
		}
		doc, _ := json.Marshal(map[string]any{"data": map[string]any{"id": id}})
		if out := newSink(t, always(200, string(doc))).Put(t.Context(), three(), nil); out.Kind != batcher.Unknown {
			t.Errorf("a reply with id %q: %v", id, out.Kind)
		}
	}
	if !validID(strings.Repeat("aZ09_-", 21)) {
		t.Error("a good id is refused")
	}
}

func TestItemReasonsLeakNothing(t *testing.T) {
	op := own()
	op.Batch.Items[2].Patch = []byte(`{"subject":"Example Street 12","custom":{"aStr":"qzvx"}}`)
	batches := page(bulkBatch("b1", strings.Replace(allThree, "not found", "bad value qzvx in subject Example Street, key "+testKey, 1)))
	view := newSink(t, routes(map[string]string{batchesPath: batches})).Look(t.Context(), op)
	want := batcher.Reason{Code: CodeItemFailed, Text: "bad value *** in subject ***, key ***"}
	if diff := cmp.Diff(want, view.Results[2].Reason); diff != "" {
		t.Error(diff)
	}
}
