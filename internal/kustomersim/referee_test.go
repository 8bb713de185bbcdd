package kustomersim

import (
	"testing"
	"testing/synctest"
)

// TestBackInTime: an older operation applied over a newer one is counted by
// acceptance, by stamp, or by both.
func TestBackInTime(t *testing.T) {
	tests := []struct {
		name         string
		opts         Options
		older, newer string
		order, stamp int64
	}{
		{"stamped", Options{}, `"subject":"a #1"`, `"subject":"b #2"`, 1, 1},
		{"stamps by value, not by text", Options{}, `"subject":"a #9"`, `"subject":"b #10"`, 1, 1},
		{"no stamp", Options{}, `"subject":"a"`, `"subject":"b"`, 1, 0},
		{"stamp rises", Options{}, `"subject":"a #2"`, `"subject":"b #1"`, 1, 0},
		{"other field", Options{}, `"subject":"a #1"`, `"preview":"b #2"`, 0, 0},
		{"custom is another name space", Options{}, `"custom":{"statusStr":"#1"}`, `"status":"sent"`, 0, 0},
		{"two fields", Options{}, `"subject":"#1","custom":{"aStr":"#1"}`, `"custom":{"aStr":"#2"},"subject":"#2"`, 2, 2},
		{"number", Options{NumStamps: true}, `"custom":{"aNum":1}`, `"custom":{"aNum":2}`, 1, 1},
		{"number, not asked for", Options{}, `"custom":{"aNum":1}`, `"custom":{"aNum":2}`, 1, 0},
		{"fraction", Options{NumStamps: true}, `"custom":{"aNum":1.5}`, `"custom":{"aNum":2}`, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// The older one is late: it vanishes, and is applied after a minute.
			late := Script{Vanish: Vanish{Share: 1, Apply: true, Delay: 60_000 * ms, After: 1}}
			tt.opts.Script = &late
			bubble(t, tt.opts, func(t *testing.T, s *Server) {
				put(t, s, `{"id":"m",`+tt.older+`}`)
				if err := s.SetScript(Script{}); err != nil {
					t.Fatal(err)
				}
				put(t, s, `{"id":"m",`+tt.newer+`}`)
				synctest.Wait()
				if st := s.Stats(); st.FieldsBackByOrder+st.FieldsBackByStamp != 0 {
					t.Fatalf("counted before it happened: %+v", st)
				}
				pass(61_000 * ms)
				st := s.Stats()
				if st.FieldsBackByOrder != tt.order || st.FieldsBackByStamp != tt.stamp {
					t.Errorf("back by order %d, by stamp %d; want %d, %d", st.FieldsBackByOrder, st.FieldsBackByStamp, tt.order, tt.stamp)
				}
				if st.OperationsOvertaken != 1 || st.ItemsApplied != 2 {
					t.Errorf("overtaken %d, applied %d; want 1, 2", st.OperationsOvertaken, st.ItemsApplied)
				}
			})
		})
	}
}

// TestNewerWhileOpen: what counts as a race, and what does not.
func TestNewerWhileOpen(t *testing.T) {
	count := func(t *testing.T, s *Server, want int64) {
		t.Helper()
		if got := s.Stats().NewerWhileOpen; got != want {
			t.Errorf("counted %d races, want %d", got, want)
		}
	}
	t.Run("open", func(t *testing.T) {
		bubble(t, Options{Script: &Script{Run: Run{Base: 100 * ms}}}, func(t *testing.T, s *Server) {
			put(t, s, subject("a", "1"), subject("b", "1"))
			put(t, s, `{"id":"a","_clientRef":"again","subject":"1"}`) // the same patch
			put(t, s, subject("c", "1"))                               // another message
			count(t, s, 0)
			put(t, s, subject("a", "2"), subject("b", "2"))
			count(t, s, 2)
			pass(1000 * ms)
			put(t, s, subject("a", "3"))
			count(t, s, 2)
		})
	})
	t.Run("shown", func(t *testing.T) {
		bubble(t, Options{Spread: true, BatchItems: 1, Script: &Script{Run: Run{Base: 100 * ms}}}, func(t *testing.T, s *Server) {
			id := put(t, s, subject("a", "1"), subject("b", "1"))
			pass(60 * ms) // a is written, b is not
			put(t, s, subject("a", "2"))
			count(t, s, 1) // the client could not know
			do(s, "GET", bulkPrefix+id+"/batches", "")
			pass(100 * ms)
			id = put(t, s, subject("a", "3"), subject("b", "3"))
			pass(60 * ms)
			do(s, "GET", bulkPrefix+id+"/batches", "")
			put(t, s, subject("a", "4"))
			count(t, s, 1) // it was shown
			put(t, s, subject("b", "4"))
			count(t, s, 2)
		})
	})
}

func TestRepeated(t *testing.T) {
	s := start(t, Options{})
	put(t, s, `{"id":"a","_clientRef":"r1","subject":"x","lang":"en"}`)
	put(t, s, `{"id":"b","_clientRef":"r1","subject":"x","lang":"en"}`)
	put(t, s, `{"id":"a","_clientRef":"r1","subject":"x"}`)
	put(t, s, `{"id":"a","_clientRef":"r1","lang":"en","subject":"x"}`)
	if got := s.Stats().ItemsRepeated; got != 0 {
		t.Errorf("%d items counted as repeated, want 0", got)
	}
	put(t, s, `{"_clientRef":"r2","subject":"x","lang":"en","id":"a"}`)
	if got := s.Stats().ItemsRepeated; got != 1 {
		t.Errorf("%d items counted as repeated, want 1", got)
	}
}
