package registrytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// wantError fails unless err contains every one of texts.
func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error lacks %q: %v", text, err)
		}
	}
}

// elsewhere gives a test a cache and a folder of commands of its own.
func elsewhere(t *testing.T) (cache, bin string) {
	t.Helper()
	cache, bin = t.TempDir(), t.TempDir()
	t.Setenv("APICURIO_HOME", "")
	t.Setenv("XDG_CACHE_HOME", cache) // Linux
	t.Setenv("HOME", cache)           // macOS
	t.Setenv("PATH", bin+":/bin:/usr/bin")
	return cache, bin
}

// fakeMaven "fetches" what $MVN_FILE names, and notes each call in $MVN_LOG.
const fakeMaven = `#!/bin/sh
echo "$@" >> "$MVN_LOG"
for last; do :; done
dir="${last#-DoutputDirectory=}"
mkdir "$dir" && echo > "$dir/$MVN_FILE"
`

func TestHomeFetchesOnce(t *testing.T) {
	cache, bin := elsewhere(t)
	log := filepath.Join(bin, "log")
	writeFile(t, filepath.Join(bin, "mvn"), fakeMaven)
	t.Setenv("MVN_LOG", log)
	t.Setenv("MVN_FILE", "a-page-of-a-proxy.html")
	_, err := Home(t.Context())
	wantError(t, err, "something else than a registry", Version)

	t.Setenv("MVN_FILE", starter)
	for range 2 {
		dir, err := Home(t.Context())
		if err != nil || !complete(dir) || !strings.HasPrefix(dir, cache) {
			t.Fatalf("%q, %v", dir, err)
		}
		if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) != 1 {
			t.Errorf("left beside it: %v", left)
		}
	}
	calls, _ := os.ReadFile(log)
	if n := strings.Count(string(calls), "-Dartifact="+artifact); n != 2 {
		t.Errorf("%d fetches, want one that failed and one:\n%s", n, calls)
	}
}

func TestHomeFails(t *testing.T) {
	_, bin := elsewhere(t)
	t.Setenv("PATH", bin)
	_, err := Home(t.Context())
	wantError(t, err, "install Maven", "APICURIO_HOME")

	writeFile(t, filepath.Join(bin, "mvn"), "#!/bin/sh\necho no way to the repository\nexit 1\n")
	_, err = Home(t.Context())
	wantError(t, err, "no way to the repository", "exit status 1", Version)

	empty := t.TempDir()
	t.Setenv("APICURIO_HOME", empty)
	_, err = Home(t.Context())
	wantError(t, err, "APICURIO_HOME", empty, starter)
	writeFile(t, filepath.Join(empty, starter), "")
	if dir, err := Home(t.Context()); err != nil || dir != empty {
		t.Errorf("%q, %v", dir, err)
	}
}

func fakeJava(t *testing.T, home, version string) string {
	t.Helper()
	path := filepath.Join(home, "bin", "java")
	writeFile(t, path, "#!/bin/sh\necho 'openjdk version \""+version+"\" 2026-01-01' >&2\n")
	return path
}

// The java in PATH is too old for a registry wherever Kafka's minimum is installed.
func TestFindJava(t *testing.T) {
	top, old := t.TempDir(), t.TempDir()
	t.Setenv("PATH", filepath.Dir(fakeJava(t, old, "17.0.15")))
	t.Setenv("JAVA_HOME", "")
	was := places
	t.Cleanup(func() { places = was })
	places = []string{filepath.Join(top, "*", "bin", "java")}

	fakeJava(t, filepath.Join(top, "jdk-8"), "1.8.0_402")
	writeFile(t, filepath.Join(top, "z-broken", "bin", "java"), "#!/bin/sh\nexit 1\n")
	_, err := findJava(t.Context())
	wantError(t, err, "no Java 21 or later", filepath.Join(old, "bin/java")+" (17)", "jdk-8", "JAVA_HOME")

	want := fakeJava(t, filepath.Join(top, "jdk-25"), "25")
	if got, err := findJava(t.Context()); err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	home := t.TempDir()
	t.Setenv("JAVA_HOME", home)
	if got, err := findJava(t.Context()); err != nil || got != want {
		t.Errorf("JAVA_HOME without java: %q, %v, want %q", got, err, want)
	}
	want = fakeJava(t, home, "21.0.4")
	if got, err := findJava(t.Context()); err != nil || got != want {
		t.Errorf("%q, %v, want that of JAVA_HOME", got, err)
	}
}
