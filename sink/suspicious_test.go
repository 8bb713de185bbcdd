package sink

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a refusal's words leave open is narrowed to the items whose patches are
// suspicious, and nothing else is.
func TestSuspiciousItemsAreHinted(t *testing.T) {
	const (
		noPlace  = `{"errors":[{"code":"bad_request","message":"Invalid request body or parameters.","meta":{}}]}`
		ofCustom = `{"errors":[{"source":{"parameter":"custom"},"title":"No"}]}` // items 1 to 4 have it
		ofThree  = `{"errors":[{"source":{"pointer":"/3/subject"},"title":"No"}]}`
	)
	tests := []struct {
		name       string
		status     int
		body       string
		suspicious string // what a suspicious patch has in it
		want       []int
	}{
		{"no place", 400, noPlace, `"noteTxt"`, []int{1}},
		{"another", 400, noPlace, `"status"`, []int{2}},
		{"several", 400, noPlace, `"tierStr"`, []int{1, 2, 4}},
		{"422", 422, noPlace, `"noteTxt"`, []int{1}},
		{"none", 400, noPlace, `nothing`, nil},
		{"all", 400, noPlace, `{`, nil},
		{"narrowed", 400, ofCustom, `"noteTxt"`, []int{1}},
		{"named, and none suspicious", 400, ofCustom, `"preview"`, []int{1, 2, 3, 4}},
		{"named, and all suspicious", 400, ofCustom, `"custom"`, []int{1, 2, 3, 4}},
		{"one named, and another suspicious", 400, ofThree, `"noteTxt"`, []int{3}},
		{"an object is missing", 404, noPlace, `"noteTxt"`, nil},
		{"a conflict", 409, noPlace, `"noteTxt"`, nil},
		{"too large", 413, noPlace, `"noteTxt"`, nil},
		{"not in Kustomer's words", 400, `<html>`, `"noteTxt"`, []int{0, 1, 2, 3, 4, 5}},
		{"accepted", 200, opReply, `"noteTxt"`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSink(t, always(tt.status, tt.body), func(cfg *Config) {
				cfg.Suspicious = func(patch []byte) bool { return strings.Contains(string(patch), tt.suspicious) }
			})
			out := s.Put(t.Context(), six("x"), nil)
			if diff := cmp.Diff(tt.want, out.Hints); diff != "" {
				t.Errorf("hints (-want +got):\n%s", diff)
			}
		})
	}
}
