package online_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/online"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/registry"
)

const (
	resultsSubject = "kustomer-batch-results-value"
	sourceSubject  = "message-changes-value"
	resultsCheck   = "schema of results"
	sourceCheck    = "schema of source topic message-changes"
)

// fakeRegistry is a schema registry that notes what it is asked.
type fakeRegistry struct {
	*srfake.Registry
	url string

	mu    sync.Mutex
	asked []string
}

func newFakeRegistry(t *testing.T) *fakeRegistry {
	t.Helper()
	f := &fakeRegistry{Registry: srfake.NewRegistry()}
	f.url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		f.Handler().ServeHTTP(w, r)
	})
	return f
}

// requests are those so far, sorted.
func (f *fakeRegistry) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(slices.Values(f.asked))
}

// answer makes the registry say this to requests that begin so: "GET /schemas".
func (f *fakeRegistry) answer(begin string, status int, body string) {
	f.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mine := strings.HasPrefix(r.Method+" "+r.URL.Path, begin)
		if mine {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
		return mine
	})
}

func (f *fakeRegistry) seed(subject string, schema sr.Schema) { f.SeedSchema(subject, 1, 300, schema) }

// harmless are the requests that register and change nothing: of those that post, the
// lookup of a schema and the question whether one is compatible.
var harmless = regexp.MustCompile(`^(GET /.*|POST /subjects/[^/]+|POST /compatibility/subjects/[^/]+/versions)$`)

func (f *fakeRegistry) unchanged(t *testing.T) {
	t.Helper()
	for _, request := range f.requests() {
		if !harmless.MatchString(request) {
			t.Errorf("the registry was asked to %s", request)
		}
	}
}

