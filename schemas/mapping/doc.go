// Package mapping turns records of other shapes into message changes, the events
// that package schemas decodes.
//
// A [Mapper] takes one [Record], whose value is JSON, and gives a [Result]: one event
// or several, or a skip with a code from a closed set, or a [Fault] for the dead-letter
// topic. It judges no event: what a message id may be, and what "changes" may hold, is
// the decoder's to say, for events that were mapped as for those that came as such.
//
// # Presets
//
//	preset          value, and what becomes of it
//	--------------  ---------------------------------------------------------------
//	message-change  {"eventId":"e1","messageId":"64a1","changes":{"status":"sent"}}
//	                stays as it is, and costs nothing
//
//	item            {"id":"64a1","status":"sent","custom":{"tierStr":"gold"}}
//	                {"messageId":"64a1","changes":{"status":"sent","custom":{"tierStr":"gold"}}}
//
//	debezium        {"op":"u","before":{"id":"64a1","status":"error","subject":"Hi"},
//	                 "after":{"id":"64a1","status":"sent","subject":"Hi"},"ts_ms":1792591332010}
//	                {"occurredAt":"2026-10-21T14:02:12.01Z","messageId":"64a1","changes":{"status":"sent"}}
//
//	kustomer-event  {"id":"64b2","name":"kustomer.message.update","data":{"type":"message","id":"64a1"},
//	                 "changes":{"attributes":{"subject":{"op":"replace","before":"Hi","after":"Re: Hi"},
//	                 "rev":{"op":"replace","before":1,"after":2}}},"createdAt":"2026-10-21T14:02:12Z"}
//	                {"eventId":"64b2","occurredAt":"2026-10-21T14:02:12Z","messageId":"64a1",
//	                 "changes":{"subject":"Re: Hi"}}
//
// Numbers and texts are copied as they are written; nothing is decoded and encoded
// again. A member name that stands twice in one object is refused, here as there.
//
// # Debezium
//
// An envelope is read with and without Connect's {"schema", "payload"} around it, and
// so is a row that ExtractNewRecordState has unwrapped. Creates, updates and snapshot
// reads make events; deletes ("op", "__op" or "__deleted"), tombstones, truncates and
// logical decoding messages are skipped. Where "before" is there, only the columns
// that have changed are sent, and an update in which none has is skipped; but all of
// them where the row was of another message before, or of none.
// PostgreSQL's "__debezium_unavailable_value" stands for a column that has not changed,
// and is not sent either.
//
// Columns that hold times as numbers are found by the schema's io.debezium.time.*, and
// those that hold JSON as text by io.debezium.data.Json. Without a schema, and with
// Avro, whose values come without one, [DebeziumConfig] names them; it also gives
// columns other names. MongoDB's "after", which is a text, is a fault.
//
// # Kustomer's own events
//
// The webhook kustomer.message.update says in "changes" what has changed; events of
// other names are skipped. What is read-only, cannot be set in bulk, or is about the
// update itself (createdAt, modifiedBy, updatedAt, rev and so on) is left out and
// counted.
//
// Every update of this connector comes back as such an event. Mapped again it would be
// sent again, and make the next one, without end. They are told by who made them: an
// event's data.relationships.modifiedBy is the user of the API key, whom batch results
// name as "user". So the preset does not start without [KustomerEventConfig].OwnUsers,
// unless it is said that the events come from another org. The connector needs an API
// key of its own for that: with a shared one, the updates of its other users would be
// skipped too.
//
// # null
//
// Kustomer documents null for a few members and for all of custom, and may refuse a
// whole request for another. The presets debezium and kustomer-event leave such nulls
// out and count them, unless Nulls is all. An attribute that is gone from custom is
// sent as null, as Kustomer merges custom by key.
//
// # CloudEvents
//
// A record may carry its value as a CloudEvent: binary, with headers ce_*, or
// structured, with the content type application/cloudevents+json. The data is what is
// mapped then, by any preset or program. The event's id and time become eventId and
// occurredAt where the mapped event has none of its own.
//
// # jq
//
// For other shapes there is a program in jq. Its input is the value, and $key, $headers,
// $topic, $partition, $offset and $timestamp are the record's. A key that is a JSON
// object, array or string is decoded, any other is text. Of headers of one name the
// last one counts; what is not UTF-8 is null. Each output is an event:
//
//	select(.event == "Message Updated")
//	| {messageId: .properties.message_id, occurredAt: .sentAt,
//	   changes: {status: .properties.status, custom: {tierStr: .properties.tier}}}
//
// A program that gives nothing (empty, select) skips the record. One that fails, or
// calls error, makes a fault of it, and so does an output that is no object; what the
// program gave before that is not sent. Numbers that a program only moves stay exact;
// those that it calculates with are integers of any size, or floating-point numbers.
//
// Time, number and size of outputs are bounded by [JQLimits]. Memory is bounded only by
// what a program can use up in its time: a program should not take lengths from the
// record (as in "x" * .n, or .[.n] = 1). Environment, files, modules and further inputs
// do not exist; a program that asks for them is refused at the start.
//
// No fault quotes the record. Of what a program gives to error, the literal parts are
// shown: error("status \(.status) is unknown") becomes "status … is unknown". Of jq's
// own errors, the kind and the types are.
package mapping
