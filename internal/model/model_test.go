package model

import (
	"flag"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // runs are short and leave nothing behind
	flag.Parse()
	os.Exit(m.Run())
}

// seedsToRun is how many seeds the long tests run: under the race detector a
// tenth, which is there for the detector's own sake, since the model is one thread.
func seedsToRun(n uint64) uint64 {
	if raceDetector || testing.Short() {
		return n / 10
	}
	return n
}

// report fails the test with the first broken run's whole trace.
func report(t *testing.T, cfg Config, s Sweep) {
	t.Helper()
	if s.Failed == 0 {
		return
	}
	first := ^uint64(0)
	for _, seed := range s.Seeds {
		first = min(first, seed)
	}
	r := Run(cfg, first, true)
	t.Errorf("%d of %d runs failed: %v\nseed %d, %v\n%v\n%s", s.Failed, s.Runs, s, first, cfg, r.Violation, strings.Join(r.Trace, "\n"))
}

// Trouble ends, and all comes to rest.
func TestEveryFaultTogether(t *testing.T) {
	cfg := DefaultConfig()
	s := Seeds(cfg, 1, seedsToRun(7000))
	t.Logf("%d runs, %d steps, %+v", s.Runs, s.Steps, s.Seen)
	report(t, cfg, s)

	// That it went well must not mean that nothing happened.
	for f := range faults {
		if s.Seen.Faults[f] == 0 {
			t.Errorf("fault %v never happened", f)
		}
	}
	atLeast := s.Runs / 100
	for what, n := range map[string]int{
		"takeover of a partition left open":            s.Seen.Takeovers,
		"revocation with open events":                  s.Seen.RevokedOpen,
		"request of a process that lost its place":     s.Seen.Zombies,
		"stray operation applied":                      s.Seen.StraysApplied,
		"commit applied after a later one":             s.Seen.LateCommits,
		"records handed over for an old assignment":    s.Seen.PolledForOld,
		"process that learned that it was expelled":    s.Seen.Fenced,
		"overdue operation":                            s.Seen.Overdue,
		"dead letter":                                  s.Seen.DeadLetters,
		"event applied more than once":                 s.Seen.AppliedAgain,
		"item of several events":                       s.Seen.Folded,
		"operation inherited and seen to its end":      s.Seen.Inherited,
		"partition that came back to the same process": s.Seen.CameBack,
		"refusal for what a request holds":             s.Seen.Refusals,
		"event that no request may hold":               s.Seen.Unsendable,
		"dead letter of a healthy event, with a brake": s.Seen.Braked,
		"record of several changes":                    s.Seen.Faults[Several],
		"record given up in part, applied in part":     s.Seen.PartGivenUp,
		"several dead letters of one record":           s.Seen.TwoLetters,
		"record given back though in part settled":     s.Seen.PartDropped,
	} {
		if n < atLeast {
			t.Errorf("%s: %d times in %d runs, want at least %d", what, n, s.Runs, atLeast)
		}
	}
	if most := s.Runs / 100; s.Seen.UsedUp > most {
		t.Errorf("%d runs were given up because the reserve was used up, want at most %d", s.Seen.UsedUp, most)
	}
}

// Trouble never ends, and what must never happen does not.
func TestTroubleWithoutEnd(t *testing.T) {
	cfg := DefaultConfig().Endless()
	report(t, cfg, Seeds(cfg, 1, seedsToRun(9000)))
}

func TestScenes(t *testing.T) {
	for _, scene := range Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			cfg := scene.Config
			s := Seeds(cfg, 1, seedsToRun(200))
			report(t, cfg, s)
			if scene.Name == "brake" && s.Runs >= 100 && s.Seen.Released < s.Runs/100 {
				t.Errorf("a brake was released by hand %d times only in %d runs", s.Seen.Released, s.Runs)
			}
			cfg = cfg.Endless()
			report(t, cfg, Seeds(cfg, 1, seedsToRun(300)))
		})
	}
}

// What one event costs that Kustomer refuses: nine requests at most where a batch
// holds four items, with hints that are right, wrong, or missing; and nothing is
// sent twice but what was refused.
func TestARefusedPoisonIsCheap(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Rates = Only(RefusedPoison, RightHint, WrongHint)
	worst := 0
	for seed := uint64(1); seed <= seedsToRun(500); seed++ {
		seen := Run(cfg, seed, false).Seen
		if seen.Puts-seen.Refusals > cfg.Events || seen.Refusals > 9*seen.Unsendable {
			t.Errorf("seed %d: %d requests, %d of them refused, for %d events of which %d can't be sent",
				seed, seen.Puts, seen.Refusals, cfg.Events, seen.Unsendable)
		}
		if seen.Unsendable == 1 {
			worst = max(worst, seen.Refusals)
		}
	}
	t.Logf("at worst %d refusals for one event", worst)
}

func TestEachFaultAlone(t *testing.T) {
	n := seedsToRun(100)
	for f := range faults {
		t.Run(f.String(), func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Rates = Only(f)
			s := Seeds(cfg, 1, n)
			report(t, cfg, s)
			if s.Seen.Faults[f] == 0 && n >= 100 { // in fewer runs a rare one may not happen
				t.Errorf("did not happen in %d runs", n)
			}
		})
	}
}

