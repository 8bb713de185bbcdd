package batcher

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plainLedger is the ledger without regard to cost: every record ever delivered,
// in a slice.
type plainLedger struct {
	start   int64
	epoch   int32
	records []plainRecord
	counts  Counts
}

type plainRecord struct {
	offset  int64
	epoch   int32
	settled bool
	dropped bool
}

func (l *plainLedger) add(offset int64, epoch int32) {
	l.records = append(l.records, plainRecord{offset: offset, epoch: epoch})
}

// firstUnsettled is the index of the record that no commit may pass.
func (l *plainLedger) firstUnsettled() int {
	i := slices.IndexFunc(l.records, func(r plainRecord) bool { return !r.settled })
	if i < 0 {
		return len(l.records)
	}
	return i
}

func (l *plainLedger) frontier() (offset int64, epoch int32) {
	i := l.firstUnsettled()
	offset, epoch = l.start, l.epoch
	if i > 0 {
		offset, epoch = l.records[i-1].offset+1, l.records[i-1].epoch
	}
	if i < len(l.records) {
		offset = l.records[i].offset
	}
	return offset, epoch
}

func (l *plainLedger) span() int { return len(l.records) - l.firstUnsettled() }

// open lists the records whose fate is not known.
func (l *plainLedger) open() (list []int) {
	for i, r := range l.records {
		if !r.settled && !r.dropped {
			list = append(list, i)
		}
	}
	return list
}

// TestLedgerTwin plays any order of deliveries, settlements and drops on the
// ledger and on its plain twin.
func TestLedgerTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(-1, 1000).Draw(t, "start")
		book, plain := newLedger(start, 7), plainLedger{start: start, epoch: 7}
		next := max(start, 0)
		add := func(t *rapid.T) {
			// Bursts, so that the ring grows while it is wrapped around.
			for range rapid.IntRange(1, 40).Draw(t, "records") {
				// Mostly the next offset; sometimes a hole, as compaction and
				// transactions leave; sometimes back, as after a reset.
				next += rapid.SampledFrom([]int64{0, 0, 0, 1, 7, 1000, -3}).Draw(t, "jump")
				next = max(next, 0)
				epoch := rapid.Int32Range(-1, 9).Draw(t, "epoch")
				if seq := book.add(next, epoch); seq != uint64(len(plain.records)) {
					t.Fatalf("sequence number %d, want %d", seq, len(plain.records))
				}
				plain.add(next, epoch)
				plain.counts.Delivered++
				plain.counts.Open++
				next++
			}
		}
		settle := func(t *rapid.T) {
			open := plain.open()
			if len(open) == 0 {
				add(t)
				return
			}
			i := open[rapid.IntRange(0, len(open)-1).Draw(t, "record")]
			fate := rapid.IntRange(0, 2).Draw(t, "fate")
			of := func(c *Counts) *uint64 { return []*uint64{&c.Completed, &c.DeadLettered, &c.Skipped}[fate] }
			book.settle(uint64(i), of(&book.counts))
			plain.records[i].settled = true
			plain.counts.Open--
			*of(&plain.counts)++
		}
		drop := func(t *rapid.T) {
			open := plain.open()
			if len(open) == 0 {
				add(t)
				return
			}
			book.drop()
			plain.records[open[rapid.IntRange(0, len(open)-1).Draw(t, "record")]].dropped = true
			plain.counts.Open--
			plain.counts.Dropped++
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": add, "settle": settle, "settle more": settle, "settle yet more": settle, "drop": drop,
			"": func(t *rapid.T) {
				gotOffset, gotEpoch := book.frontier()
				wantOffset, wantEpoch := plain.frontier()
				if gotOffset != wantOffset || gotEpoch != wantEpoch {
					t.Fatalf("frontier %d epoch %d, want %d epoch %d", gotOffset, gotEpoch, wantOffset, wantEpoch)
				}
				if book.counts != plain.counts || !book.counts.Balanced() {
					t.Fatalf("counts %+v, want %+v", book.counts, plain.counts)
				}
				if book.span() != plain.span() {
					t.Fatalf("span %d, want %d", book.span(), plain.span())
				}
			},
		})
	})
}

func TestLedgerSettlesOnce(t *testing.T) {
	tests := []struct {
		name  string
		do    func(*ledger)
		panic bool
	}{
		{"the first of two, once", func(l *ledger) { l.settle(0, &l.counts.Completed) }, false},
		{"behind the frontier", func(l *ledger) { l.settle(0, &l.counts.Completed); l.settle(0, &l.counts.Completed) }, true},
		{"before the frontier", func(l *ledger) { l.settle(1, &l.counts.Completed); l.settle(1, &l.counts.Skipped) }, true},
		{"never delivered", func(l *ledger) { l.settle(2, &l.counts.Completed) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger(5, -1)
			l.add(5, 1)
			l.add(6, 1)
			defer func() {
				if got := recover() != nil; got != tt.panic {
					t.Errorf("panicked: %v, want %v", got, tt.panic)
				}
			}()
			tt.do(&l)
		})
	}
}
