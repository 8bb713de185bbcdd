package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/formats"
	"kafka-kustomer/schemas/registry"
)

// openRegistry makes the client of the schema registry, nil when there is none. It
// does not call it. What the configuration has no keys for, others may set.
func openRegistry(cfg *config.Config, others ...func(*registry.Config)) (*registry.Client, error) {
	if len(cfg.SchemaRegistry.URLs) == 0 {
		return nil, nil
	}
	c := registryConfig(cfg)
	for _, set := range others {
		set(&c)
	}
	return registry.New(c)
}

// newDecoder makes the decoder of the topics' records.
func newDecoder(cfg *config.Config, client *registry.Client) (*formats.Decoder, error) {
	c := formats.Config{Events: eventsConfig(cfg)}
	if client != nil {
		c.Registry = client
	}
	for i := range cfg.Source.Topics {
		t, err := topicFormat(&cfg.Source.Topics[i])
		if err != nil {
			return nil, err
		}
		c.Topics = append(c.Topics, t)
	}
	return formats.New(c)
}

func eventsConfig(cfg *config.Config) schemas.Config {
	return schemas.Config{
		MaxEventBytes:        int(cfg.Limits.MaxEventBytes),
		DeadLetterTombstones: cfg.Source.OnTombstone == "dead_letter",
		Strict:               cfg.Kustomer.Validate == "strict",
	}
}

func topicFormat(t *config.Topic) (formats.Topic, error) {
	f := formats.Topic{Name: t.Name, Format: t.Format, Mapping: t.Mapping.MapperConfig()}
	if t.Schema != "" {
		text, err := os.ReadFile(t.Schema)
		if err != nil {
			return f, fmt.Errorf("the schema of topic %s: %w", t.Name, err)
		}
		f.Schema = string(text)
	}
	return f, nil
}

// patient decodes for a dry run, which may wait for a schema but not for ever.
type patient struct {
	*formats.Decoder
	ctx      context.Context
	registry *registry.Client
}

// schemaPatience is how long a dry run waits for the registry.
const schemaPatience = 15 * time.Second

// impatient is a registry's client for a dry run, to which an id that is unknown now
// is unknown.
func impatient(cfg *config.Config) (*registry.Client, error) {
	return openRegistry(cfg, func(c *registry.Config) { c.UnknownGrace = time.Nanosecond })
}

func (p patient) Decode(topic string, partition int32, c *batcher.Change) error {
	needs, wait := p.Decoder.Decode(topic, partition, c)
	if wait == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(p.ctx, schemaPatience)
	defer cancel()
	for ; wait != nil; needs, wait = p.Decoder.Decode(topic, partition, c) {
		wait(ctx)
		switch why := p.registry.State().Err; {
		case ctx.Err() == nil:
		case p.ctx.Err() != nil || why == nil:
			return ctx.Err()
		default:
			return fmt.Errorf("the record at %s/%d@%d needs %s, which could not be got within %v: %w", topic, partition, c.Offset, needs, schemaPatience, why)
		}
	}
	return nil
}
