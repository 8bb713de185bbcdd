//go:build producers

package producers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

const (
	installTimeout = 5 * time.Minute
	runTimeout     = time.Minute
)

// tool is a command that must be there, and what to do when it is not.
type tool struct{ name, hint string }

// language says how a program is installed and run. Both happen in a copy of its
// folder, except in place.
type language struct {
	name    string
	tools   []tool
	inPlace bool
	install []string
	run     []string // format and topic follow
	env     []string
	formats []string
	native  bool // its serializer speaks Apicurio's own API
}

var languages = []language{
	{
		name:    "java",
		tools:   []tool{{"java", "a JDK, version 17 or later"}, {"mvn", "Maven"}},
		install: []string{"mvn", "-q", "-B", "compile", "dependency:copy-dependencies", "-DoutputDirectory=libs", "-Dschemas=" + filepath.Dir(schemaFile())},
		run:     []string{"java", "-cp", "target/classes" + string(os.PathListSeparator) + "libs/*", "Produce"},
		formats: []string{"json", "avro", "item"},
		native:  true,
	},
	{
		name:    "python",
		tools:   []tool{{"python3", "Python 3.11 or later, with pip"}},
		install: []string{"python3", "-m", "pip", "install", "-q", "--target", "packages", "-r", "requirements.txt"},
		run:     []string{"python3", "produce.py"},
		env:     []string{"PYTHONPATH=packages"},
		formats: []string{"json", "avro", "item", "cloudevents"},
	},
	{
		name:    "go",
		inPlace: true,
		run:     []string{"go", "run", "."},
		formats: []string{"json", "avro", "item", "cloudevents"},
	},
	{
		name:    "javascript",
		tools:   []tool{{"node", "Node.js 20 or later"}, {"npm", "npm, which comes with Node.js"}},
		install: []string{"npm", "ci", "--no-audit", "--no-fund"},
		run:     []string{"node", "produce.js"},
		formats: []string{"json", "avro", "item"},
	},
}

func schemaFile() string {
	path, err := filepath.Abs(filepath.Join("..", "..", "schemas", "message-change.avsc"))
	if err != nil {
		panic(err) // there is no working directory
	}
	return path
}

// program is a language's program, ready to be run.
type program struct {
	language
	dir string
}

// prepare installs a program into the user's cache folder, under a name that is made
// of all that goes into it; there already, it is taken.
func prepare(t *testing.T, l language) program {
	t.Helper()
	if l.inPlace {
		return program{l, l.name}
	}
	hash := sha256.New()
	for _, tool := range l.tools {
		version, err := exec.CommandContext(t.Context(), tool.name, "--version").Output()
		if err != nil {
			t.Fatalf("%s: %v; install %s", tool.name, err, tool.hint)
		}
		hash.Write(version)
	}
	schema, err := os.ReadFile(schemaFile())
	must(t, err)
	hash.Write(schema)
	must(t, eachFile(l.name, func(path string, data []byte) error {
		_, err := fmt.Fprintf(hash, "%s %d\n%s", path, len(data), data)
		return err
	}))
	cache, err := os.UserCacheDir()
	must(t, err)
	top := filepath.Join(cache, "kafka-kustomer", "producers")
	dir := filepath.Join(top, l.name+"-"+hex.EncodeToString(hash.Sum(nil)[:8]))
	if _, err := os.Stat(dir); err == nil {
		return program{l, dir}
	}
	must(t, os.MkdirAll(top, 0o755))
	install(t, l, dir)
	return program{l, dir}
}

// install works beside the final place and moves the result there in one step.
func install(t *testing.T, l language, dir string) {
	t.Helper()
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".install-")
	must(t, err)
	defer os.RemoveAll(tmp)
	must(t, eachFile(l.name, func(path string, data []byte) error {
		to := filepath.Join(tmp, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.install[0], l.install[1:]...)
	cmd.Dir = tmp
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install what the program in %s needs: %v; check the way to its package registry:\n%s", l.name, err, out)
	}
	t.Logf("%s installed in %v", l.name, time.Since(begun).Round(time.Second))
	if err := os.Rename(tmp, dir); err != nil {
		if _, err := os.Stat(dir); err != nil {
			t.Fatal(err)
		} // else another was quicker
	}
}

// eachFile calls do for the files in a program's folder, in the order of their names.
func eachFile(folder string, do func(path string, data []byte) error) error {
	top := os.DirFS(folder)
	return fs.WalkDir(top, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(top, path)
		if err != nil {
			return err
		}
		return do(path, data)
	})
}

// command is one that runs the program.
func (p program) command(ctx context.Context, format, topic string, env ...string) *exec.Cmd {
	args := slices.Concat(p.run, []string{format, topic})
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = p.dir
	cmd.Env = slices.Concat(os.Environ(), p.env, env)
	return cmd
}
