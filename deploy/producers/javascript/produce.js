// Writes three message changes to a topic, in one of three formats:
//
//   npm ci
//   node produce.js json|avro|item TOPIC
//
// BROKERS is where Kafka is (localhost:9092). For avro, SCHEMA_REGISTRY_URL is the
// registry, and SCHEMA the file with the schema, message-change.avsc.
//
// KafkaJS is plain JavaScript and installs anywhere. @confluentinc/kafka-javascript,
// which brings a native library, has nearly the same API; its MIGRATION.md tells.

import { readFileSync } from 'node:fs';
import { AvroSerializer, SchemaRegistryClient, SerdeType } from '@confluentinc/schemaregistry';
import { Kafka, Partitioners } from 'kafkajs';

const events = [
  { eventId: 'e-1', occurredAt: '2026-11-24T02:30:00.123Z', messageId: '5f2f3c1a9d1e8b0012345678',
    changes: { subject: 'Re: commande n° 7', custom: { tierStr: 'gold', visitsNum: 3 } } },
  { eventId: 'e-2', occurredAt: '2026-11-24T02:30:01.000Z', messageId: '5f2f3c1a9d1e8b0012345678',
    changes: { status: 'sent', sentAt: '2026-11-24T02:30:00.987Z', lang: null } },
  { eventId: 'e-3', occurredAt: '2026-11-24T02:30:02.000Z', messageId: '5f2f3c1a9d1e8b0012345679',
    changes: { status: 'error', error: { status: 550, code: 'mailbox_full' }, custom: { noteTxt: null } } },
];

const asJSON = (event) => JSON.stringify(event);

// An item of Kustomer's bulk API.
const asItem = (event) => JSON.stringify({ id: event.messageId, ...event.changes });

async function avroEncoder(topic) {
  const registry = new SchemaRegistryClient({ baseURLs: [process.env.SCHEMA_REGISTRY_URL] });
  const schema = readFileSync(process.env.SCHEMA ?? 'message-change.avsc', 'utf8');
  const useSchemaId = await registry.register(`${topic}-value`, { schemaType: 'AVRO', schema });
  const serializer = new AvroSerializer(registry, SerdeType.VALUE, { useSchemaId, autoRegisterSchemas: false });
  return (event) => serializer.serialize(topic, avroOf(event));
}

// Avro can't leave a member out: there null means that it stays as it is, and "clear"
// lists what is to be null. Within custom, a null is one. A time is a number of
// milliseconds, and a value of custom, which has one of several types, names its own.
function avroOf({ occurredAt, changes, ...rest }) {
  const record = { ...changes };
  if (changes.sentAt) record.sentAt = Date.parse(changes.sentAt);
  if (changes.custom) {
    record.custom = Object.fromEntries(Object.entries(changes.custom).map(([name, value]) => [name, branch(value)]));
  }
  const clear = Object.keys(changes).filter((name) => changes[name] === null);
  return { ...rest, occurredAt: Date.parse(occurredAt), changes: record, clear };
}

function branch(value) {
  if (value === null) return null;
  if (typeof value === 'number') return Number.isInteger(value) ? { long: value } : { double: value };
  return { [typeof value]: value };
}

const [format, topic] = process.argv.slice(2);
const encode = { json: asJSON, item: asItem, avro: topic && format === 'avro' && (await avroEncoder(topic)) }[format];
if (!encode || !topic) {
  console.error('usage: node produce.js json|avro|item TOPIC');
  process.exit(2);
}
const kafka = new Kafka({ clientId: 'example', brokers: (process.env.BROKERS ?? 'localhost:9092').split(',') });
// The default partitioner puts a key where Java's clients do. One request at a time
// keeps the order through a retry.
const producer = kafka.producer({
  createPartitioner: Partitioners.DefaultPartitioner, idempotent: true, maxInFlightRequests: 1,
});
await producer.connect();
try {
  // Order holds within a partition, so changes of one message share a key.
  const messages = await Promise.all(events.map(async (event) => ({ key: event.messageId, value: await encode(event) })));
  await producer.send({ topic, acks: -1, messages });
} finally {
  await producer.disconnect();
}
