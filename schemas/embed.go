package schemas

import _ "embed"

// MessageChangeSchema is the JSON Schema of the events that come in.
//
//go:embed message-change.schema.json
var MessageChangeSchema []byte

// BatchResultSchema is the JSON Schema of the events that go out.
//
//go:embed batch-result.schema.json
var BatchResultSchema []byte

// MessageChangeAvro is the Avro schema of the events that come in, the one to
// start from: package schemas/avro reads events of any schema with their members.
//
//go:embed message-change.avsc
var MessageChangeAvro string

// BatchResultAvro is the Avro schema of the events that go out, with the members of
// the JSON form.
//
//go:embed batch-result.avsc
var BatchResultAvro string
