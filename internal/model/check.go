package model

import (
	"bytes"
	"fmt"
	"slices"

	"kafka-kustomer/batcher"
)

// Check names a promise that a run saw broken.
type Check string

// The checks.
const (
	CheckPrefix     Check = "I3 commit passes an open record"
	CheckOnce       Check = "I4 panic"
	CheckOneCommit  Check = "I5 two commits, or a revocation answered during one"
	CheckCredit     Check = "I6 more open events than credit"
	CheckOrder      Check = "I7 newer accepted while older may run"
	CheckStale      Check = "I7 older accepted after newer"
	CheckRewind     Check = "a commit moves another owner's partition"
	CheckOneOpen    Check = "I7 two changes of a message open"
	CheckOneID      Check = "I7 a message twice in a request"
	CheckDead       Check = "I8 something starts for a dead assignment"
	CheckBalance    Check = "I10 counts do not add up"
	CheckLocked     Check = "more than a probe though the key is refused"
	CheckRest       Check = "a call before a 429's reset"
	CheckLease      Check = "a PUT decided after the lease"
	CheckFrozen     Check = "sent again as something else"
	CheckFold       Check = "a fold says something else"
	CheckPartitions Check = "an item mixes partitions"
	CheckBarrier    Check = "a barrier change was merged"
	CheckHealthy    Check = "a healthy event dead-lettered"
	CheckCause      Check = "dead-lettered for what is no event's fault"
	CheckTwice      Check = "a change dead-lettered twice"
	CheckBrake      Check = "more dead-lettered than the brake lets through"
	CheckDeadline   Check = "a revocation is answered late"
	CheckLivelock   Check = "decisions without end"
	CheckStall      Check = "does not come to rest"
	CheckFate       Check = "an event without a fate"
	CheckLetter     Check = "given up without a dead letter"
	CheckState      Check = "a message ends wrong"
	CheckLimits     Check = "a request or the calls over their limits"
	CheckLeak       Check = "something left behind"
)

// Violation is the first promise that a run saw broken.
type Violation struct {
	Check Check
	Text  string
	At    int // tick
}

func (v *Violation) String() string { return fmt.Sprintf("tick %d: %s: %s", v.At, v.Check, v.Text) }

func (w *world) fail(check Check, format string, args ...any) {
	if w.violation != nil {
		return
	}
	w.violation = &Violation{Check: check, Text: fmt.Sprintf(format, args...), At: int(w.now)}
	w.tracef("VIOLATION %v", w.violation)
}

// checkFence looks at a commit that the group took from one that does not own
// the partition: it has moved it under its owner.
func (w *world) checkFence(p *process, r commitRequest, was int64) {
	if owner := w.group.partitions[r.partition].owner; owner != r.member && r.offset != was {
		w.fail(CheckRewind, "commit of p%d to %d by %s, it was at %d", r.partition, r.offset, p.name, was)
	}
}

// checkCommit is I3 by the truth of the world.
func (w *world) checkCommit(p *process, partition int, offset int64) {
	for _, r := range w.log[partition] {
		if r.offset >= offset {
			return
		}
		for _, e := range r.changes {
			if !e.settled() {
				w.fail(CheckPrefix, "commit of p%d to %d by %s passes %v (applied %v, result acknowledged %v)",
					partition, offset, p.name, e, e.applied, e.resultAcked)
			}
		}
	}
}

func (k *kustomer) checkRequest(r *request) {
	w := k.w
	for i, it := range r.items {
		if slices.ContainsFunc(r.items[:i], func(x requestItem) bool { return x.message == it.message }) {
			w.fail(CheckOneID, "%s in %s", it.message, r.batch)
		}
		for _, e := range it.events {
			if e.partition != it.events[0].partition {
				w.fail(CheckPartitions, "%v in %s", it.events, r.batch)
			}
			if len(it.events) > 1 && slices.ContainsFunc(e.writes, func(wr write) bool { return wr.leaf == barrierField }) {
				w.fail(CheckBarrier, "%v in %s", it.events, r.batch)
			}
		}
	}
}

