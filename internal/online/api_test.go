package online_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
	"kafka-kustomer/sink"
)

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

func TestAPI(t *testing.T) {
	const (
		address = "api address"
		key     = "api key"
		region  = "api region"
		read    = "api role to read operations"
		write   = "api role to write messages"
		quota   = "api quota"
		clock   = "clock against the api"
	)
	quotaOf := func(n int) kustomersim.Quota { return kustomersim.Quota{PerMinute: n} }
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("<html>no such page</html>"))
	}
	for _, tc := range []struct {
		name   string
		script kustomersim.Script
		edit   func(*testing.T, *world)
		check  string
		status online.Status
		words  string
		also   []string
	}{
		{"key and roles", kustomersim.Script{Quota: quotaOf(500)}, nil, key, online.OK, "accepted", nil},
		{"region", kustomersim.Script{}, nil, region, online.OK, "prod1", nil},
		{"reading is likely", kustomersim.Script{}, nil, read, online.OK, "that Kustomer looks at the role before it looks for the operation", nil},
		{"quota", kustomersim.Script{Quota: quotaOf(500)}, nil, quota, online.OK, "500 requests a minute, of which 498", nil},
		{"wrong key", kustomersim.Script{Key: "another"}, nil, key, online.Failed, "HTTP 401", nil},
		{"revoked key", kustomersim.Script{Deny: kustomersim.DenyKey}, nil, key, online.Failed, "HTTP 401", nil},
		{"another region", kustomersim.Script{Deny: kustomersim.DenyRegion}, nil, region, online.Failed, "another region", []string{key}},
		{"no role to read", kustomersim.Script{Deny: kustomersim.DenyRead}, nil, read, online.Failed, "org.permission.bulk.read", nil},
		{"no role to write", kustomersim.Script{Deny: kustomersim.DenyWrite}, nil, write, online.Failed, "org.permission.message.update", nil},
		{"quota used up", kustomersim.Script{Quota: quotaOf(1)}, nil, quota, online.Warning, "used up (429)", nil},
		{"no quota headers", kustomersim.Script{Quota: kustomersim.Quota{PerMinute: 500, NoHeaders: true}}, nil, quota, online.Warning, "set kustomer.requests_per_minute", nil},
		{"more than the quota", kustomersim.Script{Quota: quotaOf(500)}, func(_ *testing.T, w *world) { w.cfg.RequestsPerMinute = 501 }, quota, online.Warning, "more than that", nil},
		{"the clock is right", kustomersim.Script{}, nil, clock, online.OK, "within", nil},
		{"the clock is ahead", kustomersim.Script{Clock: kustomersim.Duration(-10 * time.Second)}, nil, clock, online.Warning, "ahead of Kustomer's", nil},
		{"the clock is behind", kustomersim.Script{Clock: kustomersim.Duration(10 * time.Second)}, nil, clock, online.Warning, "behind Kustomer's", nil},
		{"the clock is far off", kustomersim.Script{Clock: kustomersim.Duration(45 * time.Second)}, nil, clock, online.Failed, "lease", nil},
		{"nobody there", kustomersim.Script{}, func(t *testing.T, w *world) { w.api(t, "http://127.0.0.1:1", apiKey, nil) }, address, online.Failed, "refused", nil},
		{"no such host", kustomersim.Script{}, func(t *testing.T, w *world) { w.api(t, "https://acme.api.kustomer.invalid", apiKey, nil) }, address, online.Failed, "check the network", nil},
		{"a web server", kustomersim.Script{}, func(t *testing.T, w *world) { w.api(t, serve(t, html), apiKey, nil) }, address, online.Failed, "not in the words of Kustomer's API", nil},
		{"wrong path", kustomersim.Script{}, func(t *testing.T, w *world) { w.api(t, w.cfg.BaseURL+"/api", apiKey, nil) }, key, online.Failed, "kustomer.base_url", nil},
		{"a redirect", kustomersim.Script{}, func(t *testing.T, w *world) {
			w.api(t, serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }), apiKey, nil)
		}, address, online.Failed, "redirects are not followed", nil},
		{"down", kustomersim.Script{}, func(t *testing.T, w *world) {
			w.api(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }), apiKey, nil)
		}, address, online.Failed, "HTTP 502", nil},
		{"silent", kustomersim.Script{}, func(t *testing.T, w *world) {
			url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			w.api(t, url, apiKey, func(c *sink.Config) { c.Timeout = 200 * time.Millisecond })
		}, address, online.Failed, "no whole reply within 200ms", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fullRights(), allTopics, tc.script)
			if tc.edit != nil {
				tc.edit(t, w)
			}
			must(t, w.check(t), tc.check, tc.status, tc.words, tc.also...)
			w.untouched(t)
		})
	}
}

// untouched sees that nothing was accepted by the simulator, and how few calls it took.
func (w *world) untouched(t *testing.T) {
	t.Helper()
	s := w.sim.Stats()
	if s.OperationsAccepted != 0 || s.ItemsAccepted != 0 {
		t.Errorf("the checks wrote something: %d operations accepted with %d items", s.OperationsAccepted, s.ItemsAccepted)
	}
	if s.Puts > 1 || s.Gets > 2 {
		t.Errorf("%d PUTs and %d GETs, want at most 1 and 2", s.Puts, s.Gets)
	}
}

// An API that lets anybody in proves nothing of the key.
func TestKeyIsNotProvenByAnAPIThatAsksForNone(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	w.api(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		status, code := http.StatusNotFound, "notfound"
		if r.Method == http.MethodPut {
			status, code = http.StatusBadRequest, "badparam"
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"errors":[{"code":"` + code + `","title":"no"}]}`))
	}), apiKey, nil)
	must(t, w.check(t), "api key", online.OK, "without any key the API answers HTTP 404 rather than 401")
}

func TestSkippedAfterAnAddressThatIsWrong(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	w.api(t, "http://127.0.0.1:1", apiKey, nil)
	for name, c := range w.check(t) {
		if strings.HasPrefix(name, "api ") && name != "api address" && c.Status != online.Skipped {
			t.Errorf("%s is %s: %s", name, c.Status, c.Found)
		}
	}
}
