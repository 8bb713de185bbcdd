//go:build kafka

package schemas

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/internal/registrytest"
)

// schemaFile is a schema, and what may and may not become of it.
type schemaFile struct {
	name   string
	kind   sr.SchemaType
	text   string
	broken map[string]string
	grown  string // with a new optional field
	// Registries take a new property of a JSON object for a restriction of what it could
	// hold before. So a JSON Schema grows at the level FORWARD, where readers may be
	// older than what they read, and an Avro schema at any level.
	growsAt sr.CompatibilityLevel
}

func schemaFiles(t *testing.T) []schemaFile {
	const fields, properties = `"fields": [`, `"properties": {` // the outermost
	brokenAvro := func(text, required string) map[string]string {
		return map[string]string{
			"a new field without a default": with(t, text, fields, fields+`{"name": "new", "type": "string"},`),
			"a required field less":         without(t, text, `{"name": "`+required+`"`, "},"),
			"another type":                  with(t, text, `{"name": "`+required+`", "type": "string"`, `{"name": "`+required+`", "type": "long"`),
		}
	}
	brokenJSON := func(text, required string) map[string]string {
		return map[string]string{
			"a new required member":  with(t, text, `"required": [`, `"required": ["new", `),
			"a required member less": with(t, text, `"required": ["`+required+`", `, `"required": [`),
		}
	}
	grownAvro := func(text string) string {
		return with(t, text, fields, fields+`{"name": "new", "type": ["null", "string"], "default": null},`)
	}
	grownJSON := func(text string) string { return with(t, text, properties, properties+`"new": {"type": "string"},`) }
	result, change := string(BatchResultSchema), string(MessageChangeSchema)
	return []schemaFile{
		{"batch-result.avsc", sr.TypeAvro, BatchResultAvro, brokenAvro(BatchResultAvro, "eventId"), grownAvro(BatchResultAvro), sr.CompatFullTransitive},
		{"message-change.avsc", sr.TypeAvro, MessageChangeAvro, brokenAvro(MessageChangeAvro, "messageId"), grownAvro(MessageChangeAvro), sr.CompatFullTransitive},
		{"batch-result.schema.json", sr.TypeJSON, result, brokenJSON(result, "eventId"), grownJSON(result), sr.CompatForwardTransitive},
		{"message-change.schema.json", sr.TypeJSON, change, brokenJSON(change, "messageId"), grownJSON(change), sr.CompatForwardTransitive},
	}
}

// What a registry has to say of the schemas of today, at its strictest level: each
// version must be able to read every other. The schemas that it must refuse show that
// it looks.
func TestRegistryTakesTheSchemasAfterThoseReleased(t *testing.T) {
	client, err := sr.NewClient(sr.URLs(registrytest.Start(t).URL()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range schemaFiles(t) {
		t.Run(f.name, func(t *testing.T) {
			register := func(text string) error {
				_, err := client.RegisterSchema(t.Context(), f.name, sr.Schema{Schema: text, Type: f.kind}, -1, -1)
				return err
			}
			compareAt(t, client, f.name, sr.CompatFullTransitive)
			for version, text := range released(t, f.name) {
				if err := register(string(text)); err != nil {
					t.Fatalf("%s: %v", version, err)
				}
			}
			if err := register(f.text); err != nil {
				t.Errorf("the schema of today is refused: %v", err)
			}
			for what, text := range f.broken {
				var refused *sr.ResponseError
				if err := register(text); !errors.As(err, &refused) || refused.StatusCode != http.StatusConflict {
					t.Errorf("%s: %v, want a conflict", what, err)
				}
			}
			compareAt(t, client, f.name, f.growsAt)
			if err := register(f.grown); err != nil {
				t.Errorf("a new optional field is refused: %v", err)
			}
		})
	}
}

func compareAt(t *testing.T, client *sr.Client, subject string, level sr.CompatibilityLevel) {
	t.Helper()
	for _, result := range client.SetCompatibility(t.Context(), sr.SetCompatibility{Level: level}, subject) {
		if result.Err != nil {
			t.Fatal(result.Err)
		}
	}
}

// with replaces a text that is there, and without cuts one out.
func with(t *testing.T, s, old, new string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("there is no %s", old)
	}
	return strings.Replace(s, old, new, 1)
}

func without(t *testing.T, s, from, to string) string {
	t.Helper()
	before, rest, found := strings.Cut(s, from)
	_, after, ends := strings.Cut(rest, to)
	if !found || !ends {
		t.Fatalf("there is no %s", from)
	}
	return before + after
}
