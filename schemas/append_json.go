package schemas

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
)

func appendJSON(dst []byte, e *event) []byte {
	dst = appendString(append(dst, `{"eventId":`...), e.id)
	dst = append(append(dst, `,"kind":"`...), e.Kind.String()...)
	dst = appendString(append(dst, `","batchId":`...), e.Batch.ID)
	dst = appendOptional(dst, `,"parentBatchId":`, e.Batch.Parent)
	if e.parts > 0 {
		dst = strconv.AppendInt(append(dst, `,"part":`...), int64(e.part), 10)
		dst = strconv.AppendInt(append(dst, `,"parts":`...), int64(e.parts), 10)
	}
	dst = appendAttempt(dst, e)
	dst = appendCounts(dst, e)
	dst = appendTimes(dst, e)
	dst = appendSources(dst, e.sources)
	if e.listItems {
		dst = appendItems(dst, e.entries)
	}
	return append(dst, '}')
}

// appendAttempt appends what the PUT attempt came to.
func appendAttempt(dst []byte, e *event) []byte {
	o := &e.Outcome
	dst = appendOptional(dst, `,"operationId":`, e.operationID)
	dst = appendOptional(dst, `,"requestId":`, o.RequestID)
	if o.Status != 0 {
		dst = strconv.AppendInt(append(dst, `,"httpStatus":`...), int64(o.Status), 10)
	}
	dst = appendOptional(dst, `,"org":`, o.Org)
	dst = appendOptional(dst, `,"user":`, o.User)
	dst = appendReason(dst, o.Reason)
	dst = strconv.AppendInt(append(dst, `,"attempts":`...), int64(e.attempts), 10)
	dst = append(append(dst, `,"closeReason":"`...), e.Batch.Reason.String()...)
	return append(dst, '"')
}

func appendCounts(dst []byte, e *event) []byte {
	dst = strconv.AppendInt(append(dst, `,"counts":{"items":`...), int64(len(e.Batch.Items)), 10)
	dst = strconv.AppendInt(append(dst, `,"events":`...), int64(e.events), 10)
	dst = strconv.AppendInt(append(dst, `,"updated":`...), int64(e.fates[batcher.FateUpdated]), 10)
	dst = strconv.AppendInt(append(dst, `,"failed":`...), int64(e.fates[batcher.FateFailed]), 10)
	dst = strconv.AppendInt(append(dst, `,"returned":`...), int64(e.fates[batcher.FateReturned]), 10)
	dst = strconv.AppendInt(append(dst, `,"deadLettered":`...), int64(e.fates[batcher.FateDeadLettered]), 10)
	return append(dst, '}')
}

func appendTimes(dst []byte, e *event) []byte {
	dst = appendTime(append(dst, `,"times":{"at":`...), e.At)
	dst = appendOptionalTime(dst, `,"firstEventAt":`, e.firstEventAt)
	dst = appendOptionalTime(dst, `,"cutAt":`, e.Batch.Cut)
	dst = appendOptionalTime(dst, `,"sentAt":`, e.Outcome.Sent)
	dst = appendOptionalTime(dst, `,"acceptedAt":`, e.acceptedAt)
	dst = appendOptionalTime(dst, `,"completedAt":`, e.completedAt)
	return append(dst, '}')
}

func appendSources(dst []byte, list []source) []byte {
	dst = append(dst, `,"sources":[`...)
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"topic":`...), s.Topic)
		dst = strconv.AppendInt(append(dst, `,"partition":`...), int64(s.Partition), 10)
		dst = append(dst, `,"ranges":[`...)
		for j, r := range s.runs {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(append(dst, '['), r.first, 10)
			dst = strconv.AppendInt(append(dst, ','), r.last, 10)
			dst = append(dst, ']')
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, ']')
}

func appendItems(dst []byte, list []entry) []byte {
	dst = append(dst, `,"items":[`...)
	for i := range list {
		e := &list[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"messageId":`...), e.item.MessageID)
		dst = append(append(dst, `,"status":"`...), e.fate.Fate.String()...)
		dst = strconv.AppendInt(append(dst, `","attempts":`...), int64(e.item.Attempts), 10)
		dst = appendReason(dst, e.fate.Reason)
		dst = appendString(append(dst, `,"topic":`...), e.item.Assignment.Topic)
		dst = strconv.AppendInt(append(dst, `,"partition":`...), int64(e.item.Assignment.Partition), 10)
		dst = append(dst, `,"events":[`...)
		for j, ev := range e.events {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(append(dst, `{"offset":`...), ev.Offset, 10)
			if len(ev.EventID) > 0 {
				dst = appendString(append(dst, `,"eventId":`...), ev.EventID)
			}
			if n := change(ev); n > 0 {
				dst = strconv.AppendInt(append(dst, `,"change":`...), int64(n), 10)
			}
			dst = append(dst, '}')
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, ']')
}

func appendReason(dst []byte, r batcher.Reason) []byte {
	dst = appendOptional(dst, `,"code":`, r.Code)
	return appendOptional(dst, `,"text":`, r.Text)
}

func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendString(append(dst, name...), value)
}

// appendString appends a JSON string. Invalid UTF-8 becomes U+FFFD: a result
// event is for people and for joins, and must always be readable.
func appendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	if literal(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// literal reports whether a text stands for itself in a JSON string, as ids do. It
// asks in a third of the time that quoting takes.
func literal[S ~string | ~[]byte](s S) bool {
	for i := range len(s) {
		if literalBytes[s[i]] == 0 {
			return false
		}
	}
	return true
}

// literalBytes holds a 1 for each byte that needs no escape and is a character by
// itself.
var literalBytes = func() (of [256]uint8) {
	for b := ' '; b < 0x7f; b++ {
		if b != '"' && b != '\\' {
			of[b] = 1
		}
	}
	return of
}()

func appendOptionalTime(dst []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return appendTime(append(dst, name...), t)
}

// appendTime writes what Kustomer writes: UTC with milliseconds.
func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000Z"`)
}
