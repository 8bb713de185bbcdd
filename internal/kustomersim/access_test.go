package kustomersim

import "testing"

// TestKeyRotates: the script's key takes the place of the one the server began
// with, and goes with the script.
func TestKeyRotates(t *testing.T) {
	s := start(t, Options{Key: "old"})
	check := func(when string, want map[string]int) {
		t.Helper()
		for key, status := range want {
			for method, path := range map[string]string{"PUT": putPath, "GET": bulkPrefix + hex24} {
				r := newRequest(method, path, `[{"id":"a"}]`)
				r.Header.Set("Authorization", "Bearer "+key)
				got := serve(s, r).Code
				if wrong := got == 401; wrong != (status == 401) {
					t.Errorf("%s, %s with the key %s: %d", when, method, key, got)
				}
			}
		}
	}
	check("at first", map[string]int{"old": 200, "new": 401})
	if err := s.SetScript(Script{Key: "new"}); err != nil {
		t.Fatal(err)
	}
	check("rotated", map[string]int{"old": 401, "new": 200})
	if err := s.SetScript(Script{}); err != nil {
		t.Fatal(err)
	}
	check("back", map[string]int{"old": 200, "new": 401})
	if got := s.Stats().Breaches[BreachKey]; got != 6 {
		t.Errorf("%d calls with a wrong key counted, want 6", got)
	}
}

// TestScriptedContract: what of the contract a script changes while it runs.
func TestScriptedContract(t *testing.T) {
	const (
		plain = `[{"id":"a","subject":"x"}]`
		audit = `[{"id":"a","subject":"y","modifiedAt":"2026-11-24T02:30:00Z"}]`
		refs  = `[{"id":"a","_clientRef":"r"}]`
	)
	tests := []struct {
		name               string
		opts               Options
		script             Script
		plain, audit, refs int
		breach             string
	}{
		{"nothing", Options{}, Script{}, 200, 200, 200, ""},
		{"audit forbidden", Options{}, Script{Audit: AuditForbid}, 200, 403, 200, BreachAudit},
		{"audit ignored", Options{Audit: AuditForbid}, Script{Audit: AuditIgnore}, 200, 200, 200, ""},
		{"audit by options", Options{Audit: AuditForbid}, Script{NoClientRef: true}, 200, 403, 400, BreachRefUnknown},
		{"no references", Options{}, Script{NoClientRef: true}, 200, 200, 400, BreachRefUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.opts)
			if err := s.SetScript(tt.script); err != nil {
				t.Fatal(err)
			}
			for body, want := range map[string]int{plain: tt.plain, audit: tt.audit, refs: tt.refs} {
				if w := do(s, "PUT", putPath, body); w.Code != want {
					t.Errorf("%s: %d, want %d: %s", body, w.Code, want, w.Body)
				}
			}
			quiesce(t, s)
			if got := s.Stats().Breaches; tt.breach == "" && len(got) > 0 || tt.breach != "" && got[tt.breach] != 1 {
				t.Errorf("breaches %v, want %q", got, tt.breach)
			}
			_, written := fields(t, s, "a")["modifiedAt"]
			if want := tt.audit == 200 && tt.script.Audit != AuditIgnore; written != want {
				t.Errorf("the audit member is written: %t, want %t", written, want)
			}
		})
	}
}
