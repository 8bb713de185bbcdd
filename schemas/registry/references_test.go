package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

func ref(subject string) sr.SchemaReference {
	return sr.SchemaReference{Name: subject, Subject: subject, Version: 1}
}

func record(name string, types ...string) string {
	var fields []string
	for i, t := range types {
		fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":%s}`, i, t))
	}
	return fmt.Sprintf(`{"type":"record","name":"%s","fields":[%s]}`, name, strings.Join(fields, ","))
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

type seed struct {
	subject, text string
	refs          []sr.SchemaReference
}

// The same schema with and without the digits that a float64 drops: sameJSON drops
// them, and the text is looked at for them.
const address = `{"type":"record","name":"Address","namespace":"com.acme","doc":"<&>","fields":[
	{"name":"street","type":"string"},
	{"name":"country","type":{"type":"enum","name":"Country","symbols":["AT","DE"]}},
	{"name":"digits","type":"double","default":0.1000000000000000000000001}]}`

const inlined = `{"type":"record","name":"Address","namespace":"com.acme","doc":"<&>","fields":[
	{"name":"street","type":"string"},
	{"name":"country","type":{"type":"enum","name":"Country","symbols":["AT","DE"]}},
	{"name":"digits","type":"double","default":0.1}]}`

const country = `{"type":"enum","name":"Country","namespace":"com.acme","symbols":["AT","DE"]}`

var referenceCases = map[string]struct {
	root  string
	refs  []sr.SchemaReference
	seeds []seed
	want  string
}{
	"by full name": {
		record("other.User", `"com.acme.Address"`, `["null","com.acme.Address"]`),
		[]sr.SchemaReference{ref("address")},
		[]seed{{"address", address, nil}},
		record("other.User", inlined, `["null","com.acme.Address"]`),
	},
	"by short name in the same namespace": {
		record("com.acme.User", `"Address"`),
		[]sr.SchemaReference{ref("address")},
		[]seed{{"address", address, nil}},
		record("com.acme.User", inlined),
	},
	"in arrays, maps, unions and types of types": {
		record("U", `{"type":"array","items":"x.A"}`, `{"type":"map","values":["null","x.B"]}`, `{"type":"x.C"}`),
		[]sr.SchemaReference{ref("a"), ref("b"), ref("c")},
		[]seed{{"a", record("x.A"), nil}, {"b", record("x.B"), nil}, {"c", `{"type":"fixed","name":"x.C","size":4}`, nil}},
		record("U", `{"type":"array","items":{"type":"record","name":"A","namespace":"x","fields":[]}}`,
			`{"type":"map","values":["null",{"type":"record","name":"B","namespace":"x","fields":[]}]}`,
			`{"type":{"type":"fixed","name":"C","namespace":"x","size":4}}`),
	},
	"nested and shared": {
		record("U", `"x.A"`, `"x.B"`, `"y.C"`),
		[]sr.SchemaReference{ref("a"), ref("b")},
		[]seed{
			{"a", record("x.A", `"y.C"`), []sr.SchemaReference{ref("c")}},
			{"b", record("x.B", `"y.C"`), []sr.SchemaReference{ref("c")}},
			{"c", record("y.C", `"int"`), nil},
		},
		record("U", `{"type":"record","name":"A","namespace":"x","fields":[{"name":"f0","type":
				{"type":"record","name":"C","namespace":"y","fields":[{"name":"f0","type":"int"}]}}]}`,
			`{"type":"record","name":"B","namespace":"x","fields":[{"name":"f0","type":"y.C"}]}`, `"y.C"`),
	},
	"a type within a referenced type, before that": {
		record("U", `"com.acme.Country"`, `"com.acme.Address"`),
		[]sr.SchemaReference{ref("address")},
		[]seed{{"address", address, nil}},
		record("U", country, strings.Replace(inlined, `{"type":"enum","name":"Country","symbols":["AT","DE"]}`, `"com.acme.Country"`, 1)),
	},
	"without a namespace": {
		record("U", `"A"`, `"A"`),
		[]sr.SchemaReference{ref("a")},
		[]seed{{"a", record("A", `"int"`), nil}},
		record("U", `{"type":"record","name":"A","namespace":"","fields":[{"name":"f0","type":"int"}]}`, `"A"`),
	},
	"recursive type": {
		record("U", `"x.List"`),
		[]sr.SchemaReference{ref("l")},
		[]seed{{"l", record("x.List", `["null","List"]`), nil}},
		record("U", `{"type":"record","name":"List","namespace":"x","fields":[{"name":"f0","type":["null","List"]}]}`),
	},
	"the whole schema is a name": {
		`"x.A"`,
		[]sr.SchemaReference{ref("a")},
		[]seed{{"a", record("x.A"), nil}},
		`{"type":"record","name":"A","namespace":"x","fields":[]}`,
	},
	"a union of references": {
		`["x.A","y.C"]`,
		[]sr.SchemaReference{ref("a"), ref("a/c%2F")},
		[]seed{{"a", record("x.A"), nil}, {"a/c%2F", record("y.C"), nil}},
		`[{"type":"record","name":"A","namespace":"x","fields":[]},{"type":"record","name":"C","namespace":"y","fields":[]}]`,
	},
	"defined twice and the same": {
		record("U", record("x.A"), `"x.A"`),
		[]sr.SchemaReference{ref("a")},
		[]seed{{"a", record("x.A"), nil}},
		record("U", record("x.A"), `"x.A"`),
	},
	"default that looks like a name": {
		`{"type":"record","name":"U","fields":[{"name":"f","type":"string","default":"x.A"}]}`,
		[]sr.SchemaReference{ref("a")},
		[]seed{{"a", record("x.A"), nil}},
		`{"type":"record","name":"U","fields":[{"name":"f","type":"string","default":"x.A"}]}`,
	},
}

// Types that other schemas define stand where they are named first.
func TestReferences(t *testing.T) {
	for name, test := range referenceCases {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			for i, s := range slices.Backward(test.seeds) { // what is referred to comes first
				f.seed(s.subject, i+2, s.text, s.refs...)
			}
			f.seed("root", 1, test.root, test.refs...)
			s, err := newClient(t, Config{}, f.server.URL).Schema(t.Context(), Number(1))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(f.asked()); n != 1+len(test.seeds) {
				t.Errorf("%d requests for %d schemas", n, 1+len(test.seeds))
			}
			sameJSON(t, s.Text, test.want)
			if strings.Contains(test.root, "Address") && !strings.Contains(s.Text, "0.1000000000000000000000001") {
				t.Errorf("a number has lost digits: %s", s.Text)
			}
		})
	}
}

