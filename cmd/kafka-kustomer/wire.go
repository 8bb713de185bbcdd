package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"kafka-kustomer/batcher"
	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/metrics"
	"kafka-kustomer/internal/pipeline"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/registry"
	"kafka-kustomer/schemas/rules"
	"kafka-kustomer/sink"
	"kafka-kustomer/sink/results"
)

// wiring is what a run needs beside its configuration.
type wiring struct {
	log      *zap.Logger
	level    *zap.AtomicLevel         // of log; nil: it stays as it is
	kafka    []kgo.Opt                // beside those of the configuration
	registry []func(*registry.Config) // beside the configuration
	watch    func(*pipeline.Pipeline) // told before the loop starts; may be nil
	admin    func(http.Handler)       // told of the status page, to serve it elsewhere too; may be nil
}

// run is the whole program: it builds every part, runs the loop until ctx ends,
// and takes everything down again in the opposite order, within DrainTimeout.
func run(ctx context.Context, cfg *config.Config, w wiring) error {
	opts, err := kafkaOpts(cfg, w.log)
	if err != nil {
		return usageError{err}
	}
	opts = slices.Clip(append(opts, w.kafka...)) // each client appends its own
	within := deadlineFrom(ctx, cfg.DrainTimeout)

	// Status page, probes and metrics: the first to come, the last to go.
	observer := metrics.New(time.Now())
	server, err := openAdmin(ctx, cfg, w, observer)
	if err != nil {
		return err
	}
	defer func() { late(w.log, server.Close(shorter(within(), adminTimeout))) }()
	if w.admin != nil {
		w.admin(server)
	}

	// Schemas, of what is read and of what is written.
	schemaRegistry, err := openRegistry(cfg, w.registry...)
	if err != nil {
		return usageError{err}
	}
	if schemaRegistry != nil {
		defer schemaRegistry.Close()
	}

	// Results and dead letters: Kafka out.
	var sizes results.Sizes
	producer, err := kgo.NewClient(append(append(opts, results.ProducerOpts()...), sizes.Opt(), observer.KafkaClient("producer"))...)
	if err != nil {
		return usageError{err}
	}
	defer producer.Close()
	out, err := resultsConfig(ctx, cfg, schemaRegistry)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	out.Sizes = &sizes
	writer := results.New(producer, out, w.log)
	defer func() { late(w.log, writer.Close(within())) }()
	if err := ready(ctx, cfg, producer, writer); err != nil {
		return err
	}
	if ctx.Err() != nil { // a signal came first
		return nil
	}

	// The bulk API: HTTP out.
	api, err := sink.New(sinkConfig(cfg))
	if err != nil {
		return usageError{err}
	}
	defer api.Close()

	// The core that decides, and the loop that owns it.
	core := batcher.New(coreConfig(cfg))
	loop := pipeline.New(pipeline.Config{
		MaxPoll:       2000,
		RevokeTimeout: cfg.RevokeTimeout,
		DrainTimeout:  cfg.DrainTimeout,
		CommitTimeout: config.CommitDeadline,
		ProduceRetry:  time.Second,
		Observer:      observer,
	}, core, api, writer, w.log)

	// Changes: Kafka in.
	decoder, err := newDecoder(cfg, schemaRegistry)
	if err != nil {
		return usageError{err}
	}
	in := consumerConfig(cfg, append(opts, observer.KafkaClient("consumer")), func() string { return registryTrouble(schemaRegistry) })
	source, err := consumer.New(in, decoder, loop, w.log)
	if err != nil {
		return usageError{err}
	}
	defer func() { late(w.log, source.Close(shorter(within(), leaveTimeout))) }()

	if w.watch != nil {
		w.watch(loop)
	}
	server.Attach(program(loop, source, writer, schemaRegistry, decoder))
	return loop.Run(ctx, watched{source, server.Drain})
}

