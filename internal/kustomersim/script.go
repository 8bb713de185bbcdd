package kustomersim

import (
	"errors"
	"fmt"
	"time"
)

// Duration is a time.Duration that is a string such as "1.5s" in JSON.
type Duration time.Duration

// MarshalText writes the form time.ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Script is everything about the API's behaviour that may change while it
// runs. The zero Script is an API without faults, limits or delays. Shares are
// between 0 and 1; all parts combine. Windows count from the moment the script
// was installed.
type Script struct {
	// Latency of every call: Base plus up to Jitter, evenly spread.
	Latency Latency `json:"latency,omitzero"`
	// Run is how long a worker takes for an operation.
	Run Run `json:"run,omitzero"`
	// Stalls are windows in which no worker starts or ends an operation,
	// while PUTs are still accepted.
	Stalls []Window `json:"stalls,omitempty"`
	// Faults of single calls, tried in order; the first that strikes is taken.
	// An outage is a fault with share 1 and a window.
	Faults []Fault `json:"faults,omitempty"`
	// Quota limits calls and updates of one message.
	Quota Quota `json:"quota,omitzero"`
	// Clock is how far the API's clock is ahead in the headers that name a time.
	Clock Duration `json:"clock,omitempty"`
	// Key, if set, is the key expected instead of Options.Key: the old one was
	// revoked and gets a 401.
	Key string `json:"key,omitempty"`
	// Deny refuses every call: the key is wrong, of another region, or lacks a role.
	Deny Denial `json:"deny,omitempty"`
	// Audit, if set, is taken instead of Options.Audit.
	Audit AuditRule `json:"audit,omitempty"`
	// NoClientRef is an org that does not know _clientRef, as Options.NoClientRef.
	NoClientRef bool `json:"noClientRef,omitempty"`

	// ItemFailures is the share of items that fail once, with a result "error".
	ItemFailures float64 `json:"itemFailures,omitempty"`
	// FailIDs are messages whose items always fail.
	FailIDs []string `json:"failIds,omitempty"`
	// Poison are items that refuse the request they are in, or that always fail.
	Poison []Poison `json:"poison,omitempty"`
	// RefuseIDs are messages that make the whole request a 400 whose text names
	// no item, as {"ids": [...], "status": 400} in Poison does.
	RefuseIDs []string `json:"refuseIds,omitempty"`

	// FirstRunning and FirstComplete are the shares of PUTs answered "running"
	// or "complete" instead of "queued". Complete ones are applied at once.
	FirstRunning  float64 `json:"firstRunning,omitempty"`
	FirstComplete float64 `json:"firstComplete,omitempty"`
	// NeverEnd is the share of operations that stay "running" for ever. They
	// take no worker.
	NeverEnd float64 `json:"neverEnd,omitempty"`
	// MissingResults is the share of operations that complete with one item,
	// applied or not, that no result names.
	MissingResults float64 `json:"missingResults,omitempty"`
	// Vanish makes operations unreadable.
	Vanish Vanish `json:"vanish,omitzero"`
	// Batches is the shape of GET /v1/bulk/{id}/batches.
	Batches Shape `json:"batches,omitempty"`
	// Minimal answers a PUT with type, id and status only.
	Minimal bool `json:"minimal,omitempty"`
	// Quote makes the refusal of a poisoned request, one without a hint, repeat what
	// the item writes: the real API's words may.
	Quote bool `json:"quote,omitempty"`
	// PutStatus is the status of an accepted PUT. Default 200; siblings of this
	// endpoint answer 201.
	PutStatus int `json:"putStatus,omitempty"`
}

// Latency is Base plus an even share of Jitter.
type Latency struct {
	Base   Duration `json:"base"`
	Jitter Duration `json:"jitter"`
}

// Run is Base plus an exponential tail with mean Tail, cut at ten times Tail.
type Run struct {
	Base Duration `json:"base"`
	Tail Duration `json:"tail"`
}

