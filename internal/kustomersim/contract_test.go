package kustomersim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hex24 = "64a1f0c2b7d9e30012ab1001"

// attachment is a valid one; extra members come behind it.
func attachment(extra string) string {
	return `{"_id":"` + hex24 + `","name":"a.txt","contentType":"text/plain","contentLength":3` + extra + `}`
}

// memberTests are values of each member of an item, good and bad.
var memberTests = []struct {
	members string
	want    string // kind of breach, "" if accepted
}{
	{`"subject":"x"`, ""},
	{`"subject":null`, ""},
	{`"subject":"` + strings.Repeat("x", 256) + `"`, ""},
	{`"subject":"` + strings.Repeat("é", 256) + `"`, ""},      // characters, not bytes
	{`"subject":"` + strings.Repeat(`\u00e9`, 256) + `"`, ""}, // nor escapes
	{`"subject":"` + strings.Repeat("x", 257) + `"`, BreachTooLong},
	{`"subject":"` + strings.Repeat("é", 257) + `"`, BreachTooLong},
	{`"subject":1`, BreachType},
	{`"subject":{}`, BreachType},
	{`"externalId":null`, ""},
	{`"externalId":"` + strings.Repeat("x", 257) + `"`, BreachTooLong},
	{`"preview":null`, ""},
	{`"preview":"` + strings.Repeat("x", 10_240) + `"`, ""},
	{`"preview":"` + strings.Repeat("x", 10_241) + `"`, BreachTooLong},
	{`"lang":null`, ""},
	{`"lang":"` + strings.Repeat("x", 101) + `"`, BreachTooLong},
	{`"conversation":"anything"`, ""},
	{`"conversation":null`, BreachNull},
	{`"related":""`, ""},
	{`"related":[]`, BreachType},
	{`"createdBy":"` + hex24 + `"`, ""},
	{`"createdBy":"` + hex24[1:] + `"`, BreachFormat},
	{`"createdBy":"` + hex24[1:] + `g"`, BreachFormat},
	{`"createdBy":null`, BreachNull},
	{`"modifiedBy":null`, ""},
	{`"modifiedBy":"me"`, BreachFormat},
	{`"status":"sent"`, ""},
	{`"status":"received"`, ""},
	{`"status":"error"`, ""},
	{`"status":"done"`, BreachEnum},
	{`"status":null`, BreachNull},
	{`"status":true`, BreachType},
	{`"errorAt":"2026-11-24T02:30:00.123Z"`, ""},
	{`"errorAt":"2026-11-24T02:30:00+01:00"`, ""},
	{`"errorAt":"2026-11-24"`, BreachFormat},
	{`"errorAt":null`, BreachNull},
	{`"sentAt":null`, ""},
	{`"sentAt":"yesterday"`, BreachFormat},
	{`"createdAt":"2026-13-24T02:30:00Z"`, BreachFormat},
	{`"modifiedAt":1732415400`, BreachType},
	{`"updatedAt":""`, BreachFormat},
	{`"size":-1.5e3`, ""},
	{`"size":"1"`, BreachType},
	{`"size":null`, BreachNull},
	{`"meta":{}`, ""},
	{`"meta":{"a":{"b":[1,null]}}`, ""},
	{`"meta":{` + manyMembers(100, "m%d") + `}`, ""},
	{`"meta":{` + manyMembers(101, "m%d") + `}`, BreachTooLong},
	{`"meta":null`, BreachNull},
	{`"meta":[]`, BreachType},
	{`"error":{}`, ""},
	{`"error":{"status":500,"code":"c","title":"t","detail":"d","source":{"x":1},"meta":{},"links":{}}`, ""},
	{`"error":{"status":"500"}`, BreachType},
	{`"error":{"source":"x"}`, BreachType},
	{`"error":{"code":null}`, BreachNull},
	{`"error":{"reason":"x"}`, BreachUnknownMember},
	{`"error":"x"`, BreachType},
	{`"attachments":[]`, ""},
	{`"attachments":[` + attachment("") + `]`, ""},
	{`"attachments":[` + attachment(`,"sourceId":"`+hex24+`"`) + `,` + attachment("") + `]`, ""},
	{`"attachments":[` + attachment("") + `, ` + strings.Replace(attachment(""), `,"`, ` , "`, 1) + `]`, BreachNotUnique},
	{`"attachments":[` + attachment(`,"url":"x"`) + `]`, BreachUnknownMember},
	{`"attachments":[` + attachment(`,"sourceId":"x"`) + `]`, BreachFormat},
	{`"attachments":[{"name":"a"}]`, BreachRequired},
	{`"attachments":["x"]`, BreachType},
	{`"attachments":{}`, BreachType},
	{`"attachments":null`, BreachNull},
	{`"sentiment":{"polarity":-1,"confidence":0.25}`, ""},
	{`"sentiment":{"polarity":1.0,"confidence":-1}`, ""},
	{`"sentiment":{"polarity":2,"confidence":0}`, BreachEnum},
	{`"sentiment":{"polarity":0,"confidence":1.01}`, BreachEnum},
	{`"sentiment":{"polarity":"1","confidence":0}`, BreachType},
	{`"sentiment":{"polarity":1}`, BreachRequired},
	{`"sentiment":{"polarity":1,"confidence":1,"x":1}`, BreachUnknownMember},
	{`"sentiment":null`, BreachNull},
	{`"custom":{}`, ""},
	{`"custom":null`, BreachNull},
	{`"custom":[]`, BreachType},
	{`"custom":{"aStr":"x","aTxt":"x","aNum":1,"aAt":"2026-11-24T02:30:00Z","aBool":false,"aUrl":"https://x.y","aId":"x"}`, ""},
	{`"custom":{"aStr":null,"aTxt":null,"aNum":null,"aAt":null,"aBool":null,"aUrl":null,"aId":null}`, ""},
	{`"custom":{"aStr":"` + strings.Repeat("x", 1024) + `"}`, ""},
	{`"custom":{"aStr":"` + strings.Repeat("x", 1025) + `"}`, BreachTooLong},
	{`"custom":{"aTxt":"` + strings.Repeat("x", 5000) + `"}`, ""},
	{`"custom":{"aStr":1}`, BreachType},
	{`"custom":{"aTxt":true}`, BreachType},
	{`"custom":{"aNum":"1"}`, BreachType},
	{`"custom":{"aAt":"1"}`, BreachFormat},
	{`"custom":{"aBool":"true"}`, BreachType},
	{`"custom":{"aBool":0}`, BreachType},
	{`"custom":{"aUrl":"no scheme"}`, BreachFormat},
	{`"custom":{"aId":""}`, BreachEmpty},
	{`"custom":{"aStr":{}}`, BreachType},
	{`"custom":{"tier":"x"}`, BreachUnknownMember},
	{`"custom":{"Str":"x"}`, BreachUnknownMember},
	{`"custom":{` + manyMembers(100, "m%dNum") + `}`, ""},
	{`"custom":{` + manyMembers(101, "m%dNum") + `}`, BreachTooLong},
	{`"channel":"email"`, BreachUnknownMember},
	{`"rev":1`, BreachUnknownMember},
	{`"sub\u006aect":"x"`, ""}, // an escaped name is still that name
	{`"subject":"x","subject":"y"`, BreachDuplicateName},
	{`"subject":"x","sub\u006aect":"y"`, BreachDuplicateName},
	{`"meta":{"a":{"b":1,"b":2}}`, BreachDuplicateName},
	{`"custom":{"aStr":"x","aStr":"y"}`, BreachDuplicateName},
	{"\"subject\":\"\xff\"", BreachUTF8},
	{`"subject":"\ud800"`, BreachJSON},
	{`"subject":x`, BreachJSON},
	{`"subject"`, BreachJSON},
}

