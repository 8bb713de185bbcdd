package batcher

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plainFate is what became of one change, or of a record.
type plainFate int

const (
	plainOpen plainFate = iota
	plainUpdated
	plainGivenUp // its dead letter is not acknowledged
	plainBuried  // it is
	plainDropped
)

// plainSiblings is a record of one or more changes without regard to cost: all that
// befell its changes, from which everything else is worked out anew.
type plainSiblings struct {
	offset  int64
	bytes   int64 // credit of the record itself, beside that of its changes
	items   []*Item
	changes []plainFate
	letters []*Bury // by change, decided and not acknowledged
	partly  bool    // a change was dropped when not all were settled
}

func (r *plainSiblings) settled(i int) bool {
	return r.changes[i] == plainUpdated || r.changes[i] == plainBuried
}

// fate is the record's: that of all its changes, or dropped with any of them.
func (r *plainSiblings) fate() plainFate {
	switch {
	case r.partly:
		return plainDropped
	case r.open() > 0:
		return plainOpen
	case slices.Contains(r.changes, plainBuried):
		return plainBuried
	}
	return plainUpdated
}

// open is how many changes hold credit.
func (r *plainSiblings) open() (n int) {
	for i := range r.changes {
		if !r.settled(i) && r.changes[i] != plainDropped {
			n++
		}
	}
	return n
}

// plainBook is a partition's records, and what the core should say of them.
type plainBook []*plainSiblings

func (b plainBook) counts() (c Counts) {
	for _, r := range b {
		c.Delivered++
		switch r.fate() {
		case plainUpdated:
			c.Completed++
		case plainBuried:
			c.DeadLettered++
		case plainDropped:
			c.Dropped++
		default:
			c.Open++
		}
	}
	return c
}

func (b plainBook) frontier() int64 {
	for _, r := range b {
		if f := r.fate(); f == plainOpen || f == plainDropped {
			return r.offset
		}
	}
	return int64(len(b))
}

func (b plainBook) credit() (changes int, bytes int64) {
	for _, r := range b {
		if n := r.open(); n > 0 {
			changes += n
			bytes += int64(n)*structures + r.bytes
		}
	}
	return changes, bytes
}

// pick draws one of the changes, or of the letters, for which match holds; r is nil
// when there is none, and then there is nothing to do.
func (b plainBook) pick(t *rapid.T, match func(*plainSiblings, int) bool) (r *plainSiblings, i int) {
	type at struct {
		r *plainSiblings
		i int
	}
	var list []at
	for _, r := range b {
		for i := range r.changes {
			if match(r, i) {
				list = append(list, at{r, i})
			}
		}
	}
	if len(list) == 0 {
		return nil, 0
	}
	x := list[rapid.IntRange(0, len(list)-1).Draw(t, "change")]
	return x.r, x.i
}

// siblingsMachine plays the ends of changes on a core and on the plain book.
type siblingsMachine struct {
	c     *Core
	a     *Assignment
	now   time.Time
	plain plainBook

	buried map[string]uint64 // dead letters acknowledged, by code
}

func isOpen(r *plainSiblings, i int) bool { return r.changes[i] == plainOpen }

// Fetch delivers a record.
func (m *siblingsMachine) Fetch(t *rapid.T) {
	r := &plainSiblings{offset: int64(len(m.plain)), bytes: rapid.Int64Range(0, 99).Draw(t, "bytes")}
	ch := Change{Offset: r.offset, Patch: []byte(`{}`), Record: Record{Value: make([]byte, r.bytes)}}
	r.changes = make([]plainFate, rapid.IntRange(1, 4).Draw(t, "changes"))
	r.letters = make([]*Bury, len(r.changes))
	id := func(i int) []byte { return fmt.Appendf(nil, "m%d.%d", r.offset, i) }
	ch.MessageID = id(0)
	for i := range r.changes[1:] {
		ch.More = append(ch.More, Update{MessageID: id(i + 1), Patch: []byte(`{}`)})
	}
	m.c.Fetched(m.now, m.a, []Change{ch})
	for i := range r.changes {
		r.items = append(r.items, m.c.chains.of(id(i)).items[0])
	}
	m.plain = append(m.plain, r)
}

