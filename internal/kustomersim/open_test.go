package kustomersim

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOpenOperations(t *testing.T) {
	bubble(t, Options{Workers: 1, InOrder: true, Script: &Script{Run: Run{Base: 1000 * ms}, FailIDs: []string{"bad"}}}, func(t *testing.T, s *Server) {
		list := func() (got []OpenOperation) {
			t.Helper()
			if err := json.Unmarshal(do(s, "GET", "/_sim/operations", "").Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			return got
		}
		begin := time.Now()
		one := put(t, s, subject("a", "x"), subject("bad", "x"))
		pass(500 * ms)
		two := put(t, s, subject("b", "x"))
		want := []OpenOperation{
			{ID: one, AcceptedAt: begin, Items: 2, Failing: 1},
			{ID: two, AcceptedAt: begin.Add(500 * time.Millisecond), Items: 1},
		}
		if diff := cmp.Diff(want, list()); diff != "" {
			t.Errorf("both open (-want +got):\n%s", diff)
		}
		pass(500 * ms)
		if diff := cmp.Diff(want[1:], list()); diff != "" {
			t.Errorf("one open (-want +got):\n%s", diff)
		}
		pass(1000 * ms)
		if diff := cmp.Diff([]OpenOperation{}, list()); diff != "" {
			t.Errorf("none open (-want +got):\n%s", diff)
		}
	})
}

// TestRefuseIDs: one listed message refuses the request, without a breach.
func TestRefuseIDs(t *testing.T) {
	s := start(t, Options{Script: &Script{RefuseIDs: []string{"poison"}}})
	w := do(s, "PUT", putPath, "["+subject("a", "x")+","+subject("poison", "x")+"]")
	if st := s.Stats(); w.Code != 400 || st.OperationsAccepted != 0 || st.Poisoned != 1 || len(st.Breaches) != 0 {
		t.Errorf("answered %d, accepted %d, breaches %v", w.Code, st.OperationsAccepted, st.Breaches)
	}
	put(t, s, subject("a", "x"))
}
