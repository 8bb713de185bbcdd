package batcher

import (
	"strings"
	"testing"
	"time"
)

// lastNow returns the last commit of the only partition, if it is decided now.
func (d *desk) lastNow() (last PartitionCommit, decided bool) {
	for _, commit := range one[*Commit](d) {
		if p := commit.Partitions[0]; p.Last {
			last, decided = p, true
		}
	}
	return last, decided
}

// A revocation does not wait for an operation that can't be read in time, though
// more changes are in it than records.
func TestRevocationDoesNotWaitForARecordThatCannotBeRead(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, several(1, "m1", "m2"))
	b := d.put()
	d.answer(b, Accepted)
	d.c.reading = door{closed: true, next: d.now.Add(time.Minute)}
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(20*time.Second))
	last, decided := d.lastNow()
	if !decided || !strings.Contains(last.Metadata, "op-"+b.ID) {
		t.Errorf("last commit %+v, decided at once: %v; want it, with the operation", last, decided)
	}
}

// A revocation waits for a request with a change of a record of which another one
// was given back already: with its end the partition may be given back clean.
func TestRevocationAwaitsTheRestOfARecord(t *testing.T) {
	d := newDesk(t, func(cfg *Config) {
		cfg.MaxItems, cfg.MaxInFlight, cfg.ItemAttempts, cfg.ItemOver = 1, 3, 3, 3*time.Minute
	})
	a := d.own()
	d.fetch(a, several(1, "m1", "m2"))
	d.wait(time.Second)
	puts := one[Put](d)
	if len(puts) != 2 {
		t.Fatalf("%d batches, want two", len(puts))
	}
	d.answer(puts[0].Batch, Accepted)
	op := d.look()
	d.c.Revoking(d.now, []*Assignment{a}, d.now.Add(25*time.Second))
	d.c.Polled(d.now, op, viewOf(Complete, Failed)) // to be tried again in a minute
	if got, want := a.Counts(), (Counts{Delivered: 1, Dropped: 1}); got != want {
		t.Fatalf("counts %+v, want %+v", got, want)
	}
	if last, decided := d.lastNow(); decided {
		t.Fatalf("last commit %+v with a request under way", last)
	}
	d.answer(puts[1].Batch, Refused)
	for _, letter := range one[*Bury](d) {
		d.c.Buried(d.now, letter)
	}
	last, decided := d.lastNow()
	if !decided || last.Offset != 1 || last.Metadata != metadataClean {
		t.Errorf("last commit %+v, decided: %v; want it, clean, at offset 1", last, decided)
	}
	d.nothingOpen()
}
