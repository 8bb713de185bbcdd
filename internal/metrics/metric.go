package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Namespace is what all names begin with, and an underscore.
const Namespace = "kafka_kustomer"

// Metric describes one metric.
type Metric struct {
	Name   string   // as it is exported
	Type   string   // "counter", "gauge" or "histogram"
	Labels []string // names, without those that Prometheus adds
	Help   string   // what it is, and what to do about it
}

// maker makes metrics, registers them and lists them.
type maker struct {
	registry *prometheus.Registry
	made     []Metric
}

func (m *maker) note(name, kind, help string, labels ...string) string {
	full := prometheus.BuildFQName(Namespace, "", name)
	m.made = append(m.made, Metric{Name: full, Type: kind, Labels: labels, Help: help})
	return full
}

// counter makes one without labels.
func (m *maker) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: m.note(name, "counter", help), Help: help})
	m.registry.MustRegister(c)
	return c
}

// counters makes one counter for each value of a label, in their order.
func (m *maker) counters(name, help, label string, values ...string) []prometheus.Counter {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.note(name, "counter", help, label), Help: help}, []string{label})
	m.registry.MustRegister(vec)
	list := make([]prometheus.Counter, len(values))
	for i, v := range values {
		list[i] = vec.WithLabelValues(v)
	}
	return list
}

func (m *maker) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: m.note(name, "gauge", help), Help: help})
	m.registry.MustRegister(g)
	return g
}

func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}
}

func (m *maker) histogram(name, help string, buckets ...float64) prometheus.Histogram {
	h := prometheus.NewHistogram(histogramOpts(m.note(name, "histogram", help), help, buckets))
	m.registry.MustRegister(h)
	return h
}

// histograms makes one histogram for each value of a label, in their order.
func (m *maker) histograms(name, help string, buckets []float64, label string, values ...string) []prometheus.Observer {
	vec := prometheus.NewHistogramVec(histogramOpts(m.note(name, "histogram", help, label), help, buckets), []string{label})
	m.registry.MustRegister(vec)
	list := make([]prometheus.Observer, len(values))
	for i, v := range values {
		list[i] = vec.WithLabelValues(v)
	}
	return list
}
