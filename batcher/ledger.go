package batcher

import "time"

// Counts is what became of the records of one assignment. At every moment
// Delivered = Completed + DeadLettered + Skipped + Open + Dropped (I10).
type Counts struct {
	Delivered    uint64 // records taken by the core
	Completed    uint64 // applied upstream, result event acknowledged
	DeadLettered uint64 // likewise, but at least one change of it was given up: all dead letters acknowledged
	Skipped      uint64 // deliberately nothing to do
	Open         uint64 // fate not yet known
	Dropped      uint64 // given back to the group unsettled: the next owner reads them again
}

// Add adds o to c.
func (c *Counts) Add(o Counts) {
	c.Delivered += o.Delivered
	c.Completed += o.Completed
	c.DeadLettered += o.DeadLettered
	c.Skipped += o.Skipped
	c.Open += o.Open
	c.Dropped += o.Dropped
}

// Balanced reports whether the count identity I10 holds.
func (c Counts) Balanced() bool {
	return c.Delivered == c.Completed+c.DeadLettered+c.Skipped+c.Open+c.Dropped
}

// ledger is the book of one assignment: its records in delivery order, and the
// settled prefix of them, which is all that may be committed (I3). Offsets are
// never compared or added: compaction and transactions leave holes, and only
// what was delivered counts.
//
// It is a ring of 16-byte entries rather than a set of open offsets, so that a
// settlement costs a store and the prefix moves in amortised constant time.
type ledger struct {
	ring    []entry // its length is a power of two
	head    uint64  // sequence number of the first unsettled record
	tail    uint64  // sequence number of the next record
	next    int64   // offset to commit when everything is settled
	epoch   int32   // leader epoch of the last record of the settled prefix
	highest int64   // offset after the highest settled record
	counts  Counts
}

type entry struct {
	offset int64
	epoch  int32
	stamp  stamp
}

// stamp is when a record was made, in seconds since 2000, 0 when that is not
// known, and in its highest bit whether the record is settled. In a word of their
// own each, entries would be half as large again.
type stamp uint32

const (
	settled   stamp = 1 << 31
	stampZero       = 946_684_800 // 2000-01-01 in seconds since 1970
)

func stampOf(t time.Time) stamp {
	return stamp(min(max(t.Unix()-stampZero, 0), int64(settled-1)))
}

// time is zero when it is not known.
func (s stamp) time() time.Time {
	if s &^= settled; s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s)+stampZero, 0)
}

func newLedger(start int64, epoch int32) ledger {
	return ledger{ring: make([]entry, 64), next: start, epoch: epoch, highest: start}
}

// add enters a delivered record and returns its sequence number.
func (l *ledger) add(offset int64, epoch int32) uint64 {
	if l.tail-l.head == uint64(len(l.ring)) {
		l.grow()
	}
	seq := l.tail
	*l.at(seq) = entry{offset: offset, epoch: epoch}
	l.tail++
	l.next = offset + 1
	l.counts.Delivered++
	l.counts.Open++
	return seq
}

// made notes when a record was made, for people who ask how old the oldest one is.
func (l *ledger) made(seq uint64, t time.Time) { l.at(seq).stamp = stampOf(t) }

// oldest is when the first unsettled record was made, to the second; zero when
// there is none, or its time is not known.
func (l *ledger) oldest() time.Time {
	if l.head == l.tail {
		return time.Time{}
	}
	return l.at(l.head).stamp.time()
}

// settle closes the record seq; count is the counter it moves to. Settling a
// record twice is a broken promise of the caller's (I4).
func (l *ledger) settle(seq uint64, count *uint64) {
	if seq < l.head || seq >= l.tail || l.at(seq).stamp&settled != 0 {
		panic("batcher: record settled twice")
	}
	e := l.at(seq)
	e.stamp |= settled
	l.highest = max(l.highest, e.offset+1)
	l.counts.Open--
	*count++
	for l.head < l.tail && l.at(l.head).stamp&settled != 0 {
		l.epoch = l.at(l.head).epoch
		l.head++
	}
}

// drop gives an open record back to the group: it stays unsettled, so that no
// commit ever passes it.
func (l *ledger) drop() {
	l.counts.Open--
	l.counts.Dropped++
}

// frontier is the offset to commit: that of the first unsettled record.
func (l *ledger) frontier() (offset int64, epoch int32) {
	if l.head == l.tail {
		return l.next, l.epoch
	}
	return l.at(l.head).offset, l.epoch
}

// span is the number of records from the frontier to the last delivered one.
func (l *ledger) span() int { return int(l.tail - l.head) }

func (l *ledger) at(seq uint64) *entry { return &l.ring[seq&uint64(len(l.ring)-1)] }

func (l *ledger) grow() {
	old := *l
	l.ring = make([]entry, 2*len(old.ring))
	for seq := old.head; seq < old.tail; seq++ {
		*l.at(seq) = *old.at(seq)
	}
}
