package admin

import (
	"context"
	"runtime"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

const namespace = "kafka_kustomer"

// registry holds all metrics: the program's, and those of Go and the process.
func (s *Server) registry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newCollector(s.cfg, func() status { return s.look(context.Background()) }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}

// collector turns one look into metrics.
type collector struct {
	look           func() status
	ofLoop, ofRest []*prometheus.Desc // of the metrics in the variables of these names

	ended, trouble, lag, connector *prometheus.Desc
	build                          prometheus.Metric
	name                           string
}

func newCollector(cfg Config, look func() status) *collector {
	c := &collector{
		look: look, name: cfg.Name,
		ended: desc("events_ended_total",
			"Records by what became of them: completed, dead_lettered, skipped, or dropped (given back to the group, the next owner reads them again). dead_lettered growing: read the dead-letter topic, its headers say why.", "fate"),
		trouble: desc("trouble",
			"1 while trouble of this kind lasts: /readyz says what happened and what to check. Only quota may be 1 while ready is.", "kind"),
		lag: desc("consumer_lag_records",
			"Offsets from the last record read to the end of the partition's log. Growing while ready: add quota (kustomer.requests_per_minute), or see events_open.", "topic", "partition"),
		connector: desc("connector_info",
			"1; which connector this is, and the protocol its group speaks, empty until it has joined.", "name", "protocol"),
		build: prometheus.MustNewConstMetric(desc("build_info",
			"1; which build this is.", "version", "go_version"), gauge, 1, cfg.Version, runtime.Version()),
	}
	for _, m := range ofLoop {
		c.ofLoop = append(c.ofLoop, desc(m.name, m.help))
	}
	for _, m := range ofRest {
		c.ofRest = append(c.ofRest, desc(m.name, m.help))
	}
	return c
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	labelled := []*prometheus.Desc{c.ended, c.trouble, c.lag, c.connector, c.build.Desc()}
	for _, d := range slices.Concat(c.ofLoop, c.ofRest, labelled) {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	s := c.look()
	r := assess(s)
	if s.silent == nil {
		for i, m := range ofLoop {
			send(c.ofLoop[i], m.kind, m.value(s.snapshot))
		}
		counts := s.snapshot.Counts
		send(c.ended, counter, float64(counts.Completed), "completed")
		send(c.ended, counter, float64(counts.DeadLettered), "dead_lettered")
		send(c.ended, counter, float64(counts.Skipped), "skipped")
		send(c.ended, counter, float64(counts.Dropped), "dropped")
	}
	for i, m := range ofRest {
		send(c.ofRest[i], m.kind, m.value(s, r))
	}
	for _, kind := range kinds {
		there := slices.ContainsFunc(r.Reasons, func(reason Reason) bool { return reason.Kind == kind })
		send(c.trouble, gauge, bit(there), kind)
	}
	for p, lag := range s.kafka.Lag {
		send(c.lag, gauge, float64(lag), p.Topic, strconv.Itoa(int(p.Partition)))
	}
	send(c.connector, gauge, 1, c.name, s.kafka.Protocol)
	ch <- c.build
}
