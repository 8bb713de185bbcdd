package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kafka-kustomer/internal/workload"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/registry"
)

// newSchemaIn is the partition whose producer is the first, and in the demo the only
// one, to use a new version of the schema.
const newSchemaIn int32 = 0

// schemaRegistry has the versions of the events' schema.
type schemaRegistry struct {
	held    *srfake.Registry
	front   *front
	subject string
}

func (w *world) startRegistry(d *demo) error {
	r := &schemaRegistry{held: srfake.NewRegistry(), subject: registry.Subject(w.cfg.Source.Topics[0].Name)}
	w.schemas = r
	return d.addresses.registry.bind(d.keep, d.show.say, func(at string) error {
		r.front = &front{handler: r.held.Handler(), at: at}
		if err := r.front.open(); err != nil {
			return err
		}
		w.closers = append(w.closers, r.front.close)
		return nil
	})
}

func (r *schemaRegistry) url() string { return "http://" + r.front.at }

// register registers a version of the schema, as a producer does before it writes the
// first event with it, and returns what writes such events. It needs no connection.
func (r *schemaRegistry) register(version int) (*workload.Avro, error) {
	text, err := eventSchema(version)
	if err != nil {
		return nil, err
	}
	id, _, err := r.held.RegisterSchema(r.subject, sr.Schema{Schema: text})
	if err != nil {
		return nil, fmt.Errorf("registering the schema of events: %w", err)
	}
	return workload.NewAvro(text, uint32(id))
}

// eventSchema is our schema of message changes; its versions from 1 on have one field
// more, which has a default, so that readers and writers of any two get along.
func eventSchema(version int) (string, error) {
	if version == 0 {
		return schemas.MessageChangeAvro, nil
	}
	var schema map[string]any
	if err := json.Unmarshal([]byte(schemas.MessageChangeAvro), &schema); err != nil {
		return "", fmt.Errorf("the schema of events: %w", err)
	}
	fields, _ := schema["fields"].([]any)
	schema["fields"] = append(fields, map[string]any{"name": fmt.Sprintf("producer%d", version), "type": "string", "default": "demo"})
	text, err := json.Marshal(schema)
	return string(text), err
}

// newSchemaWithoutRegistry lets a producer use the schema's next version, which the
// connector can't get: the registry is down since it was registered.
func newSchemaWithoutRegistry(_ context.Context, d *demo) error {
	d.versions++
	avro, err := d.world.schemas.register(d.versions)
	if err != nil {
		return err
	}
	d.world.schemas.front.close()
	d.feed.useSchema(newSchemaIn, avro)
	return nil
}

// stoodStill is how many partitions beside [newSchemaIn] have had no event committed from
// one look to another.
func stoodStill(from, to look) (n int) {
	committed := map[int32]int64{}
	for _, p := range from.core.Places {
		committed[p.Partition] = p.Committed
	}
	for _, p := range to.core.Places {
		if p.Partition != newSchemaIn && p.Committed <= committed[p.Partition] {
			n++
		}
	}
	return n
}

// registry is how the connector asks for schemas: where trouble lasts for seconds it has
// to find out within one that the registry is back.
func (d *demo) registry() []func(*registry.Config) {
	if !d.faults {
		return nil
	}
	return []func(*registry.Config){func(c *registry.Config) { c.RetryMax = time.Second }}
}