// checkOrder finds a hole in the order at its first moment, from either side:
// the newer change comes while the older one may still run, or the older one
// comes that was under way when the newer one was sent, or that comes from an
// earlier owner of the partition than the newer one. The final state would show
// one in ten. An older change sent again after a newer one is
// no hole: its partition was read again, and the newer one will follow.
func (k *kustomer) checkOrder(r *request, run *running) {
	if run.failure != "" {
		return
	}
	for _, x := range k.pending[run.message] {
		if x.sent <= r.sent && x.olderThan(run) {
			k.w.fail(CheckOrder, "%v accepted in %s by %s while %v of %s may still run",
				run.events, r.batch, r.from.name, x.events, x.operation.id)
		}
	}
	for _, y := range k.accepted[run.message] {
		if run.olderThan(y) && (r.sent < y.sent || run.tenure < y.tenure) {
			k.w.fail(CheckStale, "%v accepted in %s by %s after %v by %s",
				run.events, r.batch, r.from.name, y.events, y.from.name)
		}
	}
	k.accepted[run.message] = append(k.accepted[run.message], run)
}

func (r *running) olderThan(o *running) bool {
	return r.partition == o.partition && r.events[len(r.events)-1].before(o.events[len(o.events)-1])
}

// sentItem is what one process sent of an item.
type sentItem struct {
	events []*batcher.Event
	patch  []byte
	tenure *tenure
	open   bool // no answer or result yet
}

// checkPut looks at a batch when the core decides on it.
func (p *process) checkPut(b *batcher.Batch) {
	w := p.w
	p.checkCall("PUT " + b.ID)
	if len(b.Items) == 0 || len(b.Items) > p.config.MaxItems || b.Bytes > p.config.MaxBytes && len(b.Items) > 1 {
		w.fail(CheckLimits, "%s has %d items of %d bytes", b.ID, len(b.Items), b.Bytes)
	}
	if until := p.core.LeaseUntil(); w.cfg.Rules.Lease && w.now.time().After(until) {
		w.fail(CheckLease, "%s by %s, lease until %v", b.ID, p.name, until)
	}
	p.checkProbe(b)
	for _, it := range b.Items {
		p.countTries(it)
		t := p.tenureOf(it.Assignment)
		if t == nil || t.last {
			w.fail(CheckDead, "%s sends %s/%v after its partition was given back or lost", b.ID, it.MessageID, offsets(it.Events))
		}
		p.checkBegun(t, it)
		if until := p.restOf[it.MessageID]; w.now < until {
			w.fail(CheckRest, "%s sends %s, which has to rest until %d", b.ID, it.MessageID, until)
		}
		for other, s := range p.sent {
			if other.MessageID == it.MessageID && s.open && p.tenureOf(other.Assignment) != nil {
				w.fail(CheckOneOpen, "%s sends %s/%v while %v is open", b.ID, it.MessageID, offsets(it.Events), offsets(s.events))
			}
		}
		was := p.sent[it]
		if was != nil && (!slices.Equal(was.events, it.Events) || !bytes.Equal(was.patch, it.Patch)) {
			w.fail(CheckFrozen, "%s sends %s/%v %s, before it was %v %s", b.ID, it.MessageID, offsets(it.Events), it.Patch, offsets(was.events), was.patch)
		}
		p.sent[it] = &sentItem{events: slices.Clone(it.Events), patch: slices.Clone(it.Patch), tenure: t, open: true}
	}
}

// checkBegun sees that of a partition to be given back only what was sent before
// is sent, and what stands before that.
func (p *process) checkBegun(t *tenure, it *batcher.Item) {
	if t == nil {
		return
	}
	end := it.Events[len(it.Events)-1].Offset + 1
	if t.revoking && end > t.sent {
		p.w.fail(CheckDead, "%s/%v is sent though its partition is to be given back and nothing behind it was", it.MessageID, offsets(it.Events))
	}
	t.sent = max(t.sent, end)
}

