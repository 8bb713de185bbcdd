package kafkatest

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Version is the Kafka release that pom.xml names.
const Version = "4.4.0"

//go:embed pom.xml
var pom []byte

// manifest lists the files of a complete fetch, one name and size a line.
const manifest = "complete.txt"

// needed are the jars without which nothing starts or nothing is logged; they
// are what is checked in a folder that somebody else filled.
var needed = []string{"kafka_2.13-*.jar", "kafka-clients-*.jar", "slf4j-api-*.jar"}

// Libs returns the folder with Kafka's jars and fetches them with Maven when
// they are not there. The folder is $KAFKA_HOME_LIBS, which may also be the libs
// folder of an unpacked Kafka, or else kafka-kustomer/kafka-VERSION/libs in the
// user's cache folder. Any number of processes may call it at once: each fetches
// beside the final place and moves the complete folder there in one step.
func Libs(ctx context.Context) (string, error) {
	dir, own, err := libsDir()
	if err != nil {
		return "", err
	}
	problem := checkLibs(dir)
	if problem == nil {
		return dir, nil
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		if !own { // what others filled is not ours to delete
			return "", fmt.Errorf("KAFKA_HOME_LIBS has no usable Kafka: %w; name the libs folder of a Kafka %s, or an empty folder to fetch into", problem, Version)
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", fmt.Errorf("remove incomplete Kafka libraries: %w", err)
		}
	}
	if err := fetch(ctx, dir); err != nil {
		return "", err
	}
	return dir, nil
}

func libsDir() (dir string, own bool, err error) {
	if dir = os.Getenv("KAFKA_HOME_LIBS"); dir != "" {
		dir, err = filepath.Abs(dir)
		return dir, false, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", false, fmt.Errorf("no cache folder for Kafka's libraries: %w; set KAFKA_HOME_LIBS", err)
	}
	return filepath.Join(cache, "kafka-kustomer", "kafka-"+Version, "libs"), true, nil
}

// checkLibs says what is missing in dir; nil if nothing is.
func checkLibs(dir string) error {
	want, err := os.ReadFile(filepath.Join(dir, manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return checkForeignLibs(dir)
	} else if err != nil {
		return err
	}
	got, err := list(dir)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s does not hold the files that %s lists", dir, manifest)
	}
	return nil
}

func checkForeignLibs(dir string) error {
	for _, pattern := range needed {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) == 0 {
			return fmt.Errorf("%s holds no %s", dir, pattern)
		}
	}
	return nil
}

// list renders the jars of dir as the manifest has them.
func list(dir string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		if filepath.Ext(entry.Name()) == ".jar" {
			fmt.Fprintln(&b, entry.Name(), info.Size())
		}
	}
	return b.Bytes(), nil
}

func fetch(ctx context.Context, dir string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return fmt.Errorf("no Kafka libraries in %s, and Maven, which would fetch them, is not in PATH: install JDK 17+ and Maven, or set KAFKA_HOME_LIBS to the libs folder of a Kafka %s", dir, Version)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, ".fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.WriteFile(filepath.Join(tmp, "pom.xml"), pom, 0o644); err != nil {
		return err
	}
	libs := filepath.Join(tmp, "libs")
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory="+libs)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Kafka %s with %s: %w; check the JDK (17+) and the way to a Maven repository, or set KAFKA_HOME_LIBS; its last words:\n%s", Version, mvn, errors.Join(err, ctx.Err()), lastLines(out, 20))
	}
	return publish(libs, dir)
}

// publish writes the manifest of the fetched folder and moves it to dir.
func publish(fetched, dir string) error {
	if err := checkForeignLibs(fetched); err != nil {
		return fmt.Errorf("fetched something else than Kafka: %w", err)
	}
	files, err := list(fetched)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fetched, manifest), files, 0o644); err != nil {
		return err
	}
	if err := os.Rename(fetched, dir); err != nil {
		// A folder with files cannot be replaced, so this is how a process
		// finds that another was quicker.
		if checkLibs(dir) == nil {
			return nil
		}
		return fmt.Errorf("put Kafka's libraries in place: %w", err)
	}
	return nil
}

// lastLines returns at most the last n lines of text, without blank ends.
func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
