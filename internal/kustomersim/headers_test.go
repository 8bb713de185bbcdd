package kustomersim

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// limits are the headers of a reply that speak of limits and time.
type limits struct {
	status                            int
	remaining, reset, retryAfter, obj string
}

func limitsOf(s *Server, method, path, body string) limits {
	w := do(s, method, path, body)
	h := w.Header()
	return limits{w.Code, h.Get("X-Ratelimit-Remaining"), h.Get("X-Ratelimit-Reset"), h.Get("Retry-After"), h.Get("X-Ratelimit-Object-Remaining")}
}

// TestQuotaHeaders: what the options of the quota make of the headers of a good
// reply, of the org's 429 and of one message's 429. The bubble begins on a whole
// minute; the calls are 50.5 s later, so the reset is in 9.5 s.
func TestQuotaHeaders(t *testing.T) {
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	reset := strconv.FormatInt(begin.Add(time.Minute).Unix(), 10)
	ahead := strconv.FormatInt(begin.Add(6*time.Minute).Unix(), 10)
	tests := []struct {
		name             string
		quota            Quota
		clock            Duration
		good, org, other limits
	}{
		{
			"plain",
			Quota{},
			0,
			limits{200, "2", "", "", "0"},
			limits{429, "0", reset, "", ""},
			limits{429, "1", reset, "", "0"},
		},
		{
			"reset always",
			Quota{ResetAlways: true},
			0,
			limits{200, "2", reset, "", "0"},
			limits{429, "0", reset, "", ""},
			limits{429, "1", reset, "", "0"},
		},
		{
			"no headers",
			Quota{NoHeaders: true, ResetAlways: true},
			0,
			limits{status: 200},
			limits{status: 429},
			limits{status: 429},
		},
		{
			"seconds",
			Quota{RetryAfter: RetrySeconds},
			0,
			limits{200, "2", "", "", "0"},
			limits{429, "0", reset, "10", ""},
			limits{429, "1", reset, "10", "0"},
		},
		{
			"date only",
			Quota{RetryAfter: RetryDate, NoHeaders: true},
			0,
			limits{status: 200},
			limits{status: 429, retryAfter: "Sat, 01 Jan 2000 00:01:00 GMT"},
			limits{status: 429, retryAfter: "Sat, 01 Jan 2000 00:01:00 GMT"},
		},
		{
			"clock ahead",
			Quota{RetryAfter: RetryDate, ResetAlways: true},
			Duration(5 * time.Minute),
			limits{200, "2", ahead, "", "0"},
			limits{429, "0", ahead, "Sat, 01 Jan 2000 00:06:00 GMT", ""},
			limits{429, "1", ahead, "Sat, 01 Jan 2000 00:06:00 GMT", "0"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.quota.PerMinute, tt.quota.Object = 3, 1
			bubble(t, Options{Script: &Script{Quota: tt.quota, Clock: tt.clock}}, func(t *testing.T, s *Server) {
				pass(50_500 * ms)
				good := limitsOf(s, "PUT", putPath, `[{"id":"a"}]`)
				other := limitsOf(s, "PUT", putPath, `[{"id":"a"}]`)
				limitsOf(s, "GET", bulkPrefix+hex24, "")
				org := limitsOf(s, "GET", bulkPrefix+hex24, "")
				if good != tt.good || org != tt.org || other != tt.other {
					t.Errorf("good %+v\nwant %+v\norg's %+v\nwant  %+v\nobject's %+v\nwant     %+v", good, tt.good, org, tt.org, other, tt.other)
				}
			})
		})
	}
}

// TestClock: Date is off by the clock, ahead or behind, on every reply by the API.
func TestClock(t *testing.T) {
	for clock, want := range map[time.Duration]string{
		5 * time.Minute: "Sat, 01 Jan 2000 00:05:00 GMT",
		-time.Hour:      "Fri, 31 Dec 1999 23:00:00 GMT",
	} {
		bubble(t, Options{Script: &Script{Clock: Duration(clock)}}, func(t *testing.T, s *Server) {
			for _, path := range []string{bulkPrefix + hex24, "/nowhere"} {
				if got := do(s, "GET", path, "").Header().Get("Date"); got != want {
					t.Errorf("clock %v, %s: Date is %s, want %s", clock, path, got, want)
				}
			}
		})
	}
}

// TestForeignBurst: others take their calls as the window begins, and again in
// the next.
func TestForeignBurst(t *testing.T) {
	bubble(t, Options{Script: &Script{Quota: Quota{PerMinute: 100, ForeignBurst: 98, Foreign: 10}}}, func(t *testing.T, s *Server) {
		var got []limits
		for range 3 {
			got = append(got, limitsOf(s, "GET", bulkPrefix+hex24, ""))
			pass(6_000 * ms)
		}
		want := []string{"1", "0", "0"} // of the even ones one is made in 6 s
		for i, g := range got {
			if g.remaining != want[i] || (g.status == http.StatusTooManyRequests) != (i > 0) {
				t.Errorf("call %d: %+v, want %s left", i, g, want[i])
			}
		}
		pass(42_000 * ms)
		if g := limitsOf(s, "GET", bulkPrefix+hex24, ""); g.remaining != "1" || g.status != 404 {
			t.Errorf("in the next window: %+v", g)
		}
	})
}

// TestStormOf429: a script's 429s look like the org's limit, for as long as the
// window is open, and not like one object's.
func TestStormOf429(t *testing.T) {
	storm := Fault{Kind: FaultStatus, Status: 429, Body: "json", Share: 1, Window: Window{From: 1000 * ms, For: 1000 * ms}}
	bubble(t, Options{Script: &Script{Quota: Quota{PerMinute: 10, Object: 5}, Faults: []Fault{storm}}}, func(t *testing.T, s *Server) {
		reset := strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10)
		for i, want := range []limits{
			{200, "9", "", "", "4"},
			{429, "0", reset, "", ""},
			{200, "7", "", "", "3"},
		} {
			if got := limitsOf(s, "PUT", putPath, `[{"id":"a"}]`); got != want {
				t.Errorf("second %d: %+v, want %+v", i, got, want)
			}
			pass(1000 * ms)
		}
	})
}
