package results

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
)

// The prefixes of the headers that a dead letter adds. A record that was a dead
// letter before loses its old ones: mixed with the new, they would tell a cause
// that never was.
const (
	connectPrefix = "__connect.errors."
	ourPrefix     = "kafka-kustomer."
)

// extent is how much of the source record a dead letter repeats.
type extent int

const (
	whole        extent = iota
	withoutValue        // its size and hash instead
	bare                // neither key nor headers: the position says where they are
)

// deadLetter is the source record as it was, with headers that say where it is
// from and why it was given up.
func (w *Writer) deadLetter(b *batcher.Bury, much extent) *kgo.Record {
	source := &b.Event.Record
	r := &kgo.Record{
		Topic: w.cfg.DeadLetterTopic, Key: source.Key, Value: source.Value, Timestamp: source.Timestamp,
		Headers: make([]kgo.RecordHeader, 0, len(source.Headers)+18),
	}
	if much < bare {
		for _, h := range source.Headers {
			if !strings.HasPrefix(h.Key, connectPrefix) && !strings.HasPrefix(h.Key, ourPrefix) {
				r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
			}
		}
	} else {
		r.Key = nil
	}
	w.addHeaders(r, b)
	if much >= withoutValue {
		sum := sha256.Sum256(source.Value)
		add(r, ourPrefix+"value.size", strconv.Itoa(len(source.Value)))
		add(r, ourPrefix+"value.sha256", hex.EncodeToString(sum[:]))
		r.Value = nil
	}
	return r
}

// addHeaders adds Kafka Connect's context headers, then ours. Those that have
// nothing to say are left out.
func (w *Writer) addHeaders(r *kgo.Record, b *batcher.Bury) {
	// Connect names its own stages; these are the two that fit.
	stage, class := "TASK_PUT", "kafka-kustomer/sink"
	if b.MessageID == "" {
		stage, class = "VALUE_CONVERTER", "kafka-kustomer/schemas"
	}
	a := b.Event.Assignment
	for _, h := range [...][2]string{
		{connectPrefix + "topic", a.Topic},
		{connectPrefix + "partition", strconv.Itoa(int(a.Partition))},
		{connectPrefix + "offset", strconv.FormatInt(b.Event.Offset, 10)},
		{connectPrefix + "connector.name", w.cfg.Name},
		{connectPrefix + "task.id", "0"},
		{connectPrefix + "stage", stage},
		{connectPrefix + "class.name", class},
		{connectPrefix + "exception.class.name", b.Reason.Code},
		{connectPrefix + "exception.message", b.Reason.Text},
		{ourPrefix + "reason", b.Reason.Code},
		{ourPrefix + "message.id", b.MessageID},
		{ourPrefix + "change", part(b.Event)},
		{ourPrefix + "batch.id", b.BatchID},
		{ourPrefix + "operation.id", b.Operation},
		{ourPrefix + "http.status", number(b.Status)},
		{ourPrefix + "attempts", number(b.Attempts)},
	} {
		if h[1] != "" {
			add(r, h[0], h[1])
		}
	}
}

func add(r *kgo.Record, name, value string) {
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
}

// part is "2/3" for the second of a record's three changes, and empty where it has
// only one.
func part(ev *batcher.Event) string {
	n, of := ev.Part()
	if of == 1 {
		return ""
	}
	return strconv.Itoa(n) + "/" + strconv.Itoa(of)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
