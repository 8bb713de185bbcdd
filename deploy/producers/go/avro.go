package main

import (
	"cmp"
	"context"
	"os"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

// newAvroEncoder registers the schema under the subject that is usual for the
// topic's values, and encodes with it.
func newAvroEncoder(ctx context.Context, topic string) (encoder, error) {
	schema, err := os.ReadFile(cmp.Or(os.Getenv("SCHEMA"), "message-change.avsc"))
	if err != nil {
		return nil, err
	}
	codec, err := goavro.NewCodec(string(schema))
	if err != nil {
		return nil, err
	}
	registry, err := sr.NewClient(sr.URLs(os.Getenv("SCHEMA_REGISTRY_URL")))
	if err != nil {
		return nil, err
	}
	id, err := registry.RegisterSchema(ctx, topic+"-value", sr.Schema{Schema: string(schema)}, -1, -1)
	if err != nil {
		return nil, err
	}
	return func(r *kgo.Record, e event) error {
		framed, err := new(sr.ConfluentHeader).AppendEncode(nil, id, nil)
		if err != nil {
			return err
		}
		r.Value, err = codec.BinaryFromNative(framed, native(e))
		return err
	}, nil
}

// native is an event as goavro takes it: where the schema has a union, a value comes
// with the name of its branch. Avro can't leave a member out: there null means that
// it stays as it is, and "clear" lists what is to be null.
func native(e event) object {
	changes, clear := object{}, []any{}
	for name, v := range e.Changes {
		switch name {
		case "status":
			changes[name] = goavro.Union("kafka_kustomer.MessageStatus", v)
		case "error":
			changes[name] = goavro.Union("kafka_kustomer.DeliveryError", branches(v.(object)))
		case "sentAt":
			changes[name] = goavro.Union("long.timestamp-millis", v)
		case "custom":
			changes[name] = goavro.Union("map", branches(v.(object))) // a null in it is one
		default:
			if v == nil {
				clear = append(clear, name)
			} else {
				changes[name] = goavro.Union("string", v)
			}
		}
	}
	return object{
		"eventId": goavro.Union("string", e.EventID), "occurredAt": goavro.Union("long.timestamp-millis", e.OccurredAt),
		"messageId": e.MessageID, "changes": changes, "clear": clear,
	}
}

func branches(in object) object {
	out := object{}
	for name, v := range in {
		switch v.(type) {
		case nil:
			out[name] = nil
		case int32:
			out[name] = goavro.Union("int", v)
		case int64:
			out[name] = goavro.Union("long", v)
		default:
			out[name] = goavro.Union("string", v)
		}
	}
	return out
}
