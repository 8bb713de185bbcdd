package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kafka-kustomer/internal/canary"
)

const example = "../../deploy/config.example.yaml"

// environment is a lookup over "NAME=value" pairs.
func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if n, value, _ := strings.Cut(pair, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// required is what every complete file needs.
const required = "kustomer: {base_url: https://acme.api.kustomerapp.com, api_key: key}\n"

func defaultsAnd(edit func(*Config)) *Config {
	c := Default()
	c.Kustomer.BaseURL = "https://acme.api.kustomerapp.com"
	c.Kustomer.APIKey = NewSecret("key")
	if edit != nil {
		edit(c)
	}
	return c
}

func TestParseGoodFiles(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("line one\nline: ${two}\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		env        []string
		want       *Config
	}{
		{"only what is required", required, nil, defaultsAnd(nil)},
		{"a trailing slash and empty sections", "kafka:\nlog: ~\nkustomer:\n  base_url: https://acme.api.kustomerapp.com/\n  api_key: key\n", nil, defaultsAnd(nil)},
		{"derived defaults", "name: mine\nkustomer: {base_url: 'https://acme.api.kustomerapp.com', api_key: key, timeout: 2m}", nil, defaultsAnd(func(c *Config) {
			c.Name, c.Source.Group = "mine", "mine"
			c.Kustomer.Timeout, c.Kustomer.LostReplyWait = 2*time.Minute, 150*time.Second
		})},
		{"derived defaults overridden", "name: mine\nsource: {group: theirs}\nkustomer: {base_url: 'https://acme.api.kustomerapp.com', api_key: key, lost_reply_wait: 61s}", nil, defaultsAnd(func(c *Config) {
			c.Name, c.Source.Group, c.Kustomer.LostReplyWait = "mine", "theirs", 61*time.Second
		})},
		{"forms of scalars", `
batch: {max_items: 7, max_bytes: "2MB", linger: '0', merge: {enabled: false}}
limits: {max_open_bytes: 33554432, max_event_bytes: 512KiB}
commit: {interval: 1m}
kustomer:
  base_url: https://acme.api.kustomerapp.com
  api_key: 0123
  reserve: 15%
  requests_per_minute: 250
`, nil, defaultsAnd(func(c *Config) {
			c.Batch.MaxItems, c.Batch.MaxBytes, c.Batch.Linger, c.Batch.Merge.Enabled = 7, 2_000_000, 0, false
			c.Limits.MaxOpenBytes, c.Limits.MaxEventBytes = 32*MiB, 512*KiB
			c.Commit.Interval = time.Minute
			c.Kustomer.APIKey, c.Kustomer.Reserve, c.Kustomer.RequestsPerMinute = NewSecret("0123"), 0.15, 250
		})},
		{"references take the type of their key", `
kafka:
  brokers: ["${env:HOST}:${env:PORT:-9092}", "[::1]:9093"]
  sasl: {mechanism: "${env:MECH}", username: "a$$${env:USER}$$", password: "${file:` + password + `}"}
batch: {max_items: "${env:ITEMS}", linger: "${env:LINGER:-2s}", merge: {enabled: '${env:MERGE}'}}
kustomer: {base_url: 'https://${env:ORG}.api.kustomerapp.com', api_key: '${env:KEY}', requests_per_minute: '${env:RPM}'}
`, []string{"HOST=kafka", "PORT=", "MECH=plain", "USER=${env:KEY}", "ITEMS=12", "LINGER=", "MERGE=false", "ORG=acme", "KEY=key", "RPM=100"}, defaultsAnd(func(c *Config) {
			c.Kafka.Brokers = []string{"kafka:9092", "[::1]:9093"}
			c.Kafka.SASL = SASL{Mechanism: "plain", Username: "a$${env:KEY}$", Password: NewSecret("line one\nline: ${two}")}
			c.Batch.MaxItems, c.Batch.Linger, c.Batch.Merge.Enabled = 12, 2*time.Second, false
			c.Kustomer.RequestsPerMinute = 100
		})},
		{"a secret file is kept by path", "kafka: {sasl: {mechanism: scram-sha-512, username: u, password_file: " + password + "}}\n" + required, nil, defaultsAnd(func(c *Config) {
			c.Kafka.SASL = SASL{Mechanism: "scram-sha-512", Username: "u", PasswordFile: password}
		})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse("good.yaml", []byte(test.file), environment(test.env...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDefaultIsCompleteButForWhatIsRequired(t *testing.T) {
	for _, file := range []string{"", "# nothing\n", "---\n", "null\n"} {
		_, err := Parse("empty.yaml", []byte(file), nil)
		var faults Errors
		if !errors.As(err, &faults) {
			t.Fatalf("%q: got %v, want Errors", file, err)
		}
		var keys []string
		for _, fault := range faults {
			keys = append(keys, fault.Key)
		}
		if diff := cmp.Diff([]string{"kustomer.base_url", "kustomer.api_key"}, keys); diff != "" {
			t.Errorf("%q: -want +got:\n%s", file, diff)
		}
	}
}

func TestExampleIsTheDefault(t *testing.T) {
	t.Setenv("KUSTOMER_ORG", "acme")
	t.Setenv("KUSTOMER_API_KEY", "key")
	got, err := Load(example)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaultsAnd(nil), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestExampleExplainsEveryKey holds the example to the struct tree: every key and
// section is there, in the tree's order, each below a comment of its own.
func TestExampleExplainsEveryKey(t *testing.T) {
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var paths, open []string
	above := ""
	for _, line := range strings.Split(string(data), "\n") {
		name, value, isKey := strings.Cut(strings.TrimLeft(line, " "), ":")
		if isKey && !strings.HasPrefix(name, "#") {
			depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
			open = append(open[:depth], name)
			if !strings.HasPrefix(strings.TrimLeft(above, " "), "# ") {
				t.Errorf("%s has no comment above it", strings.Join(open, "."))
			}
			if value != "" {
				paths = append(paths, strings.Join(open, "."))
			}
		}
		above = line
	}
	if diff := cmp.Diff(keys(reflect.TypeFor[Config](), ""), paths); diff != "" {
		t.Errorf("-struct tree +example:\n%s", diff)
	}
}

// TestFieldsAreWellFormed holds every field of the tree to what the walk over it
// relies on, so that a new field cannot forget it.
func TestFieldsAreWellFormed(t *testing.T) {
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for f, value := range v.Fields() {
			path := join(path, keyName(f))
			if keyName(f) == "" {
				t.Errorf("%s.%s has no key", path, f.Name)
			}
			if isSection(f.Type) {
				walk(value, path)
				continue
			}
			if f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Map {
				continue // a tag is for each element
			}
			number := slices.Contains([]reflect.Kind{reflect.Int, reflect.Int64, reflect.Float64}, f.Type.Kind())
			if _, ok := f.Tag.Lookup("range"); number && !ok && f.Type != reflect.TypeFor[Rate]() {
				t.Errorf("%s is a number without a range", path)
			}
			if fault := breaks(value, f.Tag); fault != "" {
				t.Errorf("default of %s: %v %s", path, value, fault)
			}
			if strings.Contains(f.Name, "Password") || strings.Contains(f.Name, "Key") {
				if f.Type != reflect.TypeFor[Secret]() && !strings.HasSuffix(f.Name, "File") {
					t.Errorf("%s looks like a secret and is a %s", path, f.Type)
				}
			}
		}
	}
	walk(reflect.ValueOf(*Default()), "")
}

func TestRedacted(t *testing.T) {
	c := defaultsAnd(func(c *Config) {
		c.Kafka.SASL = SASL{Mechanism: "plain", Username: "user", Password: NewSecret(canary.Secret)}
		c.Kustomer.ProxyURL = NewSecret("http://user:" + canary.Secret + "@proxy")
		c.SchemaRegistry.URLs, c.SchemaRegistry.Username = []string{"https://registry/path"}, "user"
		c.SchemaRegistry.Password, c.SchemaRegistry.ProxyURL = NewSecret(canary.Secret), NewSecret("http://user:"+canary.Secret+"@proxy")
		c.Source.Topics = append(c.Source.Topics, c.Source.Topics[0], c.Source.Topics[0])
		c.Source.Topics[1].Name, c.Source.Topics[1].Format = "json-changes", "json"
		c.Source.Topics[2].Name, c.Source.Topics[2].Mapping.JQ = "other-changes", "{id, changes: .c}"
		c.Kustomer.RequestsPerMinute = 250
		c.Limits.MaxOpenBytes = 25_000_001
	})
	out, err := Redacted(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), canary.Secret) {
		t.Fatalf("a secret in\n%s", out)
	}
	for _, line := range []string{"max_bytes: 1MiB", "max_open_bytes: 25000001", "requests_per_minute: 250", "reserve: 0.2", "linger: 1s", "mechanism: plain", "  - message-changes", "  - name: json-changes", "jq: '{id, changes: .c}'"} {
		if !strings.Contains(string(out), line+"\n") {
			t.Errorf("no line %q in\n%s", line, out)
		}
	}
	// What is no secret comes back as it was.
	hidden := NewSecret("***")
	c.Kustomer.APIKey, c.Kafka.SASL.Password = hidden, hidden
	c.SchemaRegistry.Password = hidden
	c.Kustomer.ProxyURL, c.SchemaRegistry.ProxyURL = Secret{}, Secret{}
	got, err := Parse("redacted.yaml", []byte(strings.ReplaceAll(string(out), "proxy_url: '***'", "proxy_url: ''")), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if diff := cmp.Diff(c, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A $ of a value is printed as it has to be written in a file, in whatever style the
// value has; that of a column's name stands for itself there.
func TestRedactedDollars(t *testing.T) {
	const program = ".at as $$at | .list[]\n| {messageId: .id, occurredAt: $$at,\n  changes: {subject: \"$${env:HOME} $$$$ 'x'\"}}\n"
	text := "source:\n  topics:\n    - name: a\n      mapping:\n        jq: |\n          " +
		strings.ReplaceAll(strings.TrimSuffix(program, "\n"), "\n", "\n          ") + `
    - {name: b, mapping: {jq: "$$key"}}
    - {name: c, mapping: {preset: debezium, debezium: {columns: {sum$: custom.sum$$Num, "$": meta}}}}
` + required
	want, err := Parse("a.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	if jq := want.Source.Topics[0].Mapping.JQ; jq != strings.ReplaceAll(program, "$$", "$") {
		t.Fatalf("the program is %q", jq)
	}
	for range 2 { // and so is what is printed of that
		out, err := Redacted(want)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"jq: |\n", "| {messageId: .id, occurredAt: $$at,\n", `"$${env:HOME} $$$$ 'x'"`, "jq: $$key\n", "sum$: custom.sum$$Num\n"} {
			if !strings.Contains(string(out), part) {
				t.Errorf("no %q in\n%s", part, out)
			}
		}
		got, err := Parse("b.yaml", []byte(strings.ReplaceAll(string(out), "proxy_url: '***'", "proxy_url: ''")), nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		want.Kustomer.APIKey = NewSecret("***")
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		want = got
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none.yaml")
	if _, err := Load(missing); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("directory: %v", err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte("#"+strings.Repeat(" ", maxFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := Errors{{File: large, Text: "is larger than 1 MiB; is this the right file?"}}
	var got Errors
	if _, err := Load(large); !errors.As(err, &got) || !cmp.Equal(want, got) {
		t.Errorf("large file: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		edit func(*Config)
		want []string
	}{
		{nil, nil},
		{func(c *Config) { c.Kustomer.BaseURL = "http://127.0.0.1:8080" }, nil},
		{func(c *Config) { c.Kustomer.BaseURL = "http://[::1]:8080" }, nil},
		{func(c *Config) { c.Kustomer.BaseURL = "http://localhost" }, nil},
		{func(c *Config) { c.Kustomer.BaseURL = "http://sim:8080" }, []string{"kustomer.base_url"}},
		{func(c *Config) { c.Kafka.SASL.Mechanism = "plain" }, []string{"kafka.sasl.mechanism"}},
		{func(c *Config) {
			c.Kafka.SASL.Mechanism, c.Kafka.TLS.Enabled, c.Kafka.TLS.InsecureSkipVerify = "plain", true, true
		}, []string{"kafka.tls.insecure_skip_verify"}},
		{func(c *Config) { c.SchemaRegistry.URLs = []string{"http://registry"} }, nil},
		{func(c *Config) {
			c.SchemaRegistry.URLs, c.SchemaRegistry.Username = []string{"http://localhost:1", "https://a", "http://b"}, "user"
			c.SchemaRegistry.TLS.InsecureSkipVerify = true
		}, []string{"schema_registry.urls", "schema_registry.tls.insecure_skip_verify"}},
	}
	for _, test := range tests {
		c := defaultsAnd(test.edit)
		var got []string
		for _, warning := range c.Warnings() {
			key, _, _ := strings.Cut(warning, " ")
			got = append(got, key)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", c, diff)
		}
	}
}
