package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kafka-kustomer/internal/canary"
)

// secretKeys returns the paths of all keys whose field is a Secret.
func secretKeys(t reflect.Type, path string) []string {
	var all []string
	for f := range t.Fields() {
		switch below := join(path, keyName(f)); {
		case f.Type == reflect.TypeFor[Secret]():
			all = append(all, below)
		case isSection(f.Type):
			all = append(all, secretKeys(f.Type, below)...)
		}
	}
	return all
}

// fileWith writes value, as raw YAML, to key, and a fault to every section.
func fileWith(key, value string) string {
	var b strings.Builder
	parts := strings.Split(key, ".")
	for depth, part := range parts[:len(parts)-1] {
		indent := strings.Repeat("  ", depth)
		b.WriteString(indent + part + ":\n" + indent + "  nonsense: 1\n")
	}
	b.WriteString(strings.Repeat("  ", len(parts)-1) + parts[len(parts)-1] + ": " + value + "\n")
	b.WriteString("drain_timeout: never\n")
	return b.String()
}

// TestErrorsHoldNoSecret puts a secret into every secret key in every way that
// may go wrong, and looks for it in the errors.
func TestErrorsHoldNoSecret(t *testing.T) {
	keys := secretKeys(reflect.TypeFor[Config](), "")
	if len(keys) < 3 {
		t.Fatalf("only %v are secret", keys)
	}
	values := []string{
		"X", "'X'", "\"X\"", "X X", "\"X\\nX\"", "\"X\\q\"", "|\n      X", "'X", "[X]", "{X: 1}", "{X}", "[X", "{X",
		"*X", "&X", "&X X", "!X", "!X X", "!!X", "@X", "%X", "`X", "|X", ">X", "? X", "- X", "X: X", "X: ", "#X",
		"$X", "${X}", "${X", "${env:S", "${env:S}", "${env:S} ${env:S}", "x${env:NONE:-X}", "${env:NONE}${env:S}",
		"'${file:secret}'", "'${file:secret} ${env:S}'", "http://u:X@h/p", "ftp://u:X@h", "'http://u:X@h:x'",
		"'http://u:${env:S}@h:99999'",
	}
	for _, key := range keys {
		for _, value := range values {
			file := fileWith(key, strings.ReplaceAll(value, "X", canary.Secret))
			err := parseFake(file)
			if err == nil {
				t.Fatalf("no error for\n%s", file)
			}
			if strings.Contains(err.Error(), canary.Secret) {
				t.Errorf("the secret is in the errors of\n%s\n%v", file, err)
			}
		}
	}
	for _, url := range []string{"http://u:X@h", "u:X@h", "http://h?k=X", "http://h#X", "http://X:x:x", "${env:S}", "http://h/${env:S} x", "http://h:${env:S}"} {
		file := "schema_registry: {urls: ['http://h', '" + strings.ReplaceAll(url, "X", canary.Secret) + "']}\nresults: {format: json, items: nope}\n"
		if err := parseFake(file); strings.Contains(err.Error(), canary.Secret) {
			t.Errorf("the secret is in the errors of\n%s\n%v", file, err)
		}
	}
	flow := "kafka: {sasl: {mechanism: plain, username: u, password: x," + canary.Secret + "}}"
	if err := parseFake(flow); strings.Contains(err.Error(), canary.Secret) {
		t.Errorf("the rest of a secret with a comma is in %v", err)
	}
}