// Window begins From after the script's start and lasts For; For 0 has no end.
type Window struct {
	From Duration `json:"from,omitempty"`
	For  Duration `json:"for,omitempty"`
}

func (w Window) open(since time.Duration) bool {
	return since >= time.Duration(w.From) && (w.For == 0 || since < time.Duration(w.From+w.For))
}

// FaultKind says how a call fails.
type FaultKind string

// The kinds of fault.
const (
	// FaultStatus answers Status and Body. A PUT is accepted before that only
	// if Accept is AcceptFirst.
	FaultStatus FaultKind = "status"
	// FaultRefuse stands for a refused dial. A handler is above the listener
	// and cannot refuse one, so it cuts like FaultCutBefore; who owns the
	// listener can close it while Server.Refusing says so.
	FaultRefuse FaultKind = "refuse"
	// FaultCutBefore closes the connection before the body is read.
	FaultCutBefore FaultKind = "cut_before"
	// FaultCutAfter accepts a PUT and closes the connection without a reply.
	FaultCutAfter FaultKind = "cut_after"
	// FaultCutBody accepts a PUT and closes the connection half-way through the
	// reply's body.
	FaultCutBody FaultKind = "cut_body"
	// FaultSlow waits Delay. See Accept for when a PUT is accepted.
	FaultSlow FaultKind = "slow"
)

// Accept says when a PUT that meets a fault is accepted.
type Accept string

// The moments of acceptance.
const (
	AcceptNo    Accept = ""      // status: not at all; slow: after the wait, if the client is still there
	AcceptFirst Accept = "first" // before the failure
	AcceptLate  Accept = "late"  // slow only: after the wait, although the client may be gone
)

// Fault makes calls fail.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// On is "put", "get" or, empty, both.
	On string `json:"on,omitempty"`
	// Share of the matching calls, above 0 and up to 1.
	Share float64 `json:"share"`
	Window
	// Skip that many matching calls, then strike at most Count times (0: no limit).
	Skip  int64 `json:"skip,omitempty"`
	Count int64 `json:"count,omitempty"`

	Status     int      `json:"status,omitempty"`     // of a FaultStatus
	Body       string   `json:"body,omitempty"`       // "json" (with quota headers), "html" or empty
	RetryAfter string   `json:"retryAfter,omitempty"` // header as it stands
	Delay      Duration `json:"delay,omitempty"`      // of a FaultSlow
	Accept     Accept   `json:"accept,omitempty"`
}

// Denial is a reason to refuse every call.
type Denial string

// The reasons.
const (
	DenyKey    Denial = "key"    // 401
	DenyRegion Denial = "region" // 401 whose text speaks of pods
	DenyWrite  Denial = "write"  // 403 on PUT
	DenyRead   Denial = "read"   // 403 on GET
	DenyShow   Denial = "show"   // 403 on GET of a message
)

// Shape is a form of the /batches reply.
type Shape string

// The shapes.
const (
	ShapePaged  Shape = ""       // {"data": [...], "meta": {...}}
	ShapeFlat   Shape = "flat"   // an array of counts, objectIds and results; all pages at once
	ShapeBeside Shape = "beside" // paged, results beside attributes
	ShapeNoRef  Shape = "noref"  // paged, objectIds and errors only
)

// Vanish makes a Share of operations a 404, After their acceptance. With Apply
// their items are still written, Delay later than they would have been.
type Vanish struct {
	Share float64  `json:"share"`
	After Duration `json:"after,omitempty"`
	Apply bool     `json:"apply,omitempty"`
	Delay Duration `json:"delay,omitempty"`
}

// DefaultScript is a bulk API on an ordinary bad day: operations take some
// time, 1% of PUT replies are lost after acceptance, 0.1% of items fail once,
// the quota is that of an Enterprise org, and [MarkedPoison] is poison.
func DefaultScript() Script {
	return Script{
		Run:          Run{Base: Duration(20 * time.Millisecond), Tail: Duration(30 * time.Millisecond)},
		Faults:       []Fault{{Kind: FaultCutAfter, On: "put", Share: 0.01}},
		Quota:        Quota{PerMinute: 1000},
		ItemFailures: 0.001,
		Poison:       MarkedPoison(),
	}
}

