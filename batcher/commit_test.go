package batcher

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The mark "open" is in Kafka before the first PUT.
func TestWriteAhead(t *testing.T) {
	d := newDesk(t)
	a := d.c.Assigned(d.now, Start{Topic: "t", Offset: 5, LeaderEpoch: -1, Metadata: metadataClean})
	if list, _ := d.decisions(); len(list) > 0 {
		t.Fatalf("%v before the first record", list)
	}
	d.fetch(a, change(5, "m", `{"a":1}`))
	c := d.commit()
	want := PartitionCommit{Assignment: a, Offset: 5, LeaderEpoch: -1, Metadata: "kk1 open"}
	if got := c.Partitions[0]; got != want {
		t.Errorf("commits %+v, want %+v", got, want)
	}
	d.noPut(time.Minute)
	d.committed(c, CommitUnknown) // it is not known to be there
	d.committed(d.commit(), CommitRefused)
	d.wait(time.Second)
	again := d.commit()
	d.noPut(time.Minute)
	d.committed(again, CommitDone)
	expect(t, d.put(), `m@5{"a":1}`)
}

func TestCommitsTheSettledPrefix(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(3, "m", `{"a":1}`), change(7, "n", `{"a":1}`), change(8, "o", `{"a":1}`))
	for _, statuses := range [][]ResultStatus{{NoResult, Updated, Updated}, {Updated}} {
		d.c.Reported(d.complete(d.waitPut(time.Minute), statuses...))
		d.wait(time.Second)
		want := int64(3)
		if statuses[0] == Updated {
			want = 9
		}
		for _, c := range one[*Commit](d) {
			if got := c.Partitions[0].Offset; got != want {
				t.Errorf("commits %d, want %d", got, want)
			}
			d.committed(c, CommitDone)
		}
		if offset, _ := a.ledger.frontier(); a.committed != want || offset != want {
			t.Errorf("committed %d, the first unsettled record is at %d, want %d", a.committed, offset, want)
		}
	}
}

func TestOneCommitInFlight(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	settle := func(offset int64) {
		d.fetch(a, Change{Offset: offset, Verdict: Skip})
		d.wait(time.Second)
	}
	settle(1)
	first := d.commit()
	settle(2)
	if list := one[*Commit](d); len(list) > 0 {
		t.Fatal("a second commit beside the first")
	}
	d.committed(first, CommitDone)
	d.wait(time.Second)
	if got := d.commit().Partitions[0]; got.Offset != 3 {
		t.Errorf("commits %d, want 3", got.Offset)
	}
}

// A commit of unknown outcome may be applied late, and move the offset back.
func TestCommitsOnceMoreAfterAnUnknownOutcome(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, Change{Offset: 1, Verdict: Skip})
	d.wait(time.Second)
	d.committed(d.commit(), CommitUnknown)
	unknown := d.now
	var at []time.Duration
	for range 60 {
		d.wait(time.Second)
		for _, c := range one[*Commit](d) {
			at = append(at, d.now.Sub(unknown))
			d.committed(c, CommitDone)
		}
	}
	if len(at) != 2 || at[0] > 2*time.Second || at[1] < 15*time.Second || at[1] > 17*time.Second {
		t.Errorf("committed again after %v, want at once and when the first can no longer be under way", at)
	}
}

func TestCommitNamesOpenOperations(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	b := d.put()
	d.answer(b, Accepted)
	d.wait(time.Second)
	list, _ := d.decisions()
	var looked *Operation
	for _, dec := range list {
		switch dec := dec.(type) {
		case *Commit:
			if got := dec.Partitions[0]; got.Offset != 1 || !strings.HasSuffix(got.Metadata, "open op-b-1") {
				t.Errorf("commits %d %q, want 1 and the open operation", got.Offset, got.Metadata)
			}
			d.committed(dec, CommitDone)
		case Look:
			looked = dec.Operation
		}
	}
	if a.changed || looked == nil {
		t.Fatalf("decided %v, want a commit that names the operation, and a look", list)
	}
	if got := len(list); got != 3 {
		t.Errorf("%d decisions, want the result event, a commit and a look", got)
	}
	d.c.Polled(d.now, looked, viewOf(Complete, Updated))
	d.wait(time.Second)
	if got := d.commit().Partitions[0]; got.Metadata != "kk1 open" {
		t.Errorf("commits %q after the operation's end", got.Metadata)
	}
}

func TestCommitsAtTheInterval(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.CommitInterval = 10 * time.Second })
	a := d.own()
	began, commits := d.now, 0
	for i := range int64(300) {
		d.fetch(a, Change{Offset: i, Verdict: Skip})
		d.wait(100 * time.Millisecond)
		list := one[*Commit](d)
		commits += len(list)
		for _, c := range list {
			d.committed(c, CommitDone)
		}
	}
	if commits != 3 {
		t.Errorf("%d commits in %v, want one every 10s", commits, d.now.Sub(began))
	}
}

func TestOpenMetadataFits(t *testing.T) {
	a := &Assignment{}
	a.inherited = append(a.inherited, &Operation{ID: "older"})
	for i := range 400 {
		a.operations = append(a.operations, &Operation{ID: fmt.Sprintf("%024d", i)})
	}
	got := a.openMetadata()
	if len(got) > metadataMax || len(got) < metadataMax-25 {
		t.Errorf("%d bytes, want as many as fit in %d", len(got), metadataMax)
	}
	clean, ids := takeover(Start{Offset: 1, Metadata: got})
	if clean || len(ids) < 150 || ids[0] != "older" || ids[1] != fmt.Sprintf("%024d", 0) {
		t.Errorf("read back: clean %v, %d operations, the first %v; want the oldest first", clean, len(ids), ids[:2])
	}
	if i := slices.IndexFunc([]byte(got), func(b byte) bool { return b > 0x7e || b < 0x20 }); i >= 0 {
		t.Errorf("byte %x at %d is not ASCII", got[i], i)
	}
}
