package kustomersim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bubble runs a test with a server in simulated time.
func bubble(t *testing.T, opts Options, test func(t *testing.T, s *Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, start(t, opts)) })
}

func pass(d Duration) {
	time.Sleep(time.Duration(d))
	synctest.Wait()
}

func TestOperationLife(t *testing.T) {
	bubble(t, Options{Workers: 1, InOrder: true, Script: &Script{Run: Run{Base: 100 * ms}}}, func(t *testing.T, s *Server) {
		first := put(t, s, subject("a", "1"))
		synctest.Wait() // the worker has taken it
		second := put(t, s, subject("b", "2"))
		check := func(id string, want opState) {
			t.Helper()
			if got := readOp(t, s, id); got != want {
				t.Errorf("operation is %+v, want %+v", got, want)
			}
		}
		check(first, opState{Status: "running"})
		check(second, opState{Status: "queued"})
		if got := fields(t, s, "a"); got != nil {
			t.Errorf("written before the operation ended: %v", got)
		}
		pass(100 * ms)
		check(first, opState{Status: "complete", Completed: true})
		check(second, opState{Status: "running"})
		if diff := cmp.Diff(map[string]string{"subject": `"1"`}, fields(t, s, "a")); diff != "" {
			t.Error(diff)
		}
		pass(100 * ms)
		check(second, opState{Status: "complete", Completed: true})
	})
}

// finishOrder accepts n operations at once and returns the order in which one
// worker ran them.
func finishOrder(t *testing.T, opts Options, n int) (order []int) {
	opts.Workers, opts.Script = 1, &Script{Run: Run{Base: 10 * ms}}
	bubble(t, opts, func(t *testing.T, s *Server) {
		put(t, s, subject("first", "x")) // holds the worker until all others wait
		synctest.Wait()
		ids := make([]string, n)
		for i := range ids {
			ids[i] = put(t, s, subject(fmt.Sprint(i), "x"))
		}
		pass(10 * ms)
		done := map[int]bool{}
		for range n {
			pass(10 * ms)
			for i, id := range ids {
				if readOp(t, s, id).Completed && !done[i] {
					done[i] = true
					order = append(order, i)
				}
			}
		}
		overtaken := int64(0)
		for i, n := range order {
			if slices.ContainsFunc(order[:i], func(before int) bool { return before > n }) {
				overtaken++
			}
		}
		if got := s.Stats().OperationsOvertaken; got != overtaken {
			t.Errorf("%d operations overtaken in %v, want %d", got, order, overtaken)
		}
	})
	if len(order) != n {
		t.Fatalf("%d of %d operations finished", len(order), n)
	}
	return order
}

func TestOrder(t *testing.T) {
	accepted := finishOrder(t, Options{InOrder: true}, 8)
	if !slices.IsSorted(accepted) {
		t.Errorf("in order: ran as %v", accepted)
	}
	one, again, two := finishOrder(t, Options{Seed: 1}, 8), finishOrder(t, Options{Seed: 1}, 8), finishOrder(t, Options{Seed: 2}, 8)
	if slices.IsSorted(one) {
		t.Errorf("random order: ran as accepted, %v", one)
	}
	if !slices.Equal(one, again) {
		t.Errorf("the same seed ran as %v and as %v", one, again)
	}
	if slices.Equal(one, two) {
		t.Errorf("two seeds ran alike: %v", one)
	}
}

