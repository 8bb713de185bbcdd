//go:build producers

package producers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/schemas/registry"
)

// replaced writes the schema with one text in place of another, once.
func replaced(t *testing.T, schema, old, by string) string {
	t.Helper()
	if strings.Count(schema, old) != 1 {
		t.Fatalf("%q is in the schema %d times, want once", old, strings.Count(schema, old))
	}
	return strings.Replace(schema, old, by, 1)
}

func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// A producer moves to a newer schema while records of the older one are there: each
// is read by its own. What the registry refuses is not written.
func TestEvolution(t *testing.T) {
	python := languages[slices.IndexFunc(languages, func(l language) bool { return l.name == "python" })]
	p := prepare(t, python)
	brokers := kafkatest.Brokers(t)
	topic := kafkatest.Topic(t, brokers, "evolution", 1)
	must(t, run(t, p, "avro", topic, "SCHEMA="+schemaFile()))

	admin, err := sr.NewClient(sr.URLs(reg.URL()))
	must(t, err)
	must(t, admin.SetCompatibility(t.Context(), sr.SetCompatibility{Level: sr.CompatBackward}, topic+"-value")[0].Err)
	v1, err := os.ReadFile(schemaFile())
	must(t, err)
	// A field of the producer's own, with a default, in the middle; and the branches
	// of a union in another order, so that their numbers in the bytes are others.
	v2 := replaced(t, string(v1), `{"name": "eventId",`, `{"name": "origin", "type": ["string", "int"], "default": "crm"},`+"\n"+`    {"name": "eventId",`)
	v2 = replaced(t, v2, `{"type": "map", "values": ["null", "boolean", "long", "double", "string"]}], "default": null, "doc": "Custom`,
		`{"type": "map", "values": ["string", "double", "long", "boolean", "null"]}], "default": null, "doc": "Custom`)
	must(t, run(t, p, "avro", topic, "SCHEMA="+write(t, "v2.avsc", v2)))

	v3 := replaced(t, string(v1), `{"name": "messageId", "type": "string"`, `{"name": "messageId", "type": "long"`)
	if err := run(t, p, "avro", topic, "SCHEMA="+write(t, "v3.avsc", v3)); err == nil {
		t.Error("an incompatible schema was taken")
	} else if !strings.Contains(err.Error(), "409") {
		t.Errorf("the producer failed with %v, want a 409", err)
	}

	records := read(t, brokers, topic, 2*len(changes))
	slices.SortFunc(records, func(a, b *kgo.Record) int { return int(a.Offset - b.Offset) })
	if ids := idsOf(t, records); len(ids) != 2 {
		t.Errorf("the records name the schemas %v, want two", ids)
	}
	wantChanges(t, "avro", records, slices.Concat(changes, changes))
}

func idsOf(t *testing.T, records []*kgo.Record) map[registry.ID]bool {
	t.Helper()
	ids := map[registry.ID]bool{}
	for _, r := range records {
		id, _, _, err := registry.Parse(nil, r.Value)
		must(t, err)
		ids[id] = true
	}
	return ids
}
