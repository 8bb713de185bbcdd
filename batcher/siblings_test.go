package batcher

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// several is a record that changes messages, each change a subject of its own.
func several(offset int64, ids ...string) Change {
	ch := change(offset, ids[0], fmt.Sprintf(`{"subject":"%d.1"}`, offset))
	ch.Record.Value = []byte("a record of some length")
	for i, id := range ids[1:] {
		ch.More = append(ch.More, Update{
			MessageID: []byte(id), EventID: fmt.Appendf(nil, "e%d.%d", offset, i+2),
			Patch: fmt.Appendf(nil, `{"subject":"%d.%d"}`, offset, i+2),
		})
	}
	return ch
}

// nothingOpen sees that all credit has come back.
func (d *desk) nothingOpen() {
	d.t.Helper()
	if s := d.c.Snapshot(d.now); s.OpenBytes != 0 || d.c.openEvents != 0 || s.Messages != 0 {
		d.t.Errorf("%d bytes and %d events are still open, %d messages", s.OpenBytes, d.c.openEvents, s.Messages)
	}
}

// ones sends one item after the other.
func ones(cfg *Config) { cfg.MaxItems, cfg.MaxInFlight, cfg.MaxOpenOperations = 1, 1, 1 }

// clerk takes the decisions of one kind after the other, and keeps the others.
type clerk struct {
	*desk
	kept []Decision
}

// next returns the next decision of a kind, letting time pass for at most a minute.
func next[T Decision](k *clerk) (found T, ok bool) {
	k.t.Helper()
	for end := k.now.Add(time.Minute); ; {
		list, until := k.decisions()
		k.kept = append(k.kept, list...)
		for i, dec := range k.kept {
			if found, ok = dec.(T); ok {
				k.kept = append(k.kept[:i:i], k.kept[i+1:]...)
				return found, true
			}
			if c, isCommit := dec.(*Commit); isCommit {
				k.committed(c, CommitDone)
			}
		}
		k.kept = slices.DeleteFunc(k.kept, func(dec Decision) bool { _, is := dec.(*Commit); return is })
		if until.IsZero() || until.After(end) {
			return found, false
		}
		k.wait(max(until.Sub(k.now), time.Millisecond))
	}
}

// sent expects a batch.
func (k *clerk) sent(want string) *Batch {
	k.t.Helper()
	p, ok := next[Put](k)
	if !ok {
		k.t.Fatalf("nothing is sent, want %s", want)
	}
	expect(k.t, p.Batch, want)
	return p.Batch
}

// update has a batch of one item updated, and the report of it acknowledged.
func (k *clerk) update(b *Batch) {
	k.t.Helper()
	k.answer(b, Accepted)
	l, ok := next[Look](k)
	if !ok {
		k.t.Fatal("the core does not look at the operation")
	}
	k.c.Polled(k.now, l.Operation, viewOf(Complete, Updated))
	for {
		r, ok := next[*Report](k)
		if !ok {
			k.t.Fatal("no report of the completed operation")
		}
		k.c.Reported(r)
		if r.Kind == ReportCompleted {
			return
		}
	}
}

// refuse has a batch refused, and returns the dead letter, if there is one.
func (k *clerk) refuse(b *Batch) *Bury {
	k.t.Helper()
	k.c.Answered(k.now, b, Outcome{Kind: Refused, Status: 400, Reason: Reason{Code: "bad_request", Text: "no"}, Quota: NoQuota})
	list, _ := k.decisions()
	var letter *Bury
	for _, dec := range list {
		if l, ok := dec.(*Bury); ok {
			if letter != nil {
				k.t.Fatal("two dead letters")
			}
			letter = l
			continue
		}
		k.kept = append(k.kept, dec)
	}
	return letter
}