func TestReferencesThatCannotBe(t *testing.T) {
	nest := func(n int) string {
		return strings.Repeat(`{"type":"array","items":`, n) + `"int"` + strings.Repeat("}", n)
	}
	for want, seeds := range map[string][]seed{
		`version 1 of the subject "a" refers to itself`: {{"a", record("A", `"B"`), []sr.SchemaReference{ref("b")}}, {"b", record("B", `"A"`), []sr.SchemaReference{ref("a")}}},
		`"A" is defined in two ways`:                    {{"a", record("A", `"int"`), []sr.SchemaReference{ref("b")}}, {"b", record("A", `"long"`), nil}},
		"no fixed version":                              {{"a", record("A"), []sr.SchemaReference{{Name: "B", Subject: "b", Version: -1}}}},
		"without a subject":                             {{"a", record("A"), []sr.SchemaReference{{Name: "B", Subject: "..", Version: 1}}}},
		"is not JSON":                                   {{"a", `{"type":`, nil}},
		"or a schema it refers to, is not JSON":         {{"a", `"int" "int"`, nil}},
		"nested more than 200 deep":                     {{"a", nest(300), nil}},
	} {
		f := newFake(t)
		f.plant("root", 1, record("U", `"A"`), ref("a"))
		for i, s := range seeds {
			f.plant(s.subject, i+2, s.text, s.refs...)
		}
		_, err := newClient(t, Config{}, f.server.URL).Schema(t.Context(), Number(1))
		if e := fails[*UnusableError](t, err); !strings.Contains(e.Error(), want) || e.ID != Number(1) {
			t.Errorf("%v, want %q", e, want)
		}
	}
	f := newFake(t)
	f.plant("root", 1, record("U"), ref("p"))
	f.SeedSchema("p", 1, 2, sr.Schema{Schema: "x", Type: sr.TypeProtobuf})
	_, err := newClient(t, Config{}, f.server.URL).Schema(t.Context(), Number(1))
	if e := fails[*UnusableError](t, err); !strings.Contains(e.Error(), "is no Avro schema") {
		t.Errorf("%v", e)
	}
}

