package main

import (
	"strings"
	"testing"
	"time"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// Each check of the account must be able to fail.
func TestAccountFindsWhatIsWrong(t *testing.T) {
	right := func() (kustomersim.Stats, *workload.Written, []workload.Finding, int64) {
		return kustomersim.Stats{}, &workload.Written{
			Accepted: map[string]int{"op": 1}, Completed: map[string]int{"op": 1}, DeadLetters: map[string]int{},
		}, nil, 0
	}
	d := demo{events: workload.New(workload.Config{Seed: 1, Messages: 3})}
	for range 5 {
		d.events.Next(time.Unix(0, 0))
	}
	wrong := func(checks []check) (texts []string) {
		for _, c := range checks {
			if !c.ok {
				texts = append(texts, c.text)
			}
		}
		return texts
	}
	if got := wrong(d.checks(right())); len(got) > 0 {
		t.Fatalf("a right account has wrong lines: %q", got)
	}
	for name, spoil := range map[string]func(*kustomersim.Stats, *workload.Written, *[]workload.Finding, *int64){
		"a state": func(_ *kustomersim.Stats, _ *workload.Written, f *[]workload.Finding, _ *int64) {
			*f = []workload.Finding{{}}
		},
		"a needless dead letter": func(_ *kustomersim.Stats, w *workload.Written, _ *[]workload.Finding, _ *int64) {
			w.DeadLetters["t/0/1"] = 1
		},
		"no completed event": func(_ *kustomersim.Stats, w *workload.Written, _ *[]workload.Finding, _ *int64) {
			delete(w.Completed, "op")
		},
		"two completed events": func(_ *kustomersim.Stats, w *workload.Written, _ *[]workload.Finding, _ *int64) {
			w.Completed["op"] = 2
		},
		"no events at all": func(_ *kustomersim.Stats, w *workload.Written, _ *[]workload.Finding, _ *int64) {
			clear(w.Accepted)
			clear(w.Completed)
		},
		"lag": func(_ *kustomersim.Stats, _ *workload.Written, _ *[]workload.Finding, l *int64) { *l = 1 },
		"a breach of the contract": func(s *kustomersim.Stats, _ *workload.Written, _ *[]workload.Finding, _ *int64) {
			s.Breaches = map[string]int64{"x": 1}
		},
		"a field back by order": func(s *kustomersim.Stats, _ *workload.Written, _ *[]workload.Finding, _ *int64) {
			s.FieldsBackByOrder = 1
		},
		"a field back by stamp": func(s *kustomersim.Stats, _ *workload.Written, _ *[]workload.Finding, _ *int64) {
			s.FieldsBackByStamp = 1
		},
		"an overtaking change": func(s *kustomersim.Stats, _ *workload.Written, _ *[]workload.Finding, _ *int64) { s.NewerWhileOpen = 1 },
	} {
		stats, written, findings, lag := right()
		spoil(&stats, written, &findings, &lag)
		if got := wrong(d.checks(stats, written, findings, lag)); len(got) != 1 {
			t.Errorf("%s: wrong lines %q, want one", name, strings.Join(got, "; "))
		}
	}
}
