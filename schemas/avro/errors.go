package avro

import "fmt"

// The codes of an [Error]. The set is closed; they are fit to be metric labels.
const (
	CodeTruncated   = "truncated"       // the value ends too early, or a length or count claims more than is left
	CodeTrailing    = "trailing_bytes"  // bytes follow the value
	CodeVarint      = "invalid_varint"  // an int or long of too many bytes or bits
	CodeLength      = "invalid_length"  // a negative length
	CodeBlock       = "invalid_block"   // a block's count or size cannot be, or is not what the block has
	CodeBoolean     = "invalid_boolean" // a byte other than 0 and 1
	CodeUnion       = "invalid_union"   // no such branch
	CodeEnum        = "invalid_enum"    // no such symbol
	CodeUTF8        = "invalid_utf8"    // in a string or a map's key
	CodeNumber      = "not_a_number"    // NaN or an infinity, for which JSON has no text
	CodeRange       = "out_of_range"    // a time or decimal that its text cannot tell
	CodeDuplicate   = "duplicate_key"   // a map has a key twice
	CodeTooDeep     = "too_deep"        // records, arrays and maps nest too deep
	CodeTooMany     = "too_many_items"  // more elements than the bytes justify
	CodeOutputLarge = "output_too_large"
	CodeClear       = "invalid_clear" // "clear" names what is set, or what cannot be named
)

var texts = map[string]string{
	CodeTruncated:   "the value ends early, or claims more than is left of it",
	CodeTrailing:    "bytes follow the value; is this the schema it was written with?",
	CodeVarint:      "an integer has more bytes or bits than its type",
	CodeLength:      "a length is negative",
	CodeBlock:       "a block's count or size is wrong",
	CodeBoolean:     "a boolean is neither 0 nor 1",
	CodeUnion:       "a union has no such branch",
	CodeEnum:        "an enum has no such symbol",
	CodeUTF8:        "a string is not valid UTF-8",
	CodeNumber:      "a number is NaN or infinite, which JSON cannot tell",
	CodeRange:       "a time or a decimal is out of range",
	CodeDuplicate:   "a map has a key twice",
	CodeTooDeep:     "records, arrays and maps are nested too deep",
	CodeTooMany:     "there are too many elements",
	CodeOutputLarge: "the JSON would be too large",
	CodeClear:       `"clear" lists a member that is also set, or no member's name`,
}

// Error is why a value could not be read. It never holds anything of the value.
type Error struct {
	Code string
	// Path leads to the place by the schema's names: changes.attachments[].name,
	// where [] is an element of an array and {} a value of a map. Empty at the top.
	Path   string
	Offset int // in the value, where reading ended
}

func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("Avro: %s, at byte %d", texts[e.Code], e.Offset)
	}
	return fmt.Sprintf("Avro: %s, in %s at byte %d", texts[e.Code], e.Path, e.Offset)
}

// The codes of a [SchemaError]. The set is closed.
const (
	CodeSchemaInvalid     = "invalid_schema"     // not an Avro schema
	CodeSchemaUnsupported = "unsupported_schema" // an Avro schema beyond this package's bounds
	CodeSchemaNoEvent     = "schema_no_event"    // good, but not of message changes
)

// SchemaError is why a schema cannot be used, for anything or for events.
type SchemaError struct {
	Code string
	Text string // what is wrong; may quote names of the schema
}

func (e *SchemaError) Error() string { return "Avro schema: " + e.Text }

// invalid and its twins word a fault of the schema. Names are cut: a schema comes
// from outside.
func invalid(format string, args ...any) *SchemaError {
	return schemaError(CodeSchemaInvalid, format, args...)
}

func unsupported(format string, args ...any) *SchemaError {
	return schemaError(CodeSchemaUnsupported, format, args...)
}

const maxTextBytes = 500

func schemaError(code, format string, args ...any) *SchemaError {
	text := fmt.Sprintf(format, args...)
	if len(text) > maxTextBytes {
		text = text[:maxTextBytes] + "..."
	}
	return &SchemaError{Code: code, Text: text}
}
