package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kafka-kustomer/batcher"
)

// eventKind is what an event is in truth.
type eventKind uint8

const (
	healthy     eventKind = iota
	malformed             // to be dead-lettered undelivered
	tombstone             // to be skipped
	poisoned              // an item fails for good in which its bad value is the last one
	badRequest            // a request that holds it is answered 400
	failing               // a request that holds it is answered 500 or not at all
	conflicting           // a request that holds it is answered 409
	oversize              // a request that holds it is answered 413
)

// unsendable reports whether no request that holds such an event is accepted.
func (k eventKind) unsendable() bool { return k >= badRequest }

var marks = [...]string{"", "~malformed", "~tombstone", "~poison", "~refused", "~error", "~conflict", "~oversize"}

const (
	barrierField = "status"
	badPrefix    = "bad"
)

// event is one record of the log and the truth about it.
type event struct {
	id        int
	partition int
	offset    int64 // once it is in the log
	message   string
	kind      eventKind
	audit     bool // it needs a role of its own
	patch     []byte
	writes    []write

	applied      bool // Kustomer has run an item that holds it
	resultAcked  bool // a result event that says so is in Kafka
	deadLettered bool // its dead letter is in Kafka
	abandoned    bool // an admin moved the offset beyond it
	unlucky      int  // attempts of unknown outcome in a row
}

// write is one leaf of a message's state that an event writes; an empty value
// takes the leaf away.
type write struct{ leaf, value string }

// settled reports whether a commit may pass the event.
func (e *event) settled() bool {
	return e.kind == tombstone || e.applied && e.resultAcked || e.deadLettered || e.abandoned
}

func (e *event) String() string {
	mark := marks[e.kind]
	if e.audit {
		mark += "~audit"
	}
	return fmt.Sprintf("%s/p%d@%d%s%s", e.message, e.partition, e.offset, e.patch, mark)
}

// newEvent draws an event: which members it writes, and whether it is well.
func (w *world) newEvent(id int) *event {
	n := w.random.IntN(w.cfg.Messages)
	e := &event{id: id, message: "m" + strconv.Itoa(n), partition: n % w.cfg.Partitions}
	if w.mode[TwoPartitions] && w.random.IntN(2) == 0 {
		e.partition = w.random.IntN(w.cfg.Partitions)
	}
	if w.trouble(Combination) {
		w.api.together[e.message] = true
	}
	e.kind = w.drawKind()
	e.audit = e.kind == healthy && w.trouble(Audit)
	if e.kind != malformed && e.kind != tombstone {
		w.drawPatch(e)
	}
	return e
}

func (w *world) drawKind() eventKind {
	switch {
	case w.trouble(Malformed):
		return malformed
	case w.trouble(Tombstone):
		return tombstone
	case w.trouble(Poison):
		return poisoned
	case w.trouble(RefusedPoison):
		return badRequest
	case w.trouble(ErrorPoison):
		return failing
	case w.trouble(ConflictPoison):
		return conflicting
	case w.mode[TooLarge] && w.trouble(Oversize):
		return oversize
	}
	return healthy
}

// drawPatch gives the event a patch whose values name it, so that the state of
// a message tells which event wrote it last.
func (w *world) drawPatch(e *event) {
	value := "e" + strconv.Itoa(e.id)
	if e.kind == poisoned {
		value = badPrefix + strconv.Itoa(e.id)
	}
	q := strconv.Quote(value)
	var members []string
	switch w.random.IntN(8) {
	case 0, 1:
		members = append(members, `"subject":`+q)
	case 2, 3:
		members = append(members, `"custom":{"a":`+q+`}`)
	case 4:
		members = append(members, `"subject":`+q, `"custom":{"a":`+q+`}`)
	case 5: // of which the fold knows that it is a barrier
		members = append(members, `"`+barrierField+`":`+q, `"subject":`+q)
	case 6:
		members = append(members, `"meta":{"x":`+q+`}`)
	case 7:
		members = append(members, `"meta":{"x":`+q+`,"y":`+q+`}`)
	}
	if e.kind == oversize {
		members = append(members, `"text":"`+strings.Repeat("x", bodyLimit)+`"`)
	}
	e.patch = []byte("{" + strings.Join(members, ",") + "}")
	e.writes = w.api.writes(e.patch)
}

// change is the event as the decoder hands it to the core.
func (e *event) change() batcher.Change {
	ch := batcher.Change{
		Offset: e.offset, LeaderEpoch: 1,
		Record: batcher.Record{Key: []byte(e.message), Value: e.patch},
	}
	switch e.kind {
	case malformed:
		ch.Verdict, ch.Reason = batcher.Reject, batcher.Reason{Code: "malformed", Text: "cut short"}
	case tombstone:
		ch.Verdict, ch.Reason = batcher.Skip, batcher.Reason{Code: "tombstone"}
	default:
		ch.MessageID, ch.Patch = []byte(e.message), e.patch
		ch.EventID = []byte(strconv.Itoa(e.id))
	}
	return ch
}

// writes is parse, remembered: the same bytes come again and again.
func (k *kustomer) writes(patch []byte) []write {
	list, known := k.parsed[string(patch)]
	if !known {
		list = k.parse(patch)
		k.parsed[string(patch)] = list
	}
	return list
}

// parse lists what a patch does to a message's state: custom goes by key, any
// other object as this run's Kustomer has it, replaced or deeply merged.
func (k *kustomer) parse(patch []byte) (list []write) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(patch, &members); err != nil {
		return []write{{leaf: "unreadable", value: err.Error()}}
	}
	for name, raw := range members {
		if raw[0] != '{' {
			list = append(list, write{name, unquote(raw)})
			continue
		}
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(raw, &inner); err != nil {
			return []write{{leaf: "unreadable", value: err.Error()}}
		}
		if name == "meta" && k.replaces {
			list = append(list, write{"meta.x", ""}, write{"meta.y", ""})
		}
		for key, value := range inner {
			list = append(list, write{name + "." + key, unquote(value)})
		}
	}
	// A leaf that is emptied and then written sorts the empty value first.
	slices.SortFunc(list, func(a, b write) int {
		return strings.Compare(a.leaf+"\x00"+a.value, b.leaf+"\x00"+b.value)
	})
	return list
}

func unquote(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

// topicLog is the source topic.
type topicLog [][]*event

// append puts an event at the end of its partition.
func (l topicLog) append(e *event, gap int64) {
	records := l[e.partition]
	e.offset = gap
	if n := len(records); n > 0 {
		e.offset += records[n-1].offset + 1
	}
	l[e.partition] = append(records, e)
}

// at finds the event of an offset, nil when there is none.
func (l topicLog) at(partition int, offset int64) *event {
	i, found := slices.BinarySearchFunc(l[partition], offset, func(e *event, o int64) int { return int(e.offset - o) })
	if !found {
		return nil
	}
	return l[partition][i]
}

// from returns the index of the first record at or after an offset.
func (l topicLog) from(partition int, offset int64) int {
	i, _ := slices.BinarySearchFunc(l[partition], offset, func(e *event, o int64) int { return int(e.offset - o) })
	return i
}
