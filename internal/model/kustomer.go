package model

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// kustomer is the bulk API: it takes requests, runs their items at any later
// time in any order, and answers what it likes. Whatever a client is told, the
// truth is here: what was applied, when, and what may still run.
type kustomer struct {
	w          *world
	replaces   bool // an object member is replaced as a whole, not merged
	tellsTimes bool // a look tells how long a complete operation took, a 429 of a message until when
	operations map[string]*operation
	state      map[string]map[string]string // message, leaf, value
	pending    map[string][]*running        // by message: accepted, will be applied, not yet
	accepted   map[string][]*running        // by message: all that were and do not fail
	failing    map[string]tick              // by message: updates fail until then
	together   map[string]bool              // by message: three changes in one item fail
	limited    map[string]tick              // by message: 429 until then
	conflicts  map[string]conflict          // by message
	orgLimited tick                         // every call is answered 429 until then
	refusing   tick                         // every call is answered 401 until then
	unreadable tick                         // every look is answered 403 until then
	roleless   tick                         // every PUT is answered 403 until then
	auditless  tick                         // every PUT with audit members is answered 403 until then
	noAudit    bool                         // there was such a time
	broken     tick                         // every PUT is refused, or every item fails, until then
	brokenItem bool                         // the latter
	wasBroken  bool
	budget     budget
	parsed     map[string][]write // by patch
}

// request is one PUT as it was written.
type request struct {
	from  *process
	batch string
	items []requestItem
	sent  tick

	spared bool // of trouble that leaves the outcome unknown
}

type requestItem struct {
	message string
	tenure  int // of the sender, for the item's partition
	events  []*event
	patch   []byte
}

// operation is an accepted request.
type operation struct {
	id       string
	accepted tick
	ended    tick // when its last item was done
	items    []*running
	stray    bool // no process was told of it
	hangs    bool // no result is shown before settles
	settles  tick // not complete before
	vanishes tick // not known from then on; 0 never
}

// running is one item of an operation.
type running struct {
	requestItem
	operation *operation
	from      *process
	partition int
	sent      tick
	long      tick   // runs until about then while the group names the operation; 0: as usual
	failure   string // why it fails; empty when it does not
	silent    bool   // its result is never shown
	done      bool
}

func newKustomer(w *world) *kustomer {
	return &kustomer{
		w: w, operations: map[string]*operation{}, state: map[string]map[string]string{},
		pending: map[string][]*running{}, accepted: map[string][]*running{}, failing: map[string]tick{}, together: map[string]bool{}, limited: map[string]tick{}, parsed: map[string][]write{}, roleless: -2 * minute,
		conflicts: map[string]conflict{},
	}
}

// accept makes an operation of a request and sets when each item will run.
func (k *kustomer) accept(r *request) *operation {
	w := k.w
	op, long := k.newOperation()
	atOnce := w.random.IntN(12) == 0
	for _, it := range r.items {
		run := &running{requestItem: it, operation: op, from: r.from, partition: it.events[0].partition, sent: r.sent, long: long}
		if op.vanishes > w.now+w.cfg.LostReplyWait {
			run.long = op.vanishes + w.between(0, longestRun)
		}
		run.failure = k.failure(it)
		run.silent = w.trouble(NoResult)
		op.items = append(op.items, run)
		k.checkOrder(r, run)
		if run.failure == "" {
			k.pending[it.message] = append(k.pending[it.message], run)
		}
		if atOnce && run.long == 0 {
			k.run(run)
			continue
		}
		d := k.runTime()
		if run.long > 0 {
			d = w.between(longestRun/4, longestRun) // by then a commit names it, or its owner is gone
		}
		w.after(d, func() { k.runOrWait(run) })
	}
	return op
}

