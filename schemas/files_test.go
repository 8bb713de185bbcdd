package schemas

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kafka-kustomer/batcher"
)

// The schema files are documents for others: every event we write, and every
// event we read, must be what they say. What is written today must be what those said
// that were released before, too; only new members may have come.
func TestSchemasDescribeTheEvents(t *testing.T) {
	result, change := parseSchema(t, BatchResultSchema), parseSchema(t, MessageChangeSchema)
	before := released(t, "batch-result.schema.json")
	for _, kind := range kinds {
		for _, o := range []ResultOptions{{}, {Items: true}, {Items: true, MaxBytes: 1500}} {
			for _, event := range Results(report(kind), o) {
				checkAgainst(t, result, event, kind.String(), closed)
				for version, schema := range before {
					checkAgainst(t, parseSchema(t, schema), event, version+", "+kind.String(), open)
				}
			}
		}
	}
	before = released(t, "message-change.schema.json")
	before["current"] = MessageChangeSchema
	checkAgainst(t, change, []byte(typicalEvent), "typical event", closed)
	for version, schema := range before {
		checkAgainst(t, parseSchema(t, schema), []byte(typicalEvent), version+", typical event", open)
		for _, example := range parseSchema(t, schema)["examples"].([]any) {
			value, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			checkAgainst(t, change, value, version+", example", closed)
			if c := decode(Config{}, value); c.Verdict != batcher.Send {
				t.Errorf("%s: the schema's example is refused: %+v", version, c.Reason)
			}
		}
	}
}

// released returns a file of each version that was released.
func released(t *testing.T, name string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "released", "v*", name))
	if err != nil || len(files) == 0 {
		t.Fatal("no released version of ", name, err)
	}
	versions := map[string][]byte{}
	for _, file := range files {
		if versions[filepath.Base(filepath.Dir(file))], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return versions
}

// People write producers and readers by the files, so no field is left to guessing.
func TestEveryFieldIsDescribed(t *testing.T) {
	for name, text := range map[string][]byte{
		"batch-result.avsc": []byte(BatchResultAvro), "message-change.avsc": []byte(MessageChangeAvro),
		"batch-result.schema.json": BatchResultSchema, "message-change.schema.json": MessageChangeSchema,
	} {
		described := 0
		describe(parseSchema(t, text), func(field string, has map[string]any) {
			doc, _ := has["doc"].(string)
			description, _ := has["description"].(string)
			if described++; len(doc+description) < len("Its id.") {
				t.Errorf("%s: %s is not described", name, field)
			}
		})
		if described < 30 {
			t.Errorf("%s: found only %d fields", name, described)
		}
	}
}

// describe calls f for each field of an Avro schema, and each property of a JSON Schema.
func describe(schema any, f func(name string, has map[string]any)) {
	switch s := schema.(type) {
	case []any:
		for _, e := range s {
			describe(e, f)
		}
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for name, p := range properties {
			f(name, p.(map[string]any))
		}
		fields, _ := s["fields"].([]any)
		for _, e := range fields {
			field := e.(map[string]any)
			f(field["name"].(string), field)
		}
		for _, e := range s {
			describe(e, f)
		}
	}
}

func parseSchema(t *testing.T, file []byte) map[string]any {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(file, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The files leave objects open, for members to come. What is written today is held
// against today's as if they were closed.
const (
	open   = false
	closed = true
)

func checkAgainst(t *testing.T, schema map[string]any, value []byte, where string, closed bool) {
	t.Helper()
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	for _, fault := range validate(schema, v, where, closed) {
		t.Error(fault)
	}
}

// validate is as much of JSON Schema as the two files use for structure.
func validate(schema map[string]any, v any, where string, closed bool) (faults []string) {
	complain := func(format string, args ...any) {
		faults = append(faults, where+": "+fmt.Sprintf(format, args...))
	}
	if types := schema["type"]; types != nil && !strings.Contains(fmt.Sprint(types), typeName(v)) {
		complain("is %s, want %v", typeName(v), types)
	}
	if enum, ok := schema["enum"].([]any); ok && !strings.Contains(fmt.Sprint(enum...), fmt.Sprint(v)) {
		complain("%v is none of %v", v, enum)
	}
	if schema["format"] == "date-time" && v != nil {
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(v)); err != nil {
			complain("%v", err)
		}
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			if items, ok := schema["items"].(map[string]any); ok {
				faults = append(faults, validate(items, e, fmt.Sprintf("%s[%d]", where, i), closed)...)
			}
		}
	case map[string]any:
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, has := v[name.(string)]; !has {
				complain("no %v", name)
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, e := range v {
			if p, ok := properties[name].(map[string]any); ok {
				faults = append(faults, validate(p, e, where+"."+name, closed)...)
			} else if closed && properties != nil {
				complain("%s is not declared", name)
			}
		}
	}
	return faults
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "" // an integer is a number, too
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
