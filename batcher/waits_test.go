package batcher

import "testing"

// A position from which a partition waits is committed at once where there is none yet,
// marked as a first record would be, and where there is one nothing is changed.
func TestPositionOfAPartitionThatWaits(t *testing.T) {
	d := newDesk(t)
	a := d.c.Assigned(d.now, Start{Topic: "t", Partition: 0, Offset: -1, LeaderEpoch: -1})
	if got := one[*Commit](d); got != nil {
		t.Fatalf("a commit before any position is known: %+v", got[0].Partitions)
	}
	d.c.Waits(d.now, a, 7)
	commits := one[*Commit](d)
	if len(commits) != 1 {
		t.Fatalf("%d commits, want one", len(commits))
	}
	if p := commits[0].Partitions[0]; p.Offset != 7 || p.Metadata != metadataOpen || p.Last {
		t.Errorf("commit %+v, want offset 7, marked open", p)
	}
	d.committed(commits[0], CommitDone)
	d.c.Waits(d.now, a, 9)
	if offset, _ := a.ledger.frontier(); offset != 7 {
		t.Errorf("frontier %d after another wait, want 7", offset)
	}
	d.fetch(a, change(7, "m", `{"lang":"en"}`))
	b := d.put()
	d.c.Reported(d.complete(b, Updated))
	if offset, _ := a.ledger.frontier(); offset != 8 {
		t.Errorf("frontier %d, want 8", offset)
	}

	known := d.c.Assigned(d.now, Start{Topic: "t", Partition: 1, Offset: 5, LeaderEpoch: -1})
	d.c.Waits(d.now, known, 5)
	if known.started {
		t.Error("a partition with a commit was started")
	}
}