// registry points the checks at a registry, for a message-change topic and, with
// results, for results in Avro.
func (w *world) registry(t *testing.T, results bool, urls ...string) {
	t.Helper()
	w.cfg.Registry = &online.Registry{Sources: []online.SourceSchema{{Topic: "message-changes", Subject: sourceSubject, Event: true}}}
	if results {
		w.cfg.Registry.Results = online.ResultsSchema{Subject: resultsSubject, Schema: schemas.BatchResultAvro, Register: true}
	}
	for _, url := range urls {
		client, err := registry.New(registry.Config{URLs: []string{url}, Username: "me", Password: "canary-password", Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		w.cfg.Registry.Instances = append(w.cfg.Registry.Instances, client)
	}
}

func avroSchema(text string) sr.Schema { return sr.Schema{Schema: text} }

const noEvent = `{"type":"record","name":"Row","fields":[{"name":"id","type":"string"},{"name":"status","type":"string"}]}`

func TestRegistrySubjects(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	notEvents := func(w *world) { w.cfg.Registry.Sources[0].Event = false }
	byHand := func(w *world) { w.cfg.Registry.Results.Register = false }
	compatibility := "POST /compatibility"
	for _, tc := range []struct {
		name   string
		edit   func(*world)
		has    func(*fakeRegistry)
		check  string
		status online.Status
		words  string
	}{
		{"registered", nil, func(f *fakeRegistry) { f.seed(resultsSubject, avroSchema(schemas.BatchResultAvro)) }, resultsCheck, online.OK, resultsSubject + " has it, id 300"},
		{"registered by hand", byHand, func(f *fakeRegistry) { f.seed(resultsSubject, avroSchema(schemas.BatchResultAvro)) }, resultsCheck, online.OK, "id 300"},
		{"to be registered", nil, nil, resultsCheck, online.OK, "registered at the start (schema_registry.auto_register) ->  / that the login may register it"},
		{"to be registered beside another", nil, func(f *fakeRegistry) { f.seed(resultsSubject, avroSchema(noEvent)) }, resultsCheck, online.OK, "does not have it yet; it is compatible"},
		{"not registered", byHand, nil, resultsCheck, online.Failed, `auto_register is off -> register it with "kafka-kustomer schemas register"`},
		{"incompatible", nil, func(f *fakeRegistry) { f.answer(compatibility, 200, `{"is_compatible":false}`) }, resultsCheck, online.Failed, "refuse it as incompatible with the versions before -> compare the subject's compatibility level"},
		{"incompatible, by hand", byHand, func(f *fakeRegistry) { f.answer(compatibility, 200, `{"is_compatible":false}`) }, resultsCheck, online.Failed, "incompatible"},
		{"may not ask", nil, func(f *fakeRegistry) { f.answer(compatibility, 403, "") }, resultsCheck, online.Failed, "could not be asked; refused (403)"},
		{"an invalid schema", nil, func(f *fakeRegistry) { f.answer("POST /subjects", 422, `{"error_code":42201}`) }, resultsCheck, online.Failed, "does not take it (422, error code 42201) -> it finds the schema invalid"},
		{"a registry that breaks down", nil, func(f *fakeRegistry) { f.answer("POST /subjects", 500, "") }, resultsCheck, online.Failed, "status 500 -> check the registry's log"},

		{"no subject", nil, nil, sourceCheck, online.Skipped, "there is no subject " + sourceSubject},
		{"message changes", nil, func(f *fakeRegistry) { f.seed(sourceSubject, avroSchema(schemas.MessageChangeAvro)) }, sourceCheck, online.OK, "version 1 of " + sourceSubject + ", id 300; Avro of message changes"},
		{"no message changes", nil, func(f *fakeRegistry) { f.seed(sourceSubject, avroSchema(noEvent)) }, sourceCheck, online.Warning, `no field has the name or alias "messageId"; no field has the name or alias "changes" -> records of this version would be dead-lettered: give the topic a mapping`},
		{"no message changes, with a mapping", notEvents, func(f *fakeRegistry) { f.seed(sourceSubject, avroSchema(noEvent)) }, sourceCheck, online.OK, "Avro that can be read"},
		{"no schema", notEvents, func(f *fakeRegistry) { f.seed(sourceSubject, avroSchema(`{"type":"record"}`)) }, sourceCheck, online.Warning, "Avro schema: "},
		{"JSON Schema", nil, func(f *fakeRegistry) { f.seed(sourceSubject, sr.Schema{Schema: "{}", Type: sr.TypeJSON}) }, sourceCheck, online.OK, "values are read as JSON"},
		{"Protobuf", nil, func(f *fakeRegistry) { f.seed(sourceSubject, sr.Schema{Schema: "syntax", Type: sr.TypeProtobuf}) }, sourceCheck, online.Warning, "of type PROTOBUF"},
		{"a type that nobody knows", nil, func(f *fakeRegistry) {
			f.seed(sourceSubject, avroSchema(noEvent))
			f.answer("GET /schemas/ids/300", 200, `{"schemaType":"XML","schema":"<a/>"}`)
		}, sourceCheck, online.Warning, "it can't be used: its type is none of"},
		{"gone meanwhile", nil, func(f *fakeRegistry) {
			f.seed(sourceSubject, avroSchema(noEvent))
			f.answer("GET /schemas/ids/300", 404, `{"error_code":40403}`)
		}, sourceCheck, online.Warning, "is gone"},
		{"may not read by id", nil, func(f *fakeRegistry) {
			f.seed(sourceSubject, avroSchema(noEvent))
			f.answer("GET /schemas/ids/300", 403, "")
		}, sourceCheck, online.Failed, "refused (403)"},
		{"the subject is refused", nil, func(f *fakeRegistry) { f.answer("GET /subjects/"+sourceSubject, 403, "") }, sourceCheck, online.Failed, "refused (403)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFakeRegistry(t)
			if tc.has != nil {
				tc.has(f)
			}
			w.registry(t, true, f.url)
			if tc.edit != nil {
				tc.edit(w)
			}
			checks := w.check(t)
			must(t, checks, tc.check, tc.status, tc.words)
			must(t, checks, "schema registry "+f.url, online.OK, "answers", tc.check)
			f.unchanged(t)
		})
	}
}

func TestRegistryInstances(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	answers := func(status int, body string) func(*testing.T) string {
		return func(t *testing.T) string {
			return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, body) })
		}
	}
	at := func(url string) func(*testing.T) string { return func(*testing.T) string { return url } }
	for _, tc := range []struct {
		name  string
		url   func(*testing.T) string
		words string
	}{
		{"nobody there", at("http://127.0.0.1:1"), "no connection"},
		{"no such host", at("https://registry.invalid"), "the host's name could not be resolved"},
		{"the login is refused", answers(401, "canary-password"), "refused (401) -> check schema_registry.username and its password"},
		{"not allowed", answers(403, ""), "refused (403)"},
		{"a web server", answers(200, "<html>"), "not what a registry sends -> check that schema_registry.urls is the registry's address"},
		{"a wrong path", answers(404, "not here"), "and to /schemas/types too"},
		{"a redirect", answers(302, ""), "redirects (302), which is not followed"},
		{"down", answers(503, ""), "status 503"},
		{"not its authority", func(t *testing.T) string {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}, "its certificate was not accepted"},
		{"no TLS", func(t *testing.T) string { return strings.Replace(answers(200, "")(t), "http:", "https:", 1) }, "does not speak TLS"},
		{"silent", func(t *testing.T) string {
			return serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		}, "no answer within 1s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			url := tc.url(t)
			w.registry(t, true, url)
			checks := w.check(t)
			must(t, checks, "schema registry "+url, online.Failed, tc.words)
			must(t, checks, resultsCheck, online.Skipped, "no schema registry answers", "schema registry "+url)
			must(t, checks, sourceCheck, online.Skipped, "no schema registry answers", "schema registry "+url)
		})
	}
}

