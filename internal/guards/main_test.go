package main

import "testing"

// The lists keep up with the code: each text is found exactly once, and taking it
// away changes something.
func TestGuardsAreInTheCode(t *testing.T) {
	t.Chdir("../..")
	names := map[string]bool{}
	for _, g := range guards {
		if names[g.name] {
			t.Errorf("two guards are called %q", g.name)
		}
		names[g.name] = true
		if _, err := g.overlay(t.TempDir()); err != nil || g.old == g.new {
			t.Errorf("%s: %s: %v", g.file, g.name, err)
		}
	}
	if len(guards) < 50 {
		t.Errorf("%d guards, there were more", len(guards))
	}
}

// What it reports is what the tests say: a guard that a test needs is found, and
// a text that guards nothing is not.
func TestTakeAway(t *testing.T) {
	t.Chdir("../..")
	const file = "internal/guards/main_test.go"
	for name, tt := range map[string]struct {
		g    guard
		want string
		err  bool
	}{
		"noticed":          {guard{file: file, old: "const probe = " + "1", new: "const probe = 2", tests: "internal/guards ^TestProbe$"}, "TestProbe", false},
		"unnoticed":        {guard{file: file, old: "const other = " + "1", new: "const other = 2", tests: "internal/guards ^TestProbe$"}, "", true},
		"does not compile": {guard{file: file, old: "const probe = " + "1", new: "const probe", tests: "internal/guards ^TestProbe$"}, "", true},
		"not there":        {guard{file: file, old: "no such " + "text", new: "", tests: "internal/guards ^TestProbe$"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			red, err := tt.g.takeAway(t.Context())
			if red != tt.want || (err != nil) != tt.err {
				t.Errorf("%q, %v; want %q, an error: %v", red, err, tt.want, tt.err)
			}
		})
	}
}

const probe = 1

const other = 1

func TestProbe(t *testing.T) {
	if probe != 1 || other < 0 {
		t.Error("the probe is gone")
	}
}
