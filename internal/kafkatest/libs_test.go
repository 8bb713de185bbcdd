package kafkatest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeLibs fills a folder with empty files that look like Kafka.
func fakeLibs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"kafka_2.13-4.4.0.jar", "kafka-clients-4.4.0.jar", "slf4j-api-1.7.36.jar"} {
		writeFile(t, filepath.Join(dir, name), "")
	}
	return dir
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestVersionIsThatOfThePom(t *testing.T) {
	if !strings.Contains(string(pom), "<version>"+Version+"</version>") {
		t.Errorf("pom.xml does not name Kafka %s", Version)
	}
}

func TestForeignLibs(t *testing.T) {
	dir := fakeLibs(t)
	t.Setenv("KAFKA_HOME_LIBS", dir)
	if got, err := Libs(t.Context()); err != nil || got != dir {
		t.Errorf("Libs() = %q, %v, want %q", got, err, dir)
	}
	if err := os.Remove(filepath.Join(dir, "kafka-clients-4.4.0.jar")); err != nil {
		t.Fatal(err)
	}
	_, err := Libs(t.Context())
	wantError(t, err, "KAFKA_HOME_LIBS", dir, "kafka-clients-*.jar", "empty folder")
	if _, err := os.Stat(filepath.Join(dir, "kafka_2.13-4.4.0.jar")); err != nil {
		t.Errorf("a folder of others was touched: %v", err)
	}
}

func TestNoMaven(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("KAFKA_HOME_LIBS", filepath.Join(t.TempDir(), "libs"))
	_, err := Libs(t.Context())
	wantError(t, err, "Maven", "JDK 17+", "KAFKA_HOME_LIBS")
}

func TestFailingMaven(t *testing.T) {
	bin, parent := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(bin, "mvn"), "#!/bin/sh\necho no way to the repository\nexit 1\n")
	t.Setenv("PATH", bin+":/bin:/usr/bin")
	t.Setenv("KAFKA_HOME_LIBS", filepath.Join(parent, "libs"))
	_, err := Libs(t.Context())
	wantError(t, err, "no way to the repository", Version, "exit status 1")
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// fakeMaven "fetches" a Kafka of empty files and notes each call in log.
const fakeMaven = `#!/bin/sh
echo call >> "$MVN_LOG"
for last; do :; done
libs="${last#-DoutputDirectory=}"
mkdir "$libs"
for jar in kafka_2.13-4.4.0 kafka-clients-4.4.0 slf4j-api-1.7.36; do echo "$jar" > "$libs/$jar.jar"; done
`

func TestFetchOnceAndRepair(t *testing.T) {
	bin, cache := t.TempDir(), t.TempDir()
	log := filepath.Join(bin, "log")
	writeFile(t, filepath.Join(bin, "mvn"), fakeMaven)
	t.Setenv("PATH", bin+":/bin:/usr/bin")
	t.Setenv("MVN_LOG", log)
	t.Setenv("KAFKA_HOME_LIBS", "")
	t.Setenv("XDG_CACHE_HOME", cache) // Linux
	t.Setenv("HOME", cache)           // macOS

	libs := func() string {
		t.Helper()
		dir, err := Libs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	calls := func() int {
		text, _ := os.ReadFile(log)
		return strings.Count(string(text), "call")
	}
	dir := libs()
	if libs(); calls() != 1 {
		t.Errorf("%d fetches for two calls", calls())
	}
	writeFile(t, filepath.Join(dir, "kafka-clients-4.4.0.jar"), "cut") // a full disk, a cleaner
	if libs(); calls() != 2 {
		t.Errorf("%d fetches after damage, want one more", calls())
	}
	if err := checkLibs(dir); err != nil {
		t.Errorf("after repair: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) != 1 {
		t.Errorf("left beside libs: %v", left)
	}
}

// Who comes second finds a folder in place and must take it if it is whole.
func TestPublishAfterAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "libs")
	for range 2 {
		if err := publish(fakeLibs(t), dir); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(dir, "kafka-clients-4.4.0.jar"), "cut")
	if err := publish(fakeLibs(t), dir); err == nil {
		t.Error("a damaged folder was taken for a whole one")
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
