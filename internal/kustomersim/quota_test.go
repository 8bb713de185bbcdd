package kustomersim

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestQuota: windows are fixed to the clock, a 429 says when the next begins.
func TestQuota(t *testing.T) {
	bubble(t, Options{Script: &Script{Quota: Quota{PerMinute: 3}}}, func(t *testing.T, s *Server) {
		pass(50_000 * ms) // the bubble begins on a whole minute
		var remaining []string
		for range 5 {
			w := do(s, "GET", bulkPrefix+hex24, "")
			remaining = append(remaining, w.Header().Get("X-Ratelimit-Remaining"))
			limited := w.Code == http.StatusTooManyRequests
			if reset := w.Header().Get("X-Ratelimit-Reset"); limited != (reset != "") {
				t.Errorf("status %d with reset %q", w.Code, reset)
			} else if want := time.Now().Add(10 * time.Second).Unix(); limited && reset != strconv.FormatInt(want, 10) {
				t.Errorf("reset %s, want %d", reset, want)
			}
		}
		if want := []string{"2", "1", "0", "0", "0"}; !slices.Equal(remaining, want) {
			t.Errorf("remaining %v, want %v", remaining, want)
		}
		pass(10_000 * ms)
		if w := do(s, "GET", bulkPrefix+hex24, ""); w.Code != 404 {
			t.Errorf("in the next window: %d", w.Code)
		}
		do(s, "GET", "/_sim/stats", "") // costs nothing
		if w := do(s, "PUT", putPath, `[]`); w.Header().Get("X-Ratelimit-Remaining") != "1" || w.Code != 400 {
			t.Errorf("a refused PUT: %d, %v", w.Code, w.Header())
		}
		if st := s.Stats(); st.RateLimited != 2 || st.CallsPerMinuteMax != 5 || st.Gets != 6 || st.Puts != 1 {
			t.Errorf("limited %d, max a minute %d, gets %d, puts %d; want 2, 5, 6, 1", st.RateLimited, st.CallsPerMinuteMax, st.Gets, st.Puts)
		}
	})
}

// TestForeign: another user's calls leave less, more of them as time goes by.
func TestForeign(t *testing.T) {
	bubble(t, Options{Script: &Script{Quota: Quota{PerMinute: 100, Foreign: 200}}}, func(t *testing.T, s *Server) {
		var got []string
		for range 4 {
			w := do(s, "GET", bulkPrefix+hex24, "")
			got = append(got, w.Header().Get("X-Ratelimit-Remaining")+" "+strconv.Itoa(w.Code))
			pass(12_000 * ms)
		}
		if want := []string{"99 404", "58 404", "17 404", "0 429"}; !slices.Equal(got, want) {
			t.Errorf("remaining and status %v, want %v", got, want)
		}
	})
}

func TestNoQuota(t *testing.T) {
	s := start(t, Options{})
	if h := do(s, "GET", bulkPrefix+hex24, "").Header(); h.Get("X-Ratelimit-Limit") != "" || h.Get("X-Ratelimit-Remaining") != "" {
		t.Errorf("quota headers without a quota: %v", h)
	}
}

// TestObjectLimit: one message over its limit refuses the request, and spends
// nothing of the others'.
func TestObjectLimit(t *testing.T) {
	bubble(t, Options{Script: &Script{Quota: Quota{PerMinute: 100, Object: 2}}}, func(t *testing.T, s *Server) {
		call := func(items string) (int, string) {
			w := do(s, "PUT", putPath, items)
			return w.Code, w.Header().Get("X-Ratelimit-Object-Remaining") + " of " + w.Header().Get("X-Ratelimit-Object-Limit")
		}
		for i, want := range []struct {
			items  string
			status int
			left   string
		}{
			{`[{"id":"a"}]`, 200, "1 of 2"},
			{`[{"id":"a"},{"id":"b"}]`, 200, "0 of 2"},
			{`[{"id":"a"},{"id":"b"}]`, 429, "0 of 2"},
			{`[{"id":"b"}]`, 200, "0 of 2"}, // the refused request spent nothing of b
			{`[{"id":"b"}]`, 429, "0 of 2"},
		} {
			if status, left := call(want.items); status != want.status || left != want.left {
				t.Errorf("call %d: %d, %s; want %d, %s", i, status, left, want.status, want.left)
			}
		}
		w := do(s, "PUT", putPath, `[{"id":"a"}]`)
		if w.Header().Get("X-Ratelimit-Remaining") == "0" || w.Header().Get("X-Ratelimit-Reset") == "" {
			t.Errorf("an object's 429 should leave org quota and name the reset: %v", w.Header())
		}
		if st := s.Stats(); st.ObjectLimited != 3 || st.ItemsAccepted != 4 || st.RateLimited != 0 {
			t.Errorf("object-limited %d, items %d, limited %d; want 3, 4, 0", st.ObjectLimited, st.ItemsAccepted, st.RateLimited)
		}
		pass(60_000 * ms)
		if status, _ := call(`[{"id":"a"}]`); status != 200 {
			t.Errorf("in the next window: %d", status)
		}
	})
}
