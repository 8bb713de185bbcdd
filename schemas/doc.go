// Package schemas turns the bytes of the connector's events into the nouns of
// package batcher, and back: message changes come in, batch results go out.
//
// In: a [Decoder] reads the value of one record. Nearly every event is plain JSON,
// and then one pass of package jsonscan both finds it valid and tells where its
// members are; what is not plain is left to jsontext. Either way the whole event is
// checked, what two readers could understand in two ways is refused (duplicate names,
// invalid UTF-8, something after the end), and the few members that the core needs
// are taken. The patch itself is never decoded: it stays the bytes that came, and
// those bytes go into the request's body later. Decoding into structs or maps would
// cost several times as much and would lose what a newer producer sends.
//
// Whether the patch's members are right is for Kustomer to say. Package schemas/rules
// knows what its reference says of them: with [Config].Strict a change that breaks a
// rule is rejected, otherwise the rules only tell where to look first when Kustomer
// has refused a request.
//
// Out: [Results] and [AppendResult] write result events by appending bytes, as JSON
// or as Avro. What an event says is worked out once, in event.go; append_json.go and
// append_avro.go only write it down, so that both forms say the same. A result event
// names every record of a batch by its position, so that the fate of each event can
// be looked up by anyone who reads the results topic.
//
// Four files describe both events field by field, as JSON Schema and as Avro schema,
// for people who write producers and readers in other languages. They are embedded:
// [MessageChangeSchema], [BatchResultSchema], [MessageChangeAvro], [BatchResultAvro].
// The tests hold them against the code, and against the versions that were released
// before, which are in testdata/released: producers and readers are not upgraded at
// the same time as the connector, so every version must be readable by every other.
//
// Events in other forms are for packages below: schemas/avro transcodes Avro to JSON,
// schemas/registry gets the schemas for it, schemas/mapping makes message changes of
// records of other shapes, and schemas/formats puts them together, topic by topic.
//
// Nothing here does I/O, and nothing here puts a payload into an error: a
// [batcher.Reason] says where in an event the trouble is, never what stands
// there.
package schemas