// TestErrorsHoldNoReference: what a reference brings in may be a secret wherever it
// stands, and the packages that judge mappings and schemas quote what they refuse.
func TestErrorsHoldNoReference(t *testing.T) {
	for _, value := range []string{
		"schema: ${env:S}", "schema: '${file:secret}'", "format: ${env:S}", "topics: [{name: '${env:S}/', format: '${env:S}', schema: '${env:S}'}]",
		"mapping: {jq: '${env:S}'}", "mapping: {jq: '.[\"${env:S}'}", "mapping: {jq: '${file:secret}', preset: item}", "mapping: {jq: ., jq_file: '${env:S}'}",
		"mapping: {jq_file: '${env:S}'}", "mapping: {preset: debezium, debezium: {columns: {a: '${env:S}', b: '${env:S}'}}}",
		"mapping: {preset: debezium, debezium: {columns: {a: 'x.${env:S}'}}}", "mapping: {preset: debezium, debezium: {times: {a: '${env:S}'}}}",
		"mapping: {preset: '${env:S}'}", "mapping: {preset: kustomer-event, kustomer_event: {own_users: ['${env:S}', '']}}",
		"mapping: {jq_limits: {bytes: '${env:S}'}}", "topics: [{name: a, mapping: {jq: '${env:S}'}}]",
	} {
		file := "source: {" + value + "}\n" + required
		if err := parseFake(file); err == nil || strings.Contains(err.Error(), canary.Secret) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// parseFake parses in a world with one variable, S, and one file, secret: both
// hold the canary.
func parseFake(file string) error {
	_, err := parseFakeConfig([]byte(file))
	return err
}

func parseFakeConfig(data []byte) (*Config, error) {
	return parse(&reader{
		file: "fake.yaml",
		env:  environment("S=" + canary.Secret),
		readFile: func(path string) ([]byte, error) {
			if path == "secret" {
				return []byte(canary.Secret + "\n"), nil
			}
			return nil, os.ErrNotExist
		},
	}, data)
}

func TestBombsAreRefused(t *testing.T) {
	aliases := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'z'; c++ {
		above := "*" + string(c-1)
		aliases += string(c) + ": &" + string(c) + " [" + strings.Repeat(above+",", 8) + above + "]\n"
	}
	bombs := map[string]string{
		"aliases":     aliases + "source: {topics: *z}\n",
		"a loop":      "source: {topics: &t [*t]}\n",
		"nesting":     "name: " + strings.Repeat("[", 500_000),
		"references":  "source: {topics: [" + strings.Repeat("'${file:large}',", 1000) + "]}\n",
		"size":        strings.Repeat("a: 1\n", 300_000),
		"unknown key": strings.Repeat("k", 1<<19) + ": 1\n",
		"names":       "source: {mapping: {preset: debezium, debezium: {columns: {? " + strings.Repeat("k", 1<<19) + " : id}}}}\n",
		"a long name": "source: {mapping: {preset: debezium, debezium: {columns: {? " + strings.Repeat("k", maxName) + " : " + strings.Repeat("k.", 1<<18) + "}}}}\n",
	}
	large := []byte(strings.Repeat("x", maxFile/2))
	for name, bomb := range bombs {
		r := &reader{file: "bomb.yaml", env: environment(), readFile: func(string) ([]byte, error) { return large, nil }}
		_, err := parse(r, []byte(bomb))
		var faults Errors
		if !errors.As(err, &faults) {
			t.Errorf("%s: got %v, want Errors", name, err)
			continue
		}
		for _, fault := range faults {
			if len(fault.Text) > 1000 {
				t.Errorf("%s: an error of %d bytes", name, len(fault.Text))
			}
		}
		if r.expanded > maxFile+len(large) {
			t.Errorf("%s: references came to %d bytes", name, r.expanded)
		}
	}
}

// FuzzParse: no input panics; every error is in file order, on a line of the
// file, and free of what references bring in; a Config can be printed.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(required))
	for _, key := range secretKeys(reflect.TypeFor[Config](), "") {
		f.Add([]byte(fileWith(key, "${env:S}${file:secret}$$${env:NONE:-x}")))
	}
	f.Add([]byte("name: ${env:S}\nkafka: {brokers: ['${env:S}'], tls: {ca_file: '${env:S}'}}\nsource: {topics: ['${env:S}']}\n---\n"))
	f.Add([]byte("source: {format: avro, schema: secret, topics: [a, {name: b, schema: '${env:S}'}, {name: c, mapping: {preset: debezium, debezium: {columns: {a: '${env:S}'}, times: {b: ms}}}}, [], ~]}\n"))
	f.Add([]byte("source: {mapping: {jq: '${env:S}'}}\nschema_registry: {urls: ['https://${env:S}'], tls: {ca_file: x}}\nresults: {format: avro}\n" + required))
	f.Add([]byte("? [a]\n: *b\n<<: &b !c {d: }\nbatch: {max_items: \"1\"}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseFakeConfig(data)
		if err == nil {
			if _, err := Redacted(c); err != nil {
				t.Fatal(err)
			}
			return
		}
		var faults Errors
		if !errors.As(err, &faults) || len(faults) == 0 || c != nil {
			t.Fatalf("got %v, %v", c, err)
		}
		// A program that is read from a file is no secret: its errors show its words.
		if !strings.Contains(string(data), canary.Secret) && !strings.Contains(string(data), "jq_file") && strings.Contains(err.Error(), canary.Secret) {
			t.Fatalf("what a reference brought in is in %v", err)
		}
		inOrder := slices.IsSortedFunc(faults, func(a, b Error) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		lines := 1 + strings.Count(strings.ReplaceAll(string(data), "\r", "\n"), "\n")
		if last := faults[len(faults)-1]; !inOrder || last.Line > lines+1 {
			t.Fatalf("%d lines, and these errors:\n%v", lines, err)
		}
	})
}

// A whole configuration, however it is printed, shows none of its secrets.
func TestConfigPrintsNoSecret(t *testing.T) {
	c := Default()
	c.Kafka.SASL = SASL{Mechanism: "plain", Username: "user", Password: NewSecret(canary.Secret)}
	c.Kustomer.APIKey = NewSecret(canary.Secret)
	c.Kustomer.ProxyURL = NewSecret("http://user:" + canary.Secret + "@proxy:3128")
	c.SchemaRegistry.Username, c.SchemaRegistry.Password = "user", NewSecret(canary.Secret)
	c.SchemaRegistry.ProxyURL = NewSecret("http://user:" + canary.Secret + "@proxy:3128")
	for _, value := range []any{c, *c, c.Kafka, c.Kustomer, c.SchemaRegistry, map[string]any{"of": c}, struct{ c *Config }{c}, struct{ c Config }{*c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if at, as := canary.Find(fmt.Appendf(nil, verb, value)); at >= 0 {
				t.Errorf("%s of %T prints a secret %s", verb, value, as)
			}
		}
	}
}
