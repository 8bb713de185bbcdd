"""Writes three message changes to a topic, in one of four formats:

    pip install -r requirements.txt
    python produce.py json|avro|item|cloudevents TOPIC

BROKERS is where Kafka is (localhost:9092). For avro, SCHEMA_REGISTRY_URL is the
registry, and SCHEMA the file with the schema, message-change.avsc.
"""

import json
import os
import sys
from datetime import datetime

from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

EVENTS = [
    {"eventId": "e-1", "occurredAt": "2026-11-24T02:30:00.123Z", "messageId": "5f2f3c1a9d1e8b0012345678",
     "changes": {"subject": "Re: commande n° 7", "custom": {"tierStr": "gold", "visitsNum": 3}}},
    {"eventId": "e-2", "occurredAt": "2026-11-24T02:30:01.000Z", "messageId": "5f2f3c1a9d1e8b0012345678",
     "changes": {"status": "sent", "sentAt": "2026-11-24T02:30:00.987Z", "lang": None}},
    {"eventId": "e-3", "occurredAt": "2026-11-24T02:30:02.000Z", "messageId": "5f2f3c1a9d1e8b0012345679",
     "changes": {"status": "error", "error": {"status": 550, "code": "mailbox_full"}, "custom": {"noteTxt": None}}},
]


def as_json(event):
    return json.dumps(event, ensure_ascii=False).encode(), {}


def as_item(event):
    """An item of Kustomer's bulk API."""
    return as_json({"id": event["messageId"], **event["changes"]})


def as_cloudevent(event):
    """The event's id and time are those of the CloudEvent, in the record's headers."""
    message = to_binary(CloudEvent({
        "id": event["eventId"], "source": "/example", "type": "com.example.message.changed",
        "time": datetime.fromisoformat(event["occurredAt"]), "datacontenttype": "application/json",
    }, {"messageId": event["messageId"], "changes": event["changes"]}), JSONFormat())
    return message.value, message.headers


def avro_serializer(topic):
    try:
        with open(os.environ.get("SCHEMA", "message-change.avsc")) as file:
            schema = file.read()
        registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
    except (OSError, KeyError) as error:
        sys.exit(f"avro needs the file of the schema in SCHEMA and a registry in SCHEMA_REGISTRY_URL: {error!r}")
    serializer = AvroSerializer(registry, schema, conf={"subject.name.strategy.type": "TOPIC"})
    context = SerializationContext(topic, MessageField.VALUE)

    def as_avro(event):
        # Avro can't leave a member out: there null means that it stays as it is, and
        # "clear" lists what is to be null. Within custom, a null is one.
        changes = event["changes"]
        record = {**event, "occurredAt": datetime.fromisoformat(event["occurredAt"]), "changes": dict(changes),
                  "clear": [name for name, value in changes.items() if value is None]}
        if "sentAt" in changes:
            record["changes"]["sentAt"] = datetime.fromisoformat(changes["sentAt"])
        return serializer(record, context), {}

    return as_avro


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    form, topic = sys.argv[1:]
    encoders = {"json": as_json, "item": as_item, "cloudevents": as_cloudevent}
    encode = avro_serializer(topic) if form == "avro" else encoders[form]
    producer = Producer({
        "bootstrap.servers": os.environ.get("BROKERS", "localhost:9092"),
        "acks": "all", "enable.idempotence": True,
        "partitioner": "murmur2_random",  # puts a key where the clients of other languages do
    })
    failed = []
    for event in EVENTS:
        value, headers = encode(event)
        # Order holds within a partition, so changes of one message share a key.
        producer.produce(topic, key=event["messageId"], value=value, headers=headers,
                         on_delivery=lambda error, _: error and failed.append(error))
    if producer.flush(30) or failed:
        sys.exit(f"not all events were written: {failed or 'time-out'}")


if __name__ == "__main__":
    main()
