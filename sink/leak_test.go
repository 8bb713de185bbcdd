package sink

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kafka-kustomer/internal/canary"
)

// Neither the key nor a payload reaches a reason, however the reply says it.
func TestReasonsLeakNothing(t *testing.T) {
	const secret = "Your parcel is at Example Street 12"
	b := three()
	b.Items[1].Patch = []byte(`{"subject":"` + secret + `","custom":{"codeStr":"qzvx","noteTxt":"l\u00e4nger als zw\u00f6lf \"Zeichen\""}}`)
	echoes := []string{
		secret, secret[:20], secret[8:], "qzvx", `länger als zwölf "Zeichen"`, testKey, "Bearer " + testKey, canary.Secret + "-proxy", b.Items[0].MessageID,
	}
	for _, echo := range echoes {
		for _, form := range []string{
			`{"errors":[{"code":"badparam","title":"Bad: %s","source":{"parameter":"custom"}}]}`,
			`{"errors":[{"message":"%s"}]}`, `{"title":"x","detail":"got %s."}`, `{"errors":[{"source":{"parameter":"%s is not callable"},"title":"No"}]}`,
		} {
			body := fmt.Sprintf(form, strings.ReplaceAll(echo, `"`, `\"`))
			for _, status := range []int{400, 401, 429, 500} {
				s := newSink(t, always(status, body))
				s.secrets = []string{canary.Secret + "-proxy"}
				out := s.Put(t.Context(), b, nil)
				secretPart := strings.TrimPrefix(echo, "Bearer ")
				if strings.Contains(out.Reason.Text, secretPart) || !strings.Contains(out.Reason.Text, "***") {
					t.Errorf("%d %s: the reason repeats %q: %s", status, body, echo, out.Reason.Text)
				}
			}
		}
	}
}

// What scrub promises, for any text and payload.
func TestScrubLeavesNoValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[a-d ]{1,40}`), 1, 5).Draw(t, "values")
		payload, err := json.Marshal(map[string]any{"abcd": values, "subject": map[string]any{"dcba": values}})
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.StringMatching(`[a-d ]{0,20}`), rapid.SampledFrom(values)), 0, 5).Draw(t, "words"), "")
		got := scrub(words, payload)
		for _, part := range strings.Split(got, mask) {
			for _, v := range values {
				if len(v) >= shortestValue && strings.Contains(part, v) {
					t.Fatalf("%q became %q and still has %q", words, got, v)
				}
				for i := 0; i+run <= len(v); i++ {
					if strings.Contains(part, v[i:i+run]) {
						t.Fatalf("%q became %q and still has %q", words, got, v[i:i+run])
					}
				}
			}
		}
	})
	const payload = `{"subject":"not found","custom":{"nameStr":"Ann"}}`
	if got := scrub("subject: custom.nameStr of Ann was not found", []byte(payload)); got != "subject: custom.nameStr of Ann was ***" {
		t.Errorf("member names and short values stay: %q", got)
	}
}
