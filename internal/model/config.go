package model

import (
	"fmt"
	"reflect"

	"kafka-kustomer/batcher"
)

// Config is the size of a run's world, its troubles, and the rules the core
// goes by. A run is a function of its Config and its seed, nothing else.
type Config struct {
	Rates Rates
	Rules batcher.Rules
	Shell Shell

	Partitions int
	Messages   int // distinct message ids
	Events     int // records of the log, but for the traffic at the end
	Processes  int

	LostReplyWait tick // what the core is told

	Safety  bool // trouble never ends, and only what must never happen is checked, until the horizon
	Faults  tick // else it ends here: from then on all must come to rest
	Horizon tick // and by here have come to rest
}

// Shell are the duties of whoever drives the core, each a knob like the core's
// own rules, to see that the world punishes their neglect.
type Shell struct {
	LeaseAtWrite bool // the lease is checked again when the body is written
	Fence        bool // a commit for an assignment that is no longer ours is not sent
	LongTakeover bool // where a takeover need not wait for the session's end, it waits a session longer
}

// Times of the world, in ticks. What waits for an unknown end must be longer
// than the longest way in and the longest run: LostReplyWait counts from the end
// of an attempt, at the earliest when its body is written.
const (
	longestRun     tick = 40 // from acceptance to the last item applied, of an operation nobody can name
	longestWay     tick = 28 // from writing a request to its arrival
	putTimeout     tick = 20
	commitTimeout  tick = 8
	latestCommit   tick = 24 // from sending a commit to its arrival
	session        tick = 40
	heartbeatEvery tick = 5
	leaseMargin    tick = 2
	revokeTimeout  tick = 30
	mostPolled          = 4   // records of one partition in one poll
	mostChanges         = 3   // of one record
	bodyLimit           = 220 // bytes of a request, where there is a limit
	mostUnlucky         = 5   // attempts of unknown outcome in a row that an event meets without a fault of its own
	brakeAtLeast        = 3
	brakeShare          = .05
	quotaReserve        = .1
)

// DefaultConfig is a world small enough for rare meetings to be common: two
// processes, two partitions, three messages, sixteen events, every fault.
func DefaultConfig() Config {
	return Config{
		Rates: AllFaults(), Rules: batcher.AllRules(), Shell: Shell{LeaseAtWrite: true, Fence: true, LongTakeover: true},
		Partitions: 2, Messages: 3, Events: 16, Processes: 2,
		LostReplyWait: 70, Faults: 400, Horizon: 4000,
	}
}

// Endless is the same world with trouble that never ends.
func (c Config) Endless() Config {
	c.Safety, c.Horizon = true, 700
	return c
}

// String says what the world is like and which rules it goes without.
func (c Config) String() string {
	var without []string
	rules := reflect.ValueOf(c.Rules)
	for i := range rules.NumField() {
		if !rules.Field(i).Bool() {
			without = append(without, rules.Type().Field(i).Name)
		}
	}
	return fmt.Sprintf("faults=%v; without rules %v; shell=%+v; partitions=%d messages=%d events=%d processes=%d lostReplyWait=%d",
		c.Rates, without, c.Shell, c.Partitions, c.Messages, c.Events, c.Processes, c.LostReplyWait)
}

// coreConfig is the configuration of one process's core.
func (w *world) coreConfig(prefix string) batcher.Config {
	c := &w.cfg
	extra := tick(0)
	if (w.mode[Static] || w.mode[FastTakeover]) && c.Shell.LongTakeover {
		extra = session
	}
	cfg := batcher.Config{
		MaxItems: 4, MaxBytes: w.maxBytes, Linger: tick(3).span(),
		Merge: true, Barrier: []string{barrierField},
		MaxInFlight: 3, MaxOpenOperations: 6, RequestsPerMinute: 600, MaxPause: tick(60).span(),
		OverdueAfter: tick(150).span(), LostReplyWait: c.LostReplyWait.span(), TakeoverExtra: extra.span(),
		Lease:        (session - leaseMargin).span(),
		RetryInitial: tick(1).span(), RetryMax: tick(20).span(),
		ItemAttempts: 2, ItemOver: tick(20).span(),
		CommitInterval: tick(2).span(), Recommit: tick(30).span(),
		MaxOpenEvents: 12, MaxOpenBytes: w.maxOpenBytes,
		UnknownAttempts: mostUnlucky + 3, UnknownOver: tick(100).span(),
		BatchPrefix: prefix, Seed: w.random.Uint64(), Rules: c.Rules,
	}
	if w.mode[Quota] {
		cfg.RequestsPerMinute, cfg.Reserve = 0, quotaReserve
	}
	if w.mode[Braked] {
		cfg.Brake, cfg.BrakeAtLeast = brakeShare, brakeAtLeast
	}
	return cfg
}
