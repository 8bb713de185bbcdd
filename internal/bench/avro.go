package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"kafka-kustomer/schemas"
)

// avroEvents writes the events of a run as Avro, behind the number of their schema.
type avroEvents struct {
	codec    *goavro.Codec
	id       int
	registry *srfake.Registry
}

// newAvroEvents starts a registry that has the schema.
func newAvroEvents() (*avroEvents, error) {
	codec, err := goavro.NewCodec(schemas.MessageChangeAvro)
	if err != nil {
		return nil, err
	}
	a := &avroEvents{codec: codec, registry: srfake.New()}
	a.id, _, err = a.registry.RegisterSchema(topic+"-value", sr.Schema{Schema: schemas.MessageChangeAvro})
	return a, err
}

// encode turns an event of package workload into Avro.
func (a *avroEvents) encode(value []byte) ([]byte, error) {
	var e struct {
		EventID, MessageID string
		OccurredAt         time.Time
		Changes            map[string]any
	}
	d := json.NewDecoder(strings.NewReader(string(value)))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return nil, err
	}
	changes := map[string]any{}
	for name, v := range e.Changes {
		switch name {
		case "status":
			changes[name] = goavro.Union("kafka_kustomer.MessageStatus", v)
		case "custom":
			custom, err := customOf(v.(map[string]any))
			if err != nil {
				return nil, err
			}
			changes[name] = goavro.Union("map", custom)
		default:
			changes[name] = goavro.Union("string", v)
		}
	}
	return a.codec.BinaryFromNative(binary.BigEndian.AppendUint32([]byte{0}, uint32(a.id)), map[string]any{
		"eventId": goavro.Union("string", e.EventID), "messageId": e.MessageID,
		"occurredAt": goavro.Union("long.timestamp-millis", e.OccurredAt), "changes": changes, "clear": []any{},
	})
}

func customOf(members map[string]any) (map[string]any, error) {
	custom := make(map[string]any, len(members))
	for name, v := range members {
		switch v := v.(type) {
		case nil:
			custom[name] = nil
		case string:
			custom[name] = goavro.Union("string", v)
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return nil, err
			}
			custom[name] = goavro.Union("long", n)
		default:
			return nil, fmt.Errorf("custom.%s is a %T", name, v)
		}
	}
	return custom, nil
}
