package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/online"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/formats"
	"kafka-kustomer/schemas/mapping"
	"kafka-kustomer/schemas/registry"
	"kafka-kustomer/sink"
)

const onlineHelp = `With --online it also checks, without writing, committing, registering or
creating anything:
  Kafka     each broker of kafka.brokers, the login, every broker of the cluster at
            the address that the cluster names; the topics and the rights on them;
            the group, its offsets and lag; session time-out and protocol
  Kustomer  the address, the key, its region and roles, the quota, the clock
  Registry  each URL of schema_registry.urls and the login; with results in Avro,
            whether their schema is there or would be taken; of each source topic
            that may hold Avro, whether the newest version of its subject (its name
            and "-value") can be read
Kustomer has no call that proves a role and changes nothing. It is asked for an
operation that does not exist, and sent a bulk update of no items; what that leaves
open is marked "not proven". It costs three requests of the org's quota.
Exit code 3 says that a check failed. Warnings don't change the exit code.`

// onlineCheck is a check as validate --json prints it.
type onlineCheck struct {
	online.Check
	Seconds float64 `json:"seconds"`
}

// checkOnline makes all checks, within the time-out.
func (v *validation) checkOnline(ctx context.Context, cfg *config.Config) ([]onlineCheck, error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	checking, err := onlineConfig(cfg, v.timeout)
	if err != nil {
		return nil, usageError{err}
	}
	defer checking.API.Close()
	if checking.Registry, err = registryChecks(cfg, v.timeout); err != nil {
		return nil, usageError{err}
	}
	if checking.Registry != nil {
		defer closeAll(checking.Registry.Instances)
	}
	var checks []onlineCheck
	for _, c := range online.Run(ctx, checking) {
		checks = append(checks, onlineCheck{c, c.Took.Round(time.Millisecond).Seconds()})
	}
	return checks, nil
}

func onlineConfig(cfg *config.Config, timeout time.Duration) (online.Config, error) {
	opts, err := kafkaOpts(cfg, zap.NewNop())
	if err != nil {
		return online.Config{}, err
	}
	calls := sinkConfig(cfg)
	calls.Timeout = min(calls.Timeout, timeout)
	api, err := sink.New(calls)
	if err != nil {
		return online.Config{}, err
	}
	login := ""
	if m := cfg.Kafka.SASL.Mechanism; m != "" {
		login = m + " as " + cfg.Kafka.SASL.Username
	}
	r, d := cfg.Results, cfg.DeadLetter
	return online.Config{
		Brokers: cfg.Kafka.Brokers, Opts: opts, Login: login,
		Sources: cfg.Source.TopicNames(), Group: cfg.Source.Group, Start: cfg.Source.Start, OnReset: cfg.Source.OnReset,
		Protocol: cfg.Source.Protocol, InstanceID: cfg.Source.InstanceID, SessionTimeout: cfg.Source.SessionTimeout,
		Writes: []online.Topic{
			{Section: "results", Name: r.Topic, Create: r.Create == "if-missing", Partitions: int32(r.Partitions), Replication: int16(r.Replication)},
			{Section: "dead_letter", Name: d.Topic, Create: d.Create == "if-missing", Partitions: int32(d.Partitions), Replication: int16(d.Replication), Wants: int(cfg.Limits.MaxEventBytes)},
		},
		API: api, BaseURL: cfg.Kustomer.BaseURL, RequestsPerMinute: int(cfg.Kustomer.RequestsPerMinute),
		Lease: cfg.Source.SessionTimeout - config.LeaseMargin,
	}, nil
}

// registryChecks says what to check of the schema registry, nil when there is none.
func registryChecks(cfg *config.Config, timeout time.Duration) (*online.Registry, error) {
	if len(cfg.SchemaRegistry.URLs) == 0 {
		return nil, nil
	}
	sources, err := sourceSchemas(cfg)
	if err != nil {
		return nil, err
	}
	checks := &online.Registry{Sources: sources}
	if cfg.Results.Format == "avro" {
		checks.Results = online.ResultsSchema{
			Subject: registry.Subject(cfg.Results.Topic), Schema: schemas.BatchResultAvro, Register: cfg.SchemaRegistry.AutoRegister,
		}
	}
	for _, url := range cfg.SchemaRegistry.URLs {
		one := registryConfig(cfg)
		one.URLs, one.Timeout = []string{url}, min(one.Timeout, timeout)
		client, err := registry.New(one)
		if err != nil {
			closeAll(checks.Instances)
			return nil, err
		}
		checks.Instances = append(checks.Instances, client)
	}
	return checks, nil
}

// sourceSchemas are those of the topics whose records may name a schema.
func sourceSchemas(cfg *config.Config) (list []online.SourceSchema, err error) {
	for i := range cfg.Source.Topics {
		t := &cfg.Source.Topics[i]
		if t.Format == formats.JSON || t.Schema != "" {
			continue
		}
		mapper, err := mapping.New(t.Mapping.MapperConfig())
		if err != nil {
			return nil, err
		}
		list = append(list, online.SourceSchema{Topic: t.Name, Subject: registry.Subject(t.Name), Event: mapper.Plain()})
	}
	return list, nil
}

func closeAll(clients []*registry.Client) {
	for _, c := range clients {
		c.Close()
	}
}

func anyFailed(checks []onlineCheck) bool {
	for _, c := range checks {
		if c.Status == online.Failed {
			return true
		}
	}
	return false
}

// printOnline prints the checks for people: a line each, and under it what to check
// next and what is not proven.
func printOnline(cmd *cobra.Command, path string, checks []onlineCheck) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s is valid; what it names:\n\n", path)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	counts := make(map[online.Status]int)
	for _, c := range checks {
		counts[c.Status]++
		fmt.Fprintf(table, "%s\t%s\t%s\n", word(c.Status), c.Name, oneLine(c.Found))
		if c.Next != "" {
			fmt.Fprintf(table, "\t\t-> %s\n", oneLine(c.Next))
		}
		if c.NotProven != "" && c.Status != online.Failed {
			fmt.Fprintf(table, "\t\tnot proven: %s\n", oneLine(c.NotProven))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%d ok, %s, %d failed, %d skipped; nothing was written, registered or committed\n",
		counts[online.OK], count(counts[online.Warning], "warning"), counts[online.Failed], counts[online.Skipped])
	return err
}

// word makes what needs a person stand out, without colours.
func word(s online.Status) string {
	if s == online.Failed || s == online.Warning {
		return strings.ToUpper(string(s))
	}
	return string(s)
}

// oneLine keeps a cell of the table in its line, whatever a server said.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
