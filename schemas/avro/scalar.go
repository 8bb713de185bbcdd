package avro

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// scalar reads what holds no other values.
func (d *decoder) scalar(n *node) bool {
	switch n.kind {
	case kindNull:
		d.dst = append(d.dst, "null"...)
		return true
	case kindBoolean:
		return d.boolean()
	case kindInt, kindDate, kindTimeMillis:
		v, ok := d.int()
		return ok && d.integer(n.kind, v)
	case kindLong, kindTimeMicros, kindTimestampMillis, kindTimestampMicros, kindTimestampNanos:
		v, ok := d.long()
		return ok && d.integer(n.kind, v)
	case kindFloat:
		raw, ok := d.take(4)
		return ok && d.float(float64(math.Float32frombits(binary.LittleEndian.Uint32(d.key(raw)))), 32)
	case kindDouble:
		raw, ok := d.take(8)
		return ok && d.float(math.Float64frombits(binary.LittleEndian.Uint64(d.key(raw))), 64)
	case kindEnum:
		return d.enum(n)
	case kindBytes, kindDecimalBytes:
		raw, ok := d.length()
		return ok && d.binary(n, raw)
	case kindFixed, kindDecimalFixed, kindUUIDFixed, kindDuration:
		raw, ok := d.take(n.size)
		return ok && d.binary(n, raw)
	}
	panic("unreachable: the kinds are all above and in value")
}

// long reads a zigzag varint. Nearly all are of one byte.
func (d *decoder) long() (int64, bool) {
	if d.pos < len(d.src) && d.src[d.pos] < 0x80 {
		v := uint64(d.src[d.pos])
		d.pos++
		return int64(v>>1) ^ -int64(v&1), true
	}
	v, n := binary.Uvarint(d.src[d.pos:])
	switch {
	case n == 0:
		return 0, d.fail(CodeTruncated)
	case n < 0:
		return 0, d.fail(CodeVarint)
	}
	d.pos += n
	return int64(v>>1) ^ -int64(v&1), true
}

// int reads a long that fits an int and has no more bytes than one can have.
func (d *decoder) int() (int64, bool) {
	start := d.pos
	v, ok := d.long()
	if ok && (v != int64(int32(v)) || d.pos-start > binary.MaxVarintLen32) {
		return 0, d.failAt(CodeVarint, start)
	}
	return v, ok
}

// take reads so many bytes.
func (d *decoder) take(n int) (span, bool) {
	if n > len(d.src)-d.pos {
		return span{}, d.fail(CodeTruncated)
	}
	s := span{d.pos, d.pos + n}
	d.pos = s.end
	return s, true
}

// length reads a length and so many bytes.
func (d *decoder) length() (span, bool) {
	start := d.pos
	n, ok := d.long()
	switch {
	case !ok:
		return span{}, false
	case n < 0:
		return span{}, d.failAt(CodeLength, start)
	case n > int64(len(d.src)-d.pos):
		return span{}, d.failAt(CodeTruncated, start)
	}
	return d.take(int(n))
}

func (d *decoder) text() bool {
	s, ok := d.length()
	return ok && d.quote(s)
}

// quote appends a part of the value as a JSON string.
func (d *decoder) quote(s span) bool {
	text := d.src[s.start:s.end]
	if literal(text) {
		d.dst = append(append(append(d.dst, '"'), text...), '"')
		return true
	}
	dst, err := jsontext.AppendQuote(d.dst, text)
	if err != nil { // there is no other
		return d.failAt(CodeUTF8, s.start)
	}
	d.dst = dst
	return true
}

// appendQuoted is for what is known to be valid, as names of the schema are.
func appendQuoted[S ~string | ~[]byte](dst []byte, name S) []byte {
	dst, _ = jsontext.AppendQuote(dst, name)
	return dst
}

// literal reports whether a text stands for itself in a JSON string, as ids and
// most texts do.
func literal(s []byte) bool {
	for len(s) >= 8 {
		// The high bit of a byte of each term: not ASCII; below 0x20; a quote; a
		// backslash. A borrow can only raise a bit above one that is raised already.
		const ones, high = 0x0101010101010101, 0x8080808080808080
		w := binary.LittleEndian.Uint64(s)
		q, b := w^ones*'"', w^ones*'\\'
		if (w|(w-ones*0x20)|(q-ones)|(b-ones))&high != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c < 0x20 || c >= 0x80 || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (d *decoder) boolean() bool {
	raw, ok := d.take(1)
	if !ok {
		return false
	}
	switch d.src[raw.start] {
	case 0:
		d.dst = append(d.dst, "false"...)
	case 1:
		d.dst = append(d.dst, "true"...)
	default:
		return d.failAt(CodeBoolean, raw.start)
	}
	return true
}

func (d *decoder) enum(n *node) bool {
	start := d.pos
	i, ok := d.int()
	if !ok {
		return false
	}
	if i < 0 || i >= int64(len(n.symbols)) {
		return d.failAt(CodeEnum, start)
	}
	d.dst = append(d.dst, n.symbols[i]...)
	return true
}

// float appends the shortest text that is read back as the same number.
func (d *decoder) float(v float64, bits int) bool {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return d.fail(CodeNumber)
	}
	d.dst = strconv.AppendFloat(d.dst, v, 'g', -1, bits)
	return true
}

// binary appends what is made of bytes.
func (d *decoder) binary(n *node, raw span) bool {
	b := d.src[raw.start:raw.end]
	switch n.kind {
	case kindDecimalBytes, kindDecimalFixed:
		dst, ok := appendDecimal(d.dst, b, n.scale)
		if !ok {
			return d.failAt(CodeRange, raw.start)
		}
		d.dst = dst
	case kindUUIDFixed:
		d.dst = appendUUID(d.dst, b)
	case kindDuration:
		d.dst = appendDuration(d.dst, b)
	default:
		d.dst = append(d.dst, '"')
		d.dst = base64.StdEncoding.AppendEncode(d.dst, b)
		d.dst = append(d.dst, '"')
	}
	return true
}
