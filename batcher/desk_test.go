package batcher

import (
	"fmt"
	"testing"
	"time"
)

// desk drives a core by hand: facts go in, and what the core decides is looked
// at one by one. Results and commits are acknowledged only when a test says so.
type desk struct {
	t   *testing.T
	c   *Core
	now time.Time
}

// newDesk returns a desk with a small core: four items a batch, one second of
// linger, no limit of calls that a test would meet by chance.
func newDesk(t *testing.T, edits ...func(*Config)) *desk {
	t.Helper()
	cfg := testConfig()
	cfg.MaxItems = 4
	for _, edit := range edits {
		edit(&cfg)
	}
	d := &desk{t: t, c: New(cfg), now: time.Unix(1_800_000_000, 0)}
	d.c.Alive(d.now)
	d.c.pace.permits, d.c.pace.filled = 1000, d.now // the budget is not what is looked at
	return d
}

// wait lets time pass, with a heartbeat at its end.
func (d *desk) wait(span time.Duration) {
	d.now = d.now.Add(span)
	d.c.Alive(d.now)
}

// own takes partition 0 over, given back clean, and marks it open.
func (d *desk) own() *Assignment { return d.ownPartition(0) }

func (d *desk) ownPartition(partition int32) *Assignment {
	a := d.c.Assigned(d.now, Start{Topic: "t", Partition: partition, LeaderEpoch: -1, Metadata: metadataClean})
	a.ahead = true // as if the write-ahead mark had been acknowledged
	a.changed = false
	return a
}

// change is a change of a message.
func change(offset int64, id, patch string) Change {
	return Change{Offset: offset, MessageID: []byte(id), Patch: []byte(patch), Record: Record{Value: []byte(patch)}}
}

func (d *desk) fetch(a *Assignment, changes ...Change) { d.c.Fetched(d.now, a, changes) }

// decisions lists what the core decides now, without the notices, and when it
// wants to be asked again.
func (d *desk) decisions() (list []Decision, until time.Time) {
	for range 1000 {
		switch dec := d.c.Next(d.now).(type) {
		case Wait:
			return list, dec.Until
		case Notice:
		default:
			list = append(list, dec)
		}
	}
	d.t.Fatal("the core decides without end")
	return nil, time.Time{}
}

// one asks for the decisions of one kind, and passes over the others.
func one[T Decision](d *desk) (of []T) {
	list, _ := d.decisions()
	for _, dec := range list {
		if x, ok := dec.(T); ok {
			of = append(of, x)
			continue
		}
		d.pass(dec)
	}
	return of
}

// pass passes over a decision; a commit is acknowledged, or no other would come.
func (d *desk) pass(dec Decision) {
	if c, ok := dec.(*Commit); ok {
		d.committed(c, CommitDone)
	}
}

// put waits out the linger and expects one batch.
func (d *desk) put() *Batch {
	d.t.Helper()
	d.wait(time.Second)
	return d.putNow()
}

// putNow expects one batch without any waiting, and passes over what else is
// decided.
func (d *desk) putNow() *Batch {
	d.t.Helper()
	puts := one[Put](d)
	if len(puts) != 1 {
		d.t.Fatalf("%d batches, want one", len(puts))
	}
	return puts[0].Batch
}

// noPut waits and expects none.
func (d *desk) noPut(span time.Duration) {
	d.t.Helper()
	d.wait(span)
	for _, p := range one[Put](d) {
		d.t.Fatalf("sent %s after %v", describe(p.Batch), span)
	}
}

func (d *desk) answer(b *Batch, kind OutcomeKind) {
	o := Outcome{Kind: kind, Quota: NoQuota}
	if kind == Accepted {
		o.Operation = "op-" + b.ID
	}
	d.c.Answered(d.now, b, o)
}

// look waits until the core looks at an operation.
func (d *desk) look() (op *Operation) {
	d.t.Helper()
	for range 1000 {
		list, until := d.decisions()
		for _, dec := range list {
			if l, ok := dec.(Look); ok {
				op = l.Operation
			}
			d.pass(dec)
		}
		if op != nil {
			return op
		}
		if until.IsZero() {
			break
		}
		d.wait(until.Sub(d.now))
	}
	d.t.Fatal("the core does not look at the operation")
	return nil
}

// complete has a batch accepted and completed with a status for each item, and
// returns its final report.
func (d *desk) complete(b *Batch, statuses ...ResultStatus) *Report {
	d.t.Helper()
	d.answer(b, Accepted)
	op := d.look()
	d.c.Polled(d.now, op, viewOf(Complete, statuses...))
	for _, r := range one[*Report](d) {
		if r.Kind == ReportCompleted {
			return r
		}
	}
	d.t.Fatal("no report of the completed operation")
	return nil
}

func viewOf(kind ViewKind, statuses ...ResultStatus) View {
	v := View{Kind: kind, Calls: 1, Quota: NoQuota}
	for _, s := range statuses {
		v.Results = append(v.Results, ItemResult{Status: s, Reason: Reason{Code: "invalid", Text: "no"}})
	}
	return v
}

// describe writes a batch as its items' messages, offsets and bytes.
func describe(b *Batch) (s string) {
	for _, it := range b.Items {
		s += it.MessageID
		for _, ev := range it.Events {
			s += fmt.Sprintf("@%d", ev.Offset)
		}
		s += string(it.Patch) + " "
	}
	return s
}

func expect(t *testing.T, b *Batch, want string) {
	t.Helper()
	if got := describe(b); got != want+" " {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// commits expects one commit of one partition.
func (d *desk) commit() *Commit {
	d.t.Helper()
	list := one[*Commit](d)
	if len(list) != 1 || len(list[0].Partitions) != 1 {
		d.t.Fatalf("%d commits, want one of one partition", len(list))
	}
	return list[0]
}

func (d *desk) committed(c *Commit, result CommitResult) {
	for i := range c.Partitions {
		c.Partitions[i].Result = result
	}
	d.c.Committed(d.now, c)
}
