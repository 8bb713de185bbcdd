package metrics

import (
	"kafka-kustomer/schemas/formats"
	"kafka-kustomer/sink"
)

// Other stands for a code that is in no set.
const Other = "other"

// Skipped are the codes with which a record is skipped on purpose.
var Skipped = append(formats.Skips(), "transaction_marker", Other)

// DeadLetters are the codes with which a record is dead-lettered: what decoding
// says, what Kustomer says of an item or of a request that holds nothing else, and
// what a request comes to that never gets through.
var DeadLetters = append(
	formats.Rejects(),
	sink.CodeItemFailed,
	sink.CodeBadRequest, sink.CodeNotFound, sink.CodeConflict, sink.CodeTooLarge, sink.CodeUnprocessable, sink.CodeRefused,
	sink.CodeForbidden, sink.CodeForeignRefusal,
	sink.CodeServerError, sink.CodeRequestTimeout, sink.CodeTimeout, sink.CodeConnectionLost, sink.CodeForeignReply,
	Other,
)
