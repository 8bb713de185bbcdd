package schemas

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
)

func appendPart(dst []byte, r *batcher.Report, o ResultOptions, list []entry, part, parts int) []byte {
	dst = appendString(append(dst, `{"eventId":`...), r.Batch.ID)
	dst = append(dst[:len(dst)-1], '.') // reopen the string
	dst = append(dst, r.Kind.String()...)
	if parts > 0 {
		dst = strconv.AppendInt(append(dst, '.'), int64(part), 10)
	}
	dst = append(append(dst, `","kind":"`...), r.Kind.String()...)
	dst = appendString(append(dst, `","batchId":`...), r.Batch.ID)
	if parts > 0 {
		dst = strconv.AppendInt(append(dst, `,"part":`...), int64(part), 10)
		dst = strconv.AppendInt(append(dst, `,"parts":`...), int64(parts), 10)
	}
	dst = appendAttempt(dst, r)
	dst = appendCounts(dst, r)
	dst = appendTimes(dst, r)
	dst = appendSources(dst, list)
	if o.Items && (r.Kind == batcher.ReportCompleted || r.Kind == batcher.ReportRefused) {
		dst = appendItems(dst, list)
	}
	return append(dst, '}')
}

// appendAttempt appends what the PUT attempt came to.
func appendAttempt(dst []byte, r *batcher.Report) []byte {
	if r.Operation != nil {
		dst = appendString(append(dst, `,"operationId":`...), r.Operation.ID)
	}
	o := &r.Outcome
	dst = appendOptional(dst, `,"requestId":`, o.RequestID)
	if o.Status != 0 {
		dst = strconv.AppendInt(append(dst, `,"httpStatus":`...), int64(o.Status), 10)
	}
	dst = appendOptional(dst, `,"org":`, o.Org)
	dst = appendOptional(dst, `,"user":`, o.User)
	dst = appendReason(dst, o.Reason)
	attempts := 0
	for _, it := range r.Batch.Items {
		attempts = max(attempts, it.Attempts)
	}
	dst = strconv.AppendInt(append(dst, `,"attempts":`...), int64(attempts), 10)
	dst = append(append(dst, `,"closeReason":"`...), r.Batch.Reason.String()...)
	return append(dst, '"')
}

func appendCounts(dst []byte, r *batcher.Report) []byte {
	events := 0
	for _, it := range r.Batch.Items {
		events += len(it.Events)
	}
	var fates [4]int
	for _, f := range r.Fates {
		fates[f.Fate]++
	}
	dst = strconv.AppendInt(append(dst, `,"counts":{"items":`...), int64(len(r.Batch.Items)), 10)
	dst = strconv.AppendInt(append(dst, `,"events":`...), int64(events), 10)
	dst = strconv.AppendInt(append(dst, `,"updated":`...), int64(fates[batcher.FateUpdated]), 10)
	dst = strconv.AppendInt(append(dst, `,"failed":`...), int64(fates[batcher.FateFailed]), 10)
	dst = strconv.AppendInt(append(dst, `,"returned":`...), int64(fates[batcher.FateReturned]), 10)
	dst = strconv.AppendInt(append(dst, `,"deadLettered":`...), int64(fates[batcher.FateDeadLettered]), 10)
	return append(dst, '}')
}

func appendTimes(dst []byte, r *batcher.Report) []byte {
	var first time.Time
	for _, it := range r.Batch.Items {
		for _, ev := range it.Events {
			if first.IsZero() || ev.Arrived.Before(first) {
				first = ev.Arrived
			}
		}
	}
	dst = appendTime(append(dst, `,"times":{"at":`...), r.At)
	dst = appendOptionalTime(dst, `,"firstEventAt":`, first)
	dst = appendOptionalTime(dst, `,"cutAt":`, r.Batch.Cut)
	dst = appendOptionalTime(dst, `,"sentAt":`, r.Outcome.Sent)
	if r.Outcome.Kind == batcher.Accepted {
		dst = appendOptionalTime(dst, `,"acceptedAt":`, r.Outcome.Answered)
	}
	if r.Kind == batcher.ReportCompleted {
		dst = appendOptionalTime(dst, `,"completedAt":`, r.At)
	}
	return append(dst, '}')
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
