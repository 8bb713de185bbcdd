package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// backlog makes the n-th event of a scenario.
type backlog struct {
	events int
	event  func(n int) *kgo.Record
	batch  int       // events of a batch; 0: what fits
	opts   []kgo.Opt // of the producer
	script kustomersim.Script
}

// Large events are as large as max_event_bytes allows, key and all, and every
// tenth is a little larger.
const largeEvent = 1 << 20

func backlogOf(name string) (*backlog, error) {
	b := &backlog{script: runsFor(20 * time.Millisecond)}
	kind, trouble, _ := strings.Cut(name, "-")
	switch kind {
	case "stuck", "hanging":
		trouble = kind
		b.events, b.event = 1_000_000, changes(50_000)
	case "healthy":
		b.events, b.event = 1_000_000, changes(50_000)
	case "hot":
		b.events, b.event = 1_000_000, changes(1)
		b.script = runsFor(200 * time.Millisecond)
	case "tiny":
		b.events, b.event = 300_000, func(n int) *kgo.Record { return change(n, 0) }
	case "large":
		b.events, b.event = 300, func(n int) *kgo.Record {
			if n%10 == 9 {
				return change(n, largeEvent+1000)
			}
			return change(n, largeEvent)
		}
		b.opts = []kgo.Opt{kgo.ProducerBatchMaxBytes(2 << 20)}
	case "zstd", "zstdtiny":
		size := 1 << 10
		b.batch = 7500
		if kind == "zstdtiny" {
			size, b.batch = 0, 50_000
		}
		b.events, b.event = 300_000, func(n int) *kgo.Record { return change(n, size) }
		b.opts = []kgo.Opt{
			kgo.ProducerBatchMaxBytes(8 << 20), kgo.ProducerLinger(time.Second),
			kgo.ProducerBatchCompression(kgo.ZstdCompression()),
		}
	default:
		return nil, fmt.Errorf("no scenario %q", name)
	}
	switch trouble {
	case "stuck":
		b.script.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultStatus, On: "put", Share: 1, Status: 503, Body: "html"}}
	case "hanging":
		b.script.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultSlow, On: "put", Share: 1, Delay: kustomersim.Duration(time.Hour)}}
	}
	return b, nil
}

func runsFor(d time.Duration) kustomersim.Script {
	return kustomersim.Script{Run: kustomersim.Run{Base: kustomersim.Duration(d), Tail: kustomersim.Duration(d)}}
}

// changes are those of the other benchmarks, some 230 bytes each.
func changes(messages int) func(int) *kgo.Record {
	g := workload.New(workload.Config{Seed: 1, Messages: messages})
	at := time.Now()
	return func(int) *kgo.Record {
		e := g.Next(at)
		return &kgo.Record{Key: e.Key, Value: e.Value}
	}
}

// change is one of a message that has no other: as small as it can be, or filled
// up to size with what compresses well.
func change(n, size int) *kgo.Record {
	id := fmt.Sprintf("%024x", n)
	if size == 0 {
		return &kgo.Record{Key: []byte(id), Value: fmt.Appendf(nil, `{"messageId":"%s","changes":{"status":"sent"}}`, id)}
	}
	value := fmt.Appendf(nil, `{"messageId":"%s","changes":{"custom":{"bodyTxt":"`, id)
	const end = `"}}}`
	for len(value)+len(end)+len(id) < size {
		value = append(value, "we have shipped it "[len(value)%19])
	}
	return &kgo.Record{Key: []byte(id), Value: append(value, end...)}
}

// serveScenario is the process of broker and API for one scenario. It says where
// they are, when all events are there, and ends with its input.
func serveScenario(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	b, err := backlogOf(name)
	if err != nil {
		return err
	}
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": "4194304"}))
	if err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	defer kafka.Close()
	if err := b.load(ctx, kafka.ListenAddrs()); err != nil {
		return fmt.Errorf("produce %d events: %w", b.events, err)
	}
	sim := kustomersim.New(kustomersim.Options{Seed: 1, Workers: 128, Script: &b.script})
	defer sim.Close()
	api := httptest.NewServer(sim)
	defer api.CloseClientConnections() // calls that hang
	if err := json.NewEncoder(out).Encode(scenarioPlace{place{Brokers: strings.Join(kafka.ListenAddrs(), ","), API: api.URL}, b.events}); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { // ends with the process at the latest
		_, err := io.Copy(io.Discard, in)
		ended <- err
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	return err
}

// scenarioPlace is where a scenario's surroundings are, and how many events wait
// there.
type scenarioPlace struct {
	place
	Events int `json:"events"`
}

func (b *backlog) load(ctx context.Context, brokers []string) error {
	opts := append([]kgo.Opt{
		kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, b.opts...)
	if b.batch > 0 {
		opts = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	first := kgo.AbortingFirstErrPromise(client)
	for n := range b.events {
		r := b.event(n)
		if b.batch > 0 {
			r.Partition = int32(n / b.batch % partitions)
		}
		client.Produce(ctx, r, first.Promise())
		if b.batch > 0 && (n+1)%b.batch == 0 {
			if err := client.Flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	return first.Err()
}