// Each URL is looked at, and one that answers is asked for the rest.
func TestRegistryWithOneURLThatAnswers(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	f := newFakeRegistry(t)
	f.seed(resultsSubject, avroSchema(schemas.BatchResultAvro))
	w.registry(t, true, "http://127.0.0.1:1", f.url)
	checks := w.check(t)
	must(t, checks, "schema registry http://127.0.0.1:1", online.Failed, "no connection")
	must(t, checks, resultsCheck, online.OK, "id 300", "schema registry http://127.0.0.1:1")
}

// What an instance is asked for is a subject of ours: rights may be by subject.
func TestRegistryIsAskedForWhatIsNeeded(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	for _, tc := range []struct {
		name             string
		results, sources bool
		want             []string
	}{
		{"results and sources", true, true, []string{"GET /subjects/" + resultsSubject, "GET /subjects/" + sourceSubject, "POST /compatibility", "POST /subjects/" + resultsSubject}},
		{"sources", false, true, []string{"GET /subjects/" + sourceSubject, "GET /subjects/" + sourceSubject}},
		{"results", true, false, []string{"GET /subjects/" + resultsSubject, "POST /compatibility", "POST /subjects/" + resultsSubject}},
		{"neither", false, false, []string{"GET /subjects/" + sourceSubject}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFakeRegistry(t)
			w.registry(t, tc.results, f.url)
			if !tc.sources {
				w.cfg.Registry.Sources = nil
			}
			checks := w.check(t)
			if _, ok := checks[resultsCheck]; ok != tc.results {
				t.Errorf("the schema of results is checked: %v", ok)
			}
			if _, ok := checks[sourceCheck]; ok != tc.sources {
				t.Errorf("the schema of the source is checked: %v", ok)
			}
			if asked := f.requests(); !slices.EqualFunc(asked, tc.want, strings.HasPrefix) {
				t.Errorf("asked %q, want %q", asked, tc.want)
			}
		})
	}
}

func TestWithoutRegistry(t *testing.T) {
	w := newWorld(t, fullRights(), allTopics, kustomersim.Script{})
	for name := range w.check(t) {
		if strings.Contains(name, "schema") {
			t.Errorf("there is a check %q", name)
		}
	}
}
