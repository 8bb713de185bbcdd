package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// event is one change of a record of the log, nearly always its only one, and the
// truth about it.
type event struct {
	*record
	part    int // which change of the record it is, from 1
	id      int
	message string
	kind    eventKind
	audit   bool // it needs a role of its own
	patch   []byte
	writes  []write

	applied      bool // Kustomer has run an item that holds it
	resultAcked  bool // a result event that says so is in Kafka
	deadLettered bool // it was given up, and its dead letter is in Kafka
	unlucky      int  // attempts of unknown outcome in a row
}

// write is one leaf of a message's state that an event writes; an empty value
// takes the leaf away.
type write struct{ leaf, value string }

// settled reports whether a commit may pass the event, as far as it is concerned.
func (e *event) settled() bool {
	return e.kind == tombstone || e.applied && e.resultAcked || e.deadLettered || e.abandoned
}

func (e *event) String() string {
	mark := marks[e.kind]
	if e.audit {
		mark += "~audit"
	}
	if len(e.changes) > 1 {
		return fmt.Sprintf("%s/p%d@%d.%d%s%s", e.message, e.partition, e.offset, e.part, e.patch, mark)
	}
	return fmt.Sprintf("%s/p%d@%d%s%s", e.message, e.partition, e.offset, e.patch, mark)
}

// before reports whether e is older than another change of its partition.
func (e *event) before(o *event) bool {
	return e.offset < o.offset || e.offset == o.offset && e.part < o.part
}

// newRecord draws a record, most often one with a single change.
func (w *world) newRecord(id int) *record {
	n := w.random.IntN(w.cfg.Messages)
	r := &record{partition: n % w.cfg.Partitions}
	if w.mode[TwoPartitions] && w.random.IntN(2) == 0 {
		r.partition = w.random.IntN(w.cfg.Partitions)
	}
	e := w.newEvent(r, id, n)
	e.kind = w.drawKind()
	w.drawContent(e)
	if !e.toSend() || !w.trouble(Several) {
		return r
	}
	for range w.between(1, mostChanges-1) {
		w.extra++
		e := w.newEvent(r, w.cfg.Events+w.extra, w.neighbour(n))
		e.kind = w.drawFault()
		w.drawContent(e)
	}
	return r
}

// neighbour draws a message whose changes may be in the same partition as those of
// message n: itself, too.
func (w *world) neighbour(n int) int {
	if w.mode[TwoPartitions] {
		return w.random.IntN(w.cfg.Messages)
	}
	first := n % w.cfg.Partitions
	return first + w.cfg.Partitions*w.random.IntN((w.cfg.Messages-first+w.cfg.Partitions-1)/w.cfg.Partitions)
}

// newEvent adds a change of message n to a record.
func (w *world) newEvent(r *record, id, n int) *event {
	e := r.add(id, "m"+strconv.Itoa(n))
	if w.trouble(Combination) {
		w.api.together[e.message] = true
	}
	return e
}

// drawContent draws what an event writes.
func (w *world) drawContent(e *event) {
	e.audit = e.kind == healthy && w.trouble(Audit)
	if e.toSend() {
		w.drawPatch(e)
	}
}

// toSend reports whether there is anything to send of the event.
func (e *event) toSend() bool { return e.kind != malformed && e.kind != tombstone }

func (w *world) drawKind() eventKind {
	switch {
	case w.trouble(Malformed):
		return malformed
	case w.trouble(Tombstone):
		return tombstone
	}
	return w.drawFault()
}

// drawFault draws whether something is wrong with an event that can be decoded.
func (w *world) drawFault() eventKind {
	switch {
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
