package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one kind of trouble that the world may make.
type Fault int

// The faults. Rates are per occasion: of a process or of the group every ten
// ticks, of a call, a record or an item each, of a mode once a run.
const (
	Kill         Fault = iota // a process ends at once and is started again later
	Stop                      // a process stands still for a while, then goes on
	Cut                       // a process cannot reach Kafka, but Kustomer
	Rebalance                 // the group moves partitions
	Shutdown                  // a process ends in order
	Static                    // mode: members have an instance id
	Twin                      // a second process takes a static member's place while the first one runs
	FastTakeover              // mode: a killed, stopped or cut member is expelled at once, not at the session's end

	LostReply     // a PUT is accepted, its reply is lost
	ErrorAccepted // a PUT is accepted and answered 500
	ErrorRefused  // a PUT is answered 500 and not accepted
	SlowPut       // a PUT is long on its way, perhaps longer than its time-out
	SlowReply     // a reply is long on its way back
	DialFailure   // no connection
	KeyRefused    // for a while every call is answered 401
	OrgLimit      // for a while every call is answered 429
	ObjectLimit   // for a while every PUT with one message is answered 429
	LongLimit     // the same for long
	LookFails     // a look at an operation learns nothing
	SlowLook      // a look takes long
	LookRefused   // for a while every look is answered 403
	Quota         // mode: the org has a budget of calls a minute, and headers tell of it
	LostRole      // for a while the key may do nothing: every PUT is answered 403
	Conflict      // one or two PUTs with a message are answered 409

	RefusedPoison  // every PUT with an event is answered 400
	RightHint      // …and the answer names the guilty item
	WrongHint      // …and the answer names another one
	ErrorPoison    // every PUT with an event is answered 500 or not at all, and not accepted
	ConflictPoison // every PUT with an event is answered 409
	TooLarge       // mode: a PUT above some bytes is answered 413
	Oversize       // an event is longer than any PUT may be
	Audit          // an event has audit members
	AuditLost      // for a while every PUT with an audit member is answered 403
	AuditForbidden // mode: the same for good

	Braked // mode: the core has a brake
	Broken // once, for a while, every PUT is refused, or every item fails; where there is a brake

	Hang       // an operation shows its results only long after they are there
	LongRun    // an operation runs for long; only while the group's metadata names it
	Vanish     // an operation is no longer known while it still runs
	VanishLate // the same, after it was seen to run for long
	NoResult   // an operation ends without a result for an item that was applied
	ItemFails  // for a while a message's updates fail

	LateCommit  // a commit is long on its way, perhaps longer than its time-out
	LostCommit  // a commit gets no answer: it was applied or it was not
	SlowProduce // a result event or a dead letter is acknowledged late
	FailProduce // a result event or a dead letter is produced in vain at first
	LateHanding // polled records are handed over late

	Malformed     // an event cannot be decoded
	Tombstone     // an event says nothing
	Poison        // an event fails for good
	Several       // a record has two or three changes, of one message or of several
	Combination   // items of three or more changes of a message fail for good
	Gaps          // mode: offsets have holes
	TwoPartitions // mode: a message's events may be in either partition

	OffsetReset     // all processes end, an admin moves a partition's offset, and they start again
	PartitionsAdded // mode: another partition appears in the middle
	ThreeProcesses  // mode: there is one process more

	faults // how many there are
)

var faultNames = [faults]string{
	"Kill", "Stop", "Cut", "Rebalance", "Shutdown", "Static", "Twin", "FastTakeover",
	"LostReply", "ErrorAccepted", "ErrorRefused", "SlowPut", "SlowReply", "DialFailure", "KeyRefused",
	"OrgLimit", "ObjectLimit", "LongLimit", "LookFails", "SlowLook", "LookRefused", "Quota", "LostRole", "Conflict",
	"RefusedPoison", "RightHint", "WrongHint", "ErrorPoison", "ConflictPoison", "TooLarge", "Oversize",
	"Audit", "AuditLost", "AuditForbidden",
	"Braked", "Broken",
	"Hang", "LongRun", "Vanish", "VanishLate", "NoResult", "ItemFails",
	"LateCommit", "LostCommit", "SlowProduce", "FailProduce", "LateHanding",
	"Malformed", "Tombstone", "Poison", "Several", "Combination", "Gaps", "TwoPartitions",
	"OffsetReset", "PartitionsAdded", "ThreeProcesses",
}

// String returns the fault's name.
func (f Fault) String() string { return faultNames[f] }