// Update settles a change as applied and reported.
func (m *siblingsMachine) Update(t *rapid.T) {
	r, i := m.plain.pick(t, isOpen)
	if r == nil {
		return
	}
	m.c.remove(m.now, r.items[i])
	m.c.Reported(&Report{settles: r.items[i].Events})
	r.changes[i] = plainUpdated
}

// GiveUp gives a change up, which makes a dead letter.
func (m *siblingsMachine) GiveUp(t *rapid.T) {
	r, i := m.plain.pick(t, isOpen)
	if r == nil {
		return
	}
	code := rapid.SampledFrom(codes).Draw(t, "code")
	m.c.giveUp(m.now, r.items[i], Bury{Reason: Reason{Code: code}})
	r.changes[i] = plainGivenUp
	for len(m.c.out) > 0 {
		if b, ok := m.c.pop().(*Bury); ok {
			if r.letters[i] != nil {
				t.Fatal("two dead letters of one change")
			}
			r.letters[i] = b
		}
	}
	if b := r.letters[i]; b == nil || b.Event != r.items[i].Events[0] {
		t.Fatalf("dead letter %v of change %d of record %d", b, i+1, r.offset)
	}
}

// Bury acknowledges a dead letter.
func (m *siblingsMachine) Bury(t *rapid.T) {
	r, i := m.plain.pick(t, func(r *plainSiblings, i int) bool { return r.letters[i] != nil })
	if r == nil {
		return
	}
	m.buried[r.letters[i].Reason.Code]++
	m.c.Buried(m.now, r.letters[i])
	r.letters[i], r.changes[i] = nil, plainBuried
}

// Drop gives a change back.
func (m *siblingsMachine) Drop(t *rapid.T) {
	r, i := m.plain.pick(t, isOpen)
	if r == nil {
		return
	}
	m.c.dropItem(m.now, r.items[i])
	r.changes[i], r.partly = plainDropped, true
}

// Check compares the core with the plain book.
func (m *siblingsMachine) Check(t *rapid.T) {
	if got, want := m.a.Counts(), m.plain.counts(); got != want || !got.Balanced() {
		t.Fatalf("counts %+v, want %+v", got, want)
	}
	if got, _ := m.a.ledger.frontier(); got != m.plain.frontier() {
		t.Fatalf("frontier %d, want %d", got, m.plain.frontier())
	}
	changes, bytes := m.plain.credit()
	if m.c.openEvents != changes || m.a.open != changes || m.c.openBytes != bytes || m.a.bytes != bytes {
		t.Fatalf("%d changes and %d bytes are open, in the partition %d and %d; want %d and %d",
			m.c.openEvents, m.c.openBytes, m.a.open, m.a.bytes, changes, bytes)
	}
	m.checkBuried(t)
}

func (m *siblingsMachine) checkBuried(t *rapid.T) {
	if diff := cmp.Diff(m.buried, m.c.buried); diff != "" {
		t.Fatalf("dead letters by reason (-want +got):\n%s", diff)
	}
}

var codes = []string{"refused", "failed"}

// TestSiblingsTwin plays any order of ends of changes, some of records that have
// several. At last the partition is lost, and what still ends of it changes nothing.
func TestSiblingsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := testConfig()
		cfg.Merge, cfg.Brake = false, 0
		m := &siblingsMachine{c: New(cfg), now: time.Unix(1_800_000_000, 0), buried: map[string]uint64{}}
		m.a = m.c.Assigned(m.now, Start{Topic: "t", LeaderEpoch: -1, Metadata: metadataClean})
		t.Repeat(map[string]func(*rapid.T){
			"fetch": m.Fetch, "update": m.Update, "give up": m.GiveUp, "bury": m.Bury, "drop": m.Drop, "": m.Check,
		})
		want := m.plain.counts()
		want.Dropped, want.Open = want.Dropped+want.Open, 0
		m.c.Lost(m.now, []*Assignment{m.a})
		for _, r := range m.plain {
			for _, letter := range r.letters {
				if letter != nil {
					m.c.Buried(m.now, letter)
				}
			}
		}
		m.checkBuried(t)
		if got := m.c.Totals(); got != want {
			t.Fatalf("counts of the lost partition %+v, want %+v", got, want)
		}
		if m.c.openEvents != 0 || m.c.openBytes != 0 {
			t.Fatalf("%d changes and %d bytes are open, of a partition that is lost", m.c.openEvents, m.c.openBytes)
		}
	})
}
