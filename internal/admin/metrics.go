package admin

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kafka-kustomer/internal/metrics"
)

// gatherer gathers all metrics: the program's, and those of Go and the process.
func (s *Server) gatherer() prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newCollector(s.cfg, func() status { return s.look(context.Background()) }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	if s.cfg.Metrics == nil {
		return registry
	}
	return prometheus.Gatherers{registry, s.cfg.Metrics}
}

// collector turns one look into metrics.
type collector struct {
	cfg                      Config
	look                     func() status
	ofLoop, ofRest, families []*prometheus.Desc // of the metrics in the variables of these names
}

func newCollector(cfg Config, look func() status) *collector {
	c := &collector{cfg: cfg, look: look}
	for _, m := range ofLoop {
		c.ofLoop = append(c.ofLoop, desc(m.name, m.help))
	}
	for _, m := range ofRest {
		c.ofRest = append(c.ofRest, desc(m.name, m.help))
	}
	for _, f := range families {
		c.families = append(c.families, desc(f.name, f.help, f.labels...))
	}
	return c
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(metrics.Namespace, "", name), help, labels, nil)
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, list := range [][]*prometheus.Desc{c.ofLoop, c.ofRest, c.families} {
		for _, d := range list {
			ch <- d
		}
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
	}
	for i, m := range ofRest {
		send(c.ofRest[i], m.kind, m.value(s, r))
	}
	v := view{s, r, c.cfg}
	for i, f := range families {
		if s.silent != nil && f.ofLoop {
			continue
		}
		f.values(v, func(value float64, labels ...string) { send(c.families[i], f.kind, value, labels...) })
	}
}
