// Package avro turns Avro values into JSON in one pass, without ever building them
// in memory: [Compile] makes a [Transcoder] of the schema a value was written with,
// and that appends JSON bytes to a buffer.
//
//	t, err := avro.Compile(schema) // once per schema
//	event, err = t.AppendEvent(event[:0], value)
//
// The rest of the program knows one form of an event, JSON, so nothing behind this
// package has to know Avro.
//
// # Why not a decoder into maps
//
// goavro checks the schemas here, and is the oracle of the tests. Its own decoder
// is not used on what comes from outside: it allocates what five bytes claim, and
// goes down with every recursion that a value asks for; neither can be recovered
// from. Here, a count is believed only as far as the bytes that are left can bear
// it; elements that take no bytes are bounded by number, nesting by depth, the
// output by size ([MaxOutput]). So the work for a value is bounded by its own size
// and that of the output, and the only memory is the caller's buffer.
//
// # How it is written
//
//   - A record is an object, in the schema's order; a map an object, in the
//     value's. A map with a key twice is an error.
//   - A union's value stands for itself, without a name of its branch.
//   - Enums are strings. Bytes and fixed are strings in base64 (RFC 4648, padded).
//   - Integers are written in full, also beyond 2^53. Floats have the shortest text
//     that is read back as the same number. NaN and infinities are errors.
//   - timestamp-millis, -micros and -nanos are RFC 3339 in UTC with 3, 6 and 9
//     digits of the second's fraction. The local-timestamps are written in the same
//     way, as if local were UTC: they have no zone, and no reader of events takes a
//     time without one.
//   - date is YYYY-MM-DD, time-millis and time-micros are HH:MM:SS.fff and .ffffff;
//     what is outside the years 0 to 9999 or of a day is an error.
//   - decimal is a number with exactly as many digits after the point as its scale
//     says, of up to 512 bits; more is an error.
//   - uuid is its text, also of a fixed. duration is ISO 8601, as P1M2DT3.004S.
//   - An unknown or invalid logical type is ignored, as the specification wants it.
//
// # Events
//
// [Transcoder.AppendEvent] writes what package schemas decodes. The members
// messageId, eventId, occurredAt, changes and clear are found by the names of the
// record's fields, else by their aliases; other members pass. Avro cannot leave a
// field out, so within changes a field that is null, by its union, is not set, at
// any depth of records. A null in a map is said on purpose, and stays. The member
// clear lists what is to be sent as null: names of changes, and custom.name for
// those of its member custom. To clear what is also set is an error.
//
// The schema message-change.avsc beside this package is one to start from. Any
// other schema with these members will do: values are read by their own schema.
package avro
