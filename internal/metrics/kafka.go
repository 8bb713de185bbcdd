package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
)

// KafkaClient is the option that measures a Kafka client, "consumer" or "producer";
// each may be used once.
func (o *Observer) KafkaClient(client string) kgo.Opt {
	return kgo.WithHooks(kprom.NewMetrics(Namespace, kprom.Subsystem("kafka_client"),
		kprom.Registerer(o.registry), kprom.Gatherer(o.registry),
		kprom.WithStaticLabel(prometheus.Labels{"client": client}),
		kprom.FetchAndProduceDetail(kprom.ByTopic, kprom.CompressedBytes, kprom.Records, kprom.ConsistentNaming),
	))
}

// kafkaMetrics lists what kprom exports with our options. The names and the helps
// are kprom's: the helps say what it is, but not what to do, and two gauges end in
// _total.
func kafkaMetrics() []Metric {
	const prefix = Namespace + "_kafka_client_"
	var list []Metric
	add := func(kind, name, help string, labels ...string) {
		list = append(list, Metric{Name: prefix + name, Type: kind, Labels: append([]string{"client"}, labels...), Help: help})
	}
	add("counter", "connects_total", "Total number of connections opened", "node_id")
	add("counter", "connect_errors_total", "Total number of connection errors", "node_id")
	add("counter", "disconnects_total", "Total number of connections closed", "node_id")
	add("counter", "write_bytes_total", "Total number of bytes written to the TCP connection. The bytes count is tracked after compression (when used).", "node_id")
	add("counter", "write_errors_total", "Total number of write errors", "node_id")
	add("counter", "read_bytes_total", "Total number of bytes read from the TCP connection. The bytes count is tracked before uncompression (when used).", "node_id")
	add("counter", "read_errors_total", "Total number of read errors", "node_id")
	add("counter", "produce_compressed_bytes_total", "Total number of compressed bytes produced", "topic")
	add("counter", "produce_records_total", "Total number of records produced", "topic")
	add("counter", "fetch_compressed_bytes_total", "Total number of compressed bytes fetched", "topic")
	add("counter", "fetch_records_total", "Total number of records fetched", "topic")
	add("gauge", "buffered_produce_records_total", "Total number of records buffered within the client ready to be produced")
	add("gauge", "buffered_produce_bytes", "Total number of bytes buffered within the client ready to be produced")
	add("gauge", "buffered_fetch_records_total", "Total number of records buffered within the client ready to be consumed")
	add("gauge", "buffered_fetch_bytes", "Total number of bytes buffered within the client ready to be consumed")
	return list
}
