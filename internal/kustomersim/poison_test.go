package kustomersim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// marked is an item whose custom member tierStr says text.
func marked(id, text string) string {
	return fmt.Sprintf(`{"id":%q,"_clientRef":"r-%s","lang":"en","custom":{"tierStr":%q}}`, id, id, text)
}

func array(items ...string) string { return "[" + strings.Join(items, ",") + "]" }

// TestPoisonReplies: the forms of a refusal, by status and hint. The guilty one
// is the third item.
func TestPoisonReplies(t *testing.T) {
	tests := []struct {
		poison Poison
		want   string // the body
	}{
		{Poison{Status: 400}, `{"errors":[{"code":"bad_request","message":"Invalid request body or parameters.","meta":{}}]}`},
		{Poison{Status: 422}, `{"errors":[{"status":422,"code":"unprocessable","title":"Unprocessable Entity"}]}`},
		{Poison{Status: 404}, `{"errors":[{"status":404,"source":{"parameter":"id"},"code":"notfound","title":"Not Found"}]}`},
		{Poison{Status: 403}, `{"errors":[{"status":403,"source":{"parameter":"roles"},"code":"forbidden","title":"Forbidden"}]}`},
		{Poison{Status: 409}, `{"errors":[{"status":409,"code":"conflict","title":"Conflict"}]}`},
		{Poison{Status: 413}, `{"status":413,"title":"Payload Too Large","detail":"request entity too large"}`},
		{Poison{Status: 500}, `{"errors":[{"status":500,"code":"internal","title":"Internal Server Error"}]}`},
		{Poison{Status: 503}, `{"errors":[{"status":503,"code":"internal","title":"Service Unavailable"}]}`},
		{Poison{Status: 400, Hint: HintPointer}, `{"errors":[{"status":400,"source":{"pointer":"/2/custom/tierStr"},"code":"badparam","title":"Bad Request"}]}`},
		{
			Poison{Status: 400, Hint: HintMember},
			`{"errors":[{"status":400,"source":{"parameter":"tierStr"},"code":"badparam","title":"Additional properties not allowed","detail":"/properties/custom/additionalProperties"}]}`,
		},
		{
			Poison{Status: 422, Hint: HintID},
			`{"errors":[{"status":422,"source":{"parameter":"c is not callable"},"code":"unprocessable","title":"Unprocessable Entity","detail":"WORKFLOW_NOT_CALLABLE"}]}`,
		},
	}
	for _, tt := range tests {
		tt.poison.Marker = "bad-"
		s := start(t, Options{Script: &Script{Poison: []Poison{tt.poison}, Quota: Quota{PerMinute: 10}}})
		w := do(s, "PUT", putPath, array(marked("a", "gold"), marked("b", "bad"), marked("c", "so bad-1"), marked("d", "bad-2")))
		if w.Code != tt.poison.Status || w.Body.String() != tt.want {
			t.Errorf("%+v:\nanswered %d %s\nwant        %s", tt.poison, w.Code, w.Body, tt.want)
		}
		if w.Header().Get("X-Ratelimit-Remaining") != "9" {
			t.Errorf("%+v: headers %v", tt.poison, w.Header())
		}
		st := s.Stats()
		if st.OperationsAccepted != 0 || len(st.Breaches) != 0 || st.Poisoned != 1 || st.PoisonedFill[4] != 1 {
			t.Errorf("%+v: accepted %d, breaches %v, poisoned %d, by size %v", tt.poison, st.OperationsAccepted, st.Breaches, st.Poisoned, st.PoisonedFill)
		}
		put(t, s, marked("a", "gold"), marked("b", "bad"))
	}
}

// TestPoisonHints: what a hint names when no marker does, or the member's name
// needs escaping.
func TestPoisonHints(t *testing.T) {
	tests := []struct {
		poison     Poison
		item, want string
	}{
		{Poison{IDs: []string{"b"}, Hint: HintPointer}, subject("b", "x"), `"pointer":"/1/subject"`},
		{Poison{IDs: []string{"b"}, Hint: HintPointer}, `{"id":"b","_clientRef":"r"}`, `"pointer":"/1/id"`},
		{Poison{IDs: []string{"b"}, Hint: HintMember}, subject("b", "x"), `"parameter":"subject"`},
		{Poison{IDs: []string{"b"}, Hint: HintMember}, subject("b", "x"), `"/additionalProperties"`},
		{Poison{Marker: "x", Hint: HintPointer}, `{"id":"b","_clientRef":"r","lang":"y","custom":{"a/b~Str":"x"}}`, `"pointer":"/1/custom/a~1b~0Str"`},
		{Poison{Marker: "x", Hint: HintMember}, `{"id":"b","_clientRef":"r","lang":"y","meta":{"deep":["x"]}}`, `"parameter":"meta"`},
	}
	for _, tt := range tests {
		tt.poison.Status = 400
		s := start(t, Options{Script: &Script{Poison: []Poison{tt.poison}}})
		w := do(s, "PUT", putPath, array(subject("a", "good"), tt.item))
		if w.Code != 400 || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%+v, %s: %d %s, want %s", tt.poison, tt.item, w.Code, w.Body, tt.want)
		}
	}
}

