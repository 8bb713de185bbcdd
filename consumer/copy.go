package consumer

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
)

// copyRecord sets ch to a copy of r that shares no bytes with it: what kgo hands
// out are views into the whole decompressed batch, and one record that waits for
// Kustomer would keep all of it alive. Key, value and header values share one
// allocation.
func copyRecord(ch *batcher.Change, r *kgo.Record) {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Value)
	}
	buf := make([]byte, n)
	*ch = batcher.Change{Offset: r.Offset, LeaderEpoch: r.LeaderEpoch}
	ch.Record.Timestamp = r.Timestamp
	ch.Record.Key, buf = take(buf, r.Key)
	ch.Record.Value, buf = take(buf, r.Value)
	if len(r.Headers) == 0 {
		return
	}
	ch.Record.Headers = make([]batcher.Header, len(r.Headers))
	for i := range r.Headers {
		h := &ch.Record.Headers[i]
		h.Key = r.Headers[i].Key // a string of its own: kgo has copied it
		h.Value, buf = take(buf, r.Headers[i].Value)
	}
}

// take copies src to the front of buf. Nil stays nil: a record without a value is
// not one with an empty value.
func take(buf, src []byte) (dst, rest []byte) {
	if src == nil {
		return nil, buf
	}
	n := copy(buf, src)
	return buf[:n:n], buf[n:]
}

// reject marks a record as too large to be decoded. It is kept whole, for the
// dead-letter topic.
func reject(ch *batcher.Change, size, limit int) {
	ch.Verdict = batcher.Reject
	ch.Reason = batcher.Reason{
		Code: "oversize",
		Text: fmt.Sprintf("key and value are %d bytes, more than max_event_bytes (%d)", size, limit),
	}
}

// skipMarker sets ch to the end of a transaction: there is nothing to send, but
// the offset counts.
func skipMarker(ch *batcher.Change, r *kgo.Record) {
	*ch = batcher.Change{
		Offset: r.Offset, LeaderEpoch: r.LeaderEpoch, Verdict: batcher.Skip,
		Reason: batcher.Reason{Code: "transaction_marker", Text: "the end of a transaction"},
	}
}
