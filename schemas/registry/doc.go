// Package registry gets the schemas of records from a schema registry: any that
// speaks Confluent's API, Apicurio's compatible one too.
//
//	Parse     the id in a record            -> ID             (wire.go)
//	Known     what is kept, without I/O     -> Schema         (cache.go)
//	Schema    one lookup                    -> Schema, error  (client.go, ask.go)
//	Fetch     lookups until there is one    -> Schema, error  (fetch.go)
//	Register, Lookup, Latest, Accepts  a schema of ours       (subject.go)
//
// # For a poll loop
//
// Decoding happens where records are polled, and must not wait for a registry. So
// a loop asks Known for each record, which costs a map access; or not even that,
// where it keeps what it compiled from a schema by ID. When the answer is no, it
// pauses the partition, keeps the record and those after it, and lets a goroutine
// of its own call [Client.Fetch], one per partition: partitions that wait for the
// same schema share the requests. When Fetch returns
//
//   - a schema, the partition goes on with the record that it stopped at;
//   - [*UnknownError], the id has been unknown for the grace time: the record is a
//     dead letter, and the partition goes on. The next record with that id, on any
//     partition, finds out with one call, not with another grace time;
//   - [*UnusableError], the record is a dead letter too;
//   - the context's error, the partition was taken away: nothing is settled.
//
// A registry that does not answer, or refuses us, is none of these: Fetch waits, as
// that says nothing about the record. [Client.Problems] tells readiness.
//
// # What can go wrong
//
// Ids come with records, so whoever can produce a record chooses what is asked for.
// Hence at most 4 lookups at a time, one per id, and an id that is unknown is asked
// for again only after a while; the tables of both have a fixed size. Replies,
// schemas with what they refer to, and the number, depth and cycles of references
// are bounded too.
//
// A 404 is believed only from a registry: a slip in the URL gives 404s as well, and
// must not make dead letters of a whole topic (notFound in ask.go).
//
// The client is twmb's sr, which has no cache, reads replies of any size and takes
// errors as they come. What it is allowed to see is decided below it, in a
// transport of ours (transport.go), and what is said of its errors above it, in our
// own words only (errors.go): errors of HTTP clients quote URLs and replies, and
// there may be secrets in both.
//
// # References
//
// An Avro schema may name types that other schemas define. Avro parsers want one
// text, so the types are written into it where they are named first (references.go
// resolves, inline.go writes). A type without a namespace that is named from within
// two different ones stays ambiguous: Avro has no way to write that down.
package registry
