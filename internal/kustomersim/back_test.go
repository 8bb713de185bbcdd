package kustomersim

import (
	"testing"
	"testing/synctest"
	"time"
)

// A lost reply makes a client send the same again. When the first operation ends
// last it writes what stands there already: nothing went back.
func TestSameValueIsNotBackByOrder(t *testing.T) {
	for value, back := range map[string]int64{"same": 0, "other": 1} {
		t.Run(value, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const id = "5f0000000000000000000001"
				s := start(t, Options{Script: &Script{Run: Run{Base: 1000 * ms}}})
				put(t, s, subject(id, value))
				time.Sleep(10 * time.Millisecond) // a worker has taken it
				if err := s.SetScript(Script{Run: Run{Base: 100 * ms}}); err != nil {
					t.Fatal(err)
				}
				put(t, s, subject(id, "same"))
				quiesce(t, s)
				if st := s.Stats(); st.OperationsOvertaken != 1 || st.FieldsBackByOrder != back {
					t.Errorf("%d overtaken, %d fields back by order, want 1 and %d", st.OperationsOvertaken, st.FieldsBackByOrder, back)
				}
				s.Close()
			})
		})
	}
}
