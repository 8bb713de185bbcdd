import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import kafka_kustomer.Changes;
import kafka_kustomer.DeliveryError;
import kafka_kustomer.MessageChange;
import kafka_kustomer.MessageStatus;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes three message changes to a topic, in one of three formats:
 *
 * <pre>mvn -q compile exec:java -Dexec.args="json|avro|item TOPIC"</pre>
 *
 * BROKERS is where Kafka is (localhost:9092), and SCHEMA_REGISTRY_URL, for avro, Apicurio's own API,
 * http://HOST:PORT/apis/registry/v3. Its serializer's defaults are Confluent's framing; leave
 * apicurio.registry.use-id, .id-handler and .headers.enabled alone. With Confluent's registry, take
 * Confluent's KafkaAvroSerializer and schema.registry.url instead; nothing else changes.
 */
public class Produce {
  record Entry(String key, Object value) {}

  static final List<String> EVENTS = List.of("""
      {"eventId": "e-1", "occurredAt": "2026-11-24T02:30:00.123Z", "messageId": "5f2f3c1a9d1e8b0012345678",
       "changes": {"subject": "Re: commande n° 7", "custom": {"tierStr": "gold", "visitsNum": 3}}}""", """
      {"eventId": "e-2", "occurredAt": "2026-11-24T02:30:01.000Z", "messageId": "5f2f3c1a9d1e8b0012345678",
       "changes": {"status": "sent", "sentAt": "2026-11-24T02:30:00.987Z", "lang": null}}""", """
      {"eventId": "e-3", "occurredAt": "2026-11-24T02:30:02.000Z", "messageId": "5f2f3c1a9d1e8b0012345679",
       "changes": {"status": "error", "error": {"status": 550, "code": "mailbox_full"}, "custom": {"noteTxt": null}}}""");

  /** The same in Avro, where null means that a member stays as it is; clear lists what is to be null. */
  static List<MessageChange> avroEvents() {
    return List.of(
        event("e-1", "2026-11-24T02:30:00.123Z", "5f2f3c1a9d1e8b0012345678",
            Changes.newBuilder().setSubject("Re: commande n° 7").setCustom(Map.of("tierStr", "gold", "visitsNum", 3L))),
        event("e-2", "2026-11-24T02:30:01Z", "5f2f3c1a9d1e8b0012345678",
            Changes.newBuilder().setStatus(MessageStatus.sent).setSentAt(Instant.parse("2026-11-24T02:30:00.987Z")), "lang"),
        event("e-3", "2026-11-24T02:30:02Z", "5f2f3c1a9d1e8b0012345679",
            Changes.newBuilder().setStatus(MessageStatus.error).setCustom(Collections.singletonMap("noteTxt", null))
                .setError(DeliveryError.newBuilder().setStatus(550).setCode("mailbox_full").build())));
  }

  static MessageChange event(String id, String at, String messageId, Changes.Builder changes, String... clear) {
    return MessageChange.newBuilder().setEventId(id).setOccurredAt(Instant.parse(at)).setMessageId(messageId)
        .setChanges(changes.build()).setClear(List.of(clear)).build();
  }

  static List<Entry> entries(String format) throws Exception {
    List<Entry> entries = new ArrayList<>();
    if (format.equals("avro")) {
      avroEvents().forEach(e -> entries.add(new Entry(e.getMessageId(), e)));
      return entries;
    }
    ObjectMapper mapper = new ObjectMapper();
    for (String text : EVENTS) {
      JsonNode event = mapper.readTree(text);
      String id = event.get("messageId").textValue();
      ObjectNode item = mapper.createObjectNode().put("id", id); // of Kustomer's bulk API
      item.setAll((ObjectNode) event.get("changes"));
      entries.add(new Entry(id, mapper.writeValueAsString(format.equals("item") ? item : event)));
    }
    return entries;
  }

  public static void main(String[] args) throws Exception {
    String format = args[0], topic = args[1];
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", System.getenv().getOrDefault("BROKERS", "localhost:9092"));
    config.put("acks", "all");
    config.put("enable.idempotence", true);
    config.put("key.serializer", StringSerializer.class);
    config.put("value.serializer", format.equals("avro") ? AvroKafkaSerializer.class : StringSerializer.class);
    if (format.equals("avro")) {
      config.put("apicurio.registry.url", System.getenv("SCHEMA_REGISTRY_URL"));
      config.put("apicurio.registry.auto-register", true);
    }
    List<Future<?>> sent = new ArrayList<>();
    try (KafkaProducer<String, Object> producer = new KafkaProducer<>(config)) {
      for (Entry entry : entries(format)) {
        // Order holds within a partition, so changes of one message share a key.
        sent.add(producer.send(new ProducerRecord<>(topic, entry.key(), entry.value())));
      }
    }
    for (Future<?> future : sent) {
      future.get(); // throws if it was not written
    }
  }
}
