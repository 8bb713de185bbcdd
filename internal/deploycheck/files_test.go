package deploycheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"kafka-kustomer/internal/config"
)

// at is the path of a file, by its path from the top of the repository.
func at(path string) string { return filepath.Join("..", "..", filepath.FromSlash(path)) }

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(at(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// load reads YAML into a struct that has to know every key.
func load(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Load([]byte(read(t, path)), into, yaml.WithKnownFields()); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// duration reads one as systemd and Compose write them, in seconds or with a unit.
func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("duration %q: %v", text, err)
	}
	return d
}

// connector reads a configuration of the connector, whose key file stands in a
// container: one that is here takes its place.
func connector(t *testing.T, path, keyFile string, env map[string]string) *config.Config {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	if strings.Count(text, keyFile) != 1 {
		t.Fatalf("%s: the key file is not %s", path, keyFile)
	}
	text = strings.Replace(text, keyFile, key, 1)
	cfg, err := config.Parse(path, []byte(text), func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// spare is what a shutdown takes at most beside drain_timeout, with some to spare.
const spare = 5 * time.Second