// Without any trouble no reply is lost and nothing is given up.
func TestNoFault(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Rates = Rates{}
	s := Seeds(cfg, 1, seedsToRun(500))
	report(t, cfg, s)
	if s.Seen.StraysApplied+s.Seen.DeadLetters+s.Seen.Zombies+s.Seen.Fenced > 0 {
		t.Errorf("trouble without a fault: %+v", s.Seen)
	}
}

func TestASeedReplays(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		a, b := Run(DefaultConfig(), seed, true), Run(DefaultConfig(), seed, true)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("seed %d, two runs differ:\n%s", seed, diff)
		}
		if other := Run(DefaultConfig(), seed+1000, true); slices.Equal(a.Trace, other.Trace) {
			t.Fatalf("seeds %d and %d are the same run", seed, seed+1000)
		}
		if quiet := Run(DefaultConfig(), seed, false); quiet.Steps != a.Steps {
			t.Fatalf("seed %d: tracing changes the run", seed)
		}
	}
}

// Each rule, and each duty of the shell, is there for something: without it some
// seed fails, and the same seed passes with it. RULES.md has the counts over more
// seeds.
func TestEachKnobIsNeeded(t *testing.T) {
	for _, k := range Knobs() {
		t.Run(k.Name, func(t *testing.T) {
			with, without := k.Worlds()
			needed(t, with, without, 6000)
		})
	}
}

func needed(t *testing.T, with, without Config, most uint64) {
	t.Helper()
	for seed := uint64(1); seed <= most; seed++ {
		broken := Run(without, seed, false)
		if broken.Violation == nil {
			continue
		}
		t.Logf("seed %d: %v", seed, broken.Violation)
		if kept := Run(with, seed, true); kept.Violation != nil {
			t.Errorf("seed %d fails with the rule, too: %v\n%s", seed, kept.Violation, strings.Join(kept.Trace, "\n"))
		}
		return
	}
	t.Errorf("none of %d seeds fails without it, in the world %v", most, without)
}

func TestRulesTableIsComplete(t *testing.T) {
	table, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(line, " | ")
		name, isRow := strings.CutPrefix(cells[0], "| ")
		name, _, _ = strings.Cut(name, ":")
		if !isRow || len(cells) < 4 || name == "taken away" || strings.HasPrefix(name, "---") {
			continue
		}
		names = append(names, name)
		if failing := strings.TrimSpace(cells[2]); failing == "0" {
			t.Errorf("RULES.md: nothing fails without %s", name)
		}
	}
	if diff := cmp.Diff(knobNames(), names); diff != "" {
		t.Errorf("RULES.md does not have the rules as its rows: make it anew (-want +got)\n%s", diff)
	}
}

func TestShrink(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Rules.Hold = false
	small, seed := Shrink(cfg, CheckOneOpen, 1, 40)
	r := Run(small, seed, false)
	if r.Violation == nil || r.Violation.Check != CheckOneOpen {
		t.Fatalf("seed %d of the shrunk config: %v", seed, r.Violation)
	}
	if n := len(small.Rates.Faults()); n > 2 || small.Events > 4 {
		t.Errorf("left with %d faults (%v) and %d events; no fault is needed to see this", n, small.Rates, small.Events)
	}
}

func TestParse(t *testing.T) {
	rates, err := ParseFaults("all,-Kill")
	if err != nil || rates != AllFaults().With(Kill, 0) {
		t.Errorf("all,-Kill: %v, %v", rates, err)
	}
	if rates, err = ParseFaults("Twin,Vanish"); err != nil || rates.String() != "Static,Twin,Vanish" {
		t.Errorf("Twin,Vanish: %v, %v", rates, err)
	}
	if _, err = ParseFaults("Fire"); err == nil || !strings.Contains(err.Error(), "Fire") {
		t.Errorf("an unknown fault: %v", err)
	}
	if rates, err = ParseFaults("all,Kill=.5"); err != nil || rates != AllFaults().With(Kill, .5) {
		t.Errorf("all,Kill=.5: %v, %v", rates, err)
	}
	for _, list := range []string{"Kill=2", "Kill=often", "all=.1"} {
		if _, err = ParseFaults(list); err == nil {
			t.Errorf("%s is no rate, but no error", list)
		}
	}
	cfg, err := Without("-Hold,-Fence")
	if err != nil || cfg.Rules.Hold || cfg.Shell.Fence || !cfg.Rules.Frozen || !cfg.Shell.LeaseAtWrite {
		t.Errorf("-Hold,-Fence: %v, %v", cfg, err)
	}
	for _, list := range []string{"Hold", "-Fire"} {
		if _, err = Without(list); err == nil || !strings.Contains(err.Error(), "Frozen") {
			t.Errorf("%s: %v", list, err)
		}
	}
	if cfg, err = Without("all"); err != nil || cfg != DefaultConfig() {
		t.Errorf("all: %v, %v", cfg, err)
	}
}
