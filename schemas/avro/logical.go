package avro

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"slices"
	"strconv"
	"time"
)

// integer appends a number, or the date or time it stands for.
func (d *decoder) integer(k kind, v int64) bool {
	ok := true
	switch k {
	case kindDate:
		d.dst, ok = appendTimestamp(d.dst, v*24*60*60, 0, -1)
	case kindTimeMillis:
		d.dst, ok = appendTimeOfDay(d.dst, v, 1e3, 3)
	case kindTimeMicros:
		d.dst, ok = appendTimeOfDay(d.dst, v, 1e6, 6)
	case kindTimestampMillis:
		d.dst, ok = appendTimestamp(d.dst, floor(v, 1e3), v-floor(v, 1e3)*1e3, 3)
	case kindTimestampMicros:
		d.dst, ok = appendTimestamp(d.dst, floor(v, 1e6), v-floor(v, 1e6)*1e6, 6)
	case kindTimestampNanos:
		d.dst, ok = appendTimestamp(d.dst, floor(v, 1e9), v-floor(v, 1e9)*1e9, 9)
	default:
		d.dst = strconv.AppendInt(d.dst, v, 10)
	}
	return ok || d.fail(CodeRange)
}

// floor divides, rounding down also below zero.
func floor(v, by int64) int64 {
	q := v / by
	if v%by < 0 {
		q--
	}
	return q
}

// The seconds of the years that RFC 3339 can tell, 0 to 9999.
const (
	firstSecond = -62167219200
	lastSecond  = 253402300799
)

// appendTimestamp appends a time in UTC as RFC 3339 has it, with so many digits of
// a second's fraction, or only its date when digits is negative.
// time.Time.AppendFormat would interpret its layout anew for each.
func appendTimestamp(dst []byte, second, fraction int64, digits int) ([]byte, bool) {
	if second < firstSecond || second > lastSecond {
		return dst, false
	}
	t := time.Unix(second, 0).UTC()
	year, month, day := t.Date()
	dst = appendDigits(append(dst, '"'), int64(year), 4)
	dst = appendDigits(append(dst, '-'), int64(month), 2)
	dst = appendDigits(append(dst, '-'), int64(day), 2)
	if digits < 0 {
		return append(dst, '"'), true
	}
	ofDay := second - floor(second, 24*60*60)*24*60*60
	dst = appendClock(append(dst, 'T'), ofDay, fraction, digits)
	return append(dst, 'Z', '"'), true
}

// appendTimeOfDay appends the time that is so many parts of a second past midnight.
func appendTimeOfDay(dst []byte, v, perSecond int64, digits int) ([]byte, bool) {
	if v < 0 || v >= 24*60*60*perSecond {
		return dst, false
	}
	dst = appendClock(append(dst, '"'), v/perSecond, v%perSecond, digits)
	return append(dst, '"'), true
}

func appendClock(dst []byte, second, fraction int64, digits int) []byte {
	dst = appendDigits(dst, second/3600, 2)
	dst = appendDigits(append(dst, ':'), second/60%60, 2)
	dst = appendDigits(append(dst, ':'), second%60, 2)
	return appendDigits(append(dst, '.'), fraction, digits)
}

// appendDigits appends the last so many decimal digits of v.
func appendDigits(dst []byte, v int64, digits int) []byte {
	end := len(dst) + digits
	dst = append(dst, "000000000"[:digits]...)
	for i := end - 1; v > 0 && i >= end-digits; i-- {
		dst[i] = '0' + byte(v%10)
		v /= 10
	}
	return dst
}

// A decimal of up to 512 bits is told; any has fewer digits than this.
const (
	decimalWords     = 8
	maxDecimalDigits = 160
)

// appendDecimal appends a big-endian number in two's complement, divided by
// 10^scale, as a JSON number with so many digits after the point. It is math/big's
// work, which would allocate.
func appendDecimal(dst, b []byte, scale int) ([]byte, bool) {
	negative := len(b) > 0 && b[0] >= 0x80
	sign := byte(0)
	if negative {
		sign = 0xff
	}
	for len(b) > 0 && b[0] == sign {
		b = b[1:]
	}
	if len(b) > 8*decimalWords {
		return dst, false
	}
	words := magnitude(b, negative)
	if negative {
		dst = append(dst, '-')
	}
	begun := len(dst)
	dst = appendReversed(dst, &words, scale)
	slices.Reverse(dst[begun:])
	return dst, true
}

// magnitude is the absolute value, the least word first.
func magnitude(b []byte, negative bool) (words [decimalWords + 1]uint64) {
	for i, c := range b {
		at := len(b) - 1 - i
		if negative {
			c = ^c
		}
		words[at/8] |= uint64(c) << (at % 8 * 8)
	}
	if negative {
		carry := uint64(1)
		for i := range words {
			words[i], carry = bits.Add64(words[i], 0, carry)
		}
	}
	return words
}

// appendReversed appends the digits of a number from the last to the first, with
// the point, and one digit at least before it.
func appendReversed(dst []byte, words *[decimalWords + 1]uint64, scale int) []byte {
	const chunk, chunkDigits = 1e18, 18
	top := len(words)
	for digits := 0; ; {
		rest := uint64(0)
		for i := top - 1; i >= 0; i-- {
			words[i], rest = bits.Div64(rest, words[i], chunk)
		}
		for top > 0 && words[top-1] == 0 {
			top--
		}
		for range chunkDigits {
			if top == 0 && rest == 0 && digits > scale {
				return dst
			}
			if digits == scale && scale > 0 {
				dst = append(dst, '.')
			}
			dst = append(dst, '0'+byte(rest%10))
			rest /= 10
			digits++
		}
	}
}

func appendUUID(dst, b []byte) []byte {
	dst = append(dst, '"')
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, b[:end][len(b[:end])-[...]int{4, 2, 2, 2, 6}[i]:])
	}
	return append(dst, '"')
}

// appendDuration appends months, days and milliseconds as ISO 8601 has them.
func appendDuration(dst, b []byte) []byte {
	months, days, millis := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	dst = strconv.AppendUint(append(dst, `"P`...), uint64(months), 10)
	dst = strconv.AppendUint(append(dst, 'M'), uint64(days), 10)
	dst = strconv.AppendUint(append(dst, `DT`...), uint64(millis/1000), 10)
	dst = appendDigits(append(dst, '.'), int64(millis%1000), 3)
	return append(dst, `S"`...)
}