// TestSeed: calls made one after the other meet the same fate each time.
func TestSeed(t *testing.T) {
	run := func(seed uint64) (out string) {
		script := DefaultScript()
		script.FirstRunning, script.FirstComplete, script.NeverEnd, script.MissingResults = 0.2, 0.2, 0.1, 0.3
		script.Faults = []Fault{{Kind: FaultStatus, Status: 503, Share: 0.3}}
		script.ItemFailures = 0.2
		bubble(t, Options{Seed: seed, Workers: 1, Script: &script}, func(t *testing.T, s *Server) {
			var ids []string
			for i := range 30 {
				w := do(s, "PUT", putPath, "["+subject(fmt.Sprint("a", i), "x")+","+subject(fmt.Sprint("b", i), "y")+"]")
				synctest.Wait() // when a worker looks is part of the fate
				out += fmt.Sprintln(w.Code, w.Body)
				if id := idPattern.FindString(w.Body.String()); w.Code == 200 {
					ids = append(ids, id)
				}
			}
			pass(60_000 * ms)
			for _, id := range ids {
				out += do(s, "GET", bulkPrefix+id+"/batches", "").Body.String()
			}
		})
		return out
	}
	one := run(7)
	if again := run(7); one != again {
		t.Errorf("one seed, two runs:\n%s", cmp.Diff(one, again))
	}
	if two := run(8); one == two {
		t.Error("two seeds gave the same run")
	}
}

func TestSpread(t *testing.T) {
	bubble(t, Options{Spread: true, BatchItems: 2, Script: &Script{Run: Run{Base: 400 * ms}}}, func(t *testing.T, s *Server) {
		id := put(t, s, subject("a", "1"), subject("b", "1"), subject("c", "1"), subject("d", "1"))
		pass(250 * ms)
		got := readBatches(t, s, id, "")
		want := batchesState{Refs: []string{"r-a", "r-b"}, Statuses: []string{"complete", "scheduled"}, Pages: 1, Count: 2}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("half-way (-want +got):\n%s", diff)
		}
		if fields(t, s, "b") == nil || fields(t, s, "c") != nil {
			t.Error("half-way, b should be written and c not")
		}
		pass(150 * ms)
		if got := readBatches(t, s, id, ""); len(got.Refs) != 4 {
			t.Errorf("at the end: %+v", got)
		}
	})
}

// batchesState is what a client reads of batches.
type batchesState struct {
	Refs, Statuses []string
	Pages, Count   int
}

func readBatches(t *testing.T, s *Server, id, query string) (out batchesState) {
	t.Helper()
	var reply struct {
		Data []struct {
			Attributes struct {
				Status  string
				Results []struct {
					Ref string `json:"_clientRef"`
				}
			}
		}
		Meta struct{ Pages, Count int }
	}
	w := do(s, "GET", bulkPrefix+id+"/batches"+query, "")
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d, %v in %s", w.Code, err, w.Body)
	}
	for _, d := range reply.Data {
		out.Statuses = append(out.Statuses, d.Attributes.Status)
		for _, r := range d.Attributes.Results {
			out.Refs = append(out.Refs, r.Ref)
		}
	}
	out.Pages, out.Count = reply.Meta.Pages, reply.Meta.Count
	return out
}

func TestPaging(t *testing.T) {
	s := start(t, Options{BatchItems: 2})
	id := put(t, s, subject("a", "1"), subject("b", "1"), subject("c", "1"), subject("d", "1"), subject("e", "1"))
	quiesce(t, s)
	tests := []struct {
		query string
		refs  []string
		pages int
	}{
		{"", []string{"r-a", "r-b", "r-c", "r-d", "r-e"}, 1},
		{"?page=1&pageSize=2", []string{"r-a", "r-b", "r-c", "r-d"}, 2},
		{"?pageSize=2&page=2", []string{"r-e"}, 2},
		{"?page=3&pageSize=2", nil, 2},
		{"?page=2&pageSize=1", []string{"r-c", "r-d"}, 3},
	}
	for _, tt := range tests {
		got := readBatches(t, s, id, tt.query)
		if !slices.Equal(got.Refs, tt.refs) || got.Pages != tt.pages || got.Count != 3 {
			t.Errorf("%q: %+v, want %v on %d pages of 3 batches", tt.query, got, tt.refs, tt.pages)
		}
	}
}

