package kustomersim

import "time"

// AuditRule says what happens to createdAt, createdBy, modifiedAt and
// modifiedBy. The real API wants the role org.admin for them; what the bulk
// endpoint does without it is not documented.
type AuditRule string

// The known reactions to an audit member.
const (
	AuditAccept AuditRule = ""       // written like any other member
	AuditIgnore AuditRule = "ignore" // accepted, not written
	AuditForbid AuditRule = "forbid" // the whole request is a 403
)

// IDRule says what happens to an item whose message is not known.
type IDRule string

// The known reactions to an unknown message.
const (
	IDCreate IDRule = ""       // it is made by the first write: a test need not seed it
	IDFail   IDRule = "fail"   // the item fails
	IDRefuse IDRule = "refuse" // the whole request is a 404
)

// Options are what stays fixed for the life of a [Server]. The zero value is a
// plausible org with the faults of [DefaultScript]. What may change while it
// runs is in [Script].
type Options struct {
	// Key is the API key expected as "Authorization: Bearer KEY".
	// Empty: any non-empty key will do.
	Key string
	// Seed of all random choices.
	Seed uint64
	// Script of faults. Nil: DefaultScript. New panics if it is invalid.
	Script *Script

	// Workers run accepted operations. Default 4.
	Workers int
	// InOrder runs operations in the order of acceptance. Default: random.
	InOrder bool
	// Spread applies the items of an operation one by one over its run instead
	// of all at its end.
	Spread bool

	// The assumed parts of the contract, each of which a real org may do otherwise.
	CustomReplaces bool      // custom is replaced as a whole instead of merged by key
	DeepMerge      bool      // objects other than custom are merged instead of replaced
	ShallowMerge   bool      // they are merged by key, and replaced below that
	NullIgnored    bool      // null leaves a field as it is instead of clearing it
	AllowNull      bool      // null is accepted, and stored, in every updatable member
	NoClientRef    bool      // the org does not know _clientRef: a 400 that names it
	IgnoreUnknown  bool      // unknown members of an item are ignored instead of refused
	RepeatIDs      bool      // an id may be in a request twice: its items are written in turn
	AllowEmpty     bool      // a request without items is accepted
	UnknownID      IDRule    // items for messages that were neither written nor seeded
	TxtLimit       int       // characters of a custom ...Txt member; 0: no limit
	Audit          AuditRule // audit members
	MaxBodyBytes   int       // more is a 413. Default 16 MiB
	BatchItems     int       // items in one batch of /batches. Default 100: one batch

	// Echo repeats the payload in the reply to a PUT, as the real API does.
	// Off by default because it doubles the cost of a call.
	Echo bool
	// FailID names messages whose items always fail. Called with the mutex
	// held: it must be quick and must not call the Server.
	FailID func(id string) bool
	// NumStamps reads whole numbers in custom ...Num members as version stamps,
	// beside strings that end in "#" and digits.
	NumStamps bool

	// RetainFor and RetainMax bound how long finished operations stay readable;
	// then they are a 404. Defaults: 15 minutes, 10,000 operations.
	RetainFor time.Duration
	RetainMax int
}

func (o Options) withDefaults() Options {
	if o.Script == nil {
		script := DefaultScript()
		o.Script = &script
	}
	setDefault(&o.Workers, 4)
	setDefault(&o.MaxBodyBytes, 16<<20)
	setDefault(&o.BatchItems, maxItems)
	setDefault(&o.RetainFor, 15*time.Minute)
	setDefault(&o.RetainMax, 10_000)
	return o
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}
