package batcher

import "time"

// Header is one header of a source record, byte for byte.
type Header struct {
	Key   string
	Value []byte
}

// Record is what the source holds of one event, byte for byte: a dead letter
// repeats it. The slices are copies of our own, never views into a fetched
// batch, because one slow record would keep the whole batch alive.
type Record struct {
	Key       []byte // nil when the record has no key
	Value     []byte // nil for a tombstone
	Headers   []Header
	Timestamp time.Time
}

// Verdict says what decoding made of a record.
type Verdict uint8

// The verdicts.
const (
	Send   Verdict = iota // a change to be sent
	Skip                  // deliberately nothing to send: a tombstone, an empty change
	Reject                // malformed: goes to the dead-letter topic
)

// Change is one decoded record. MessageID, EventID and Patch may share memory
// with Record.Value.
type Change struct {
	Offset      int64
	LeaderEpoch int32
	Verdict     Verdict
	MessageID   []byte // unescaped, never empty for Send
	EventID     []byte // may be empty
	// Patch is the JSON object of the members to update: valid, valid UTF-8, no
	// duplicate names, neither "id" nor "_clientRef". It may hold white space.
	Patch      []byte
	OccurredAt time.Time // zero when the event does not say
	More       []Update  // of Send: what the same record changes after that
	Made       int       // bytes of all patches that share no memory with the record
	Record     Record
	Reason     Reason // of a Reject or a Skip
}

// Update is one change of one message, its members as those of [Change].
type Update struct {
	MessageID  []byte
	EventID    []byte
	Patch      []byte
	OccurredAt time.Time
}

// Reason is why an event was not delivered: Code is one of a closed set and fit
// for a metric label, Text is for people and never holds a payload of ours.
type Reason struct {
	Code string // "malformed", "oversize", "tombstone", "item_failed", …
	Text string
}

// size is what one open event is charged against the credit, in bytes: its
// copies, and the structures the core keeps beside them.
func (c *Change) size() int64 {
	n := structures + c.Made + len(c.Record.Key) + len(c.Record.Value)
	for i := range c.Record.Headers {
		n += 48 + len(c.Record.Headers[i].Key) + len(c.Record.Headers[i].Value)
	}
	return int64(n)
}

// structures are an Event 256, an Item 296, a chain with its id and its place in the
// map 180, two entries of the ledger 32, and what the allocator rounds up.
const structures = 800

// Event is a record that was delivered and whose fate is not yet known, or one of the
// changes of such a record.
type Event struct {
	Offset     int64
	EventID    []byte
	Patch      []byte
	OccurredAt time.Time
	Arrived    time.Time // when the core took it
	Record     Record
	Assignment *Assignment

	seq   uint64 // place in the assignment's ledger
	order uint64 // place among all the core took
	bytes int64  // credit it holds

	siblings *siblings // of a record with several changes; nearly always nil
	part     uint32    // which of them, from 1
}

// Item is one entry of a bulk request: the changes of one message from one
// partition that waited together, oldest first. Once sent it is frozen: what is
// sent again is the same events and the same bytes.
type Item struct {
	MessageID  string
	Assignment *Assignment
	Events     []*Event
	Patch      []byte // the fold of Events, a JSON object; set when first cut
	Attempts   int    // PUT attempts that carried it
	Failures   int    // times Kustomer reported it failed

	itemState
}

// CloseReason is why a window was closed.
type CloseReason uint8

// The close reasons.
const (
	ClosedBySize  CloseReason = iota // MaxItems were waiting
	ClosedByBytes                    // MaxBytes were waiting
	ClosedByTime                     // the oldest item had waited Linger
	ClosedToSplit                    // part of what was refused: no company is wanted
	ClosedToProbe                    // a try whether anything gets through
)

// String returns "size", "bytes", "time", "split" or "probe".
func (r CloseReason) String() string {
	return [...]string{"size", "bytes", "time", "split", "probe"}[r]
}

// Batch is one bulk request: distinct messages, at most MaxItems of them. It is
// sent in exactly one attempt; what is sent again goes in another batch.
type Batch struct {
	ID     string // unique among all processes; the key of its result events
	Parent string // id of the refused batch whose items these are; empty for fresh work
	Items  []*Item
	Reason CloseReason
	Cut    time.Time
	Bytes  int // length of the request's body, at most

	probesBrake bool
}