// Validate reports everything in the script that means nothing.
func (sc Script) Validate() error {
	var errs []error
	share := func(name string, v float64) {
		if !(v >= 0 && v <= 1) {
			errs = append(errs, fmt.Errorf("%s is %v: want a share from 0 to 1", name, v))
		}
	}
	share("itemFailures", sc.ItemFailures)
	share("firstRunning", sc.FirstRunning)
	share("firstComplete", sc.FirstComplete)
	share("firstRunning + firstComplete", sc.FirstRunning+sc.FirstComplete)
	share("neverEnd", sc.NeverEnd)
	share("missingResults", sc.MissingResults)
	share("vanish.share", sc.Vanish.Share)
	for i, f := range sc.Faults {
		if err := f.validate(); err != nil {
			errs = append(errs, fmt.Errorf("faults[%d]: %w", i, err))
		}
	}
	for i, p := range sc.Poison {
		if err := p.validate(); err != nil {
			errs = append(errs, fmt.Errorf("poison[%d]: %w", i, err))
		}
	}
	if err := sc.Quota.validate(); err != nil {
		errs = append(errs, fmt.Errorf("quota: %w", err))
	}
	return errors.Join(append(errs, sc.validateWords()...)...)
}

// validateWords reports words and a status that are not of their list.
func (sc Script) validateWords() (errs []error) {
	switch sc.Deny {
	case "", DenyKey, DenyRegion, DenyWrite, DenyRead, DenyShow:
	default:
		errs = append(errs, fmt.Errorf("deny is %q: want key, region, write, read or show", sc.Deny))
	}
	switch sc.Batches {
	case ShapePaged, ShapeFlat, ShapeBeside, ShapeNoRef:
	default:
		errs = append(errs, fmt.Errorf("batches is %q: want flat, beside or noref", sc.Batches))
	}
	if s := sc.PutStatus; s != 0 && (s < 200 || s > 299) {
		errs = append(errs, fmt.Errorf("putStatus is %d: want 200 to 299", s))
	}
	switch sc.Audit {
	case AuditAccept, AuditIgnore, AuditForbid:
	default:
		errs = append(errs, fmt.Errorf("audit is %q: want ignore or forbid", sc.Audit))
	}
	return errs
}

func (f Fault) validate() error {
	if !(f.Share > 0 && f.Share <= 1) {
		return fmt.Errorf("share is %v: want above 0 and up to 1", f.Share)
	}
	if f.On != "" && f.On != "put" && f.On != "get" {
		return fmt.Errorf("on is %q: want put, get or nothing", f.On)
	}
	switch f.Kind {
	case FaultRefuse, FaultCutBefore, FaultCutAfter, FaultCutBody:
	case FaultStatus:
		if f.Status < 200 || f.Status > 599 {
			return fmt.Errorf("status is %d: want 200 to 599", f.Status)
		}
		if f.Body != "" && f.Body != "json" && f.Body != "html" {
			return fmt.Errorf("body is %q: want json, html or nothing", f.Body)
		}
	case FaultSlow:
		if f.Delay <= 0 {
			return errors.New("a slow fault needs a delay")
		}
	default:
		return fmt.Errorf("kind is %q: want status, refuse, cut_before, cut_after, cut_body or slow", f.Kind)
	}
	switch {
	case f.Accept == AcceptNo, f.Accept == AcceptFirst && (f.Kind == FaultStatus || f.Kind == FaultSlow),
		f.Accept == AcceptLate && f.Kind == FaultSlow:
		return nil
	}
	return fmt.Errorf("accept %q does not go with kind %s", f.Accept, f.Kind)
}
