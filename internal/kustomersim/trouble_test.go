package kustomersim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestNeverEnd(t *testing.T) {
	bubble(t, Options{Workers: 1, Script: &Script{NeverEnd: 1}}, func(t *testing.T, s *Server) {
		id := put(t, s, subject("a", "1"))
		if err := s.SetScript(Script{}); err != nil {
			t.Fatal(err)
		}
		put(t, s, subject("b", "1")) // the only worker is still free
		pass(3_600_000 * ms)
		if got := readOp(t, s, id); got.Status != "running" {
			t.Errorf("after an hour: %+v", got)
		}
		if st := s.Stats(); st.OperationsOpen != 1 || st.OperationsCompleted != 1 {
			t.Errorf("open %d, completed %d; want 1, 1", st.OperationsOpen, st.OperationsCompleted)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Quiesce(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Quiesce: %v, want a missed deadline", err)
		}
	})
}

func TestVanish(t *testing.T) {
	for _, applied := range []bool{false, true} {
		script := Script{Vanish: Vanish{Share: 1, After: 1000 * ms, Apply: applied, Delay: 5000 * ms}}
		bubble(t, Options{Script: &script}, func(t *testing.T, s *Server) {
			id := put(t, s, subject("a", "1"))
			if got := readOp(t, s, id); got.Status != "queued" {
				t.Errorf("before: %+v", got)
			}
			pass(1000 * ms)
			for _, path := range []string{id, id + "/batches"} {
				if w := do(s, "GET", bulkPrefix+path, ""); w.Code != 404 {
					t.Errorf("vanished, %s answers %d", path, w.Code)
				}
			}
			if fields(t, s, "a") != nil {
				t.Error("written too soon")
			}
			pass(4000 * ms)
			if got := fields(t, s, "a") != nil; got != applied {
				t.Errorf("written is %t, want %t", got, applied)
			}
			if st := s.Stats(); st.OperationsOpen != 0 || (st.OperationsDropped == 1) == applied {
				t.Errorf("apply %t: open %d, dropped %d", applied, st.OperationsOpen, st.OperationsDropped)
			}
		})
	}
}

func TestStall(t *testing.T) {
	script := Script{Stalls: []Window{{From: 0, For: 1000 * ms}, {From: 2000 * ms}}}
	bubble(t, Options{Script: &script}, func(t *testing.T, s *Server) {
		id := put(t, s, subject("a", "1"))
		pass(999 * ms)
		if got := readOp(t, s, id); got.Status != "queued" {
			t.Errorf("stalled: %+v", got)
		}
		pass(1 * ms)
		if got := readOp(t, s, id); !got.Completed {
			t.Errorf("after the stall: %+v", got)
		}
		pass(1000 * ms)
		id = put(t, s, subject("a", "2"))
		pass(3_600_000 * ms)
		if got := readOp(t, s, id); got.Completed {
			t.Errorf("endless stall: %+v", got)
		}
		if err := s.SetScript(Script{}); err != nil { // wakes the workers
			t.Fatal(err)
		}
		synctest.Wait()
		if got := readOp(t, s, id); !got.Completed {
			t.Errorf("stall lifted: %+v", got)
		}
	})
}

func TestRetention(t *testing.T) {
	bubble(t, Options{RetainFor: time.Minute, RetainMax: 2}, func(t *testing.T, s *Server) {
		status := func(id string) int { return do(s, "GET", bulkPrefix+id, "").Code }
		var ids []string
		for i := range 3 {
			ids = append(ids, put(t, s, subject(fmt.Sprint(i), "x")))
			synctest.Wait()
		}
		if got := []int{status(ids[0]), status(ids[1]), status(ids[2])}; !slices.Equal(got, []int{404, 200, 200}) {
			t.Errorf("three operations, two kept: %v", got)
		}
		pass(61_000 * ms)
		put(t, s, subject("next", "x"))
		synctest.Wait()
		if got := status(ids[2]); got != 404 {
			t.Errorf("after a minute: %d, want 404", got)
		}
	})
}
