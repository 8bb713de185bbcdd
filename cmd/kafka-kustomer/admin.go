package main

import (
	"context"
	"time"

	"go.uber.org/zap"

	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/pipeline"
	"kafka-kustomer/sink/results"
)

// adminTimeout bounds the end of the admin server: it answers within milliseconds,
// and by then nothing else is left to wait for.
const adminTimeout = time.Second

// openAdmin starts the server of status page, probes and metrics, which says that
// the program drains from the moment ctx ends.
func openAdmin(ctx context.Context, cfg *config.Config, log *zap.Logger) (*admin.Server, error) {
	server := admin.New(admin.Config{Listen: cfg.Admin.Listen, Name: cfg.Name, Version: buildVersion()}, log)
	if err := server.Start(); err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, server.Drain)
	return server, nil
}

// program is what the admin server asks of the parts that run.
func program(loop *pipeline.Pipeline, source *consumer.Consumer, writer *results.Writer) admin.Program {
	return admin.Program{
		Snapshot:       loop.Snapshot,
		Kafka:          func() admin.Kafka { return kafkaState(source, writer) },
		Unacknowledged: writer.Oldest,
		Release:        loop.ReleaseBrake,
	}
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
