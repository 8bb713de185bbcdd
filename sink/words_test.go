package sink

import "testing"

// Numbers of the payload may be telephones': Kustomer's words do not repeat them,
// but keep their own.
func TestNumbersOfThePayloadAreMasked(t *testing.T) {
	payload := []byte(`[{"id":"5f","custom":{"phoneNum":4915112345678,"rankNum":12,"shareNum":-0.125,"yearNum":2026}}]`)
	for words, want := range map[string]string{
		"4915112345678 is not a valid number":           "*** is not a valid number",
		"custom.phoneNum (4915112345678) is too large":  "custom.phoneNum (***) is too large",
		"got -0.125, want 0..1":                         "got ***, want 0..1",
		"rank 12 of 100":                                "rank 12 of 100",
		"request 20261125 of op 94915112345678 refused": "request 20261125 of op 94915112345678 refused",
		"twice 2026 and 2026":                           "twice *** and ***",
	} {
		if got := scrub(words, payload); got != want {
			t.Errorf("%q became %q, want %q", words, got, want)
		}
	}
}
