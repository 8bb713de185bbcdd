package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/schemas/registry"
)

func TestRegistryState(t *testing.T) {
	since := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	state := registry.State{URL: "https://r", Since: since, Err: registry.ErrClosed, Schemas: 3, Unknown: 2}
	for _, tt := range []struct {
		name     string
		problems []registry.Problem
		want     admin.Schemas
	}{
		{"nobody asks any more", nil, admin.Schemas{Known: 3, Unknown: 2}},
		{
			"it refuses us",
			[]registry.Problem{{URL: "https://r", Text: "refused our user or password", Check: "check it", Since: since, Person: true}},
			admin.Schemas{Known: 3, Unknown: 2, FailingSince: since, Problems: []admin.Problem{
				{Partition: -1, Text: "https://r: refused our user or password", Check: "check it", Since: since, Person: true},
			}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, registryState(state, tt.problems)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// framed is a value that names its schema.
func framed(id byte, json string) string { return "\x00\x00\x00\x00" + string(id) + json }

// A registry that fails holds up the partition whose record needs it, is named on
// every page, and is forgotten once it answers.
func TestRegistryThatFails(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusUnauthorized)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch code := int(status.Load()); {
		case code != http.StatusOK:
			w.WriteHeader(code)
		case strings.HasPrefix(r.URL.Path, "/schemas/ids/7"):
			_, _ = io.WriteString(w, `{"schema":"{}","schemaType":"JSON"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error_code":40403,"message":"Schema not found"}`)
		}
	}))
	t.Cleanup(web.Close)
	w := startWatchedWith(t, kustomersim.Options{Key: canary.Secret, Script: &kustomersim.Script{}}, func(cfg *config.Config) {
		r := &cfg.SchemaRegistry
		r.URLs, r.Username, r.Password = []string{web.URL}, "u", config.NewSecret(canary.Secret)
		r.UnknownGrace = time.Second
	})
	w.untilMetrics("assigned_partitions 2", "ready 1", "partitions_waiting_for_schema 0", "schema_registry_failing_seconds 0", `trouble{kind="registry"} 0`)
	w.produce(framed(7, change(1)))
	w.untilMetrics("partitions_waiting_for_schema 1", "ready 0", "person_needed 1", `trouble{kind="registry"} 1`)
	w.until("the wait", func() bool { return strings.Contains(w.get("/readyz"), `"code": "waiting"`) })
	if s := w.scrape(); s["schema_registry_failing_seconds"] <= 0 || s["events_delivered_total"] != 0 {
		t.Errorf("failing for %v s, %v delivered", s["schema_registry_failing_seconds"], s["events_delivered_total"])
	}
	for path, wants := range map[string][]string{
		"/readyz": {`"kind": "registry"`, `"code": "refused"`, "schema_registry.username", `"person": true`, "needs schema 7, which is not there yet"},
		"/":       {"* registry (refused)", "1 partitions wait for one; the registry has failed for "},
	} {
		body := w.get(path)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q:\n%s", path, want, body)
			}
		}
	}
	if n := w.logs.FilterMessage("a partition waits for a schema").Len(); n != 1 {
		t.Errorf("the log tells %d times of the partition that waits", n)
	}

	status.Store(http.StatusServiceUnavailable)
	w.until("an outage", func() bool { return strings.Contains(w.get("/readyz"), `"code": "unavailable"`) })
	status.Store(http.StatusOK)
	w.untilMetrics(`events_ended_total{fate="completed"} 1`, "partitions_waiting_for_schema 0", "schema_registry_failing_seconds 0", "schemas_known 1", "ready 1")
	if n := w.logs.FilterMessage("a partition waits for a schema no more").Len(); n != 1 {
		t.Errorf("the log tells %d times of its end", n)
	}
	w.produce(framed(8, change(2)), framed(7, change(3)))
	w.untilMetrics(`dead_letters_total{reason="unknown_schema"} 1`, "schema_ids_unknown 1", `events_ended_total{fate="completed"} 2`, "ready 1")
	w.stop()
	if err := <-w.ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if at, as := canary.Find([]byte(w.seen.String())); at >= 0 {
		t.Errorf("a payload or a secret is shown %s: …%s", as, w.seen.String()[max(0, at-100):][:150])
	}
}
