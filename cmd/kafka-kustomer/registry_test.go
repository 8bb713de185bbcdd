package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/registry"
)

// fakeRegistry is a schema registry, which may be told to answer otherwise.
type fakeRegistry struct {
	*srfake.Registry
	url string
}

func newFakeRegistry(t *testing.T) *fakeRegistry {
	t.Helper()
	f := &fakeRegistry{Registry: srfake.NewRegistry()}
	server := httptest.NewServer(f.Handler())
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// answer makes the registry say this to requests of a method and to a path, or to
// none of it and to all.
func (f *fakeRegistry) answer(method, path string, status int, body string) {
	f.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mine := (method == "" || r.Method == method) && strings.HasPrefix(r.URL.Path, path)
		if mine {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
		return mine
	})
}

// config is a configuration file with this registry.
func (f *fakeRegistry) config(t *testing.T, extra string) string {
	t.Helper()
	return configFile(t, minimalConfig+fmt.Sprintf("schema_registry: {urls: [%q], username: me, password: %s}\n%s", f.url, canary.Secret, extra))
}

func registryClient(t *testing.T, url string) *registry.Client {
	t.Helper()
	c, err := registry.New(registry.Config{URLs: []string{url}, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func avroSchema(text string) sr.Schema { return sr.Schema{Schema: text} }

const (
	resultsSubject = "kustomer-batch-results-value"
	otherSchema    = `{"type":"record","name":"BatchResult","namespace":"kafka_kustomer","fields":[{"name":"eventId","type":"string"}]}`
)

func TestResultsPrefix(t *testing.T) {
	f := newFakeRegistry(t)
	c := registryClient(t, f.url)
	if prefix, err := resultsPrefix(t.Context(), c, resultsSubject, false); err == nil || f.SubjectExists(resultsSubject) {
		t.Fatalf("without auto_register: %x, %v", prefix, err)
	}
	f.SeedSchema(resultsSubject, 1, 300, avroSchema(otherSchema))
	for _, autoRegister := range []bool{true, true, false} { // once there, nothing is needed
		prefix, err := resultsPrefix(t.Context(), c, resultsSubject, autoRegister)
		if want := []byte{0, 0, 0, 1, 45}; err != nil || !bytes.Equal(prefix, want) {
			t.Fatalf("auto_register %v: %x, %v, want %x", autoRegister, prefix, err, want)
		}
	}
	if got, ok := f.GetSchema(resultsSubject, 2); !ok || got.Schema.Schema != schemas.BatchResultAvro {
		t.Errorf("version 2 is %v, %v", got, ok)
	}
	// What is there needs the right to read, and no other.
	f.answer(http.MethodPost, "/subjects/"+resultsSubject+"/versions", http.StatusForbidden, "")
	if _, err := resultsPrefix(t.Context(), c, resultsSubject, true); err != nil {
		t.Error(err)
	}
}

// Every reason not to start names the subject, the cause and what to check.
func TestResultsPrefixFails(t *testing.T) {
	versions := "/subjects/" + resultsSubject + "/versions"
	for _, tc := range []struct {
		name         string
		autoRegister bool
		answer       func(*fakeRegistry)
		says         []string
	}{
		{"not there", false, func(*fakeRegistry) {}, []string{"does not have this schema", "auto_register", `"kafka-kustomer schemas register" registers it`}},
		{"down", true, func(f *fakeRegistry) { f.answer("", "", 503, "") }, []string{"answered with status 503", "check the registry's log"}},
		{"refuses us", true, func(f *fakeRegistry) { f.answer("", "", 401, canary.Secret) }, []string{"refused (401)", "check schema_registry.username"}},
		{"may not register", true, func(f *fakeRegistry) { f.answer(http.MethodPost, versions, 403, "") }, []string{"refused (403)", "and register them, with auto_register"}},
		{
			"incompatible", true, func(f *fakeRegistry) { f.answer(http.MethodPost, versions, 409, `{"error_code":409}`) },
			[]string{"incompatible with the version before", "compatibility level", `"kafka-kustomer schemas list" shows what`},
		},
		{"invalid", true, func(f *fakeRegistry) { f.answer(http.MethodPost, versions, 422, `{"error_code":42201}`) }, []string{"finds the schema invalid"}},
		{"no registry", false, func(f *fakeRegistry) { f.answer("", "", 200, "<html>") }, []string{"not what a registry sends", "check that schema_registry.urls is"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFakeRegistry(t)
			tc.answer(f)
			prefix, err := resultsPrefix(t.Context(), registryClient(t, f.url), resultsSubject, tc.autoRegister)
			if err == nil || prefix != nil {
				t.Fatalf("%x, %v", prefix, err)
			}
			for _, words := range append(tc.says, "results.format is avro", `"`+resultsSubject+`"`) {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not in %q", words, err)
				}
			}
			if at, _ := canary.Find([]byte(err.Error())); at >= 0 {
				t.Error("a secret is in the error")
			}
			if f.SubjectExists(resultsSubject) {
				t.Error("the subject is there now")
			}
		})
	}
}