// Rates says how often each fault happens, 0 to 1.
type Rates [faults]float64

// usual are rates at which most runs meet several faults and still come to an
// end.
var usual = Rates{
	Kill: .03, Stop: .02, Cut: .02, Rebalance: .06, Shutdown: .03,
	Static: .25, Twin: .02, FastTakeover: .2,
	LostReply: .1, ErrorAccepted: .1, ErrorRefused: .08, SlowPut: .1, SlowReply: .06, DialFailure: .08, KeyRefused: .01,
	OrgLimit: .05, ObjectLimit: .04, LongLimit: .004, LookFails: .08, SlowLook: .05, LookRefused: .01,
	Quota: .2, LostRole: .01, Conflict: .03,
	RefusedPoison: .04, RightHint: .3, WrongHint: .3, ErrorPoison: .02, ConflictPoison: .02, TooLarge: .2, Oversize: .04,
	Audit: .15, AuditLost: .02, AuditForbidden: .1, Braked: .2, Broken: .02,
	Hang: .05, LongRun: .05, Vanish: .05, VanishLate: .03, NoResult: .05, ItemFails: .06,
	LateCommit: .12, LostCommit: .12, SlowProduce: .12, FailProduce: .08, LateHanding: .15,
	Malformed: .06, Tombstone: .06, Poison: .08, Several: .1, Combination: .01, Gaps: .3, TwoPartitions: .2,
	OffsetReset: .005, PartitionsAdded: .15, ThreeProcesses: .2,
}

// modes are drawn once a run; alone, they are certain.
var modes = []Fault{
	Static, FastTakeover, Quota, TooLarge, AuditForbidden, Braked, Gaps, TwoPartitions, PartitionsAdded, ThreeProcesses,
}

// AllFaults is every fault at its usual rate.
func AllFaults() Rates { return usual }

// companions are the faults without which another cannot show.
var companions = map[Fault][]Fault{
	Twin:           {Static},
	FastTakeover:   {Kill, Stop, Cut},
	LateHanding:    {Rebalance},
	RightHint:      {RefusedPoison},
	WrongHint:      {RefusedPoison},
	Oversize:       {TooLarge},
	AuditLost:      {Audit},
	AuditForbidden: {Audit},
	LostRole:       {Audit},
	Broken:         {Braked},
}

// Only is the named faults at their usual rates, modes for certain, with their
// companions and no other.
func Only(list ...Fault) Rates {
	var r Rates
	for _, f := range list {
		for _, f := range append([]Fault{f}, companions[f]...) {
			r[f] = usual[f]
			if slices.Contains(modes, f) {
				r[f] = 1
			}
		}
	}
	return r
}

// With returns r with the fault at the given rate.
func (r Rates) With(f Fault, rate float64) Rates {
	r[f] = rate
	return r
}

// plus is r with the faults of o.
func (r Rates) plus(o Rates) Rates {
	for _, f := range o.Faults() {
		r[f] = o[f]
	}
	return r
}

// Faults lists the faults of r that can happen.
func (r Rates) Faults() (list []Fault) {
	for f := range faults {
		if r[f] > 0 {
			list = append(list, f)
		}
	}
	return list
}

// String returns the names of the faults of r, with commas between.
func (r Rates) String() string {
	var b strings.Builder
	for i, f := range r.Faults() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(f.String())
	}
	return b.String()
}

// ParseFaults reads "all", "none", or a list of names with commas between, in
// which "-Name" takes a fault away and "Name=.2" sets its rate.
func ParseFaults(list string) (Rates, error) {
	var r Rates
	for name := range strings.SplitSeq(list, ",") {
		name, off := strings.CutPrefix(name, "-")
		name, often, rated := strings.Cut(name, "=")
		f := Fault(slices.Index(faultNames[:], name))
		switch {
		case name == "all":
			r = AllFaults()
		case name == "none" || name == "":
		case f < 0:
			return r, fmt.Errorf("fault %q is not known: it is one of all, none, %s", name, strings.Join(faultNames[:], ", "))
		case off:
			r[f] = 0
		default:
			r = r.plus(Only(f))
		}
		if !rated {
			continue
		}
		rate, err := strconv.ParseFloat(often, 64)
		if err != nil || f < 0 || rate < 0 || rate > 1 {
			return r, fmt.Errorf("%s=%s is not the rate of a fault, 0 to 1", name, often)
		}
		r[f] = rate
	}
	return r, nil
}
