package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// guard is one guard and how to take it away.
type guard struct {
	name string // what it keeps from happening
	file string // from the module's root
	old  string // found exactly once in the file
	new  string // what stands there instead
	// tests is the package whose tests must notice, from the module's root;
	// empty: that of the file. With a name pattern after a space only those run.
	tests string
}

var guards = slices.Concat(
	batcherRules(), batcherGuards, schemasGuards, consumerGuards, pipelineGuards, sinkGuards, resultsGuards,
)

func main() {
	only := flag.String("only", "", "take only guards whose name or file contains this")
	list := flag.Bool("list", false, "list them and take none away")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	unproved := 0
	for _, g := range guards {
		if !strings.Contains(g.name+" "+g.file, *only) {
			continue
		}
		if *list {
			fmt.Printf("%-28s %s\n", g.file, g.name)
			continue
		}
		begun := time.Now()
		red, err := g.takeAway(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			unproved++
			red = "NOT PROVED: " + err.Error()
		}
		fmt.Printf("%-28s %-62s %s (%.0fs)\n", g.file, g.name, red, time.Since(begun).Seconds())
	}
	if unproved > 0 {
		fmt.Printf("%d guards are not proved\n", unproved)
		os.Exit(1)
	}
}

var (
	failed  = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	running = regexp.MustCompile(`panic: test timed out after \S+\s+running tests:\s+(\S+)`)
)

var errUnnoticed = errors.New("no test goes red without it")

// takeAway runs the tests without the guard and returns the name of the first
// that fails.
func (g guard) takeAway(ctx context.Context) (red string, err error) {
	dir, err := os.MkdirTemp("", "guards")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	overlay, err := g.overlay(dir)
	if err != nil {
		return "", err
	}
	pkg, run, _ := strings.Cut(g.tests, " ")
	if pkg == "" {
		pkg = filepath.Dir(g.file)
	}
	args := []string{"test", "-overlay", overlay, "-tags", "synctests", "-failfast", "-count=1", "-timeout", "2m", "-vet=off"}
	if run != "" {
		args = append(args, "-run", run)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return "", errUnnoticed
	case bytes.Contains(out, []byte("[build failed]")):
		return "", fmt.Errorf("it does not compile without it: %s", bytes.TrimSpace(firstLines(out, 3)))
	}
	if names := failed.FindAllSubmatch(out, -1); names != nil {
		return deepest(names), nil
	}
	if hung := running.FindSubmatch(out); hung != nil {
		return string(hung[1]) + " (timed out)", nil
	}
	if bytes.Contains(out, []byte("panic:")) || bytes.Contains(out, []byte("fatal error:")) {
		return "panic in the tests", nil
	}
	return "", fmt.Errorf("the tests failed in no way known: %s", bytes.TrimSpace(firstLines(out, 5)))
}

// deepest is the first failed test with the first of its failed subtests.
func deepest(names [][][]byte) string {
	name := string(names[0][1])
	for _, n := range names[1:] {
		if sub := string(n[1]); strings.HasPrefix(sub, name+"/") {
			name = sub
		}
	}
	return name
}

// overlay writes the changed file and the overlay that puts it in place.
func (g guard) overlay(dir string) (path string, err error) {
	source, err := os.ReadFile(g.file)
	if err != nil {
		return "", fmt.Errorf("run it from the module's root: %w", err)
	}
	if n := bytes.Count(source, []byte(g.old)); n != 1 {
		return "", fmt.Errorf("its text is found %d times in %s", n, g.file)
	}
	original, err := filepath.Abs(g.file)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, filepath.Base(g.file))
	if err := os.WriteFile(changed, bytes.Replace(source, []byte(g.old), []byte(g.new), 1), 0o600); err != nil {
		return "", err
	}
	config, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, config, 0o600)
}

func firstLines(out []byte, n int) []byte {
	return bytes.Join(bytes.SplitN(out, []byte("\n"), n+1)[:min(n, bytes.Count(out, []byte("\n")))], []byte(" | "))
}
