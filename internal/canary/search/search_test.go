package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kafka-kustomer/internal/canary"
)

// module writes a module of one package whose tests are given.
func module(t *testing.T, tests string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module leaky\n\ngo 1.26\n",
		"a_test.go":   "package leaky\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"testing\"\n)\n\nvar _, _ = fmt.Print, os.Getenv\n\n" + tests,
		"b/b.go":      "package b\n",
		"c/c_test.go": "package c\n\nimport \"testing\"\n\nfunc TestC(t *testing.T) { t.Log(\"calm\") }\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOWORK", "off")
}

func searched(t *testing.T, command ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(command, t.TempDir(), &out, &errs)
	return code, out.String(), errs.String()
}

// A leak of a passing test is found, wherever it goes, and nothing else changes
// the exit code or hides what "go test" says.
func TestSearchOfGoTest(t *testing.T) {
	leak := `"` + canary.Value[:4] + `" + "` + canary.Value[4:] + `"` // in two parts, or the source would hold it
	for name, test := range map[string]struct {
		tests  string
		code   int
		out    []string
		errs   []string
		absent string
	}{
		"calm": {
			"func TestA(t *testing.T) { fmt.Println(\"of no interest\") }", 0,
			[]string{"ok  \tleaky", "ok  \tleaky/c", "no test files", "no payload and no secret in"},
			nil, "of no interest",
		},
		"leak of a passing test": {
			"func TestA(t *testing.T) { fmt.Println(" + leak + ") }", 1,
			[]string{"ok  \tleaky"},
			[]string{"output of TestA in leaky", "a canary as it is", "1 lines hold"},
			"no payload",
		},
		"leak to stderr": {
			"func TestA(t *testing.T) { fmt.Fprintf(os.Stderr, \"%x\", " + leak + ") }", 1,
			nil,
			[]string{"in hexadecimal"},
			"no payload",
		},
		"leak in t.Log of a subtest": {
			"func TestA(t *testing.T) { t.Run(\"sub\", func(t *testing.T) { t.Log([]byte(" + leak + ")) }) }", 1,
			nil,
			[]string{"TestA/sub", "as decimal bytes"},
			"no payload",
		},
		"leak in a log": {
			"func TestA(t *testing.T) { os.WriteFile(os.Getenv(\"" + canary.FolderVariable + "\")+\"/child.log\", []byte(\"one\\n\" + " + leak + "), 0o600) }", 1,
			[]string{"ok  \tleaky"},
			[]string{"child.log:2: a canary as it is"},
			"no payload",
		},
		"failure": {
			"func TestA(t *testing.T) { t.Error(\"the cause\") }\nfunc TestB(t *testing.T) { t.Log(\"of no interest\") }", 1,
			[]string{"the cause", "--- FAIL: TestA", "FAIL\tleaky", "ok  \tleaky/c"},
			nil, "of no interest",
		},
		"panic": {
			"func TestA(t *testing.T) { panic(\"the cause\") }", 1,
			[]string{"panic: the cause", "FAIL\tleaky"},
			nil, "search:",
		},
		"does not build": {
			"func TestA(t *testing.T) { undefinedName() }", 1,
			[]string{"undefinedName", "leaky [build failed]"},
			nil, "search:",
		},
	} {
		t.Run(name, func(t *testing.T) {
			module(t, test.tests)
			code, out, errs := searched(t, "go", "test", "-json", "./...")
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, part := range test.out {
				if !strings.Contains(out, part) {
					t.Errorf("no %q in the output", part)
				}
			}
			for _, part := range test.errs {
				if !strings.Contains(errs, part) {
					t.Errorf("no %q in stderr", part)
				}
			}
			if strings.Contains(out+errs, test.absent) {
				t.Errorf("the output holds %q", test.absent)
			}
			if t.Failed() {
				t.Logf("stdout:\n%s\nstderr:\n%s", mask(out), mask(errs))
			}
		})
	}
}

// mask keeps the planted leak out of this test's own output.
func mask(s string) string { return strings.ReplaceAll(s, canary.Value, "LEAK") }

func TestExitCodeIsTheCommands(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		code   int
		said   string
	}{
		"its own":             {"echo fine; exit 7", 7, "fine"},
		"its own with a leak": {"echo qzk7can''ary; exit 7", 7, "output:1"},
		"plain output":        {"echo qzk7can''ary", 1, "output:1"},
		"plain errors":        {"echo qzk7can''ary >&2", 1, "stderr:1"},
		"a signal":            {"kill -9 $$", 1, ""},
		"nothing":             {"true", 0, "no payload"},
	} {
		code, out, errs := searched(t, "sh", "-c", test.script)
		if code != test.code || !strings.Contains(out+errs, test.said) {
			t.Errorf("%s: exit code %d, want %d; it says\n%s%s", name, code, test.code, mask(out), mask(errs))
		}
	}
	if code, _, errs := searched(t, "/nowhere/at/all"); code != 1 || errs == "" {
		t.Errorf("a command that does not exist: exit code %d, %q", code, errs)
	}
}
