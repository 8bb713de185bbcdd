package schemas

import (
	"encoding/binary"
	"time"
	"unicode/utf8"

	"kafka-kustomer/batcher"
)

// appendAvro writes the fields in the order of batch-result.avsc, which the tests
// hold it to. It knows that schema by heart, where an encoder made for any schema
// would go through maps, one for each record.
func appendAvro(dst []byte, e *event) []byte {
	dst = appendText(dst, e.id)
	dst = appendEnum(dst, e.Kind)
	dst = appendText(dst, e.Batch.ID)
	dst = appendNullableText(dst, e.Batch.Parent)
	dst = appendNullableInt(dst, e.part)
	dst = appendNullableInt(dst, e.parts)
	o := &e.Outcome
	dst = appendNullableText(dst, e.operationID)
	dst = appendNullableText(dst, o.RequestID)
	dst = appendNullableInt(dst, o.Status)
	dst = appendNullableText(dst, o.Org)
	dst = appendNullableText(dst, o.User)
	dst = appendAvroReason(dst, o.Reason)
	dst = appendInt(dst, e.attempts)
	dst = appendEnum(dst, e.Batch.Reason)
	dst = appendAvroCounts(dst, e)
	dst = appendAvroTimes(dst, e)
	dst = appendAvroSources(dst, e.sources)
	if !e.listItems {
		return append(dst, isNull)
	}
	return appendAvroItems(append(dst, notNull), e.entries)
}

func appendAvroCounts(dst []byte, e *event) []byte {
	dst = appendInt(dst, len(e.Batch.Items))
	dst = appendInt(dst, e.events)
	dst = appendInt(dst, e.fates[batcher.FateUpdated])
	dst = appendInt(dst, e.fates[batcher.FateFailed])
	dst = appendInt(dst, e.fates[batcher.FateReturned])
	return appendInt(dst, e.fates[batcher.FateDeadLettered])
}

func appendAvroTimes(dst []byte, e *event) []byte {
	dst = binary.AppendVarint(dst, e.At.UnixMilli())
	for _, at := range [...]time.Time{e.firstEventAt, e.Batch.Cut, e.Outcome.Sent, e.acceptedAt, e.completedAt} {
		if at.IsZero() {
			dst = append(dst, isNull)
		} else {
			dst = binary.AppendVarint(append(dst, notNull), at.UnixMilli())
		}
	}
	return dst
}

func appendAvroSources(dst []byte, list []source) []byte {
	dst = beginArray(dst, len(list))
	for _, s := range list {
		dst = appendText(dst, s.Topic)
		dst = appendInt(dst, s.Partition)
		dst = beginArray(dst, len(s.runs))
		for _, r := range s.runs {
			dst = beginArray(dst, 2)
			dst = binary.AppendVarint(dst, r.first)
			dst = binary.AppendVarint(dst, r.last)
			dst = endArray(dst)
		}
		dst = endArray(dst)
	}
	return endArray(dst)
}

func appendAvroItems(dst []byte, list []entry) []byte {
	dst = beginArray(dst, len(list))
	for i := range list {
		e := &list[i]
		dst = appendText(dst, e.item.MessageID)
		dst = appendEnum(dst, e.fate.Fate)
		dst = appendInt(dst, e.item.Attempts)
		dst = appendAvroReason(dst, e.fate.Reason)
		dst = appendText(dst, e.item.Assignment.Topic)
		dst = appendInt(dst, e.item.Assignment.Partition)
		dst = beginArray(dst, len(e.events))
		for _, ev := range e.events {
			dst = binary.AppendVarint(dst, ev.Offset)
			dst = appendNullableText(dst, ev.EventID)
			dst = appendNullableInt(dst, change(ev))
		}
		dst = endArray(dst)
	}
	return endArray(dst)
}

func appendAvroReason(dst []byte, r batcher.Reason) []byte {
	return appendNullableText(appendNullableText(dst, r.Code), r.Text)
}

// The branches of a union of null and something, as they are written in front of it.
const (
	isNull  = 0
	notNull = 2 // branch 1 in zigzag
)

// beginArray begins an array of n elements: all in one block, unless there are none.
// endArray follows the elements. Avro's zigzag numbers are the varints of package
// binary.
func beginArray(dst []byte, n int) []byte {
	if n == 0 {
		return dst
	}
	return binary.AppendVarint(dst, int64(n))
}

func endArray(dst []byte) []byte { return append(dst, 0) }

func appendInt[N int | int32](dst []byte, n N) []byte { return binary.AppendVarint(dst, int64(n)) }

// appendEnum appends a noun of the core, whose constants are in the order of the
// schema's symbols.
func appendEnum[N batcher.ReportKind | batcher.CloseReason | batcher.Fate](dst []byte, n N) []byte {
	return binary.AppendVarint(dst, int64(n))
}

func appendNullableInt(dst []byte, n int) []byte {
	if n == 0 {
		return append(dst, isNull)
	}
	return appendInt(append(dst, notNull), n)
}

func appendNullableText[S ~string | ~[]byte](dst []byte, s S) []byte {
	if len(s) == 0 {
		return append(dst, isNull)
	}
	return appendText(append(dst, notNull), s)
}

// appendText appends an Avro string. As in the JSON form, each byte of invalid UTF-8
// becomes U+FFFD.
func appendText[S ~string | ~[]byte](dst []byte, s S) []byte {
	if !literal(s) && !utf8.ValidString(string(s)) {
		valid := string([]rune(string(s)))
		return append(binary.AppendVarint(dst, int64(len(valid))), valid...)
	}
	return append(binary.AppendVarint(dst, int64(len(s))), s...)
}
