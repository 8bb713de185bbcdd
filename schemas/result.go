package schemas

import (
	"bytes"
	"slices"
	"sync"

	"kafka-kustomer/batcher"
)

// ResultOptions is what result events contain, and in which form.
type ResultOptions struct {
	Items bool // list the items of completed and refused batches one by one
	// MaxBytes is where [Results] splits an event; 0 stands for 900,000, which
	// fits a topic with Kafka's default max.message.bytes.
	MaxBytes int
	// Buffer returns an empty buffer with room for n bytes, for an event to be kept
	// in; nil: each has a new one.
	Buffer func(n int) []byte

	Format Format
	// Prefix stands in front of each event and counts as part of it: a registry's
	// number of the Avro schema, as readers expect it.
	Prefix []byte
}

// Format is the form of result events. The zero value is JSON.
type Format uint8

// The forms. Their members and values are the same.
const (
	JSON Format = iota // as batch-result.schema.json describes it
	Avro               // the binary encoding of batch-result.avsc
)

const defaultMaxBytes = 900_000

// Results returns the report as one batch-result event, or as several when one
// would pass o.MaxBytes. The parts share all members but the event id, part,
// sources and items: sources and items are those of the part, counts and times
// are of the whole batch in every part.
//
// Parts are dealt out by the lengths of JSON, in Avro too, which takes about half:
// splitting is rare, and so both forms have the same parts.
//
// Everything the report points to is read before Results returns.
func Results(r *batcher.Report, o ResultOptions) [][]byte {
	limit := o.MaxBytes
	if limit <= 0 {
		limit = defaultMaxBytes
	}
	// Ids are plain ASCII nearly always. Only when that guess proves wrong is
	// every byte counted as the longest escape: counting each string exactly
	// would cost as much as writing it.
	for _, perByte := range []int{1, len(`\u001f`)} {
		parts := split(entries(r), limit-len(o.Prefix), perByte)
		if out := appendParts(r, o, parts); fit(out, limit) || perByte > 1 {
			return out
		}
	}
	panic("unreachable")
}

// scratch holds the buffers that events are built in: their bounds are far above
// their sizes, so what is kept is a copy that fits.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

func appendParts(r *batcher.Report, o ResultOptions, parts [][]entry) [][]byte {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	out := make([][]byte, len(parts))
	whole := sumUp(r)
	for i, p := range parts {
		e := newEvent(r, &whole, o, p)
		if len(parts) > 1 {
			e.setPart(i+1, len(parts))
		}
		*buf = e.append((*buf)[:0], o)
		if o.Buffer == nil {
			out[i] = bytes.Clone(*buf)
		} else {
			out[i] = append(o.Buffer(len(*buf)), *buf...)
		}
	}
	return out
}

func fit(parts [][]byte, limit int) bool {
	return !slices.ContainsFunc(parts, func(p []byte) bool { return len(p) > limit })
}

// AppendResult appends the report as one batch-result event, whatever its size.
func AppendResult(dst []byte, r *batcher.Report, o ResultOptions) []byte {
	whole := sumUp(r)
	e := newEvent(r, &whole, o, entries(r))
	return e.append(dst, o)
}

// EventID is the id of a report's only event: the batch id and the kind. It is
// the same each time the report is made, so that a reader can drop repeats.
func EventID(r *batcher.Report) string { return r.Batch.ID + "." + r.Kind.String() }

// entry is an item of a report, or some of its events when the item alone fills
// more than a part.
type entry struct {
	item   *batcher.Item
	events []*batcher.Event
	fate   *batcher.ItemFate
}

// undecided stands for the fate of an item that the report does not tell.
var undecided = batcher.ItemFate{Fate: batcher.FateReturned}

// entries lists what a report is about: the items whose fate it tells, or else
// all items of the batch.
func entries(r *batcher.Report) []entry {
	if r.Fates != nil {
		list := make([]entry, len(r.Fates))
		for i := range r.Fates {
			f := &r.Fates[i]
			list[i] = entry{f.Item, f.Item.Events, f}
		}
		return list
	}
	list := make([]entry, len(r.Batch.Items))
	for i, it := range r.Batch.Items {
		list[i] = entry{it, it.Events, &undecided}
	}
	return list
}

// The most bytes that the members of an event, an item and a record take, their
// position in sources included, not counting the strings that come from outside.
const (
	headBytes  = 1250
	itemBytes  = 160
	eventBytes = 96
)

// split deals the entries out to parts that stay below the limit. It goes by
// upper bounds; a record whose own strings pass the limit gets a part to itself.
// Where an item's events go to two parts, both have the item. The list is used
// up: the parts are made of it.
func split(rest []entry, limit, perByte int) (parts [][]entry) {
	size, start := headBytes, 0
	for i := 0; i < len(rest); i++ {
		e := &rest[i]
		size += itemBytes + perByte*(len(e.item.MessageID)+len(e.item.Assignment.Topic)+len(e.fate.Reason.Code)+len(e.fate.Reason.Text))
		for j, ev := range e.events {
			n := eventBytes + perByte*len(ev.EventID)
			if size+n <= limit || j == 0 && i == start {
				size += n
				continue
			}
			part := slices.Clone(rest[start:i])
			if j > 0 {
				begun := *e
				begun.events = e.events[:j]
				part = append(part, begun)
			}
			parts = append(parts, part)
			e.events = e.events[j:]
			size, start = headBytes, i
			i-- // what is left of the item begins the next part
			break
		}
	}
	return append(parts, rest[start:])
}
