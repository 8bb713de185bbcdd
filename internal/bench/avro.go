package main

import (
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kafka-kustomer/internal/workload"
	"kafka-kustomer/schemas"
)

// avroEvents writes the events of a run as Avro, and has a registry with their schema.
type avroEvents struct {
	*workload.Avro
	registry *srfake.Registry
}

// newAvroEvents starts a registry that has the schema.
func newAvroEvents() (*avroEvents, error) {
	a := &avroEvents{registry: srfake.New()}
	id, _, err := a.registry.RegisterSchema(topic+"-value", sr.Schema{Schema: schemas.MessageChangeAvro})
	if err == nil {
		a.Avro, err = workload.NewAvro(schemas.MessageChangeAvro, uint32(id))
	}
	if err != nil {
		a.registry.Close()
		return nil, err
	}
	return a, nil
}