// TestPoisonMatches: which requests a rule means.
func TestPoisonMatches(t *testing.T) {
	tests := []struct {
		name   string
		poison Poison
		body   string
		want   int
	}{
		{"id", Poison{IDs: []string{"x", "a"}}, array(subject("a", "1")), 400},
		{"another id", Poison{IDs: []string{"x"}}, array(subject("a", "x")), 200},
		{"marker in a name only", Poison{Marker: "tier"}, array(marked("a", "gold")), 200},
		{"marker in the id only", Poison{Marker: "abc"}, array(marked("abc", "gold")), 200},
		{"marker in a number", Poison{Marker: "77"}, `[{"id":"a","size":1772}]`, 400},
		{"both", Poison{IDs: []string{"a"}, Marker: "bad"}, array(marked("b", "good"), marked("a", "bad")), 400},
		{"both, in two items", Poison{IDs: []string{"a"}, Marker: "bad"}, array(marked("a", "good"), marked("b", "bad")), 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.poison.Status = 400
			s := start(t, Options{Script: &Script{Poison: []Poison{tt.poison}}})
			if w := do(s, "PUT", putPath, tt.body); w.Code != tt.want {
				t.Errorf("answered %d, want %d: %s", w.Code, tt.want, w.Body)
			}
		})
	}
}

func TestPoisonCount(t *testing.T) {
	s := start(t, Options{Script: &Script{Poison: []Poison{
		{IDs: []string{"a"}, Status: 409, Count: 2},
		{IDs: []string{"b"}, Item: true, Count: 1},
	}}})
	var got []int
	for range 4 {
		got = append(got, do(s, "PUT", putPath, array(subject("a", "1"), subject("b", "1"))).Code)
	}
	quiesce(t, s)
	if want := []int{409, 409, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	if st := s.Stats(); st.Poisoned != 2 || st.ItemsFailed != 1 || st.ItemsApplied != 3 {
		t.Errorf("poisoned %d, failed %d, applied %d; want 2, 1, 3", st.Poisoned, st.ItemsFailed, st.ItemsApplied)
	}
}

// TestPoisonAccepted: an operation exists although the reply is a 500, or not.
func TestPoisonAccepted(t *testing.T) {
	for accept, want := range map[bool]int64{false: 0, true: 1} {
		s := start(t, Options{Script: &Script{Poison: []Poison{{IDs: []string{"a"}, Status: 500, Accept: accept}}}})
		w := do(s, "PUT", putPath, array(subject("a", "1")))
		quiesce(t, s)
		st := s.Stats()
		if w.Code != 500 || st.OperationsAccepted != want || st.RepliesLost != want || st.ItemsApplied != want || st.Poisoned != 1 {
			t.Errorf("accept %t: answered %d, accepted %d, lost %d, applied %d, poisoned %d",
				accept, w.Code, st.OperationsAccepted, st.RepliesLost, st.ItemsApplied, st.Poisoned)
		}
	}
}

// TestPoisonItem: the item fails each time it is sent, its neighbours pass.
func TestPoisonItem(t *testing.T) {
	s := start(t, Options{Script: &Script{Poison: MarkedPoison()}})
	for range 3 {
		id := put(t, s, marked("a", "gold"), marked("b", "poison-item"))
		quiesce(t, s)
		if got := failedRefs(t, s, id); !slices.Equal(got, []string{"r-b"}) {
			t.Errorf("failed items %v, want r-b", got)
		}
	}
	put(t, s, marked("b", "silver"))
	quiesce(t, s)
	if got := fields(t, s, "b")["custom.tierStr"]; got != `"silver"` {
		t.Errorf("the message holds %s, want the healthy change", got)
	}
}

// failedRefs are the references whose result is an error.
func failedRefs(t interface{ Fatalf(string, ...any) }, s *Server, id string) (refs []string) {
	var reply struct {
		Data []struct {
			Attributes struct {
				Results []struct {
					Ref    string `json:"_clientRef"`
					Status string
				}
			}
		}
	}
	w := do(s, "GET", bulkPrefix+id+"/batches", "")
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	for _, b := range reply.Data {
		for _, r := range b.Attributes.Results {
			if r.Status == "error" {
				refs = append(refs, r.Ref)
			}
		}
	}
	return refs
}

// TestPoisonProperty: a request is refused if and only if it holds poison, with
// the first rule's status, and exactly the poisoned items fail.
func TestPoisonProperty(t *testing.T) {
	rules := append(MarkedPoison(),
		Poison{IDs: []string{"m3", "m4"}, Status: 404},
		Poison{IDs: []string{"m5"}, Marker: "gold", Status: 413, Hint: HintPointer},
		Poison{IDs: []string{"m6"}, Item: true},
	)
	texts := []string{"gold", "silver", "poison", "a poison-400!", "poison-422", "poison-500", "poison-item", "poison-it"}
	rapid.Check(t, func(t *rapid.T) {
		s := New(Options{Script: &Script{FirstComplete: 1, Poison: rules}})
		defer s.Close()
		var items, fail []string
		status := map[int]int{} // by rule
		n := rapid.IntRange(1, 7).Draw(t, "items")
		for i := range n {
			id := fmt.Sprintf("m%d", i)
			// Mostly healthy, or no request would pass.
			text := "silver"
			if rapid.IntRange(0, 3).Draw(t, "unusual") == 0 {
				text = rapid.SampledFrom(texts).Draw(t, "text")
			}
			items = append(items, marked(id, text))
			for at, r := range rules {
				hit := (r.IDs == nil || slices.Contains(r.IDs, id)) && strings.Contains(text, r.Marker)
				switch {
				case hit && r.Item:
					fail = append(fail, "r-"+id)
				case hit:
					status[at] = r.Status
				}
			}
		}
		want := http.StatusOK
		for at := range rules {
			if st, hit := status[at]; hit {
				want = st
				break
			}
		}
		w := do(s, "PUT", putPath, array(items...))
		if w.Code != want {
			t.Fatalf("%v answered %d, want %d: %s", items, w.Code, want, w.Body)
		}
		if want != http.StatusOK {
			return
		}
		id := idPattern.FindString(w.Body.String())
		if diff := cmp.Diff(slices.Compact(fail), failedRefs(t, s, id)); diff != "" {
			t.Fatalf("failed items (-want +got):\n%s", diff)
		}
	})
}
