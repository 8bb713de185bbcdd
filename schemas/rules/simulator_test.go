package rules

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kafka-kustomer/internal/kustomersim"
)

// The simulator knows the rules by itself. What it refuses breaks one here, and what
// breaks one here it refuses: but for members that it does not know, which pass here.
func TestSimulatorAgrees(t *testing.T) {
	sim := kustomersim.New(kustomersim.Options{Script: &kustomersim.Script{}})
	t.Cleanup(sim.Close)
	outcomes := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		patch := drawPatch(t, false)
		refused := simRefuses(t, sim, patch)
		if broken := Check(patch, 9); refused != (broken != nil) {
			t.Fatalf("%.2000s: the simulator refuses it is %v, and it breaks %v", patch, refused, broken)
		}
		outcomes[refused]++
	})
	if outcomes[true] < 10 || outcomes[false] < 10 {
		t.Errorf("too few of one kind: refused %v", outcomes)
	}
	for name, c := range cases {
		for value := range c.bad {
			if patch := []byte(`{"` + name + `":` + value + `}`); !simRefuses(t, sim, patch) {
				t.Errorf("the simulator takes %.200s", patch)
			}
		}
	}
}

// simRefuses asks the simulator about a request of one item with this patch.
func simRefuses(t interface{ Fatalf(string, ...any) }, sim http.Handler, patch []byte) bool {
	members := strings.TrimLeft(string(patch[1:]), " \n")
	if members != "}" {
		members = "," + members
	}
	r := httptest.NewRequest(http.MethodPut, "/v1/messages/bulk", strings.NewReader(`[{"id":"m1"`+members+`]`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer any")
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
		t.Fatalf("the simulator answers %d: %s", w.Code, w.Body)
	}
	return w.Code == http.StatusBadRequest
}
