package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command line in the README names a command and flags that there are. What
// else the README names is compared in internal/readme.
func TestCommandsOfTheReadme(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "\\\n", " ")
	lines := regexp.MustCompile("(?m)(?:`|^|bin/|cmd/)kafka-kustomer ([a-z][^`#|\n]*)").FindAllStringSubmatch(text, -1)
	if len(lines) < 20 {
		t.Fatalf("found only %d command lines", len(lines))
	}
	flag := regexp.MustCompile(`^--?[a-z][a-z-]*`)
	for _, line := range lines {
		root := newRoot(io.Discard, io.Discard)
		root.InitDefaultCompletionCmd("completion")
		words := strings.Fields(line[1])
		cmd, _, err := root.Find(words)
		if err != nil || cmd == root {
			t.Errorf("%q: %v", line[1], err)
			continue
		}
		for _, word := range words {
			if f := flag.FindString(word); f != "" && !takes(cmd, strings.TrimLeft(f, "-")) {
				t.Errorf("%q: %s has no flag %s", line[1], cmd.CommandPath(), f)
			}
		}
	}
	// Flags that stand alone are those of some command, or of a tool that is named.
	others := "--profile --build --property --reader-property"
	for _, f := range regexp.MustCompile("`(--[a-z][a-z-]*)").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(others, f[1]) && !anyTakes(newRoot(io.Discard, io.Discard), f[1][2:]) {
			t.Errorf("no command has the flag %s", f[1])
		}
	}
}

func takes(cmd *cobra.Command, flag string) bool {
	cmd.InitDefaultHelpFlag()
	return cmd.Flags().Lookup(flag) != nil || len(flag) == 1 && cmd.Flags().ShorthandLookup(flag) != nil
}

func anyTakes(cmd *cobra.Command, flag string) bool {
	for _, c := range cmd.Commands() {
		if takes(c, flag) || anyTakes(c, flag) {
			return true
		}
	}
	return false
}
