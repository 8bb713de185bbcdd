package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/metrics"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```$")
	span    = regexp.MustCompile("`([^`\n]+)`")
	heading = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// prose is the README without its blocks of code.
func prose(t *testing.T) string { return fence.ReplaceAllString(read(t, "README.md"), "") }

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	kept := regexp.MustCompile("[^a-z0-9 _-]").ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(kept, " ", "-")
}

func TestLinks(t *testing.T) {
	text := prose(t)
	anchors := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		if a := anchor(h[1]); anchors[a] {
			t.Errorf("two headings have the anchor %s: a link leads to the first", a)
		} else {
			anchors[a] = true
		}
	}
	links := link.FindAllStringSubmatch(text, -1)
	if len(links) < 50 {
		t.Fatalf("found only %d links", len(links))
	}
	for _, l := range links {
		to, isAnchor := strings.CutPrefix(l[1], "#")
		switch {
		case isAnchor && !anchors[to]:
			t.Errorf("no heading has the anchor of %s", l[1])
		case isAnchor, strings.HasPrefix(l[1], "https://"):
		default:
			read(t, l[1])
		}
	}
}

// TestSpans: code in a line stays in it, to be copied, and to be found by these tests.
func TestSpans(t *testing.T) {
	for _, line := range strings.Split(prose(t), "\n") {
		if strings.Count(line, "`")%2 != 0 {
			t.Errorf("code goes on in the next line: %s", line)
		}
	}
}

// TestRunbook: every section is in the index at its beginning, and every alert has one.
func TestRunbook(t *testing.T) {
	text := prose(t)
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		a := anchor(h[1])
		if strings.HasPrefix(a, "runbook-") && !strings.Contains(text, "](#"+a+") |") && !strings.Contains(text, "](#"+a+"), ") {
			t.Errorf("%q is not in the index of the runbook", h[1])
		}
	}
	for _, m := range regexp.MustCompile(`README\.md#([a-z-]+)`).FindAllStringSubmatch(read(t, "deploy/prometheus/rules.yml"), -1) {
		if !slices.ContainsFunc(heading.FindAllStringSubmatch(text, -1), func(h []string) bool { return anchor(h[1]) == m[1] }) {
			t.Errorf("an alert leads to %s, which is no heading", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`kind="([a-z]+)"`).FindAllStringSubmatch(read(t, "deploy/prometheus/rules.yml"), -1) {
		if !strings.Contains(text, "| `"+m[1]+"` |") {
			t.Errorf("the runbook has no trouble of kind %s", m[1])
		}
	}
}

// flatten lists the keys of a document with those that they are in.
func flatten(in map[string]any, prefix string) (keys []string) {
	for name, value := range in {
		keys = append(keys, prefix+name)
		if inner, ok := value.(map[string]any); ok {
			keys = append(keys, flatten(inner, prefix+name+".")...)
		}
	}
	return keys
}

func keysOf(t *testing.T, text string) []string {
	t.Helper()
	var document map[string]any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return flatten(document, "")
}

func TestConfigurationKeys(t *testing.T) {
	known := keysOf(t, read(t, "deploy/config.example.yaml"))
	text := read(t, "README.md")
	var named []string
	key := regexp.MustCompile(`^(?:kafka|source|schema_registry|batch|kustomer|commit|results|dead_letter|limits|admin|log)(?:\.[a-z_]+)+`)
	for _, s := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		if k := key.FindString(s[1]); k != "" {
			named = append(named, k)
		}
	}
	for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		named = append(named, keysOf(t, block[1])...)
	}
	if len(named) < 60 {
		t.Fatalf("found only %d keys", len(named))
	}
	for _, k := range named {
		if !slices.Contains(known, k) {
			t.Errorf("there is no key %s", k)
		}
	}
}

// TestMetrics: what is called a metric is one, with these labels.
func TestMetrics(t *testing.T) {
	labels := map[string][]string{}
	for _, m := range admin.Catalogue() {
		labels[m.Name] = m.Labels
	}
	check := func(name, with string) {
		has, ok := labels[name]
		if !ok {
			t.Errorf("there is no metric %s", name)
		}
		for _, l := range strings.FieldsFunc(with, func(r rune) bool { return r == ',' }) {
			if !slices.Contains(has, l) {
				t.Errorf("%s has no label %s", name, l)
			}
		}
	}
	text := read(t, "README.md")
	for _, name := range regexp.MustCompile(metrics.Namespace+`_[a-z_]*[a-z]`).FindAllString(text, -1) {
		check(name, "")
	}
	_, table, _ := strings.Cut(text, "| question | metrics |")
	table, _, _ = strings.Cut(table, "\n\n")
	short := regexp.MustCompile(`([a-z]+(?:_[a-z]+)*)(?:\{([a-z,]+)\})?`)
	found := 0
	for _, s := range span.FindAllStringSubmatch(table, -1) {
		for _, m := range short.FindAllStringSubmatch(s[1], -1) {
			if m[1] != "rate" && m[1] != "time" {
				check(metrics.Namespace+"_"+m[1], m[2])
				found++
			}
		}
	}
	if found < 40 {
		t.Errorf("found only %d metrics in the table", found)
	}
}

// TestReasons: whoever finds a code in a metric, a header or the log finds here what it
// means. Each has a row, or shares one, in the table of its kind.
func TestReasons(t *testing.T) {
	text := prose(t)
	for begins, codes := range map[string][]string{"| reason of a dead letter |": metrics.DeadLetters, "| reason of a skip |": metrics.Skipped} {
		_, table, _ := strings.Cut(text, begins)
		table, _, _ = strings.Cut(table, "\n\n")
		var listed []string
		for _, row := range strings.Split(table, "\n")[1:] {
			first, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
			for _, s := range span.FindAllStringSubmatch(first, -1) {
				listed = append(listed, s[1])
			}
		}
		slices.Sort(listed)
		want := slices.DeleteFunc(slices.Sorted(slices.Values(codes)), func(code string) bool { return code == metrics.Other })
		if diff := cmp.Diff(want, listed); diff != "" {
			t.Errorf("%s -the codes +the table:\n%s", begins, diff)
		}
	}
}

func TestTargets(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, m := range regexp.MustCompile("(?m)(?:^|`)(?:[A-Z_]+=[^ `\n]+ )?make ([a-z-]+)").FindAllStringSubmatch(read(t, "README.md"), -1) {
		if !strings.Contains(makefile, "\n"+m[1]+": ##") {
			t.Errorf("there is no target %s", m[1])
		}
	}
}