// OutcomeKind is what became of one PUT attempt. The set is closed.
type OutcomeKind uint8

// The outcomes. Only NotSent and the 4xx kinds (Refused, Doubtful, Unauthorized
// and Limited) prove that nothing was accepted.
const (
	Accepted     OutcomeKind = iota // 2xx with an operation id
	Refused                         // 4xx: something in the body (400, 409, 413, 422, …)
	Doubtful                        // 4xx that may be for what the Hints hold, or for the key, the address or what is in front
	Unauthorized                    // 401, any other 403, wrong address or region: the configuration
	Limited                         // 429
	NotSent                         // the dial failed, or the lease was over before the body was written
	Unknown                         // time-out, reset, 408, 5xx, cut or foreign reply: it may have been accepted
)

// String returns the kind as a metric label.
func (k OutcomeKind) String() string {
	return [...]string{"accepted", "refused", "doubtful", "unauthorized", "limited", "not_sent", "unknown"}[k]
}

// Outcome is what one PUT attempt came to.
type Outcome struct {
	Kind      OutcomeKind
	Operation string // id, when Accepted
	Complete  bool   // the first reply already said complete
	Status    int    // HTTP status, 0 without a reply
	RequestID string // Kustomer's, when the reply tells
	Org, User string // names from the reply, when it tells
	Reason    Reason // of anything but Accepted; what to check next
	// Hints are the items of the batch, by index and in order, that a refusal
	// speaks of: that a pointer or an id in it names, or that have the member it
	// names. Empty when it names none, or all.
	Hints    []int
	Sent     time.Time
	Answered time.Time
	Quota    Quota
}

// Quota is what the headers of one reply tell about the org's request budget.
// A negative number is not known.
type Quota struct {
	Limit, Remaining             int           // requests a minute of the whole org
	ObjectLimit, ObjectRemaining int           // updates of one object
	Reset                        time.Duration // from the reply's own Date to the reset; 0 unknown
	RetryAfter                   time.Duration // 0 when the reply has none
}

// NoQuota is a reply that tells nothing.
var NoQuota = Quota{Limit: -1, Remaining: -1, ObjectLimit: -1, ObjectRemaining: -1}

// ResultStatus is what an operation says about one item.
type ResultStatus uint8

// The result statuses.
const (
	NoResult ResultStatus = iota // nothing yet
	Updated
	Failed
)

// ItemResult is what an operation says about one item.
type ItemResult struct {
	Status ResultStatus
	Reason Reason // Kustomer's words, when Failed
}

// ViewKind is what one look at an operation saw. The set is closed.
type ViewKind uint8

// The views.
const (
	Running  ViewKind = iota // queued or running
	Complete                 // nothing more will come
	Gone                     // the API no longer knows the operation
	NoView                   // the look failed: nothing was learned
)

// String returns the kind as a metric label.
func (k ViewKind) String() string {
	return [...]string{"running", "complete", "gone", "failed"}[k]
}

// View is what one look at an operation saw.
type View struct {
	Kind    ViewKind
	Results []ItemResult  // by item of the batch; may be shorter
	Took    time.Duration // from the operation's own times; 0 unknown
	Calls   int           // requests that the look cost
	Status  int           // of the last reply, 0 without one
	Limited bool          // a 429 ended the look
	Locked  bool          // the key, the address or the region is refused: a PUT would be as well
	Reason  Reason        // of NoView
	Quota   Quota
}

// Operation is one accepted bulk request that may still run.
type Operation struct {
	ID       string
	Batch    *Batch // nil for one taken over from an earlier owner
	Accepted time.Time
	Looks    int
	Outcome  Outcome // of the attempt that started it

	operationState
}

// CommitResult is what became of the commit of one partition.
type CommitResult uint8

// The commit results.
const (
	CommitDone    CommitResult = iota
	CommitUnknown              // a time-out: it may have been, or may yet be, applied
	CommitRefused              // the group said no: it was not applied
)

// Fetched is what one poll brought for one assignment, in partition order.
type Fetched struct {
	Assignment *Assignment
	Changes    []Change
	// Waits says that there are no changes, as the first record of all can't be read
	// yet, which is at Position.
	Waits    bool
	Position int64
}
