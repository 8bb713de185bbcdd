package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

const (
	topic        = "message-changes"
	resultsTopic = "kustomer-batch-results"
	partitions   = 6
	// poll is how often the broker is asked whether a group is through.
	poll = 20 * time.Millisecond
)

// surroundings are a broker that holds all events of a run, and an API. They
// live in a process of their own, which is told what to do by lines:
//
//	out: {"brokers": "127.0.0.1:1", "api": "http://127.0.0.1:2"}   when all events are there
//	in:  await GROUP
//	out: a [verdict], once the group has committed everything
//	in:  progress GROUP
//	out: a [progress], at once
//
// The end of its input ends it, so that it never outlives who started it.
type surroundings struct {
	brokers []string
	client  *kgo.Client
	admin   *kadm.Client
	events  *workload.Generator
	total   int64
	rate    int         // events a second while a group is awaited; 0: all are there before
	quota   int         // requests a minute; 0: no end of them
	avro    *avroEvents // nil: events are JSON
	sim     atomic.Pointer[kustomersim.Server]
}

// place is where surroundings are.
type place struct {
	Brokers string `json:"brokers"`
	API     string `json:"api"`
	// Registry is that of the events' schema; empty where they are JSON.
	Registry string `json:"registry,omitempty"`
}

// verdict is what the API has seen of a run, and how many messages are not in
// the state they must be in.
type verdict struct {
	Stats kustomersim.Stats `json:"stats"`
	Wrong int               `json:"wrong"`
	// Latency is that of all runs of this world, where events come at a rate.
	Latency latency `json:"latency"`
	Error   string  `json:"error,omitempty"`
}

func (o *options) beSurroundings(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	brokers, stop, err := o.startBroker(ctx)
	if err != nil {
		return err
	}
	defer stop()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	s := &surroundings{
		brokers: brokers, client: client, admin: kadm.NewClient(client), total: int64(o.events), rate: o.rate, quota: o.quota,
		events: workload.New(workload.Config{Seed: 1, Messages: o.messages, InTurn: o.turn}),
	}
	if o.avro {
		if s.avro, err = newAvroEvents(); err != nil {
			return fmt.Errorf("events in Avro: %w", err)
		}
		defer s.avro.registry.Close()
	}
	if _, err := s.admin.CreateTopic(ctx, partitions, 1, nil, topic); err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	if s.rate == 0 {
		if err := s.load(ctx); err != nil {
			return fmt.Errorf("produce %d events: %w", o.events, err)
		}
	}
	s.sim.Store(s.newSim())
	defer func() { s.sim.Load().Close() }()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.sim.Load().ServeHTTP(w, r) }))
	defer api.Close()
	return s.obey(ctx, api.URL, in, json.NewEncoder(out))
}

// startBroker starts a broker without topics.
func (o *options) startBroker(ctx context.Context) (brokers []string, stop func(), err error) {
	if !o.real {
		kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			return nil, nil, fmt.Errorf("embedded broker: %w", err)
		}
		return kafka.ListenAddrs(), kafka.Close, nil
	}
	kafka, err := kafkatest.Start(ctx, kafkatest.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("start Apache Kafka (-embedded does without): %w", err)
	}
	return kafka.Brokers(), func() { _ = kafka.Close() }, nil // it removes its folder; nothing of it is needed any more
}

// newSim is an API whose operations take 20 to 320 ms, as many at a time as the
// connector keeps open, so that it is never what a run waits for.
func (s *surroundings) newSim() *kustomersim.Server {
	return kustomersim.New(kustomersim.Options{Seed: 1, Workers: 128, Script: &kustomersim.Script{
		Run:   kustomersim.Run{Base: kustomersim.Duration(20 * time.Millisecond), Tail: kustomersim.Duration(30 * time.Millisecond)},
		Quota: kustomersim.Quota{PerMinute: s.quota},
	}})
}

func (s *surroundings) load(ctx context.Context) error {
	at := time.Now()
	var failed atomic.Pointer[error]
	for range s.total {
		e := s.events.Next(at)
		if s.avro != nil {
			value, err := s.avro.Encode(e.Value)
			if err != nil {
				return err
			}
			e.Value = value
		}
		s.client.Produce(ctx, &kgo.Record{Topic: topic, Key: e.Key, Value: e.Value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	if err := s.client.Flush(ctx); err != nil {
		return err
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// obey answers commands until the input ends, which also ends a wait.
func (s *surroundings) obey(ctx context.Context, api string, in io.Reader, out *json.Encoder) error {
	at := place{Brokers: strings.Join(s.brokers, ","), API: api}
	if s.avro != nil {
		at.Registry = s.avro.registry.URL()
	}
	if err := out.Encode(at); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := make(chan string)
	go func() { // blocked in a read until the process ends
		defer cancel()
		for scan := bufio.NewScanner(in); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			var answer any
			switch command, group, _ := strings.Cut(line, " "); command {
			case "await":
				answer = s.await(ctx, group)
			case "progress":
				answer = s.progress(ctx, group)
			default:
				return fmt.Errorf("%q is no command", line)
			}
			if err := out.Encode(answer); err != nil {
				return err
			}
		}
	}
}

// await waits until a group has committed all events, judges the run, and puts
// an API that has seen nothing in place for the next.
func (s *surroundings) await(ctx context.Context, group string) verdict {
	v, err := verdict{}, error(nil)
	if s.rate > 0 {
		err = s.trickle(ctx)
	}
	if err == nil {
		err = s.through(ctx, group)
	}
	if err == nil && s.rate > 0 {
		v.Latency, err = s.latencies(ctx)
	}
	if err != nil {
		return verdict{Error: err.Error()}
	}
	old := s.sim.Swap(s.newSim())
	v.Stats = old.Stats()
	v.Wrong = len(s.events.Truth().Judge(func(id string) map[string]string {
		fields, _ := old.Message(id)
		return texts(fields)
	}))
	old.Close()
	return v
}

func (s *surroundings) through(ctx context.Context, group string) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		n, err := s.committed(ctx, group)
		if err != nil || n >= s.total {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("group %s has committed %d of %d events: %w", group, n, s.total, ctx.Err())
		}
	}
}

// committed is how many events a group has committed.
func (s *surroundings) committed(ctx context.Context, group string) (n int64, err error) {
	offsets, err := s.admin.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) && !kerr.IsRetriable(err) { // a new broker has no coordinator at first
		return 0, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	offsets.Each(func(o kadm.OffsetResponse) { n += max(0, o.At) })
	return n, nil
}

func texts(fields map[string]jsontext.Value) map[string]string {
	m := make(map[string]string, len(fields))
	for name, value := range fields {
		m[name] = string(value)
	}
	return m
}
