package batcher

import "fmt"

// What holds a payload does not print it, whatever the verb: what an error, a log
// or a panic prints by mistake must not tell what customers write. What is said
// instead is enough to find it in Kafka.

// Format prints the sizes of a record.
func (r Record) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "record(key of %d bytes, value of %d bytes, %d headers)", len(r.Key), len(r.Value), len(r.Headers))
}

// Format prints the size of a header.
func (h Header) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "header(%d bytes)", len(h.Key)+len(h.Value))
}

// Format prints the place and the size of a change.
func (c Change) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "change(offset %d, verdict %d, %d bytes)", c.Offset, c.Verdict, len(c.Patch))
}

// Format prints the size of one more change of a record.
func (u Update) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "update(message %s, %d bytes)", u.MessageID, len(u.Patch))
}

// Format prints the place and the size of an event.
func (e Event) Format(f fmt.State, _ rune) {
	if e.Assignment != nil {
		fmt.Fprintf(f, "event(%s/%d@%d, %d bytes)", e.Assignment.Topic, e.Assignment.Partition, e.Offset, len(e.Patch))
		return
	}
	fmt.Fprintf(f, "event(offset %d, %d bytes)", e.Offset, len(e.Patch))
}

// Format prints what an item is about and its size.
func (it Item) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "item(message %s, %d events, %d bytes)", it.MessageID, len(it.Events), len(it.Patch))
}

// Format prints what a report is about.
func (r Report) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "report(%v, %d fates)", r.Kind, len(r.Fates))
}

// Format prints what is to be buried, and why.
func (b Bury) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "bury(%v, %s)", b.Event, b.Reason.Code) }

// Format prints nothing of what the core holds.
func (c *Core) Format(f fmt.State, _ rune) { fmt.Fprint(f, "core") }
