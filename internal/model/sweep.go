package model

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Sweep is what a row of seeds came to.
type Sweep struct {
	Runs, Failed int
	Steps        int
	Checks       map[Check]int    // failed runs by the check that failed first
	Seeds        map[Check]uint64 // the first seed of each
	Seen         Coverage
}

// Seeds runs n seeds from one on, each on one thread, as many at a time as there
// are processors. What comes out does not depend on that.
func Seeds(cfg Config, from, n uint64) Sweep {
	step := uint64(runtime.GOMAXPROCS(0))
	parts := make([]Sweep, step)
	var all sync.WaitGroup
	for i := range parts {
		all.Go(func() { parts[i] = everySeed(cfg, from+uint64(i), from+n, step) })
	}
	all.Wait()
	s := newSweep()
	for _, part := range parts {
		s.add(part)
	}
	return s
}

func newSweep() Sweep { return Sweep{Checks: map[Check]int{}, Seeds: map[Check]uint64{}} }

// everySeed runs the seeds from one up to another, step by step.
func everySeed(cfg Config, from, to, step uint64) Sweep {
	s := newSweep()
	for seed := from; seed < to; seed += step {
		r := Run(cfg, seed, false)
		one := Sweep{Runs: 1, Steps: r.Steps, Seen: r.Seen}
		if r.Violation != nil {
			one.Failed = 1
			one.Checks, one.Seeds = map[Check]int{r.Violation.Check: 1}, map[Check]uint64{r.Violation.Check: seed}
		}
		s.add(one)
	}
	return s
}

// add adds what other seeds came to.
func (s *Sweep) add(o Sweep) {
	s.Runs += o.Runs
	s.Failed += o.Failed
	s.Steps += o.Steps
	s.Seen.Add(o.Seen)
	for c, n := range o.Checks {
		if s.Checks[c] == 0 || o.Seeds[c] < s.Seeds[c] {
			s.Seeds[c] = o.Seeds[c]
		}
		s.Checks[c] += n
	}
}

// String lists the checks that failed, the most frequent first, each with its
// first seed.
func (s Sweep) String() string {
	checks := make([]Check, 0, len(s.Checks))
	for c := range s.Checks {
		checks = append(checks, c)
	}
	slices.SortFunc(checks, func(a, b Check) int {
		if d := s.Checks[b] - s.Checks[a]; d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	parts := make([]string, len(checks))
	for i, c := range checks {
		parts[i] = fmt.Sprintf("%s: %d (seed %d)", c, s.Checks[c], s.Seeds[c])
	}
	return strings.Join(parts, "; ")
}

// Shrink drops faults from a config as long as one of n seeds still breaks the
// same promise, and returns what is left with the shortest such run.
func Shrink(cfg Config, check Check, from, n uint64) (Config, uint64) {
	best, found := shortest(cfg, check, from, n)
	if !found {
		return cfg, 0
	}
	for _, f := range cfg.Rates.Faults() {
		smaller := cfg
		smaller.Rates[f] = 0
		if seed, ok := shortest(smaller, check, from, n); ok {
			cfg, best = smaller, seed
		}
	}
	for cfg.Events > 1 {
		smaller := cfg
		smaller.Events = cfg.Events - max(1, cfg.Events/4)
		seed, ok := shortest(smaller, check, from, n)
		if !ok {
			break
		}
		cfg, best = smaller, seed
	}
	return cfg, best
}

// shortest finds the seed whose run breaks the promise in the fewest steps.
func shortest(cfg Config, check Check, from, n uint64) (best uint64, found bool) {
	steps := 0
	for seed := from; seed < from+n; seed++ {
		r := Run(cfg, seed, false)
		if r.Violation != nil && r.Violation.Check == check && (!found || r.Steps < steps) {
			best, steps, found = seed, r.Steps, true
		}
	}
	return best, found
}