func TestReferencesAreBounded(t *testing.T) {
	f := newFake(t)
	var wide []sr.SchemaReference
	for i := range 70 {
		f.plant(fmt.Sprint("w", i), 100+i, record(fmt.Sprint("W", i)))
		wide = append(wide, ref(fmt.Sprint("w", i)))
		f.plant(fmt.Sprint("d", i), 200+i, record(fmt.Sprint("D", i)), ref(fmt.Sprint("d", i+1)))
	}
	f.plant("wide", 1, record("U"), wide...)
	f.plant("deep", 2, record("U"), ref("d0"))
	f.plant("big", 3, record("U"), wide[:3]...)
	f.plant("most", 4, record("U"), wide[:maxReferences]...)
	c := newClient(t, Config{}, f.server.URL)
	for id, want := range map[uint32]string{1: "more than 64", 2: "more than 16 deep"} {
		_, err := c.Schema(t.Context(), Number(id))
		if e := fails[*UnusableError](t, err); !strings.Contains(e.Error(), want) {
			t.Errorf("%v", e)
		}
	}
	if _, err := c.Schema(t.Context(), Number(4)); err != nil {
		t.Error(err)
	}
	small := newClient(t, Config{MaxSchemaBytes: 180}, f.server.URL)
	_, err := small.Schema(t.Context(), Number(3))
	if e := fails[*UnusableError](t, err); !strings.Contains(e.Error(), "larger than 180 bytes") {
		t.Errorf("%v", e)
	}
}

// What a schema refers to may come later, as a schema may.
func TestReferenceIsUnknown(t *testing.T) {
	f := newFake(t)
	f.plant("root", 1, record("U", `"A"`), ref("a"))
	c := newClient(t, Config{UnknownTTL: 1}, f.server.URL)
	_, err := c.Schema(t.Context(), Number(1))
	if e := fails[*UnknownError](t, err); e.ID != Number(1) || e.Subject != "a" || e.Version != 1 || !strings.Contains(e.Error(), `version 1 of the subject "a"`) {
		t.Errorf("%+v", e)
	}
	f.expect(t, "GET /schemas/ids/1", "GET /subjects/a/versions/1?deleted=true")
	f.plant("a", 2, record("A"))
	if _, err := c.Schema(t.Context(), Number(1)); err != nil {
		t.Error(err)
	}
}

// Each request is in time, and all together are not: that is trouble too, and seen.
func TestReferencesTakeTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{Registry: srfake.NewRegistry()}
		c := inMemory(t, Config{Timeout: 10 * time.Second}, http.HandlerFunc(f.serve))
		f.Intercept(func(http.ResponseWriter, *http.Request) bool {
			time.Sleep(9 * time.Second)
			return false
		})
		f.plant("root", 1, record("U"), ref("d0"))
		for i := range 10 {
			f.plant(fmt.Sprint("d", i), 2+i, record(fmt.Sprint("D", i)), ref(fmt.Sprint("d", i+1)))
		}
		_, err := c.Schema(t.Context(), Number(1))
		if e := fails[*UnavailableError](t, err); !strings.Contains(e.Error(), "took too long") {
			t.Errorf("%v", e)
		}
		if len(c.Problems()) != 1 || len(f.asked()) > 4 {
			t.Errorf("%v", c.Problems())
		}
	})
}
