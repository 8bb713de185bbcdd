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
