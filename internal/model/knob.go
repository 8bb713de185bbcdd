package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"kafka-kustomer/batcher"
)

// worlds are those in which the trouble that a rule is for is common enough to be
// met within some thousand seeds. A rule without one is tried in the world of
// every fault.
var worlds = map[string]func(*Config){
	"StrayFromSeen": func(c *Config) {
		c.Rates = Only(VanishLate).With(VanishLate, .3)
	},
	"StrayOfChain": func(c *Config) {
		c.Rates = Only(Combination, LostReply, ErrorAccepted, DialFailure).
			With(Combination, .2).With(LostReply, .2).With(ErrorAccepted, .2)
		c.Messages, c.Events = 2, 24
	},
	"WriteAhead": func(c *Config) {
		c.Rates = Only(Kill, FastTakeover, LostReply, ErrorAccepted, Rebalance).
			With(Kill, .1).With(LostReply, .3).With(Rebalance, .2)
	},
	"CleanAfterTakeover": func(c *Config) {
		c.Rates = Only(FastTakeover, Rebalance, ErrorAccepted).With(Stop, 0).With(Cut, 0).
			With(Kill, .06).With(Rebalance, .5).With(ErrorAccepted, .4)
	},
	"CleanWithoutStray": func(c *Config) {
		c.Rates = Only(Rebalance, Shutdown, ErrorAccepted, LostReply).
			With(Rebalance, .2).With(Shutdown, .1).With(ErrorAccepted, .2)
	},
	"Lease": func(c *Config) {
		c.Rates = Only(Stop, Cut, DialFailure).With(Stop, .1).With(Cut, .1)
	},
	"TakeoverOperations": func(c *Config) {
		c.Rates = Only(LongRun, Rebalance, Shutdown, Kill).With(LongRun, .3)
	},
	"TaggedRecords": func(c *Config) {
		c.Rates = Only(Rebalance, LateHanding, Cut, FastTakeover).With(Rebalance, .4).With(LateHanding, .4)
	},
	"Recommit": func(c *Config) {
		c.Rates = Only(LateCommit, LostCommit).With(LateCommit, .3)
	},
	"OnePartition": func(c *Config) {
		c.Rates = AllFaults().With(TwoPartitions, 1)
	},
	"Credit": func(c *Config) {
		c.Events = 32
	},
	"Suspects": func(c *Config) {
		c.Rates = Only(RefusedPoison, WrongHint, RightHint)
	},
	"OwnRefusal": func(c *Config) {
		c.Rates = Only(RefusedPoison, Rebalance, SlowPut, DialFailure).
			With(RefusedPoison, .1).With(Rebalance, .9).With(SlowPut, .6).With(DialFailure, .5)
		c.Messages, c.Events = 8, 48
	},
	"UnknownPatience": func(c *Config) {
		c.Rates = Only(ErrorRefused).With(ErrorRefused, .4)
		c.Processes, c.Messages, c.Events = 1, 8, 48
	},
	"LimitIsNoFault": func(c *Config) {
		c.Rates = Only(ObjectLimit, LongLimit)
	},
	"DoubtEvidence": func(c *Config) {
		c.Rates = Only(LostRole)
	},
	"ProbeOne": func(c *Config) {
		c.Rates = Only(ErrorPoison).With(ErrorPoison, .3)
		c.Processes, c.Messages, c.Events = 1, 12, 12
	},
	"Reserve": func(c *Config) {
		c.Rates = Only(ErrorPoison).With(ErrorPoison, .1)
		c.Processes = 1
	},
}

// duties are what the core leaves to whoever drives or configures it.
var duties = []Knob{
	{
		"LeaseAtWrite", "the lease is checked again when a body is written",
		func(c *Config) {
			c.Rates = Only(Stop, FastTakeover, SlowPut, DialFailure).With(Kill, 0).With(Cut, 0).
				With(Stop, .15).With(SlowPut, .9).With(DialFailure, .3)
			c.Messages, c.Events = 2, 32
		},
		func(c *Config) { c.Shell.LeaseAtWrite = false },
	},
	{
		"Fence", "no commit is sent for an assignment that is gone",
		func(c *Config) {
			c.Rates = Only(Cut, FastTakeover, LateCommit).With(Kill, 0).With(Cut, .2).With(LateCommit, .5)
		},
		func(c *Config) { c.Shell.Fence = false },
	},
	{
		"LongTakeover", "where a takeover may come before the session's end, it waits a session longer",
		func(c *Config) {
			c.Rates = Only(Cut, FastTakeover, DialFailure, SlowPut).With(Kill, 0).With(Stop, 0).
				With(Cut, .08).With(DialFailure, .6).With(SlowPut, .9)
			c.Messages, c.Events = 2, 64
		},
		func(c *Config) { c.Shell.LongTakeover = false },
	},
	{
		"LongWait", "LostReplyWait is longer than the longest way and run",
		func(c *Config) {
			c.Rates = Only(LostReply, ErrorAccepted, SlowPut).With(LostReply, .2).With(ErrorAccepted, .2).With(SlowPut, .3)
		},
		func(c *Config) { c.LostReplyWait = 30 },
	},
}

// Knob is one thing that can be taken away, to see what it is for: a rule of the
// core, or a duty of its driver.
type Knob struct {
	Name  string
	Duty  string        // what the driver has to do; empty for a rule
	world func(*Config) // makes the trouble common; may be nil
	off   func(*Config)
}

// Knobs lists the rules, which are the fields of [batcher.Rules], and the duties.
func Knobs() (list []Knob) {
	rules := reflect.TypeFor[batcher.Rules]()
	for i := range rules.NumField() {
		name := rules.Field(i).Name
		list = append(list, Knob{
			Name:  name,
			world: worlds[name],
			off:   func(c *Config) { reflect.ValueOf(&c.Rules).Elem().Field(i).SetBool(false) },
		})
	}
	return append(list, duties...)
}

// Worlds returns the world in which the knob is tried, with it and without.
func (k Knob) Worlds() (with, without Config) {
	with = DefaultConfig()
	if k.world != nil {
		k.world(&with)
	}
	without = with
	k.off(&without)
	return with, without
}

// Without reads "-Name,-Name" and returns the world of the first with all of
// them taken away; "all" or nothing is the default world.
func Without(list string) (Config, error) {
	cfg := DefaultConfig()
	for i, name := range strings.Split(list, ",") {
		if name == "all" || name == "" {
			continue
		}
		name, minus := strings.CutPrefix(name, "-")
		k, known := knob(name)
		if !minus || !known {
			return cfg, fmt.Errorf("%q is not known: write -Name of %s", name, strings.Join(knobNames(), ", "))
		}
		if i == 0 {
			cfg, _ = k.Worlds()
		}
		k.off(&cfg)
	}
	return cfg, nil
}

func knob(name string) (k Knob, known bool) {
	list := Knobs()
	i := slices.IndexFunc(list, func(k Knob) bool { return k.Name == name })
	if i < 0 {
		return k, false
	}
	return list[i], true
}

func knobNames() (names []string) {
	for _, k := range Knobs() {
		names = append(names, k.Name)
	}
	return names
}
