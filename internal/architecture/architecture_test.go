// Package architecture holds the house rules as tests: which room may import
// which, and what the pure core must not touch.
package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "kafka-kustomer"

// mayImport lists, for each room, the rooms of ours that its code (tests apart)
// may import. A room that is missing here fails the test: add it on purpose.
var mayImport = map[string][]string{
	"cmd/kafka-kustomer":          {"*"},
	"batcher":                     {"internal/jsonscan"},
	"consumer":                    {"batcher"},
	"sink":                        {"batcher", "internal/jsonscan"},
	"sink/results":                {"batcher", "schemas"},
	"schemas":                     {"batcher", "internal/jsonscan", "schemas/rules"},
	"schemas/rules":               {"internal/jsonscan"},
	"schemas/registry":            {},
	"schemas/mapping":             {"internal/jsonscan"},
	"schemas/formats":             {"batcher", "schemas", "schemas/avro", "schemas/mapping", "schemas/registry"},
	"schemas/avro":                {},
	"internal/pipeline":           {"batcher"},
	"deploy":                      {},
	"deploy/producers":            {},
	"deploy/producers/go":         {},
	"internal/config":             {"schemas/avro", "schemas/mapping", "schemas/registry"},
	"internal/metrics":            {"batcher", "schemas/formats", "sink"},
	"internal/admin":              {"batcher", "internal/metrics"},
	"internal/dryrun":             {"batcher", "sink"},
	"internal/online":             {"batcher", "schemas/avro", "schemas/registry", "sink"},
	"internal/kustomersim":        {},
	"internal/jsonscan":           {},
	"internal/probe":              {},
	"internal/workload":           {},
	"internal/child":              {},
	"internal/kafkatest":          {"internal/child"},
	"internal/kafkatest/kafkarun": {"internal/kafkatest"},
	"internal/registrytest":       {"internal/child"},
	"internal/canary":             {},
	"internal/canary/search":      {"internal/canary"},
	"internal/model":              {"batcher"},
	"internal/model/simulate":     {"internal/model", "batcher"},
	"internal/architecture":       {},
	"internal/guards":             {"batcher"},
	"internal/deploycheck":        {},
	"internal/readme":             {},
	"internal/bench":              {"*"},
	"internal/e2e":                {"*"},
}

// onlyCmd are the rooms that nothing but cmd may import.
var onlyCmd = []string{"internal/pipeline", "internal/config", "internal/admin"}

// impure is what the core must not import, and why.
var impure = map[string]string{
	"sync":        "one goroutine owns the core (I1)",
	"sync/atomic": "one goroutine owns the core (I1)",
	"context":     "the core waits for nothing",
	"net":         "the core does no I/O",
	"net/http":    "the core does no I/O",
	"os":          "the core does no I/O",
	"log":         "the core decides; the loop tells",
	"log/slog":    "the core decides; the loop tells",
}

type file struct {
	room    string // folder, slash separated
	path    string
	imports []string
	syntax  *ast.File
}

func sources(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f := file{room: filepath.ToSlash(filepath.Dir(rel)), path: rel, syntax: syntax}
		for _, imp := range syntax.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, name)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d source files: is the root right?", len(files))
	}
	return files
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	for _, f := range sources(t) {
		allowed, known := mayImport[f.room]
		if !known {
			t.Errorf("%s: room %q is not in the list of rooms", f.path, f.room)
			continue
		}
		for _, imp := range f.imports {
			room, ours := strings.CutPrefix(imp, module+"/")
			if !ours {
				continue
			}
			if !slices.Contains(allowed, "*") && !slices.Contains(allowed, room) {
				t.Errorf("%s imports %s; %q may import only %v", f.path, room, f.room, allowed)
			}
			if slices.Contains(onlyCmd, room) && !strings.HasPrefix(f.room, "cmd/") {
				t.Errorf("%s imports %s, which only cmd may", f.path, room)
			}
		}
	}
}

func TestCoreIsPure(t *testing.T) {
	for _, f := range sources(t) {
		if f.room != "batcher" {
			continue
		}
		for _, imp := range f.imports {
			if why, bad := impure[imp]; bad {
				t.Errorf("%s imports %s: %s", f.path, imp, why)
			}
			if strings.Contains(imp, "zap") || strings.Contains(imp, "prometheus") || strings.Contains(imp, "kgo") {
				t.Errorf("%s imports %s: the core knows no log, metric or client", f.path, imp)
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "NewTicker", "AfterFunc"}, sel.Sel.Name) {
				t.Errorf("%s uses time.%s: time enters the core as an argument", f.path, sel.Sel.Name)
			}
			return true
		})
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	for _, f := range sources(t) {
		for _, name := range []string{"util", "utils", "common", "helpers", "misc"} {
			if filepath.Base(f.room) == name {
				t.Errorf("%s: a package named %s says nothing about what it holds", f.path, name)
			}
		}
	}
}
