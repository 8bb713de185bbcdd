// Package formats reads the records of source topics, whatever form they have: it
// puts together what the packages beside it do one thing of each.
//
//	record -> framing.go   the id of its schema, where it has one   (schemas/registry)
//	       -> known.go     the transcoder of that schema            (schemas/avro)
//	       -> JSON         as it came, or transcoded
//	       -> mapped.go    message changes                          (schemas/mapping)
//	       -> one change, or several of one record                  (schemas)
//
// Each topic has a [Topic] of its own. Most records take a short cut: JSON of a
// topic without a mapping goes straight to the decoder of package schemas.
//
// # JSON and Avro apart
//
// With the format auto, a value is taken for framed when its header or its first byte
// says so: 0x00 and 0x01 begin no JSON. Anything else is read as JSON. Bare Avro can
// begin with any byte, so it is read only where the format is avro and the schema is
// given; there nothing is guessed.
//
// # A schema that is not there yet
//
// Decoding does not wait. Where a record's schema is not known, [Decoder.Decode]
// returns a function that does: the caller stops the partition at that record, calls
// the function from a goroutine of its own, and decodes the record again when it has
// returned. A registry that is down keeps the function waiting; an id that the registry
// does not know makes it return after a while, and the record is a dead letter then.
package formats
