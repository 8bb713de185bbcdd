package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHealthcheck(t *testing.T) {
	stuck := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("running\nmore\n")) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the loop does not answer", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("{\n  \"ready\": false,\n  \"reasons\": []\n}\n"))
	})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/healthz", http.StatusFound)
	})
	mux.HandleFunc("/stuck", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(stuck)
	gone := httptest.NewServer(mux)
	gone.Close()

	for _, tt := range []struct {
		name, url   string
		code        int
		out, errors string
	}{
		{name: "alive", url: server.URL + "/healthz", out: "running\n"},
		{name: "not well", url: server.URL + "/readyz", code: exitFailure, errors: "503 Service Unavailable: the loop does not answer"},
		{name: "reasons as JSON", url: server.URL + "/json", code: exitFailure, errors: `503 Service Unavailable: { "ready": false, "reasons": [] }`},
		{name: "somebody else's page", url: server.URL + "/elsewhere", code: exitFailure, errors: "302 Found"},
		{name: "no answer in time", url: server.URL + "/stuck", code: exitFailure, errors: "does not answer"},
		{name: "nobody there", url: gone.URL, code: exitFailure, errors: "connection refused"},
		{name: "no address", url: "http://a b", code: exitUsage, errors: "invalid character"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var out, errors bytes.Buffer
			timeout := "10s"
			if strings.HasSuffix(tt.url, "/stuck") {
				timeout = "50ms"
			}
			code := execute(ctx, []string{"healthcheck", "--url", tt.url, "--timeout", timeout}, &out, &errors)
			if code != tt.code || out.String() != tt.out || !strings.Contains(errors.String(), tt.errors) {
				t.Errorf("exit code %d, output %q, errors %q; want %d, %q, %q", code, out.String(), errors.String(), tt.code, tt.out, tt.errors)
			}
		})
	}
}