func (p *process) checkCall(what string) {
	if p.puts+p.looks >= p.config.MaxInFlight {
		p.w.fail(CheckLimits, "%s by %s beside %d calls", what, p.name, p.puts+p.looks)
	}
	if p.locked && p.puts+p.looks > 0 {
		p.w.fail(CheckLocked, "%s by %s beside %d calls", what, p.name, p.puts+p.looks)
	}
	if until := max(p.restUntil, p.dryUntil); p.w.now < until {
		p.w.fail(CheckRest, "%s by %s at %d, reset at %d", what, p.name, p.w.now, until)
	}
}

func (p *process) checkLook(op *batcher.Operation) {
	p.checkCall("look at " + op.ID)
	if op.Batch == nil {
		return
	}
	if !slices.ContainsFunc(op.Batch.Items, func(it *batcher.Item) bool { return p.tenureOf(it.Assignment) != nil }) {
		p.w.fail(CheckDead, "%s looks at %s, of which no partition is its own", p.name, op.ID)
	}
}

func offsets(events []*batcher.Event) (list []int64) {
	for _, e := range events {
		list = append(list, e.Offset)
	}
	return list
}

// checkCounts is I10, after every fact.
func (p *process) checkCounts() {
	sum, kept := p.past, p.handles[:0]
	for _, a := range p.handles {
		c := a.Counts()
		if !c.Balanced() {
			p.w.fail(CheckBalance, "%s p%d: %+v", p.name, a.Partition, c)
		}
		if t := p.tenureOf(a); t != nil && int(c.Delivered) != t.records {
			p.w.fail(CheckBalance, "%s p%d: %+v, of %d records", p.name, a.Partition, c, t.records)
		}
		sum.Add(c)
		if c.Open > 0 || p.tenureOf(a) != nil {
			kept = append(kept, a)
		} else {
			p.past.Add(c)
		}
	}
	p.handles = kept
	if sum != p.core.Totals() {
		p.w.fail(CheckBalance, "%s totals %+v, by assignment %+v", p.name, p.core.Totals(), sum)
	}
}

// checkRoom is I6, when records are handed over: less than the credit was held when
// they were asked for, and nothing has come since. They may be more than there was
// room for, and each have several changes.
func (p *process) checkRoom() {
	most := p.config.MaxOpenEvents - 1
	if p.sawUnknown { // then up to a quarter more, and but for its last record one more poll
		part := p.config.MaxOpenEvents / 4
		most += part + (min(p.config.MaxItems, part)-1)*mostChanges
	}
	if open, _ := p.openChanges(); open > most {
		p.w.fail(CheckCredit, "%s takes records and holds %d changes open, at most %d", p.name, open, most)
	}
}

// openChanges counts the changes that the process was handed and that have not
// settled: at least, since of a partition that it is to give back all may be dropped,
// and at most.
func (p *process) openChanges() (least, most int) {
	for _, t := range p.tenures {
		if t == nil {
			continue
		}
		most += t.open
		if !t.revoking {
			least += t.open
		}
	}
	return least, most
}

// checkNothingHeld looks for what a core still holds whose every record is
// settled and whose every wait is over.
func (p *process) checkNothingHeld() {
	s := p.core.Snapshot(p.w.now.time())
	if s.Counts.Open > 0 || s.Ready > 0 || s.Messages > 0 || s.OpenBytes != 0 || s.InFlight > 0 || s.Operations > 0 ||
		p.core.Room() != p.config.MaxOpenEvents {
		p.w.fail(CheckLeak, "%s: %+v, room %d", p.name, s, p.core.Room())
	}
	if sum(s.Skipped) != s.Counts.Skipped {
		p.w.fail(CheckBalance, "%s by reason: skipped %v, of %+v", p.name, s.Skipped, s.Counts)
	}
	p.checkLetters(s)
}

func sum(by map[string]uint64) (n uint64) {
	for _, x := range by {
		n += x
	}
	return n
}
