package batcher

import (
	"slices"
	"strings"
	"time"
)

// Start is where a partition begins for its new owner: the committed offset
// with its metadata.
type Start struct {
	Topic       string
	Partition   int32
	Offset      int64 // -1: the group has no commit for it
	LeaderEpoch int32 // of that commit, -1 unknown
	Metadata    string
}

// phase is where an assignment is in its life. It only moves forward.
type phase uint8

const (
	live     phase = iota
	revoking       // nothing new is taken; what was sent, and what stands before it, is finished
	final          // the last commit is decided: nothing starts any more
	dead           // what belongs to it changes nothing and starts nothing (I8)
)

// Assignment is one tenure of a partition. Facts about records carry it, never
// a bare partition number: when a partition goes away and comes back, what was
// meant for the first tenure must not touch the second.
type Assignment struct {
	Topic     string
	Partition int32

	phase    phase
	deadline time.Time // of the revocation
	ledger   ledger
	open     int   // changes that are open: a record may have several
	bytes    int64 // credit that they hold
	paused   bool
	seenHead uint64 // the ledger's head when it was last seen to have moved
	movedAt  time.Time

	sent       uint64       // sequence number after the last record that was sent or buried
	started    bool         // the position it starts from is known
	ahead      bool         // Kafka has acknowledged the "open" mark
	gateUntil  time.Time    // end of the takeover wait
	inherited  []*Operation // of the last owner, not yet seen to their end
	parked     itemList     // items that wait for the gate
	takingOver bool
	since      time.Time // it was assigned
	strayUntil time.Time // until then an operation we don't know may run for it

	operations []*Operation // ours, oldest first
	changed    bool         // their list differs from the committed one
	committed  int64
	recommit   time.Time // when to commit again after an unknown outcome; zero: no need
}

// Counts returns what became of the assignment's records so far.
func (a *Assignment) Counts() Counts { return a.ledger.counts }

// Metadata of a commit is ASCII, since brokers destroy other bytes, and begins
// with a prefix of ours, so that a commit by a foreign tool is told apart.
const (
	metadataPrefix = "kk1 "
	metadataClean  = metadataPrefix + "clean"
	metadataOpen   = metadataPrefix + "open"
	metadataMax    = 4096 // UTF-16 units, the broker's offset.metadata.max.bytes
)

// takeover reads the metadata of the commit a partition starts from: whether it
// was given back clean, and otherwise the operations that were open. Metadata
// that is not ours counts as open; no commit at all is clean.
func takeover(s Start) (clean bool, operations []string) {
	if s.Offset < 0 || s.Metadata == metadataClean {
		return true, nil
	}
	ids, ours := strings.CutPrefix(s.Metadata, metadataOpen+" ")
	if !ours {
		return false, nil
	}
	return false, strings.Split(ids, ",")
}

// openMetadata lists the operations that may still run for the partition,
// oldest first, as many as fit.
func (a *Assignment) openMetadata() string {
	n := len(metadataOpen)
	for _, ops := range [][]*Operation{a.inherited, a.operations} {
		for _, op := range ops {
			n += 1 + len(op.ID)
		}
	}
	b := make([]byte, 0, min(n, metadataMax))
	b = append(b, metadataOpen...)
	sep := byte(' ')
	for _, ops := range [][]*Operation{a.inherited, a.operations} {
		for _, op := range ops {
			if len(b)+1+len(op.ID) > metadataMax {
				return string(b)
			}
			b = append(append(b, sep), op.ID...)
			sep = ','
		}
	}
	return string(b)
}

func (a *Assignment) forget(op *Operation) {
	if i := slices.Index(a.operations, op); i >= 0 {
		a.operations = slices.Delete(a.operations, i, i+1) // clears the end, or it would keep a batch alive
		a.changed = true
	}
}

// gateOpen reports whether the partition's first PUT may be made: it is marked
// open in Kafka, and what an earlier owner left behind has ended. When only time
// is missing, at is when to look again.
func (a *Assignment) gateOpen(now time.Time) (open bool, at time.Time) {
	if !a.ahead || len(a.inherited) > 0 {
		return false, time.Time{}
	}
	if now.Before(a.gateUntil) {
		return false, a.gateUntil
	}
	return true, time.Time{}
}
