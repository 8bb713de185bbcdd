package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/metrics"
	"kafka-kustomer/internal/pipeline"
	"kafka-kustomer/schemas/formats"
	"kafka-kustomer/schemas/registry"
	"kafka-kustomer/sink/results"
)

// adminTimeout bounds the end of the admin server: it answers within milliseconds,
// and by then nothing else is left to wait for.
const adminTimeout = time.Second

// openAdmin starts the server of status page, probes and metrics, which says that
// the program drains from the moment ctx ends.
func openAdmin(ctx context.Context, cfg *config.Config, w wiring, observer *metrics.Observer) (*admin.Server, error) {
	hash, err := configHash(cfg)
	if err != nil {
		return nil, err
	}
	server := admin.New(admin.Config{
		Listen: cfg.Admin.Listen, Name: cfg.Name, Version: buildVersion(), ConfigHash: hash,
		Metrics: observer.Gatherer(), Level: w.level, PProf: cfg.Admin.PProf,
	}, w.log)
	if err := server.Start(); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, server.Drain)
	return server, nil
}

// configHash tells apart members that run with different settings. Secrets are not
// in it: each may be another, and a hash of one could be guessed at.
func configHash(cfg *config.Config) (string, error) {
	text, err := config.Redacted(cfg)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6]), nil
}

// program is what the admin server asks of the parts that run.
func program(loop *pipeline.Pipeline, source *consumer.Consumer, writer *results.Writer, schemaRegistry *registry.Client, decoder *formats.Decoder) admin.Program {
	return admin.Program{
		Snapshot:       loop.Snapshot,
		Kafka:          func() admin.Kafka { return kafkaState(source, writer) },
		Schemas:        func() admin.Schemas { return schemasState(source, schemaRegistry, decoder) },
		Unacknowledged: writer.Oldest,
		Release:        loop.ReleaseBrake,
	}
}

// schemasState is how the reading of records stands.
func schemasState(source *consumer.Consumer, schemaRegistry *registry.Client, decoder *formats.Decoder) admin.Schemas {
	var s admin.Schemas
	if schemaRegistry != nil {
		s = registryState(schemaRegistry.State(), schemaRegistry.Problems())
	}
	s.Waiting, s.LeftOut = source.Waiting(), decoder.LeftOut()
	return s
}

// registryState is how things stand with the schema registry. It fails as long as it
// has a problem: State's time stays when nobody asks any more, because the partition
// that waited has another owner.
func registryState(state registry.State, problems []registry.Problem) admin.Schemas {
	s := admin.Schemas{Known: state.Schemas, Unknown: state.Unknown}
	for _, p := range problems {
		s.Problems = append(s.Problems, admin.Problem{Partition: -1, Text: p.URL + ": " + p.Text, Check: p.Check, Since: p.Since, Person: p.Person})
		s.FailingSince = p.Since
	}
	return s
}

// registryTrouble is what is wrong with the schema registry, empty for nothing.
func registryTrouble(schemaRegistry *registry.Client) string {
	if schemaRegistry == nil {
		return ""
	}
	for _, p := range schemaRegistry.Problems() {
		return "schema registry " + p.URL + ": " + p.Text
	}
	return ""
}

func kafkaState(source *consumer.Consumer, writer *results.Writer) admin.Kafka {
	k := admin.Kafka{Protocol: source.Protocol(), Expired: source.Expired(), Lag: map[admin.Partition]int64{}}
	for _, p := range source.Problems() {
		k.Problems = append(k.Problems, admin.Problem(p))
	}
	for _, p := range writer.Problems() {
		k.Problems = append(k.Problems, admin.Problem{Topic: p.Topic, Partition: -1, Text: p.Text, Check: p.Check, Since: p.Since})
	}
	for p, lag := range source.Lag() {
		k.Lag[admin.Partition(p)] = lag
	}
	return k
}
