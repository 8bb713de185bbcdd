package deploycheck

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kafka-kustomer/internal/config"
)

func TestImage(t *testing.T) {
	file := read(t, "deploy/Dockerfile")
	instructions := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(file, "")
	_, final, _ := strings.Cut(instructions, "FROM scratch")
	has := func(where, pattern, why string) {
		t.Helper()
		if !regexp.MustCompile(`(?m)^` + pattern + `$`).MatchString(where) {
			t.Errorf("no line %s: %s", pattern, why)
		}
	}
	has(final, `USER [1-9]\d*:[1-9]\d*`, "Kubernetes can't tell that a named user is not root")
	has(final, `ENTRYPOINT \["/kafka-kustomer"\]`, "a shell would not pass on the signal, and there is none")
	has(final, `CMD \["run", "-c", "/etc/kafka-kustomer/config.yaml"\]`, "")
	has(final, `STOPSIGNAL SIGTERM`, "")
	has(final, `EXPOSE `+strings.TrimPrefix(config.Default().Admin.Listen, ":"), "the admin server's port")
	has(final, `COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt`, "without authorities no certificate is believed")
	has(instructions, `RUN .*CGO_ENABLED=0 .*-trimpath .*`, "static, and the same bytes everywhere")

	flags := regexp.MustCompile(`-X main\.version=`)
	if !flags.MatchString(file) || !flags.MatchString(read(t, "Makefile")) {
		t.Error("image and Makefile don't set the version the same way")
	}
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	has(file, `ARG GO_VERSION=`+regexp.QuoteMeta(language)+`\.\d+`, "the Go of go.mod")
}

// TestImageGetsItsSources: what the build needs is let in, folder by folder, and
// what is not needed is not.
func TestImageGetsItsSources(t *testing.T) {
	allowed := map[string]bool{}
	for line := range strings.Lines(read(t, ".dockerignore")) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			allowed[name] = true
		}
	}
	entries, err := os.ReadDir(at("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || e.Name() == "deploy" {
			continue
		}
		if allowed[e.Name()] != holdsGo(t, e.Name()) {
			t.Errorf("%s: let in is %t", e.Name(), allowed[e.Name()])
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "deploy/*.go", "deploy/config.example.yaml"} {
		if !allowed[name] {
			t.Errorf("%s is not let in", name)
		}
	}
}

func holdsGo(t *testing.T, dir string) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(at(dir), func(path string, _ os.DirEntry, err error) error {
		found = found || strings.HasSuffix(path, ".go")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
