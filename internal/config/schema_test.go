package config

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// faultsOf is as much of a JSON Schema validator as [Schema] needs; a keyword that
// it does not know fails the test, so none goes unchecked.
func faultsOf(t *testing.T, schema map[string]any, value any, path string) (faults []string) {
	t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, path+" "+fmt.Sprintf(format, args...)) }
	number, isNumber := value.(float64)
	for keyword, rule := range schema {
		switch keyword {
		case "$schema", "title", "description", "default", "properties":
		case "type":
			types, many := rule.([]any)
			if !many {
				types = []any{rule}
			}
			if !slices.ContainsFunc(types, func(x any) bool { return isType(x.(string), value) }) {
				fault("is a %T, want %v", value, types)
			}
		case "const":
			if value != rule {
				fault("is not %v", rule)
			}
		case "enum":
			if !slices.Contains(rule.([]any), value) {
				fault("is none of %v", rule)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(rule.(string)).MatchString(text) {
				fault("does not match %s", rule)
			}
		case "minimum":
			if isNumber && number < rule.(float64) {
				fault("is below %v", rule)
			}
		case "exclusiveMinimum":
			if isNumber && number <= rule.(float64) {
				fault("is not above %v", rule)
			}
		case "maximum":
			if isNumber && number > rule.(float64) {
				fault("is above %v", rule)
			}
		case "items":
			if list, ok := value.([]any); ok {
				for i, v := range list {
					faults = append(faults, faultsOf(t, rule.(map[string]any), v, fmt.Sprintf("%s[%d]", path, i))...)
				}
			}
		case "required":
			for _, name := range rule.([]any) {
				if members, ok := value.(map[string]any); ok && members[name.(string)] == nil {
					fault("has no %s", name)
				}
			}
		case "additionalProperties":
			members, _ := value.(map[string]any)
			if each, ok := rule.(map[string]any); ok {
				for name, v := range members {
					faults = append(faults, faultsOf(t, each, v, join(path, name))...)
				}
				continue
			}
			properties := schema["properties"].(map[string]any)
			for name, v := range members {
				if p, ok := properties[name]; ok {
					faults = append(faults, faultsOf(t, p.(map[string]any), v, join(path, name))...)
				} else {
					fault("has an unknown key %s", name)
				}
			}
		case "anyOf":
			if !slices.ContainsFunc(rule.([]any), func(s any) bool { return len(faultsOf(t, s.(map[string]any), value, path)) == 0 }) {
				fault("= %v fits no form of %v", value, rule)
			}
		default:
			t.Fatalf("the schema uses %s, which this test does not check", keyword)
		}
	}
	return faults
}

func isType(name string, value any) bool {
	switch v := value.(type) {
	case nil:
		return name == "null"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	}
	return name == "object"
}

// asJSON is a document as an editor sees it.
func asJSON(t *testing.T, document []byte) (value any) {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal(document, &tree); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func readSchema(t *testing.T) (schema map[string]any, example []byte) {
	t.Helper()
	example, err := os.ReadFile("../../deploy/config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := Schema(example)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema, example
}

func TestSchemaAcceptsTheExample(t *testing.T) {
	schema, example := readSchema(t)
	if faults := faultsOf(t, schema, asJSON(t, example), ""); len(faults) > 0 {
		t.Errorf("the example breaks the schema:\n%s", strings.Join(faults, "\n"))
	}
}

// What the program takes the schema takes, and the other way round, but for what
// the schema cannot know: rules between keys.
func TestSchemaAgreesWithParse(t *testing.T) {
	schema, _ := readSchema(t)
	for _, tc := range []struct {
		file string
		good bool
	}{
		{"", true},
		{"batch: {linger: 1m30s, max_bytes: 4096}", true},
		{"batch: {linger: 0}", true},
		{"batch: {linger: 5}", false},
		{"batch: {linger: soon}", false},
		{"batch: {max_bytes: 24 MiB}", true},
		{"batch: {max_bytes: 24 Mb}", false},
		{"batch: {max_items: 101}", false},
		{"batch: {max_items: 0}", false},
		{"batch: {max_items: '5'}", false},
		{"batch: {max_itmes: 5}", false},
		{"batch: {merge: {barrier: [status]}}", true},
		{"batch: {merge: {barrier: status}}", false},
		{"batch: {merge: {enabled: 1}}", false},
		{"batch:", true},
		{"batch: 7", false},
		{"nonsense: 1", false},
		{"source: {start: sometime}", false},
		{"kafka: {sasl: {mechanism: plain, username: u, password: 1234}}", true},
		{"source: {topics: [a, {name: b}, {name: c, format: json, mapping: {jq: .}}]}", true},
		{"source: {topics: [{format: json}]}", false},
		{"source: {topics: [{name: a, nonsense: 1}]}", false},
		{"source: {topics: [{name: a, mapping: {preset: x}}]}", false},
		{"source: {topics: [[a]]}", false},
		{"source: {mapping: {preset: debezium, debezium: {columns: {a: status}, times: {a: ms}}}}", true},
		{"source: {mapping: {preset: debezium, debezium: {columns: [a]}}}", false},
		{"source: {mapping: {preset: debezium, debezium: {columns: {a: [b]}}}}", false},
		{"source: {mapping: {preset: debezium, debezium: {times: {b: min}}}}", false},
		{"schema_registry: {urls: [https://r], tls: {server_name: s}}", true},
		{"results: {format: xml}", false},
		{"dead_letter: {brake: off}", true},
		{"dead_letter: {brake: 7%}", true},
		{"dead_letter: {brake: 0}", false},
		{"dead_letter: {brake: never}", false},
	} {
		t.Run(tc.file, func(t *testing.T) {
			file := tc.file + "\n" + required
			faults := faultsOf(t, schema, asJSON(t, []byte(file)), "")
			_, err := Parse("test.yaml", []byte(file), nil)
			if (len(faults) == 0) != tc.good || (err == nil) != tc.good {
				t.Errorf("good is %v; the schema says %v, Parse says %v", tc.good, faults, err)
			}
		})
	}
	for _, file := range []string{"kustomer: {base_url: x}", "kustomer: {api_key: x}", "kustomer:", "{}"} {
		if faults := faultsOf(t, schema, asJSON(t, []byte(file)), ""); len(faults) == 0 {
			t.Errorf("the schema takes %q, which lacks what is required", file)
		}
	}
	if faults := faultsOf(t, schema, asJSON(t, []byte("batch: {max_items: '${env:N}'}\n"+required)), ""); len(faults) > 0 {
		t.Errorf("a reference is refused: %v", faults)
	}
}

func TestSchemaExplainsEveryKey(t *testing.T) {
	schema, _ := readSchema(t)
	for _, path := range keys(reflect.TypeFor[Config](), "") {
		at := schema
		for _, name := range strings.Split(path, ".") {
			at = at["properties"].(map[string]any)[name].(map[string]any)
		}
		if text, _ := at["description"].(string); len(text) < 8 {
			t.Errorf("%s: description %q", path, text)
		}
	}
	topics := schema["properties"].(map[string]any)["source"].(map[string]any)["properties"].(map[string]any)["topics"]
	forms := topics.(map[string]any)["items"].(map[string]any)["anyOf"].([]any)
	for name, p := range forms[1].(map[string]any)["properties"].(map[string]any) {
		if text, _ := p.(map[string]any)["description"].(string); len(text) < 8 && name != "name" {
			t.Errorf("%s of a topic: description %q", name, text)
		}
	}
}