func coreConfig(cfg *config.Config) batcher.Config {
	k := cfg.Kustomer
	c := batcher.Config{
		MaxItems: cfg.Batch.MaxItems, MaxBytes: int(cfg.Batch.MaxBytes), Linger: cfg.Batch.Linger,
		Merge: cfg.Batch.Merge.Enabled, ReplaceObjects: cfg.Batch.Merge.Objects == "replace", Barrier: cfg.Batch.Merge.Barrier,
		MaxInFlight: k.MaxInFlight, MaxOpenOperations: k.MaxOpenOperations,
		RequestsPerMinute: int(k.RequestsPerMinute), Reserve: float64(k.Reserve), MaxPause: k.MaxPause,
		OverdueAfter: k.OverdueAfter, LostReplyWait: k.LostReplyWait,
		Lease:        cfg.Source.SessionTimeout - config.LeaseMargin,
		RetryInitial: k.Retry.Initial, RetryMax: k.Retry.Max,
		ItemAttempts: k.ItemRetry.Attempts, ItemOver: k.ItemRetry.Over,
		UnknownAttempts: 8, UnknownOver: 10 * time.Minute,
		Brake: float64(cfg.DeadLetter.Brake), BrakeAtLeast: 100,
		CommitInterval: cfg.Commit.Interval, Recommit: 4 * config.CommitDeadline,
		MaxOpenEvents: cfg.Limits.MaxOpenEvents, MaxOpenBytes: int64(cfg.Limits.MaxOpenBytes),
		BatchPrefix: strings.ToLower(rand.Text()[:12]), Seed: randomSeed(), Rules: batcher.AllRules(),
	}
	if cfg.Source.InstanceID != "" {
		// A second process with this instance id takes over while the first may
		// still hold its lease.
		c.TakeoverExtra = cfg.Source.SessionTimeout
	}
	return c
}

func randomSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

func sinkConfig(cfg *config.Config) sink.Config {
	k := cfg.Kustomer
	return sink.Config{
		BaseURL: k.BaseURL, APIKey: k.APIKey.Reveal(), APIKeyFile: k.APIKeyFile,
		ProxyURL: k.ProxyURL.Reveal(), CAFile: k.CAFile, Timeout: k.Timeout, MaxInFlight: k.MaxInFlight,
		Suspicious: rules.Breaks,
	}
}

// resultsConfig also gets the id of the schema of results, where they are in Avro.
func resultsConfig(ctx context.Context, cfg *config.Config, schemaRegistry *registry.Client) (results.Config, error) {
	c := results.Config{
		Name: cfg.Name, Items: cfg.Results.Items,
		ResultsTopic: cfg.Results.Topic, CreateResults: cfg.Results.Create == "if-missing",
		ResultsPartitions: int32(cfg.Results.Partitions), ResultsReplication: int16(cfg.Results.Replication),
		DeadLetterTopic: cfg.DeadLetter.Topic, CreateDeadLetters: cfg.DeadLetter.Create == "if-missing",
		DeadLetterPartitions: int32(cfg.DeadLetter.Partitions), DeadLetterReplication: int16(cfg.DeadLetter.Replication),
	}
	if cfg.Results.Format != "avro" {
		return c, nil
	}
	var err error
	c.Format = schemas.Avro
	c.Prefix, err = resultsPrefix(ctx, schemaRegistry, registry.Subject(cfg.Results.Topic), cfg.SchemaRegistry.AutoRegister)
	return c, err
}

// unlessStopped is no error where a signal came first.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func consumerConfig(cfg *config.Config, opts []kgo.Opt, missing func() string) consumer.Config {
	s := cfg.Source
	return consumer.Config{
		Brokers: cfg.Kafka.Brokers, ClientID: cfg.Name, Rack: cfg.Kafka.Rack, Topics: s.TopicNames(), Group: s.Group,
		Protocol: s.Protocol, InstanceID: s.InstanceID, Start: s.Start, OnReset: s.OnReset, Isolation: s.Isolation,
		SessionTimeout: s.SessionTimeout, RebalanceTimeout: config.RebalanceTimeout,
		MaxEventBytes: int(cfg.Limits.MaxEventBytes), MaxBatchBytes: int(cfg.Limits.MaxBatchBytes), Missing: missing, Opts: opts,
	}
}
