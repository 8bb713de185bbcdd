package registry

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
)

// ValueHeader is the record header that holds the id of the value's schema,
// where a producer writes it there instead of in front of the value. Where a
// record has it more than once, the last one counts.
const ValueHeader = "__value_schema_id"

// The first byte of an encoded id says which of the two it is.
const (
	magicNumber = 0x00
	magicGUID   = 0x01

	numberSize = 1 + 4
	guidSize   = 1 + 16
)

// ID names a schema as a record does: by a registry's number or by a GUID. It
// can be compared and be a map's key. The zero ID names nothing.
type ID struct {
	guid   [16]byte
	number uint32
	form   form
}

type form uint8

const (
	none form = iota
	byNumber
	byGUID
)

// Number is the ID that a registry has counted.
func Number(n uint32) ID { return ID{number: n, form: byNumber} }

// GUID is the ID that means the same schema in every registry.
func GUID(g [16]byte) ID { return ID{guid: g, form: byGUID} }

// IsZero tells whether the ID names nothing.
func (id ID) IsZero() bool { return id.form == none }

// String is the number in decimal, or the GUID as 8-4-4-4-12 hexadecimal digits.
func (id ID) String() string {
	switch id.form {
	case byNumber:
		return strconv.FormatUint(uint64(id.number), 10)
	case byGUID:
		var b [36]byte
		hex.Encode(b[0:8], id.guid[0:4])
		hex.Encode(b[9:13], id.guid[4:6])
		hex.Encode(b[14:18], id.guid[6:8])
		hex.Encode(b[19:23], id.guid[8:10])
		hex.Encode(b[24:36], id.guid[10:16])
		b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
		return string(b[:])
	}
	return "none"
}

// Framing is where a record has the id of its value's schema.
type Framing uint8

// What [Parse] found.
const (
	Unframed Framing = iota // nowhere
	Prefixed                // in front of the value
	Headed                  // in the header ValueHeader
)

// ErrHeader is a header [ValueHeader] that holds no id. What the value is can't be
// known then, and to take its first bytes for an id would be a guess.
var ErrHeader = errors.New("the header " + ValueHeader + " holds neither 0x00 and a schema id of 4 bytes nor 0x01 and a GUID of 16")

// Parse finds the id of a value's schema, and the value without it. It looks into
// the header first (nil: the record has none), as Confluent's deserializers do;
// then in front of the value. Both forms are taken in both places:
//
//	0x00, number (4 bytes, big-endian)      0x01, GUID (16 bytes)
//
// A value that begins otherwise, or is too short, is [Unframed], and is no error:
// JSON begins with neither byte. Unframed Avro may well, so a topic of such values
// is not for Parse. What follows the id is returned as it is: for Protobuf that
// begins with message indexes. The rest shares the value's memory.
func Parse(header, value []byte) (ID, []byte, Framing, error) {
	if header != nil {
		id, n := cut(header)
		if n == 0 || n != len(header) {
			return ID{}, value, Unframed, ErrHeader
		}
		return id, value, Headed, nil
	}
	id, n := cut(value)
	if n == 0 {
		return ID{}, value, Unframed, nil
	}
	return id, value[n:], Prefixed, nil
}

// cut reads an id from the start of b, and how many bytes it takes: 0 for none.
func cut(b []byte) (ID, int) {
	switch {
	case len(b) >= numberSize && b[0] == magicNumber:
		return Number(binary.BigEndian.Uint32(b[1:])), numberSize
	case len(b) >= guidSize && b[0] == magicGUID:
		return GUID([16]byte(b[1:guidSize])), guidSize
	}
	return ID{}, 0
}

// AppendPrefix appends an id as it stands in front of a value, and as it stands
// in the header. The zero ID appends nothing.
func AppendPrefix(dst []byte, id ID) []byte {
	switch id.form {
	case byNumber:
		return binary.BigEndian.AppendUint32(append(dst, magicNumber), id.number)
	case byGUID:
		return append(append(dst, magicGUID), id.guid[:]...)
	}
	return dst
}