func TestFirstReply(t *testing.T) {
	for want, script := range map[string]Script{
		"queued":   {},
		"running":  {FirstRunning: 1},
		"complete": {FirstComplete: 1},
	} {
		script.Run.Base = 100 * ms
		bubble(t, Options{Script: &script}, func(t *testing.T, s *Server) {
			w := do(s, "PUT", putPath, "["+subject("a", "1")+"]")
			var reply struct{ Data struct{ Attributes opState } }
			if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || reply.Data.Attributes.Status != want {
				t.Errorf("first reply, %v: %s; want %s", err, w.Body, want)
			}
			if written := fields(t, s, "a") != nil; written != (want == "complete") {
				t.Errorf("%s: written is %t", want, written)
			}
			pass(100 * ms)
			if st := s.Stats(); st.OperationsCompleted != 1 || st.ItemsApplied != 1 {
				t.Errorf("%s: completed %d, applied %d; want 1, 1", want, st.OperationsCompleted, st.ItemsApplied)
			}
		})
	}
}

func TestItemFailures(t *testing.T) {
	script := Script{ItemFailures: 1, FailIDs: []string{"listed"}}
	s := start(t, Options{Script: &script, FailID: func(id string) bool { return id == "named" }})
	id := put(t, s, subject("listed", "x"), subject("named", "x"), subject("other", "x"))
	quiesce(t, s)
	got := do(s, "GET", bulkPrefix+id+"/batches", "").Body.String()
	for _, want := range []string{
		`{"_clientRef":"r-listed","status":"error","error":"not found"}`,
		`{"_clientRef":"r-named","status":"error","error":"not found"}`,
		`{"_clientRef":"r-other","status":"error","error":"internal error"}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if st := s.Stats(); st.ItemsFailed != 3 || st.ItemsApplied != 0 || fields(t, s, "other") != nil {
		t.Errorf("failed %d, applied %d; want 3, 0", st.ItemsFailed, st.ItemsApplied)
	}
	if !readOp(t, s, id).Errors {
		t.Error("the operation says nothing of errors")
	}
}

// TestMissingResults: over many operations, the item without result is once
// written and once not, and never counted as failed.
func TestMissingResults(t *testing.T) {
	s := start(t, Options{Script: &Script{MissingResults: 1}})
	var written, unwritten int
	for i := range 40 {
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		id := put(t, s, subject(a, "x"), subject(b, "x"))
		quiesce(t, s)
		refs := readBatches(t, s, id, "").Refs
		if len(refs) != 1 {
			t.Fatalf("results for %v, want one of two", refs)
		}
		missing := a
		if refs[0] == "r-"+a {
			missing = b
		}
		if fields(t, s, missing) != nil {
			written++
		} else {
			unwritten++
		}
	}
	if written == 0 || unwritten == 0 {
		t.Errorf("written %d, unwritten %d: want some of both", written, unwritten)
	}
	if got := s.Stats().ItemsFailed; got != 0 {
		t.Errorf("%d items failed", got)
	}
}

// TestClose: everything that waits ends, and nothing more is taken.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := Script{
			Run:    Run{Base: 3_600_000 * ms},
			Vanish: Vanish{Share: 0.5, Apply: true, Delay: 3_600_000 * ms},
			Faults: []Fault{{Kind: FaultSlow, On: "get", Share: 1, Delay: 3_600_000 * ms}},
		}
		s := New(Options{Script: &script})
		for i := range 10 {
			put(t, s, subject(fmt.Sprint(i), "x"))
		}
		go do(s, "GET", bulkPrefix+hex24, "")
		quiet := make(chan error)
		go func() { quiet <- s.Quiesce(context.Background()) }()
		synctest.Wait()
		begin := time.Now()
		s.Close()
		s.Close()
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("Close took %v", waited)
		}
		if err := <-quiet; err == nil {
			t.Error("Quiesce reported quiet with ten operations open")
		}
		if w := do(s, "PUT", putPath, "[]"); w.Code != http.StatusServiceUnavailable {
			t.Errorf("after Close: %d", w.Code)
		}
	})
}