// newOperation draws how an operation behaves, and until when its items run if
// it is a long one.
func (k *kustomer) newOperation() (op *operation, long tick) {
	w := k.w
	op = &operation{id: "op" + strconv.Itoa(len(k.operations)+1), accepted: w.now}
	k.operations[op.id] = op
	switch {
	case w.trouble(VanishLate):
		op.vanishes = w.now + w.between(w.cfg.LostReplyWait+5, 150)
	case w.trouble(Vanish):
		op.vanishes = w.now + w.between(0, 30)
	case w.trouble(LongRun):
		long = w.now + w.between(50, 250)
	}
	op.hangs = w.trouble(Hang)
	op.settles = w.now + w.between(0, 3)
	if op.hangs {
		op.settles = w.now + w.between(60, 300)
	}
	return op, long
}

// runTime is usually short and sometimes as long as it gets.
func (k *kustomer) runTime() tick {
	if k.w.random.IntN(2) == 0 {
		return k.w.between(0, longestRun/8)
	}
	return k.w.between(0, longestRun)
}

// failure decides an item's fate, and says why it fails: the last writer of a
// leaf counts, as it does for a person who looks at the bytes.
func (k *kustomer) failure(it requestItem) string {
	w := k.w
	if k.failing[it.message] == 0 && w.trouble(ItemFails) {
		k.failing[it.message] = w.now + w.between(1, 14)
	}
	if w.now < k.failing[it.message] {
		return "busy"
	}
	if w.now < k.broken && k.brokenItem {
		return "broken"
	}
	if k.together[it.message] && len(it.events) > 2 {
		return "too much at once"
	}
	if slices.ContainsFunc(k.writes(it.patch), func(wr write) bool { return strings.HasPrefix(wr.value, badPrefix) }) {
		return "not valid"
	}
	return ""
}

// runOrWait runs an item now, or later when it is a long one. A long one goes
// on only as long as the group's metadata names its operation: nothing could
// make a change of owner safe from an operation that nobody can name and that
// runs longer than the wait for such.
func (k *kustomer) runOrWait(run *running) {
	w, op := k.w, run.operation
	vanished := op.vanishes > 0 && w.now >= op.vanishes
	if w.now < run.long && (vanished || w.group.names(run.partition, op.id)) {
		w.after(min(w.between(1, 5), run.long-w.now), func() { k.runOrWait(run) })
		return
	}
	k.run(run)
}

// run applies an item to its message.
func (k *kustomer) run(run *running) {
	w := k.w
	run.done = true
	run.operation.ended = w.now
	if run.failure != "" {
		return
	}
	if run.operation.stray {
		w.seen.StraysApplied++
	}
	k.pending[run.message] = slices.DeleteFunc(k.pending[run.message], func(x *running) bool { return x == run })
	w.tracef("   API applies %v of %s", run.events, run.operation.id)
	k.checkFold(run)
	state := k.state[run.message]
	if state == nil {
		state = map[string]string{}
		k.state[run.message] = state
	}
	apply(state, k.writes(run.patch))
	if len(run.events) > 1 {
		w.seen.Folded++
	}
	again := true
	for _, e := range run.events {
		again = again && e.applied
		e.applied = true
	}
	if again {
		w.seen.AppliedAgain++
	}
}

func apply(state map[string]string, writes []write) {
	for _, wr := range writes {
		state[wr.leaf] = wr.value
	}
}

// checkFold compares what the item's bytes do with what its events would do one
// after the other.
func (k *kustomer) checkFold(run *running) {
	if len(run.events) == 1 {
		if !bytes.Equal(run.patch, run.events[0].patch) {
			k.w.fail(CheckFold, "%v was sent as %s", run.events, run.patch)
		}
		return
	}
	folded, single := maps.Clone(k.state[run.message]), maps.Clone(k.state[run.message])
	if folded == nil {
		folded, single = map[string]string{}, map[string]string{}
	}
	apply(folded, k.writes(run.patch))
	for _, e := range run.events {
		apply(single, e.writes)
	}
	if !maps.Equal(folded, single) {
		k.w.fail(CheckFold, "%v as %s leave %v, one after the other %v", run.events, run.patch, folded, single)
	}
}
