package kustomersim

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// TestShowsAMessage: what was seeded and written comes back in the API's form.
func TestShowsAMessage(t *testing.T) {
	s := start(t, Options{})
	s.Seed("a\"b", map[string]jsontext.Value{"subject": jsontext.Value(`"s"`), "custom.tierStr": jsontext.Value(`"gold"`)})
	put(t, s, `{"id":"a\"b","lang":"de","custom":{"tierStr":null,"noteTxt":"n"}}`)
	put(t, s, `{"id":"c","size":1}`)
	quiesce(t, s)
	for id, want := range map[string]string{
		"a\"b": `{"subject":"s","lang":"de","custom":{"tierStr":null,"noteTxt":"n"}}`,
		"c":    `{"size":1}`,
	} {
		body, found := s.show(id)
		var reply struct {
			Data struct {
				ID         string
				Attributes json.RawMessage
			}
		}
		// The braces count: a reader that stops at the last value would not see one too many.
		if err := json.Unmarshal(body, &reply); !found || err != nil || reply.Data.ID != id {
			t.Fatalf("%q: found %t, %v: %s", id, found, err, body)
		}
		if diff := cmp.Diff(want, string(reply.Data.Attributes)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", id, diff)
		}
	}
	for path, want := range map[string]int{"c": 200, "nobody": 404} {
		if w := do(s, "GET", messagePrefix+path, ""); w.Code != want {
			t.Errorf("GET %s: %d, want %d", path, w.Code, want)
		}
	}
	if err := s.SetScript(Script{Deny: DenyShow}); err != nil {
		t.Fatal(err)
	}
	if w := do(s, "GET", messagePrefix+"c", ""); w.Code != 403 {
		t.Errorf("a key that may not read messages got %d", w.Code)
	}
}

// TestSemantics: what an org may do otherwise with a write that is accepted.
func TestSemantics(t *testing.T) {
	tests := []struct {
		name string
		opts Options
		item string
		want map[string]string
	}{
		{
			"plain",
			Options{},
			`{"subject":null,"meta":{"o":{"p":3}},"custom":{"tierStr":null}}`,
			map[string]string{"subject": "null", "meta": `{"o":{"p":3}}`, "custom.tierStr": "null"},
		},
		{
			"null ignored",
			Options{NullIgnored: true},
			`{"subject":null,"meta":{},"custom":{"tierStr":null}}`,
			map[string]string{"subject": `"s"`, "meta": "{}", "custom.tierStr": `"gold"`},
		},
		{
			"shallow",
			Options{ShallowMerge: true},
			`{"meta":{"o":{"p":3}}}`,
			map[string]string{"subject": `"s"`, "meta": `{"k":1,"o":{"p":3}}`, "custom.tierStr": `"gold"`},
		},
		{
			"deep",
			Options{DeepMerge: true},
			`{"meta":{"o":{"p":3}}}`,
			map[string]string{"subject": `"s"`, "meta": `{"k":1,"o":{"p":3,"q":2}}`, "custom.tierStr": `"gold"`},
		},
		{
			"unknown ignored",
			Options{IgnoreUnknown: true},
			`{"nonsense":{"a":[1]},"subject":"t"}`,
			map[string]string{"subject": `"t"`, "meta": `{"k":1,"o":{"p":1,"q":2}}`, "custom.tierStr": `"gold"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.opts)
			s.Seed("a", map[string]jsontext.Value{
				"subject": jsontext.Value(`"s"`), "meta": jsontext.Value(`{"k":1,"o":{"p":1,"q":2}}`), "custom.tierStr": jsontext.Value(`"gold"`),
			})
			put(t, s, `{"id":"a",`+tt.item[1:])
			quiesce(t, s)
			if diff := cmp.Diff(tt.want, fields(t, s, "a")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRequestRules: what an org may accept or refuse otherwise.
func TestRequestRules(t *testing.T) {
	const (
		empty   = `[]`
		twice   = `[{"id":"known","subject":"x"},{"id":"known","subject":"y"}]`
		unknown = `[{"id":"known","subject":"y"},{"id":"nobody","subject":"x"}]`
	)
	tests := []struct {
		name                  string
		opts                  Options
		empty, twice, unknown int
		failed                int64
	}{
		{"plain", Options{}, 400, 400, 200, 0},
		{"lenient", Options{AllowEmpty: true, RepeatIDs: true}, 200, 200, 200, 0},
		{"fail", Options{UnknownID: IDFail}, 400, 400, 200, 1},
		{"refuse", Options{UnknownID: IDRefuse}, 400, 400, 404, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.opts)
			s.Seed("known", nil)
			for body, want := range map[string]int{empty: tt.empty, twice: tt.twice, unknown: tt.unknown} {
				if w := do(s, "PUT", putPath, body); w.Code != want {
					t.Errorf("%s: %d, want %d: %s", body, w.Code, want, w.Body)
				}
			}
			quiesce(t, s)
			if got := s.Stats().ItemsFailed; got != tt.failed {
				t.Errorf("%d items failed, want %d", got, tt.failed)
			}
			if _, there := s.Message("nobody"); there != (tt.opts.UnknownID == IDCreate) {
				t.Errorf("the unknown message is there: %t", there)
			}
			if got := fmt.Sprint(fields(t, s, "known")["subject"]); tt.twice == 200 && got != `"y"` {
				t.Errorf("the second item is not the last: %s", got)
			}
		})
	}
}

// TestEmptyOperation: a request without items makes an operation that ends, also
// where operations are to lose a result.
func TestEmptyOperation(t *testing.T) {
	s := start(t, Options{AllowEmpty: true, Spread: true, Script: &Script{MissingResults: 1}})
	id := put(t, s)
	quiesce(t, s)
	if got := readOp(t, s, id); !got.Completed || got.Errors {
		t.Errorf("the empty operation is %+v", got)
	}
}
