package model

import (
	"bytes"
	"slices"
	"strconv"

	"kafka-kustomer/batcher"
)

// record is one record of the log. Its changes have fates of their own; a commit
// passes all of them or none.
type record struct {
	partition int
	offset    int64    // once it is in the log
	changes   []*event // in the order in which they are to be applied
	abandoned bool     // an admin moved the offset beyond it
}

// add adds a change.
func (r *record) add(id int, message string) *event {
	e := &event{record: r, part: len(r.changes) + 1, id: id, message: message}
	r.changes = append(r.changes, e)
	return e
}

// change is the record as the decoder hands it to the core.
func (r *record) change() batcher.Change {
	e := r.changes[0]
	ch := batcher.Change{
		Offset: r.offset, LeaderEpoch: 1,
		Record: batcher.Record{Key: []byte(e.message), Value: e.patch},
	}
	switch e.kind {
	case malformed:
		ch.Verdict, ch.Reason = batcher.Reject, batcher.Reason{Code: "malformed", Text: "cut short"}
	case tombstone:
		ch.Verdict, ch.Reason = batcher.Skip, batcher.Reason{Code: "tombstone"}
	default:
		ch.MessageID, ch.EventID, ch.Patch = []byte(e.message), []byte(strconv.Itoa(e.id)), e.patch
	}
	for _, e := range r.changes[1:] {
		ch.More = append(ch.More, batcher.Update{
			MessageID: []byte(e.message), EventID: []byte(strconv.Itoa(e.id)), Patch: e.patch,
		})
		ch.Record.Value = bytes.Join([][]byte{ch.Record.Value, e.patch}, []byte(" "))
	}
	return ch
}

// topicLog is the source topic.
type topicLog [][]*record

// append puts a record at the end of its partition.
func (l topicLog) append(r *record, gap int64) {
	records := l[r.partition]
	r.offset = gap
	if n := len(records); n > 0 {
		r.offset += records[n-1].offset + 1
	}
	l[r.partition] = append(records, r)
}

// of finds the change that the core has as an event, nil when there is none.
func (l topicLog) of(ev *batcher.Event) *event {
	records := l[ev.Assignment.Partition]
	i := l.from(int(ev.Assignment.Partition), ev.Offset)
	if part, _ := ev.Part(); i < len(records) && records[i].offset == ev.Offset && part <= len(records[i].changes) {
		return records[i].changes[part-1]
	}
	return nil
}

// from returns the index of the first record at or after an offset.
func (l topicLog) from(partition int, offset int64) int {
	i, _ := slices.BinarySearchFunc(l[partition], offset, func(r *record, o int64) int { return int(r.offset - o) })
	return i
}

// changesOf lists the changes of records in the order in which they are to be
// applied.
func changesOf(records []*record) (list []*event) {
	for _, r := range records {
		list = append(list, r.changes...)
	}
	return list
}