// TestMembers checks each member rule of an item.
func TestMembers(t *testing.T) {
	for _, tt := range memberTests {
		s := start(t, Options{})
		w := do(s, "PUT", putPath, `[{"id":"m1","_clientRef":"r1",`+tt.members+`}]`)
		checkBreach(t, s, w.Code, tt.members, tt.want)
	}
}

func manyMembers(n int, name string) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"`+name+`":1`, i))
	}
	return strings.Join(members, ",")
}

// checkBreach checks that a call was refused as one breach of kind want and
// accepted nothing, or, want "", the opposite.
func checkBreach(t *testing.T, s *Server, status int, what, want string) {
	t.Helper()
	if len(what) > 80 {
		what = what[:80] + "..."
	}
	st := s.Stats()
	wantCounts := map[string]int64{}
	if want != "" {
		wantCounts[want] = 1
	}
	if diff := cmp.Diff(wantCounts, st.Breaches); diff != "" {
		t.Errorf("%s: breaches (-want +got):\n%s", what, diff)
	}
	if accepted := status < 300; accepted != (want == "") || (st.OperationsAccepted > 0) != accepted {
		t.Errorf("%s: answered %d and accepted %d operations, want breach %q", what, status, st.OperationsAccepted, want)
	}
}

func TestRequests(t *testing.T) {
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = fmt.Sprintf(`{"id":"m%d","_clientRef":"r%d"}`, i, i)
	}
	tests := []struct {
		body, want string
	}{
		{`[{"id":"m"}]`, ""},
		{` [ {"id" : "m", "subject" : "x"} ] ` + "\n", ""},
		{"[" + strings.Join(hundred, ",") + "]", ""},
		{"[" + strings.Join(hundred, ",") + `,{"id":"more","_clientRef":"more"}]`, BreachCount},
		{`[]`, BreachCount},
		{``, BreachJSON},
		{`[`, BreachJSON},
		{`[{"id":"m"}`, BreachJSON},
		{`[{"id":"m"}] x`, BreachJSON},
		{`[{"id":"m"}][]`, BreachJSON},
		{`[{"id":"m"},]`, BreachJSON},
		{`{"id":"m"}`, BreachShape},
		{`"[]"`, BreachShape},
		{`null`, BreachShape},
		{`[1]`, BreachShape},
		{`[[]]`, BreachShape},
		{`[null]`, BreachShape},
		{`[{}]`, BreachIDMissing},
		{`[{"id":""}]`, BreachEmpty},
		{`[{"id":null}]`, BreachNull},
		{`[{"id":7}]`, BreachType},
		{`[{"id":"m"},{"id":"n"}]`, ""},
		{`[{"id":"m"},{"id":"n"},{"id":"m"}]`, BreachIDRepeated},
		{`[{"id":"m"},{"id":"\u006d"}]`, BreachIDRepeated},
		{`[{"id":"m","_clientRef":"r"},{"id":"n"}]`, BreachRefMixed},
		{`[{"id":"m"},{"id":"n","_clientRef":"r"}]`, BreachRefMixed},
		{`[{"id":"m","_clientRef":"r"},{"id":"n","_clientRef":"r"}]`, BreachRefRepeated},
		{`[{"id":"m","_clientRef":""}]`, BreachEmpty},
		{`[{"id":"m","_clientRef":null}]`, BreachNull},
		{`[{"id":"m","_clientRef":1}]`, BreachType},
		{`[{"id":"m","_clientRef":"` + strings.Repeat("x", 255) + `"}]`, ""},
		{`[{"id":"m","_clientRef":"` + strings.Repeat("x", 256) + `"}]`, BreachTooLong},
		{`[{"id":"m"},{"id":"n","subject":1}]`, BreachType}, // one bad item refuses all
	}
	for _, tt := range tests {
		s := start(t, Options{})
		w := do(s, "PUT", putPath, tt.body)
		checkBreach(t, s, w.Code, tt.body, tt.want)
	}
}

// TestCalls checks what is wrong outside the body.
func TestCalls(t *testing.T) {
	const good = `[{"id":"m"}]`
	tests := []struct {
		name, method, path, body string
		change                   func(*http.Request)
		status                   int
		want                     string
	}{
		{"good", "PUT", putPath, good, nil, 200, ""},
		{"charset", "PUT", putPath, good, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, 200, ""},
		{"no type", "PUT", putPath, good, func(r *http.Request) { r.Header.Del("Content-Type") }, 400, BreachContentType},
		{"other type", "PUT", putPath, good, func(r *http.Request) { r.Header.Set("Content-Type", "text/json") }, 400, BreachContentType},
		{"no key", "PUT", putPath, good, func(r *http.Request) { r.Header.Del("Authorization") }, 401, BreachKey},
		{"empty key", "PUT", putPath, good, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, 401, BreachKey},
		{"basic", "PUT", putPath, good, func(r *http.Request) { r.Header.Set("Authorization", "Basic key") }, 401, BreachKey},
		{"wrong key", "PUT", putPath, good, func(r *http.Request) { r.Header.Set("Authorization", "Bearer kez") }, 401, BreachKey},
		{"wrong key on GET", "GET", bulkPrefix + hex24, "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer k") }, 401, BreachKey},
		{"POST", "POST", putPath, good, nil, 404, BreachPath},
		{"GET of the bulk path", "GET", putPath, "", nil, 404, BreachPath},
		{"trailing slash", "PUT", putPath + "/", good, nil, 404, BreachPath},
		{"version", "PUT", "/v2/messages/bulk", good, nil, 404, BreachPath},
		{"below batches", "GET", bulkPrefix + hex24 + "/batches/1", "", nil, 404, BreachPath},
		{"PUT to an operation", "PUT", bulkPrefix + hex24, good, nil, 404, BreachPath},
		{"ids mode", "PUT", putPath + "?ids=a,b", `{"subject":"x"}`, nil, 400, BreachIDsMode},
		{"operation id", "GET", bulkPrefix + "17", "", nil, 404, BreachOperationID},
		{"page", "GET", bulkPrefix + hex24 + "/batches?page=0", "", nil, 400, BreachPaging},
		{"page size", "GET", bulkPrefix + hex24 + "/batches?pageSize=x", "", nil, 400, BreachPaging},
		{"size", "PUT", putPath, `[{"id":"` + strings.Repeat("x", 1000) + `"}]`, nil, 413, BreachSize},
		{"size unknown before", "PUT", putPath, `[{"id":"` + strings.Repeat("x", 1000) + `"}]`, func(r *http.Request) { r.ContentLength = -1 }, 413, BreachSize},
		{"unknown operation", "GET", bulkPrefix + hex24, "", nil, 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, Options{Key: "key", MaxBodyBytes: 1000})
			r := newRequest(tt.method, tt.path, tt.body)
			if tt.change != nil {
				tt.change(r)
			}
			w := serve(s, r)
			if w.Code != tt.status {
				t.Errorf("answered %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			st := s.Stats()
			if tt.want == "" && len(st.Breaches) > 0 || tt.want != "" && st.Breaches[tt.want] != 1 {
				t.Errorf("breaches %v, want %q", st.Breaches, tt.want)
			}
			if (st.ItemsAccepted > 0) != (tt.status == 200) {
				t.Errorf("%d items accepted with status %d", st.ItemsAccepted, tt.status)
			}
		})
	}
}

// TestAssumed checks the options for what a real org may do otherwise.
func TestAssumed(t *testing.T) {
	longTxt := `"custom":{"aTxt":"` + strings.Repeat("x", 1025) + `"}`
	tests := []struct {
		name    string
		opts    Options
		members string
		status  int
		want    string
	}{
		{"client ref unknown", Options{NoClientRef: true}, `"_clientRef":"r"`, 400, BreachRefUnknown},
		{"no client ref", Options{NoClientRef: true}, `"subject":"x"`, 200, ""},
		{"null allowed", Options{AllowNull: true}, `"status":null,"meta":null,"custom":null,"attachments":null`, 200, ""},
		{"null id never", Options{AllowNull: true}, `"_clientRef":null`, 400, BreachNull},
		{"txt limit", Options{TxtLimit: 1024}, longTxt, 400, BreachTooLong},
		{"audit forbidden", Options{Audit: AuditForbid}, `"createdAt":"2026-11-24T02:30:00Z"`, 403, BreachAudit},
		{"audit forbidden, none", Options{Audit: AuditForbid}, `"updatedAt":"2026-11-24T02:30:00Z"`, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.opts)
			w := do(s, "PUT", putPath, `[{"id":"m",`+tt.members+`}]`)
			if w.Code != tt.status {
				t.Errorf("answered %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			checkBreach(t, s, w.Code, tt.members, tt.want)
		})
	}
}

// TestBreachBodies compares refusals with the forms of the real API.
func TestBreachBodies(t *testing.T) {
	type source struct{ Parameter, Parameters string }
	type apiError struct {
		Status                       any
		Code, Message, Title, Detail string
		Source                       source
	}
	tests := []struct {
		body string
		want apiError
	}{
		{`[{"id":"m","custom":{"notAnActualAttribute":1}}]`, apiError{
			Status: 400.0, Code: "badparam", Title: "Additional properties not allowed",
			Detail: "/properties/custom/additionalProperties", Source: source{Parameter: "notAnActualAttribute"},
		}},
		{`[{"id":"m","custom":{"tierStr":1}}]`, apiError{
			Status: 400.0, Code: "badparam", Title: "Invalid type: number (expected string)",
			Detail: "/properties/custom/properties/tierStr/type", Source: source{Parameter: "tierStr"},
		}},
		{`[{"id":"m","subject":true}]`, apiError{
			Status: 400.0, Code: "badparam", Title: "Invalid type: boolean (expected string)",
			Detail: "/properties/subject/type", Source: source{Parameter: "subject"},
		}},
		{`{`, apiError{Code: "bad_request", Message: "Invalid request body or parameters."}},
	}
	for _, tt := range tests {
		var reply struct{ Errors []apiError }
		w := do(start(t, Options{}), "PUT", putPath, tt.body)
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			t.Fatalf("%s: %v in %s", tt.body, err, w.Body)
		}
		if diff := cmp.Diff([]apiError{tt.want}, reply.Errors); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
	}
}
