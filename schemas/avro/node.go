package avro

import "math"

// kind is how a value is read and written: a type of Avro, or a logical type.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindBytes
	kindString
	kindRecord
	kindEnum
	kindArray
	kindMap
	kindUnion
	kindFixed

	kindDate
	kindTimeMillis
	kindTimeMicros
	kindTimestampMillis
	kindTimestampMicros
	kindTimestampNanos
	kindDecimalBytes
	kindDecimalFixed
	kindUUIDFixed
	kindDuration
)

var primitives = map[string]kind{
	"null": kindNull, "boolean": kindBoolean, "int": kindInt, "long": kindLong,
	"float": kindFloat, "double": kindDouble, "bytes": kindBytes, "string": kindString,
}

var complexTypes = map[string]bool{"record": true, "enum": true, "fixed": true, "array": true, "map": true}

// node is a type of the schema. Nodes of recursive schemas point in a circle.
type node struct {
	kind     kind
	size     int      // of a fixed
	scale    int      // of a decimal
	fields   []field  // of a record
	symbols  [][]byte // of an enum, quoted
	item     *node    // of an array or map
	branches []*node  // of a union

	least   int // no value has fewer bytes
	visited bool
}

type field struct {
	name    string
	key     []byte // ,"name":
	of      *node
	aliases []string
	custom  bool // name is "custom"
}

// logical lists what a logical type becomes, by the type it annotates. A pair that
// is not here is ignored, as the specification wants it; so is a string's uuid,
// which is text already.
var logical = map[kind]map[string]kind{
	kindInt: {"date": kindDate, "time-millis": kindTimeMillis},
	kindLong: {
		"time-micros":      kindTimeMicros,
		"timestamp-millis": kindTimestampMillis, "local-timestamp-millis": kindTimestampMillis,
		"timestamp-micros": kindTimestampMicros, "local-timestamp-micros": kindTimestampMicros,
		"timestamp-nanos": kindTimestampNanos, "local-timestamp-nanos": kindTimestampNanos,
	},
	kindBytes: {"decimal": kindDecimalBytes},
	kindFixed: {"decimal": kindDecimalFixed, "uuid": kindUUIDFixed, "duration": kindDuration},
}

// withLogical applies the logical type of a schema, if it is valid.
func withLogical(n *node, s map[string]any) (*node, *SchemaError) {
	name, _ := s["logicalType"].(string)
	k, known := logical[n.kind][name]
	switch {
	case !known, k == kindUUIDFixed && n.size != 16, k == kindDuration && n.size != 12:
		return n, nil
	case k == kindDecimalBytes, k == kindDecimalFixed:
		precision, ok := s["precision"].(float64)
		scale, given := s["scale"].(float64)
		if !ok || s["scale"] != nil && !given || precision < 1 || scale < 0 || scale > precision || scale != math.Trunc(scale) {
			return n, nil
		}
		if scale > maxDecimalDigits {
			return nil, unsupported("a decimal has the scale %v, at most %d is allowed", scale, maxDecimalDigits)
		}
		n.scale = int(scale)
	}
	n.kind = k
	return n, nil
}

const manyBytes = 1 << 30 // where counting the least size ends

// setLeast finds out how many bytes a value has at least. What is recursive counts
// as nothing, which is still a lower bound.
func (n *node) setLeast() int {
	if n.visited {
		return n.least
	}
	n.visited = true
	least := 1
	switch n.kind {
	case kindNull:
		least = 0
	case kindFloat:
		least = 4
	case kindDouble:
		least = 8
	case kindFixed, kindDecimalFixed, kindUUIDFixed, kindDuration:
		least = n.size
	case kindRecord:
		least = 0
		for i := range n.fields {
			least = min(least+n.fields[i].of.setLeast(), manyBytes)
		}
	case kindUnion:
		if len(n.branches) > 0 {
			least = manyBytes
		}
		for _, b := range n.branches {
			least = min(least, 1+b.setLeast())
		}
	case kindArray, kindMap:
		n.item.setLeast()
	}
	n.least = least
	return least
}
