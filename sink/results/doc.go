// Package results writes what the connector tells into Kafka: result events of
// batches, and dead letters.
//
// A [Writer] produces asynchronously and says when Kafka has acknowledged: the
// callback of [Writer.Report] and [Writer.Bury] is called once, when every
// record of it is written to all in-sync replicas, or has failed for good. Source
// offsets wait for that, so an acknowledgement that comes too early would lose
// an event's fate. The client of [ProducerOpts] therefore never gives up by
// time or by count. Kafka without enough replicas is silent then, so the writer
// watches the age of its oldest write: a log line and a [Problem] say so when that
// is over 30 s, and another line when it is over.
//
// Result events are keyed by batch id, so that those of one batch are in one
// partition and in order. They are JSON, or Avro behind the number that a schema
// registry has given its schema; this package knows that number as a few bytes, and
// no registry. A dead letter repeats the source record byte for byte,
// key, value, headers and timestamp, and adds headers: those of Kafka Connect,
// which tools for dead letters know, and our own. One too large for the topic is
// written without its value, which stays readable at its source position.
//
// The topics are looked for, and created where that is wanted, by
// [Writer.Ensure] before anything is read: a program that could not tell the fate
// of an event must not take one.
package results
