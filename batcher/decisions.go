package batcher

import "time"

// Decision is one thing the core wants done. The set is closed: Put, Look,
// Report, Bury, Commit, Quiet, Pause, Resume, Notice and Wait.
type Decision interface{ decision() }

// Put asks for one PUT attempt of a batch. The answer is [Core.Answered].
type Put struct{ Batch *Batch }

// Look asks for one look at an operation. The answer is [Core.Polled].
type Look struct{ Operation *Operation }

// ReportKind says what a result event is about.
type ReportKind uint8

// The kinds of result events.
const (
	ReportAccepted  ReportKind = iota // Kustomer took the batch and named an operation
	ReportCompleted                   // the operation is over; each item's fate is in it
	ReportRefused                     // Kustomer refused the whole batch
	ReportOverdue                     // the operation runs longer than it should
)

// String returns "accepted", "completed", "refused" or "overdue".
func (k ReportKind) String() string {
	return [...]string{"accepted", "completed", "refused", "overdue"}[k]
}

// Fate is what a result event says of one item.
type Fate uint8

// The fates.
const (
	FateUpdated      Fate = iota // Kustomer applied it
	FateFailed                   // Kustomer failed it; it is tried again
	FateReturned                 // no result: it is sent again
	FateDeadLettered             // Kustomer failed it for good; its event is in the dead-letter topic
)

// String returns "updated", "failed", "returned" or "dead_lettered".
func (f Fate) String() string {
	return [...]string{"updated", "failed", "returned", "dead_lettered"}[f]
}

// ItemFate is one item of a result event.
type ItemFate struct {
	Item   *Item
	Fate   Fate
	Reason Reason
}

// Report asks for one result event. The answer is [Core.Reported], when Kafka
// has acknowledged it. Its event id is the batch id and the kind.
type Report struct {
	Kind      ReportKind
	Batch     *Batch
	Operation *Operation // nil when refused
	Outcome   Outcome    // of the PUT attempt
	Fates     []ItemFate // of the items whose partition is still ours; completed and refused only
	At        time.Time  // when the core learned it
	Took      time.Duration
	Looks     int

	settles []*Event
}

// Bury asks for one dead letter: of a record that can't be read, or of a change that is
// given up. The answer is [Core.Buried], when Kafka has acknowledged it.
type Bury struct {
	Event     *Event
	MessageID string // empty when the record was malformed
	Reason    Reason
	BatchID   string // of the last batch that carried it, or empty
	Operation string
	Status    int
	Attempts  int

	item *Item // nil when the record was malformed
}

// PartitionCommit is what is committed for one partition: the offset of the
// first unsettled record, and our metadata.
type PartitionCommit struct {
	Assignment  *Assignment
	Offset      int64
	LeaderEpoch int32 // of the last settled record, -1 unknown
	Metadata    string
	Result      CommitResult // set by the shell before [Core.Committed]

	// Last says that the partition is given back with it: nothing starts for it
	// any more.
	Last bool
}

// Commit asks for one commit. The answer is [Core.Committed]; no other commit
// is decided before it.
type Commit struct{ Partitions []PartitionCommit }

// Quiet says that a revocation of the assignment may be answered: its last
// commit has been answered and nothing will start for it.
type Quiet struct{ Assignment *Assignment }

// Pause asks to stop fetching a partition that holds its share of the credit.
type Pause struct{ Assignment *Assignment }

// Resume ends a Pause.
type Resume struct{ Assignment *Assignment }

// NoticeKind says what a notice is about.
type NoticeKind uint8

// The notices.
const (
	DeliveryPaused   NoticeKind = iota // no batch gets through; Reason says why and what to check
	DeliveryResumed                    // batches get through again
	OperationOverdue                   // an operation runs longer than it should
	TakeoverBegun                      // a partition was left open: its first PUT waits
	TakeoverOver
	QuotaExhausted  // a 429
	LooksFail       // operations can't be read: nothing can be settled
	LooksGoOn       // they can again
	BrakeHolds      // too much would be dead-lettered: nothing more is; Reason says why
	BrakeReleased   // dead letters go out again
	AllOverdue      // every slot is held by an operation that runs longer than it should
	SlotsFree       // one of them has ended
	QuotaBack       // the rest that was told is over
	BytesLearned    // a 413: bodies are at most Bytes long until Until
	BatchUnanswered // a PUT was not sent or has no usable reply, and delivery goes on: its changes go again
)

// Notice is something a person should be able to read in the log.
type Notice struct {
	Kind       NoticeKind
	Reason     Reason
	Since      time.Time     // when the trouble began
	Until      time.Time     // when the next try is due, or zero
	Asked      time.Duration // QuotaExhausted: the rest that Kustomer asked for, when longer than MaxPause; Until is sooner
	Attempts   int
	Bytes      int
	Certain    bool   // DeliveryPaused: it lasts until somebody sees to it
	Batch      *Batch // DeliveryPaused, BatchUnanswered: the one that did not get through
	Operation  *Operation
	Assignment *Assignment
}

// Wait says that there is nothing to do before Until, or before the next fact
// when Until is zero.
type Wait struct{ Until time.Time }

func (Put) decision()     {}
func (Look) decision()    {}
func (*Report) decision() {}
func (*Bury) decision()   {}
func (*Commit) decision() {}
func (Quiet) decision()   {}
func (Pause) decision()   {}
func (Resume) decision()  {}
func (Notice) decision()  {}
func (Wait) decision()    {}
