package workload

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/linkedin/goavro/v2"
)

// Avro writes events as Avro, as a producer with a schema registry does: a zero, the
// id of the schema in four bytes, and the value. It is safe for use by several
// goroutines.
type Avro struct {
	codec  *goavro.Codec
	prefix []byte
}

// NewAvro returns what writes events with a schema, whose id is that of the registry.
// The schema is that of message changes, or another version of it: fields that it has
// beyond those of events need defaults.
func NewAvro(schema string, id uint32) (*Avro, error) {
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		return nil, fmt.Errorf("the schema of events: %w", err)
	}
	return &Avro{codec: codec, prefix: binary.BigEndian.AppendUint32([]byte{0}, id)}, nil
}

// Encode writes the value of a well-formed event, [Event.Value], as Avro.
func (a *Avro) Encode(value []byte) ([]byte, error) {
	var e struct {
		EventID, MessageID string
		OccurredAt         time.Time
		Changes            map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("an event to be written as Avro: %w", err)
	}
	changes, err := avroChanges(e.Changes)
	if err != nil {
		return nil, fmt.Errorf("event %s to be written as Avro: %w", e.EventID, err)
	}
	return a.codec.BinaryFromNative(bytes.Clone(a.prefix), map[string]any{
		"eventId": goavro.Union("string", e.EventID), "messageId": e.MessageID,
		"occurredAt": goavro.Union("long.timestamp-millis", e.OccurredAt), "changes": changes, "clear": []any{},
	})
}

// avroChanges names the branch of the union that each value is of.
func avroChanges(members map[string]any) (map[string]any, error) {
	changes := make(map[string]any, len(members))
	for name, v := range members {
		switch v := v.(type) {
		case string:
			branch := "string"
			if name == "status" {
				branch = "kafka_kustomer.MessageStatus"
			}
			changes[name] = goavro.Union(branch, v)
		case map[string]any: // custom
			custom, err := avroCustom(v)
			if err != nil {
				return nil, err
			}
			changes[name] = goavro.Union("map", custom)
		default:
			return nil, fmt.Errorf("changes.%s is a %T", name, v)
		}
	}
	return changes, nil
}

func avroCustom(members map[string]any) (map[string]any, error) {
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
				return nil, fmt.Errorf("custom.%s: %w", name, err)
			}
			custom[name] = goavro.Union("long", n)
		default:
			return nil, fmt.Errorf("custom.%s is a %T", name, v)
		}
	}
	return custom, nil
}
