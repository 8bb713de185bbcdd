package deploycheck

import (
	"context"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/metrics"
)

// app is the program's admin server, as far as it answers here.
type app struct{ server *admin.Server }

// program is one that runs, has one partition and has done nothing yet.
func program(t *testing.T) app {
	t.Helper()
	observer := metrics.New(time.Now())
	server := admin.New(admin.Config{Name: "test", Version: "test", ConfigHash: "test", Metrics: observer.Gatherer()}, zap.NewNop())
	server.Attach(admin.Program{
		Snapshot: func(context.Context) (batcher.Snapshot, error) { return batcher.Snapshot{}, nil },
		Kafka: func() admin.Kafka {
			return admin.Kafka{Protocol: "classic", Lag: map[admin.Partition]int64{{Topic: "t"}: 0}}
		},
		Schemas:        func() admin.Schemas { return admin.Schemas{LeftOut: map[string]uint64{"t": 0}} },
		Unacknowledged: func(time.Time) time.Duration { return 0 },
	})
	return app{server}
}

func (a app) get(path string) (code int, body string) {
	answer := httptest.NewRecorder()
	a.server.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	return answer.Code, answer.Body.String()
}

// exported are the metrics that a query may name.
type exported struct {
	labels map[string][]string            // of each series name, histograms by their parts
	values map[string]map[string][]string // by series name and label, where there are some from the start
}

var (
	sample = regexp.MustCompile(`(?m)^([a-z][a-z0-9_]*)(?:\{(.*)\})? `)
	pair   = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
)

// export asks the program for its metrics. What the catalogue lists and the
// program does not export yet has names and labels only.
func export(t *testing.T) exported {
	t.Helper()
	e := exported{map[string][]string{}, map[string]map[string][]string{}}
	for _, m := range admin.Catalogue() {
		if m.Type != "histogram" {
			e.labels[m.Name] = m.Labels
			continue
		}
		e.labels[m.Name+"_bucket"] = append(slices.Clone(m.Labels), "le")
		e.labels[m.Name+"_sum"], e.labels[m.Name+"_count"] = m.Labels, m.Labels
	}
	_, body := program(t).get("/metrics")
	for _, m := range sample.FindAllStringSubmatch(body, -1) {
		name := m[1]
		_, listed := e.labels[name]
		if strings.HasPrefix(name, metrics.Namespace) && !listed {
			t.Errorf("%s is exported and not in the catalogue", name)
		}
		if e.values[name] == nil {
			e.values[name] = map[string][]string{}
		}
		var labels []string
		for _, p := range pair.FindAllStringSubmatch(m[2], -1) {
			labels = append(labels, p[1])
			e.values[name][p[1]] = append(e.values[name][p[1]], p[2])
		}
		if !listed {
			e.labels[name] = labels
		}
	}
	if len(e.labels) < 60 {
		t.Fatalf("only %d series are exported: is the catalogue there?", len(e.labels))
	}
	// What Prometheus itself adds.
	e.labels["up"], e.labels["ALERTS"] = nil, []string{"alertname", "alertstate"}
	return e
}
