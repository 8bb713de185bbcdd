package kustomersim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	patience   = 20 * time.Second // for calls that should end by themselves
	impatience = 50 * time.Millisecond
)

// TestFaults: each fault as a real client sees it, and what the server did.
func TestFaults(t *testing.T) {
	type want struct {
		status   int  // as the client sees it; 0: no reply
		broken   bool // error, or a body that breaks off
		body     string
		accepted int64
		lost     int64
	}
	tests := []struct {
		name  string
		fault Fault
		want  want
	}{
		{"json", Fault{Kind: FaultStatus, Status: 500, Body: "json"}, want{status: 500, body: `"status":500`}},
		{"html", Fault{Kind: FaultStatus, Status: 502, Body: "html"}, want{status: 502, body: "cloudfront"}},
		{"empty", Fault{Kind: FaultStatus, Status: 503}, want{status: 503}},
		{"conflict", Fault{Kind: FaultStatus, Status: 409, Body: "json"}, want{status: 409, body: "conflict"}},
		{"after accepting", Fault{Kind: FaultStatus, Status: 504, Accept: AcceptFirst}, want{status: 504, accepted: 1, lost: 1}},
		{"refuse", Fault{Kind: FaultRefuse}, want{broken: true}},
		{"cut before", Fault{Kind: FaultCutBefore}, want{broken: true}},
		{"cut after", Fault{Kind: FaultCutAfter}, want{broken: true, accepted: 1, lost: 1}},
		{"cut body", Fault{Kind: FaultCutBody}, want{status: 200, broken: true, body: `{"data":{"type":"bulk"`, accepted: 1, lost: 1}},
		{"slow", Fault{Kind: FaultSlow, Delay: ms}, want{status: 200, body: "queued", accepted: 1}},
		{"slow, accepted first", Fault{Kind: FaultSlow, Delay: ms, Accept: AcceptFirst}, want{status: 200, body: "queued", accepted: 1}},
		{"slow, accepted late", Fault{Kind: FaultSlow, Delay: ms, Accept: AcceptLate}, want{status: 200, body: "queued", accepted: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.fault.On, tt.fault.Share = "put", 1
			s := start(t, Options{Script: &Script{Faults: []Fault{tt.fault}}})
			status, _, body, err := send(t, listen(t, s), patience, "PUT", putPath, "["+subject("a", "x")+"]")
			if status != tt.want.status || (err != nil) != tt.want.broken || !strings.Contains(body, tt.want.body) {
				t.Errorf("client saw %d, %v, %q; want %+v", status, err, body, tt.want)
			}
			st := s.Stats()
			if st.OperationsAccepted != tt.want.accepted || st.RepliesLost != tt.want.lost {
				t.Errorf("accepted %d, lost %d; want %+v", st.OperationsAccepted, st.RepliesLost, tt.want)
			}
			if diff := cmp.Diff(map[FaultKind]int64{tt.fault.Kind: 1}, st.Faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSlowerThanTheClient: who leaves early may have been accepted, or not.
func TestSlowerThanTheClient(t *testing.T) {
	for accept, want := range map[Accept]struct{ accepted, lost int64 }{
		AcceptNo:    {0, 0},
		AcceptFirst: {1, 1},
		AcceptLate:  {1, 1},
	} {
		t.Run("accept "+string(accept), func(t *testing.T) {
			delay := 10 * impatience
			if accept != AcceptLate {
				delay = time.Hour // ends with the client, not with time
			}
			s := start(t, Options{Script: &Script{Faults: []Fault{
				{Kind: FaultSlow, Share: 1, Delay: Duration(delay), Accept: accept},
			}}})
			web := listen(t, s)
			status, _, _, err := send(t, web, impatience, "PUT", putPath, "["+subject("a", "x")+"]")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("client saw %d, %v; want its own time-out", status, err)
			}
			if accept == AcceptLate && s.Stats().OperationsAccepted != 0 {
				t.Error("accepted before the delay was over")
			}
			web.Close() // returns when the handler has
			if st := s.Stats(); st.OperationsAccepted != want.accepted || st.RepliesLost != want.lost || st.PutStatus[0] != 1 {
				t.Errorf("accepted %d, lost %d, statuses %v; want %+v", st.OperationsAccepted, st.RepliesLost, st.PutStatus, want)
			}
		})
	}
}

// TestFaultsOnGet: faults meet reads too, and leave the operation alone.
func TestFaultsOnGet(t *testing.T) {
	for kind, broken := range map[FaultKind]bool{FaultCutAfter: true, FaultCutBody: true, FaultCutBefore: true, FaultStatus: false} {
		s := start(t, Options{Script: &Script{Faults: []Fault{{Kind: kind, On: "get", Share: 1, Status: 500, Count: 1}}}})
		web := listen(t, s)
		id := put(t, s, subject("a", "x"))
		status, _, _, err := send(t, web, patience, "GET", bulkPrefix+id, "")
		if (err != nil) != broken || !broken && status != 500 {
			t.Errorf("%s: client saw %d, %v", kind, status, err)
		}
		if status, _, _, err := send(t, web, patience, "GET", bulkPrefix+id, ""); status != 200 || err != nil {
			t.Errorf("%s: then %d, %v", kind, status, err)
		}
		if st := s.Stats(); st.RepliesLost != 0 {
			t.Errorf("%s: %d replies to PUTs lost", kind, st.RepliesLost)
		}
	}
}

// TestBreachBeforeFault: a request that cannot be accepted is refused even
// where a fault would have struck after acceptance.
func TestBreachBeforeFault(t *testing.T) {
	for _, f := range []Fault{
		{Kind: FaultCutAfter}, {Kind: FaultCutBody}, {Kind: FaultStatus, Status: 500, Accept: AcceptFirst},
	} {
		f.Share = 1
		s := start(t, Options{Script: &Script{Faults: []Fault{f}}})
		if status, _, _, err := send(t, listen(t, s), patience, "PUT", putPath, `[{}]`); status != 400 || err != nil {
			t.Errorf("%s: client saw %d, %v; want 400", f.Kind, status, err)
		}
		if st := s.Stats(); st.RepliesLost != 0 {
			t.Errorf("%s: counted a lost reply to a refused PUT", f.Kind)
		}
	}
}

// TestCutWithoutConnection: where nothing can be hijacked the call aborts in
// the way net/http knows.
func TestCutWithoutConnection(t *testing.T) {
	s := start(t, Options{Script: &Script{Faults: []Fault{{Kind: FaultCutAfter, Share: 1}}}})
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("panicked with %v, want http.ErrAbortHandler", got)
		}
		if got := s.Stats().OperationsAccepted; got != 1 {
			t.Errorf("accepted %d operations, want 1", got)
		}
	}()
	do(s, "PUT", putPath, "["+subject("a", "x")+"]")
}

// TestStrikes: share, skip, count, window and method decide which calls fail.
func TestStrikes(t *testing.T) {
	bubble(t, Options{Script: &Script{Faults: []Fault{
		{Kind: FaultStatus, On: "put", Status: 501, Share: 1, Skip: 1, Count: 2},
		{Kind: FaultStatus, On: "get", Status: 502, Share: 1, Window: Window{From: 1000 * ms, For: 1000 * ms}},
		{Kind: FaultStatus, Status: 503, Share: 1, Window: Window{From: 3000 * ms}},
	}}}, func(t *testing.T, s *Server) {
		var got []int
		for range 4 {
			got = append(got, do(s, "PUT", putPath, `[{"id":"a"}]`).Code)
		}
		for range 4 {
			got = append(got, do(s, "GET", bulkPrefix+hex24, "").Code)
			pass(999 * ms)
		}
		pass(4 * ms)
		got = append(got, do(s, "GET", bulkPrefix+hex24, "").Code, do(s, "PUT", putPath, `[]`).Code)
		want := []int{200, 501, 501, 200, 404, 404, 502, 404, 503, 503}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
	})
}

// TestShare: a share strikes about that often.
func TestShare(t *testing.T) {
	s := start(t, Options{Seed: 3, Script: &Script{Faults: []Fault{{Kind: FaultStatus, Status: 503, Share: 0.1}}}})
	for range 2000 {
		do(s, "GET", bulkPrefix+hex24, "")
	}
	if got := s.Stats().GetStatus[503]; got < 150 || got > 250 {
		t.Errorf("%d of 2000 calls failed, want about 200", got)
	}
}

func TestRefusing(t *testing.T) {
	bubble(t, Options{Script: &Script{Faults: []Fault{
		{Kind: FaultRefuse, Share: 1, Window: Window{From: 1000 * ms, For: 1000 * ms}},
	}}}, func(t *testing.T, s *Server) {
		for i, want := range []bool{false, true, false} {
			if got := s.Refusing(); got != want {
				t.Errorf("after %d s: refusing is %t, want %t", i, got, want)
			}
			pass(1000 * ms)
		}
	})
}

func TestLatency(t *testing.T) {
	bubble(t, Options{Script: &Script{Latency: Latency{Base: 100 * ms, Jitter: 50 * ms}}}, func(t *testing.T, s *Server) {
		seen := map[time.Duration]bool{}
		for range 20 {
			begin := time.Now()
			do(s, "GET", bulkPrefix+hex24, "")
			took := time.Since(begin)
			if took < 100*time.Millisecond || took >= 150*time.Millisecond {
				t.Errorf("a call took %v, want 100 to 150 ms", took)
			}
			seen[took] = true
		}
		if len(seen) < 10 {
			t.Errorf("20 calls took only %d different times", len(seen))
		}
	})
}

func TestDeny(t *testing.T) {
	tests := []struct {
		deny     Denial
		put, get int
		text     string
	}{
		{DenyKey, 401, 401, "unauthorized"},
		{DenyRegion, 401, 401, "pod prod2"},
		{DenyWrite, 403, 404, "forbidden"},
		{DenyRead, 200, 403, "queued"},
	}
	for _, tt := range tests {
		s := start(t, Options{Script: &Script{Deny: tt.deny}})
		p, g := do(s, "PUT", putPath, `[{"id":"a"}]`), do(s, "GET", bulkPrefix+hex24, "")
		if p.Code != tt.put || g.Code != tt.get || !strings.Contains(p.Body.String(), tt.text) {
			t.Errorf("deny %s: PUT %d, GET %d, %s; want %+v", tt.deny, p.Code, g.Code, p.Body, tt)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	s := start(t, Options{Script: &Script{Quota: Quota{PerMinute: 10}, Faults: []Fault{
		{Kind: FaultStatus, Status: 429, Body: "json", Share: 1, RetryAfter: "7"},
	}}})
	h := do(s, "PUT", putPath, `[]`).Header()
	if h.Get("Retry-After") != "7" || h.Get("X-Ratelimit-Remaining") != "0" || h.Get("X-Ratelimit-Reset") == "" {
		t.Errorf("headers %v", h)
	}
}

func TestValidate(t *testing.T) {
	good := Fault{Kind: FaultCutAfter, Share: 0.5}
	change := func(f func(*Fault)) Script {
		fault := good
		f(&fault)
		return Script{Faults: []Fault{good, fault}}
	}
	poisons := func(p Poison) Script {
		return Script{Poison: []Poison{{IDs: []string{"a"}, Item: true}, p}}
	}
	tests := []struct {
		script Script
		want   string // in the error; empty: valid
	}{
		{Script{}, ""},
		{DefaultScript(), ""},
		{change(func(*Fault) {}), ""},
		{change(func(f *Fault) { f.Share = 0 }), "faults[1]: share is 0"},
		{change(func(f *Fault) { f.Share = 1.1 }), "share is 1.1"},
		{change(func(f *Fault) { f.On = "post" }), `on is "post"`},
		{change(func(f *Fault) { f.Kind = "boom" }), `kind is "boom"`},
		{change(func(f *Fault) { f.Kind = FaultStatus }), "status is 0"},
		{change(func(f *Fault) { f.Kind, f.Status, f.Body = FaultStatus, 500, "xml" }), `body is "xml"`},
		{change(func(f *Fault) { f.Kind = FaultSlow }), "needs a delay"},
		{change(func(f *Fault) { f.Accept = AcceptFirst }), `accept "first" does not go with kind cut_after`},
		{change(func(f *Fault) { f.Kind, f.Status, f.Accept = FaultStatus, 500, AcceptLate }), `accept "late"`},
		{Script{ItemFailures: -0.1}, "itemFailures is -0.1"},
		{Script{FirstRunning: 0.6, FirstComplete: 0.6}, "firstRunning + firstComplete is 1.2"},
		{Script{NeverEnd: 2}, "neverEnd is 2"},
		{Script{MissingResults: 2}, "missingResults is 2"},
		{Script{Vanish: Vanish{Share: 2}}, "vanish.share is 2"},
		{Script{Deny: "all"}, `deny is "all"`},
		{Script{Batches: "round"}, `batches is "round"`},
		{Script{PutStatus: 404}, "putStatus is 404"},
		{Script{Audit: "log"}, `audit is "log"`},
		{Script{Quota: Quota{ForeignBurst: -1}}, "quota: a number of calls"},
		{Script{Quota: Quota{RetryAfter: "soon"}}, `quota: retryAfter is "soon"`},
		{Script{Poison: MarkedPoison()}, ""},
		{poisons(Poison{Status: 400}), "poison[1]: it has neither ids nor a marker"},
		{poisons(Poison{Marker: "x"}), "either a status or item"},
		{poisons(Poison{Marker: "x", Status: 400, Item: true}), "either a status or item"},
		{poisons(Poison{Marker: "x", Status: 302}), "status is 302"},
		{poisons(Poison{Marker: "x", Status: 600}), "status is 600"},
		{poisons(Poison{Marker: "x", Status: 422, Accept: true}), "accept needs"},
		{poisons(Poison{Marker: "x", Item: true, Accept: true}), "accept needs"},
		{poisons(Poison{Marker: "x", Status: 502, Accept: true}), ""},
		{poisons(Poison{Marker: "x", Item: true, Hint: HintID}), "hint does not go with item"},
		{poisons(Poison{Marker: "x", Status: 400, Hint: "index"}), `hint is "index"`},
		{poisons(Poison{Marker: "x", Status: 400, Count: -1}), "count is -1"},
	}
	for _, tt := range tests {
		err := tt.script.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("Validate: %v, want %q", err, tt.want)
		}
	}
}

// TestClientBreaksOff: half a body accepts nothing and is nobody's breach.
func TestClientBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Options{})
		r := newRequest("PUT", putPath, "")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`[{"id":"a"}`), brokenReader{}))
		s.ServeHTTP(httptest.NewRecorder(), r)
		if st := s.Stats(); st.OperationsAccepted != 0 || len(st.Breaches) != 0 || st.PutStatus[0] != 1 {
			t.Errorf("accepted %d, breaches %v, statuses %v", st.OperationsAccepted, st.Breaches, st.PutStatus)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