func TestRecordSettlesWithItsLastChange(t *testing.T) {
	k := &clerk{desk: newDesk(t, ones)}
	a := k.own()
	k.fetch(a, several(7, "m1", "m2", "m3"))
	if got := a.Counts(); got.Delivered != 1 || got.Open != 1 {
		t.Fatalf("counts %+v, want one record open", got)
	}
	for i, id := range []string{"m1", "m2", "m3"} {
		b := k.sent(fmt.Sprintf(`%s@7{"subject":"7.%d"}`, id, i+1))
		if n, of := b.Items[0].Events[0].Part(); n != i+1 || of != 3 {
			t.Errorf("part %d of %d, want %d of 3", n, of, i+1)
		}
		if offset, _ := a.ledger.frontier(); offset != 7 {
			t.Fatalf("before the change of %s the frontier is %d, want 7", id, offset)
		}
		k.update(b)
	}
	if got, want := a.Counts(), (Counts{Delivered: 1, Completed: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if offset, _ := a.ledger.frontier(); offset != 8 {
		t.Errorf("frontier %d, want 8", offset)
	}
	k.nothingOpen()
}

func TestChangesOfOneMessageInOneRecordKeepTheirOrder(t *testing.T) {
	d := newDesk(t, func(cfg *Config) { cfg.Merge = true })
	a := d.own()
	d.fetch(a, several(1, "m", "other", "m"), change(2, "m", `{"lang":"en"}`))
	b := d.put()
	expect(t, b, `m@1@1@2{"subject":"1.3","lang":"en"} other@1{"subject":"1.2"}`)
	d.c.Reported(d.complete(b, Updated, Updated))
	if got, want := a.Counts(), (Counts{Delivered: 2, Completed: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	d.nothingOpen()
}

// Each change that is given up has a dead letter, and the record ends with the last one
// that is acknowledged, as one of a kind.
func TestDeadLettersOfARecord(t *testing.T) {
	k := &clerk{desk: newDesk(t, ones)}
	a := k.own()
	k.fetch(a, several(1, "m1", "m2", "m3"))
	first := k.refuse(k.sent(`m1@1{"subject":"1.1"}`))
	second := k.refuse(k.sent(`m2@1{"subject":"1.2"}`))
	if first == nil || second == nil || first.MessageID != "m1" || second.MessageID != "m2" {
		t.Fatalf("dead letters %v and %v, want those of m1 and m2", first, second)
	}
	k.fetch(a, change(2, "m2", `{"lang":"en"}`))
	k.c.Buried(k.now, second)
	k.update(k.sent(`m3@1{"subject":"1.3"}`))
	if got, want := a.Counts(), (Counts{Delivered: 2, Open: 2}); got != want {
		t.Fatalf("before Kafka has both dead letters, counts %+v, want %+v", got, want)
	}
	k.c.Buried(k.now, first)
	if got, want := a.Counts(), (Counts{Delivered: 2, DeadLettered: 1, Open: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	k.update(k.sent(`m2@2{"lang":"en"}`)) // behind one that was given up
	if got := k.c.Snapshot(k.now).Buried["bad_request"]; got != 2 {
		t.Errorf("%d dead letters counted, want 2", got)
	}
	k.nothingOpen()
}

// A record of which one change was given up is no completed one, whatever ends last.
func TestRecordGivenUpInPart(t *testing.T) {
	k := &clerk{desk: newDesk(t, ones)}
	a := k.own()
	k.fetch(a, several(1, "m1", "m2"))
	letter := k.refuse(k.sent(`m1@1{"subject":"1.1"}`))
	k.c.Buried(k.now, letter)
	k.update(k.sent(`m2@1{"subject":"1.2"}`))
	if got, want := a.Counts(), (Counts{Delivered: 1, DeadLettered: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	k.nothingOpen()
}

// What of a record is given back gives back all of it, whatever becomes of the rest.
func TestRecordIsGivenBackWhole(t *testing.T) {
	k := &clerk{desk: newDesk(t, ones)}
	a := k.own()
	k.fetch(a, several(1, "m1", "m2"))
	first := k.sent(`m1@1{"subject":"1.1"}`)
	k.answer(first, Accepted)
	k.c.Revoking(k.now, []*Assignment{a}, k.now.Add(20*time.Second))
	l, _ := next[Look](k)
	k.c.Polled(k.now, l.Operation, viewOf(Complete, Updated))
	k.sent(`m2@1{"subject":"1.2"}`) // stands at what was sent; no answer comes in time
	for range 2 {
		r, _ := next[*Report](k)
		k.c.Reported(r)
	}
	if got, want := a.Counts(), (Counts{Delivered: 1, Open: 1}); got != want {
		t.Fatalf("counts %+v, want %+v", got, want)
	}
	k.wait(21 * time.Second)
	last := k.commit().Partitions[0]
	if !last.Last || last.Offset != 1 {
		t.Errorf("last commit %+v, want offset 1", last)
	}
	k.c.Lost(k.now, []*Assignment{a})
	if got, want := k.c.Totals(), (Counts{Delivered: 1, Dropped: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	k.nothingOpen()
}

// With one change of a record its counts end, but not what else of it is under way.
func TestRecordDroppedInPartIsNotGivenBackClean(t *testing.T) {
	k := &clerk{desk: newDesk(t, ones)}
	a := k.own()
	k.fetch(a, several(1, "m1", "m2"))
	k.sent(`m1@1{"subject":"1.1"}`) // has no answer
	k.c.Revoking(k.now, []*Assignment{a}, k.now.Add(20*time.Second))
	k.wait(21 * time.Second)
	last := k.commit().Partitions[0]
	if got, want := a.Counts(), (Counts{Delivered: 1, Dropped: 1}); got != want {
		t.Fatalf("counts %+v, want %+v", got, want)
	}
	if !last.Last || last.Metadata != metadataOpen {
		t.Errorf("last commit %+v, want metadata %q", last, metadataOpen)
	}
}

// A change of a record that is dropped closes the record's book; what still ends of
// it changes no count.
func TestRecordDroppedInPart(t *testing.T) {
	k := &clerk{desk: newDesk(t, ones)}
	a := k.own()
	k.fetch(a, several(1, "m1", "m2"))
	first := k.sent(`m1@1{"subject":"1.1"}`)
	k.answer(first, Accepted)
	for _, it := range k.c.itemsOf(func(it *Item) bool { return it.MessageID == "m2" }) {
		k.c.dropItem(k.now, it)
	}
	l, _ := next[Look](k)
	k.c.Polled(k.now, l.Operation, viewOf(Complete, Updated))
	for range 2 {
		r, _ := next[*Report](k)
		k.c.Reported(r)
	}
	if got, want := a.Counts(), (Counts{Delivered: 1, Dropped: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if offset, _ := a.ledger.frontier(); offset != 1 {
		t.Errorf("frontier %d, want 1", offset)
	}
	k.nothingOpen()
}

func TestLostRecordOfSeveralChangesLeavesNothing(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, several(1, "m1", "m2"), several(2, "m1", "m3"))
	d.c.Lost(d.now, []*Assignment{a})
	if got, want := d.c.Totals(), (Counts{Delivered: 2, Dropped: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	d.nothingOpen()
}

// The record's bytes are charged once, and what was made beside them too.
func TestCreditOfARecordOfSeveralChanges(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	ch := several(1, "m1", "m2")
	ch.Record.Value = []byte(strings.Repeat("x", 5000))
	ch.Made = 700
	d.fetch(a, ch)
	if got, want := d.c.openBytes, int64(2*structures+5000+700); got != want {
		t.Errorf("%d bytes are open, want %d", got, want)
	}
	d.c.Reported(d.complete(d.put(), Updated, Updated))
	d.nothingOpen()
}
