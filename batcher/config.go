package batcher

import "time"

// Config bounds and times the core. All fields are needed; the zero of Lease
// and of RequestsPerMinute has a meaning of its own.
type Config struct {
	MaxItems int           // items of one request, 1 to 100
	MaxBytes int           // bytes of one request's body; an item larger than it goes alone
	Linger   time.Duration // how long an item that could be sent waits for company

	Merge          bool     // fold changes of one message that wait together
	ReplaceObjects bool     // the org is known to replace object members: fold those too
	Barrier        []string // members whose changes never merge

	MaxInFlight       int     // calls at a time, PUTs and looks together
	MaxOpenOperations int     // accepted operations at a time
	RequestsPerMinute int     // 0: by the quota headers, from 300
	Reserve           float64 // share of the org's quota left to others, 0 to 0.9
	MaxPause          time.Duration

	OverdueAfter  time.Duration // an operation older than this is reported
	LostReplyWait time.Duration // the longest way in plus the longest run of an attempt whose end is unknown
	TakeoverExtra time.Duration // added to LostReplyWait at a takeover: the session time-out of a static member
	Lease         time.Duration // no PUT this long after the last acknowledged heartbeat was sent; 0: no lease

	RetryInitial time.Duration // first backoff of a failed call, doubled up to RetryMax
	RetryMax     time.Duration
	ItemAttempts int           // retries of an item that Kustomer failed
	ItemOver     time.Duration // spread over at least this

	UnknownAttempts int           // attempts of a lone change of unknown outcome, each with a success elsewhere between
	UnknownOver     time.Duration // spread over at least this

	Brake        float64 // share of a minute's events that may be dead-lettered, 0 to 1; 0: any
	BrakeAtLeast int     // dead letters of a minute that are always let through

	CommitInterval time.Duration
	Recommit       time.Duration // after a commit of unknown outcome the partition is committed once more

	MaxOpenEvents int   // events whose fate is not yet known
	MaxOpenBytes  int64 // bytes kept for them

	BatchPrefix string // makes batch ids unique among processes
	Seed        uint64 // of the jitter
	Rules       Rules
}

// Rules are the rules that keep changes safe and moving, each a knob so that a
// test can take one away and see what goes wrong. Production has them all.
type Rules struct {
	PrefixCommit       bool // I3: commit the settled prefix, not the highest settled record
	SettleAfterReport  bool // I4: a completed change settles when its result event is acknowledged
	SettleAfterBurial  bool // I4: a dead letter settles when it is acknowledged
	WholeRecord        bool // I4: a record of several changes settles when all of them have
	Hold               bool // I7: a message's successors wait for the item's own result
	StrayWait          bool // I7: …and LostReplyWait after an attempt whose end is unknown
	StrayFromSeen      bool // the wait of a lost operation counts from when the loss was seen
	StrayOfChain       bool // the wait belongs to the message: parts of a split item wait too
	Frozen             bool // what is sent again is the same events and bytes
	ResultsNotStatus   bool // "complete" is no success: each item needs its own result
	Lease              bool // no PUT after the last heartbeat has grown old
	WriteAhead         bool // a partition is marked open before its first PUT
	TakeoverWait       bool // the owner of a partition left open waits before its first PUT
	TakeoverOperations bool // …and sees the listed operations to their end
	CleanAfterTakeover bool // "clean" only when one's own takeover is over
	CleanWithoutStray  bool // "clean" only when no stray operation may run
	TaggedRecords      bool // records of an assignment that is gone are refused
	DeadStartsNothing  bool // I8: nothing is retried or polled for a dead assignment
	NothingAfterFinal  bool // nothing starts once the last commit of a partition is decided
	Recommit           bool // after a commit of unknown outcome, commit once more
	OnePartition       bool // an item never mixes partitions
	HalveInOrder       bool // a failing item of several events is halved, oldest first
	Credit             bool // I6: polling needs credit
	RestAfter429       bool // no call before the quota's reset
	Suspects           bool // a refused batch is split until the guilty item is alone
	OwnRefusal         bool // only a request that held nothing else proves an item guilty
	UnknownPatience    bool // a change of unknown outcome is given up only after many attempts with successes between, over long
	LimitIsNoFault     bool // nothing is given up for a 429
	DoubtEvidence      bool // a doubtful refusal is the item's fault only when others get through, time and again
	ProbeOne           bool // the probe of an outage is one item, another each time
	Reserve            bool // a change of unknown outcome that stops its partition lets one more poll in for each attempt
}

// AllRules is what production runs with.
func AllRules() Rules {
	return Rules{
		PrefixCommit: true, SettleAfterReport: true, SettleAfterBurial: true, WholeRecord: true, Hold: true,
		StrayWait: true, StrayFromSeen: true, StrayOfChain: true, Frozen: true,
		ResultsNotStatus: true, Lease: true, WriteAhead: true, TakeoverWait: true,
		TakeoverOperations: true, CleanAfterTakeover: true, CleanWithoutStray: true,
		TaggedRecords: true, DeadStartsNothing: true, NothingAfterFinal: true,
		Recommit: true, OnePartition: true, HalveInOrder: true, Credit: true, RestAfter429: true,
		Suspects: true, OwnRefusal: true, UnknownPatience: true, LimitIsNoFault: true,
		DoubtEvidence: true, ProbeOne: true, Reserve: true,
	}
}
