package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/dryrun"
	"kafka-kustomer/schemas/formats"
	"kafka-kustomer/schemas/registry"
	"kafka-kustomer/sink"
)

// rehearsal is the flags of the dry-run command.
type rehearsal struct {
	path, file, from string
	topic            string // of which the lines of a file are
	limit            int
	asJSON, raw      bool
}

func newDryRun() *cobra.Command {
	var d rehearsal
	cmd := &cobra.Command{
		Use:   "dry-run [-c FILE] [--file EVENTS]",
		Short: "Print the exact requests that would be sent, and send none",
		Long: `Prints the requests that a run would send for the records of the configured topics,
or of a file: method, address, headers, body, and which records went into each item.
Nothing is sent to Kustomer, nothing is written to Kafka, no group is joined, nothing
is committed. The payload goes to standard output, and nowhere else.

The records go through the program's own decoder, merging and batching. What can't be
known here is what Kustomer says: each request counts as accepted and each item as
updated. So a dead letter here is a record that can't be read, or mapped, or one that
breaks a rule of Kustomer's reference where kustomer.validate is strict; without that,
whether a member's name and value are right is for Kustomer to say.

All records count as waiting at the start, as behind a backlog: of a stream that
trickles in less is merged.

Reading stops at the end of the log as it was at the start, or after --limit records.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	configFlag(cmd, &d.path)
	jsonFlag(cmd, &d.asJSON)
	f := cmd.Flags()
	f.StringVar(&d.file, "file", "", "read `events` from a file instead of Kafka, one JSON object a line; - is standard input.\nWithout -c, the defaults are the configuration")
	f.StringVar(&d.topic, "topic", "", "with --file, the `topic` of source.topics whose mapping the lines need; default the first")
	f.StringVar(&d.from, "from", "committed", "`where` to begin in each partition: committed (where the group stands), earliest, latest,\nan offset, -N (N records before the end), or a time as in 2026-11-24T02:30:00Z")
	f.IntVar(&d.limit, "limit", 1000, "read at most this many records in all; 0: all")
	f.BoolVar(&d.raw, "raw", false, "print bodies byte for byte; else they are indented for reading")
	must(cmd.MarkFlagFilename("file", "ndjson", "jsonl", "json"))
	must(cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{"committed", "earliest", "latest"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (d *rehearsal) run(cmd *cobra.Command) error {
	from, err := parseFrom(d.from)
	switch {
	case err != nil:
		return usageError{err}
	case d.limit < 0:
		return usageError{errors.New("--limit must not be below 0")}
	case d.raw && d.asJSON:
		return usageError{errors.New("--json prints bodies byte for byte already; leave --raw out")}
	case d.file == "" && d.topic != "":
		return usageError{errors.New("--topic says which mapping the lines of --file need; the topics of -c are all read")}
	case d.file != "" && cmd.Flags().Changed("from"):
		return usageError{errors.New("--from is for topics; a file is read from its beginning")}
	}
	cfg, err := d.config(cmd.Flags().Changed("config"))
	if err != nil {
		return usageError{err}
	}
	api, err := sink.New(sinkConfig(cfg))
	if err != nil {
		return usageError{err}
	}
	defer api.Close()
	out := bufio.NewWriter(cmd.OutOrStdout())
	p := d.printer(out)
	schemaRegistry, err := impatient(cfg)
	if err != nil {
		return usageError{err}
	}
	if schemaRegistry != nil {
		defer schemaRegistry.Close()
	}
	decoder, err := d.decoder(cfg, schemaRegistry)
	if err != nil {
		return usageError{err}
	}
	stage := dryrun.New(dryrun.Config{Core: coreConfig(cfg), MaxEventBytes: int(cfg.Limits.MaxEventBytes)}, patient{decoder, cmd.Context(), schemaRegistry}, api, p.show)
	totals, err := d.perform(cmd.Context(), cfg, from, stage, p)
	if err == nil {
		p.summary(totals)
	}
	return errors.Join(err, p.err, out.Flush())
}

// decoder reads the records. The lines of a file are JSON, in the form that the topic
// has.
func (d *rehearsal) decoder(cfg *config.Config, schemaRegistry *registry.Client) (*formats.Decoder, error) {
	if d.file == "" {
		return newDecoder(cfg, schemaRegistry)
	}
	topic := &cfg.Source.Topics[0]
	if d.topic != "" {
		i := slices.Index(cfg.Source.TopicNames(), d.topic)
		if i < 0 {
			return nil, fmt.Errorf("--topic %s is none of source.topics (%s)", d.topic, strings.Join(cfg.Source.TopicNames(), ", "))
		}
		topic = &cfg.Source.Topics[i]
	}
	of := formats.Topic{Name: d.fileName(), Format: formats.JSON, Mapping: topic.Mapping.MapperConfig()}
	return formats.New(formats.Config{Topics: []formats.Topic{of}, Events: eventsConfig(cfg)})
}

// fileName is what stands for the topic's name.
func (d *rehearsal) fileName() string {
	if d.file == "-" {
		return "stdin"
	}
	return filepath.Base(d.file)
}

// config is the one of -c. A file of events needs none: then the address and the
// key, which are all that has no default, are stand-ins.
func (d *rehearsal) config(given bool) (*config.Config, error) {
	if d.file == "" || given {
		return config.Load(d.path)
	}
	cfg := config.Default()
	cfg.Kustomer.BaseURL = "https://YOUR-ORG.api.kustomerapp.com"
	cfg.Kustomer.APIKey = config.NewSecret("none")
	return cfg, nil
}

func (d *rehearsal) perform(ctx context.Context, cfg *config.Config, from position, stage *dryrun.Run, p *printer) (dryrun.Totals, error) {
	var err error
	if d.file != "" {
		err = d.readFile(ctx, cfg, stage)
	} else {
		err = d.readTopics(ctx, cfg, from, stage, p)
	}
	if err != nil {
		return dryrun.Totals{}, err
	}
	if ctx.Err() != nil {
		return dryrun.Totals{}, fmt.Errorf("dry-run: interrupted: %w", ctx.Err())
	}
	return stage.Finish()
}
