package registrytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Version is the Apicurio release that is run.
const Version = "3.3.3"

const (
	artifact = "io.apicurio:apicurio-registry-app:" + Version + ":tar.gz:all"
	plugin   = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"

	starter = "quarkus-run.jar" // in the folder of an unpacked registry
	minJava = 21
)

// Home returns the folder with the unpacked registry, and fetches it with Maven
// when it is not there. The folder is $APICURIO_HOME, or else
// kafka-kustomer/apicurio-VERSION in the user's cache folder. Any number of
// processes may call it at once: each fetches beside the final place and moves
// the complete folder there in one step.
func Home(ctx context.Context) (string, error) {
	if dir := os.Getenv("APICURIO_HOME"); dir != "" {
		if !complete(dir) {
			return "", fmt.Errorf("APICURIO_HOME, %s, has no %s; name the folder of an unpacked Apicurio Registry %s", dir, starter, Version)
		}
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for the registry: %w; set APICURIO_HOME", err)
	}
	dir := filepath.Join(cache, "kafka-kustomer", "apicurio-"+Version)
	if complete(dir) {
		return dir, nil
	}
	return dir, fetch(ctx, dir)
}

func complete(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, starter))
	return err == nil
}

func fetch(ctx context.Context, dir string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return fmt.Errorf("no registry in %s, and Maven, which would fetch it, is not in PATH: install Maven, or set APICURIO_HOME to an unpacked Apicurio Registry %s", dir, Version)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	unpacked := filepath.Join(tmp, "apicurio")
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", plugin+":unpack", "-Dartifact="+artifact, "-DoutputDirectory="+unpacked)
	cmd.Dir = tmp // where no pom.xml is
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Apicurio Registry %s with %s: %w; check the JDK and the way to a Maven repository, or set APICURIO_HOME; its last words:\n%s",
			Version, mvn, errors.Join(err, ctx.Err()), lastLines(out, 20))
	}
	if !complete(unpacked) {
		return fmt.Errorf("fetched something else than a registry: %s has no %s", artifact, starter)
	}
	// A folder with files can't be replaced, so this is how a process finds that
	// another was quicker.
	if err := os.Rename(unpacked, dir); err != nil && !complete(dir) {
		return fmt.Errorf("put the registry in place: %w", err)
	}
	return nil
}

// places are where JDKs lie besides $JAVA_HOME and PATH: Linux, macOS, SDKMAN.
var places = []string{
	"/usr/lib/jvm/*/bin/java",
	"/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java",
	"~/.sdkman/candidates/java/*/bin/java",
}

// findJava returns a java that is new enough. Kafka makes do with an older one, so
// the one in PATH often is, while another lies beside it.
func findJava(ctx context.Context) (string, error) {
	var found []string
	for _, java := range candidates() {
		version := javaVersion(ctx, java)
		if version >= minJava {
			return java, nil
		}
		if version > 0 {
			found = append(found, fmt.Sprintf("%s (%d)", java, version))
		}
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("no Java %d or later, which Apicurio Registry %s needs; found %s; install one (Debian and Ubuntu: openjdk-21-jre-headless), or set JAVA_HOME to it",
		minJava, Version, cmp.Or(strings.Join(found, ", "), "none at all"))
}

func candidates() []string {
	var all []string
	if home := os.Getenv("JAVA_HOME"); home != "" {
		all = append(all, filepath.Join(home, "bin", "java"))
	}
	if path, err := exec.LookPath("java"); err == nil {
		all = append(all, path)
	}
	for _, place := range places {
		if rest, ok := strings.CutPrefix(place, "~"); ok {
			home, _ := os.UserHomeDir()
			place = home + rest
		}
		found, _ := filepath.Glob(place)
		slices.Reverse(found) // the names of the newest mostly come last
		all = append(all, found...)
	}
	return all
}

var javaSays = regexp.MustCompile(`version "(\d+)`)

// javaVersion is the major version of a java; 0 if it has none to tell.
func javaVersion(ctx context.Context, java string) int {
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	m := javaSays.FindSubmatch(out)
	if err != nil || m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// lastLines returns at most the last n lines of text, without blank ends.
func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
