package formats

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
	"kafka-kustomer/schemas/mapping"
	"kafka-kustomer/schemas/registry"
)

// shelf is a registry that answers at once.
type shelf struct {
	schemas map[registry.ID]registry.Schema
	errors  map[registry.ID]error
	asked   []registry.ID
}

func (s *shelf) Fetch(ctx context.Context, id registry.ID) (registry.Schema, error) {
	s.asked = append(s.asked, id)
	if err := s.errors[id]; err != nil {
		return registry.Schema{}, err
	}
	got, ok := s.schemas[id]
	if !ok {
		<-ctx.Done()
		return got, ctx.Err()
	}
	return got, nil
}

const topicName = "t"

func decoder(t testing.TB, from Registry, topic Topic) *Decoder {
	t.Helper()
	topic.Name = topicName
	d, err := New(Config{Topics: []Topic{topic}, Events: schemas.Config{MaxEventBytes: 1 << 20}, Registry: from})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// read decodes a value, waiting for schemas as the consumer does.
func read(t testing.TB, d *Decoder, value []byte, headers ...batcher.Header) batcher.Change {
	t.Helper()
	for range 3 {
		c := batcher.Change{Offset: 5, Record: batcher.Record{Value: value, Headers: headers}}
		_, wait := d.Decode(topicName, 0, &c)
		if wait == nil {
			if !bytes.Equal(c.Record.Value, value) {
				t.Errorf("the record's value was changed to %q", c.Record.Value)
			}
			return c
		}
		wait(t.Context())
	}
	t.Fatal("the decoder asks again and again")
	return batcher.Change{}
}

// said is what a change says, in words.
func said(c batcher.Change) string {
	switch c.Verdict {
	case batcher.Skip:
		return "skip " + c.Reason.Code
	case batcher.Reject:
		return "reject " + c.Reason.Code
	}
	s := fmt.Sprintf("%s %s %s", c.EventID, c.MessageID, c.Patch)
	for _, u := range c.More {
		s += fmt.Sprintf("; %s %s %s", u.EventID, u.MessageID, u.Patch)
	}
	return s
}

func expect(t *testing.T, c batcher.Change, want string) {
	t.Helper()
	if got := said(c); got != want {
		t.Errorf("got  %s (%s)\nwant %s", got, c.Reason.Text, want)
	}
}

const (
	small = `{"type":"record","name":"E","fields":[
		{"name":"messageId","type":"string"},
		{"name":"changes","type":{"type":"record","name":"C","fields":[{"name":"subject","type":["null","string"],"default":null}]}}]}`
	row = `{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"subject","type":"string"}]}`
)

func encoded(t testing.TB, schema string, native any) []byte {
	t.Helper()
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		t.Fatal(err)
	}
	b, err := codec.BinaryFromNative(nil, native)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func event(t testing.TB, id, subject string) []byte {
	return encoded(t, small, map[string]any{"messageId": id, "changes": map[string]any{"subject": goavro.Union("string", subject)}})
}

func numbered(n uint32, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, n), value...)
}

var guid = [16]byte{0: 0xab, 15: 7}

func full() *shelf {
	avro := func(id registry.ID, text string) registry.Schema {
		return registry.Schema{ID: id, Type: registry.Avro, Text: text}
	}
	return &shelf{
		schemas: map[registry.ID]registry.Schema{
			registry.Number(1):  avro(registry.Number(1), small),
			registry.Number(2):  avro(registry.Number(2), row),
			registry.Number(3):  {ID: registry.Number(3), Type: registry.JSON, Text: "{}"},
			registry.Number(4):  {ID: registry.Number(4), Type: registry.Protobuf, Text: "syntax"},
			registry.Number(5):  avro(registry.Number(5), `{"type":"nonsense"}`),
			registry.GUID(guid): avro(registry.GUID(guid), small),
		},
		errors: map[registry.ID]error{
			registry.Number(404): &registry.UnknownError{ID: registry.Number(404)},
			registry.Number(405): &registry.UnusableError{ID: registry.Number(405), Why: "it is too large"},
		},
	}
}

func TestFormats(t *testing.T) {
	const json = `{"eventId":"e","messageId":"m","changes":{"subject":"s"}}`
	withGUID := append(append([]byte{1}, guid[:]...), event(t, "m", "s")...)
	header := func(b []byte) []batcher.Header { return []batcher.Header{{Key: registry.ValueHeader, Value: b}} }
	ce := []batcher.Header{{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("ce1")}}
	tests := []struct {
		name    string
		topic   Topic
		value   []byte
		headers []batcher.Header
		want    string
	}{
		{"JSON, auto", Topic{}, []byte(json), nil, `e m {"subject":"s"}`},
		{"JSON, json", Topic{Format: JSON}, []byte(json), nil, `e m {"subject":"s"}`},
		{"JSON with headers", Topic{Format: JSON}, []byte(json), []batcher.Header{{Key: "trace", Value: []byte("x")}}, `e m {"subject":"s"}`},
		{"tombstone", Topic{}, nil, nil, "skip tombstone"},
		{"tombstone with the id of a schema", Topic{}, nil, header(numbered(1, nil)), "skip tombstone"},
		{"empty value", Topic{}, []byte{}, nil, "reject empty_value"},
		{"no bytes of Avro", Topic{Format: Avro, Schema: small}, []byte{}, nil, "reject invalid_avro"},

		{"Avro behind a number", Topic{}, numbered(1, event(t, "m", "s")), nil, ` m {"subject":"s"}`},
		{"Avro behind a GUID", Topic{Format: Avro}, withGUID, nil, ` m {"subject":"s"}`},
		{"number in the header", Topic{}, event(t, "m", "s"), header(numbered(1, nil)), ` m {"subject":"s"}`},
		{"GUID in the header", Topic{}, event(t, "m", "s"), header(append([]byte{1}, guid[:]...)), ` m {"subject":"s"}`},
		{"the last header counts", Topic{}, event(t, "m", "s"), append(header(numbered(404, nil)), header(numbered(1, nil))...), ` m {"subject":"s"}`},
		{"bare Avro", Topic{Format: Avro, Schema: small}, event(t, "m", "s"), nil, ` m {"subject":"s"}`},
		{"bare Avro that looks framed", Topic{Format: Avro, Schema: small}, numbered(1, event(t, "m", "s")), nil, "reject invalid_avro"},
		{"JSON behind a number", Topic{}, numbered(3, []byte(json)), nil, `e m {"subject":"s"}`},
		{"nothing set", Topic{}, numbered(1, encoded(t, small, map[string]any{"messageId": "m", "changes": map[string]any{"subject": nil}})), nil, "skip empty_change"},

		{"JSON where Avro is to be", Topic{Format: Avro}, []byte(json), nil, "reject invalid_framing"},
		{"Avro where JSON is to be", Topic{Format: JSON}, numbered(1, event(t, "m", "s")), nil, "reject malformed"},
		{"Avro where mapped JSON is to be", Topic{Format: JSON, Mapping: mapping.Config{Preset: "item"}}, numbered(2, []byte{2, 'm', 2, 's'}), nil, "reject malformed"},
		{"bad header", Topic{}, []byte(json), header([]byte{9}), "reject invalid_framing"},
		{"null header", Topic{}, []byte(json), header(nil), "reject invalid_framing"},
		{"unknown", Topic{}, numbered(404, nil), nil, "reject unknown_schema"},
		{"unusable", Topic{}, numbered(405, nil), nil, "reject unusable_schema"},
		{"Protobuf", Topic{}, numbered(4, []byte{0}), nil, "reject unusable_schema"},
		{"no Avro schema", Topic{}, numbered(5, []byte{0}), nil, "reject unusable_schema"},
		{"no schema of events", Topic{}, numbered(2, []byte{2, 'm', 2, 's'}), nil, "reject schema_no_event"},
		{"cut", Topic{}, numbered(1, event(t, "m", "s")[:3]), nil, "reject invalid_avro"},
		{"with something behind", Topic{}, numbered(1, append(event(t, "m", "s"), 0)), nil, "reject invalid_avro"},
		{"reserved member in Avro", Topic{}, numbered(1, event(t, "", "s")), nil, "reject invalid_message_id"},

		{"CloudEvent in JSON", Topic{}, []byte(`{"messageId":"m","changes":{"subject":"s"}}`), ce, `ce1 m {"subject":"s"}`},
		{"CloudEvent in Avro", Topic{}, numbered(1, event(t, "m", "s")), ce, `ce1 m {"subject":"s"}`},
		{"CloudEvents off", Topic{Mapping: mapping.Config{CloudEvents: "off"}}, []byte(`{"messageId":"m","changes":{"subject":"s"}}`), ce, ` m {"subject":"s"}`},
		{"structured CloudEvent", Topic{Mapping: mapping.Config{CloudEvents: "structured"}}, []byte(`{"specversion":"1.0","type":"x","source":"/","id":"ce1","data":{"messageId":"m","changes":{"subject":"s"}}}`), nil, `ce1 m {"subject":"s"}`},

		{"item in JSON", Topic{Mapping: mapping.Config{Preset: "item"}}, []byte(`{"id":"m","subject":"s"}`), nil, ` m {"subject":"s"}`},
		{"item in Avro", Topic{Mapping: mapping.Config{Preset: "item"}}, numbered(2, []byte{2, 'm', 2, 's'}), nil, ` m {"subject":"s"}`},
		{
			"several",
			Topic{Mapping: mapping.Config{JQ: `.ids[] | {eventId: "e\(.)", messageId: ., changes: {subject: "s"}}`}},
			[]byte(`{"ids":["a","b","c"]}`), nil,
			`ea a {"subject":"s"}; eb b {"subject":"s"}; ec c {"subject":"s"}`,
		},
		{
			"several, some without a change",
			Topic{Mapping: mapping.Config{JQ: `.[] | {messageId: "m", changes: .}`}},
			[]byte(`[{},{"lang":"en"},{},{"lang":"de"}]`), nil,
			` m {"lang":"en"};  m {"lang":"de"}`,
		},
		{"several, all without a change", Topic{Mapping: mapping.Config{JQ: `.[] | {messageId: "m", changes: .}`}}, []byte(`[{},{}]`), nil, "skip empty_change"},
		{"several, one is not well", Topic{Mapping: mapping.Config{JQ: `.[] | {messageId: ., changes: {a: 1}}`}}, []byte(`["a",5,"b"]`), nil, "reject invalid_message_id"},
		{
			"jq on Avro",
			Topic{Mapping: mapping.Config{JQ: `{messageId: .id, changes: {subject}}, {messageId: "other", changes: {subject}}`}},
			numbered(2, []byte{2, 'm', 2, 's'}), nil,
			` m {"subject":"s"};  other {"subject":"s"}`,
		},
		{"filtered", Topic{Mapping: mapping.Config{JQ: `empty`}}, []byte(`{}`), nil, "skip filtered"},
		{"jq's error", Topic{Mapping: mapping.Config{JQ: `error("no")`}}, []byte(`{}`), nil, "reject mapping_jq"},
		{"tombstone of a mapping", Topic{Mapping: mapping.Config{Preset: "debezium"}}, nil, nil, "skip tombstone"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := decoder(t, full(), test.topic)
			for range 2 { // nothing is left over from the first time
				expect(t, read(t, d, test.value, test.headers...), test.want)
			}
		})
	}
}

// Avro that is small enough may be too large as JSON, and the limit is to be found.
func TestLargeAsJSON(t *testing.T) {
	topic := Topic{Name: topicName, Format: Avro, Schema: small}
	d, err := New(Config{Topics: []Topic{topic}, Events: schemas.Config{MaxEventBytes: 100}})
	if err != nil {
		t.Fatal(err)
	}
	value := event(t, "m", strings.Repeat("s", 90))
	c := read(t, d, value)
	expect(t, c, "reject invalid_avro")
	if len(value) > 100 || !strings.Contains(c.Reason.Text, "limits.max_event_bytes") {
		t.Errorf("of %d bytes: %s", len(value), c.Reason.Text)
	}
}

func TestTombstonesToTheDeadLetterTopic(t *testing.T) {
	for name, topic := range map[string]Topic{"plain": {}, "mapped": {Mapping: mapping.Config{Preset: "debezium"}}} {
		t.Run(name, func(t *testing.T) {
			topic.Name = topicName
			d, err := New(Config{Topics: []Topic{topic}, Events: schemas.Config{DeadLetterTombstones: true}})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, read(t, d, nil), "reject tombstone")
			// A CloudEvent without data is one as well.
			expect(t, read(t, d, []byte(`{"specversion":"1.0","type":"x","source":"/","id":"1"}`),
				batcher.Header{Key: "content-type", Value: []byte("application/cloudevents+json")}), "reject tombstone")
		})
	}
}

func TestNoRegistry(t *testing.T) {
	expect(t, read(t, decoder(t, nil, Topic{}), numbered(1, event(t, "m", "s"))), "reject no_registry")
}

// What is kept of an event must not change with the next one: the JSON of both has
// stood in the same buffer.
func TestEventsShareNoBuffer(t *testing.T) {
	for name, topic := range map[string]Topic{
		"event":   {},
		"mapped":  {Mapping: mapping.Config{JQ: `., .`}},
		"wrapped": {Mapping: mapping.Config{CloudEvents: "structured"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := decoder(t, full(), topic)
			if name == "wrapped" {
				d = decoder(t, &shelf{schemas: map[registry.ID]registry.Schema{registry.Number(1): {Type: registry.Avro, Text: `{"type":"record","name":"CE","fields":[
					{"name":"specversion","type":"string"},{"name":"type","type":"string"},{"name":"source","type":"string"},{"name":"id","type":"string"},{"name":"data","type":` + small + `}]}`}}}, topic)
			}
			value := func(id, subject string) []byte {
				b := event(t, id, subject)
				if name == "wrapped" {
					b = append([]byte("\x061.0\x02x\x02/\x02i"), b...)
				}
				return numbered(1, b)
			}
			first := read(t, d, value("message-one", "first"))
			want := said(first)
			if first.Verdict != batcher.Send || !strings.Contains(want, "message-one") {
				t.Fatalf("%s: %s", want, first.Reason.Text)
			}
			read(t, d, value("message-two", "other"))
			if got := said(first); got != want {
				t.Errorf("got %s, was %s", got, want)
			}
			kept := len(first.MessageID) + len(first.EventID) + len(first.Patch)
			for _, u := range first.More {
				kept += len(u.MessageID) + len(u.EventID) + len(u.Patch)
			}
			if first.Made != kept {
				t.Errorf("%d bytes are charged, %d are kept", first.Made, kept)
			}
		})
	}
}

// A place in an event that a mapping has made is none in the record.
func TestPlaceInAMappedEvent(t *testing.T) {
	d := decoder(t, nil, Topic{Mapping: mapping.Config{JQ: `{messageId: 5, changes: {a: 1}}`}})
	if c := read(t, d, []byte(`{}`)); !strings.HasSuffix(c.Reason.Text, ", of the event that the mapping makes of the record") {
		t.Errorf("%s", c.Reason.Text)
	}
}

// Each id is asked for once, whatever is in between.
func TestSchemasAreKept(t *testing.T) {
	from := full()
	d := decoder(t, from, Topic{})
	for range 10 {
		expect(t, read(t, d, numbered(1, event(t, "m", "s"))), ` m {"subject":"s"}`)
		expect(t, read(t, d, numbered(405, nil)), "reject unusable_schema")
		expect(t, read(t, d, append(append([]byte{1}, guid[:]...), event(t, "m", "s")...)), ` m {"subject":"s"}`)
	}
	if want := []registry.ID{registry.Number(1), registry.Number(405), registry.GUID(guid)}; !cmp.Equal(from.asked, want, cmp.AllowUnexported(registry.ID{})) {
		t.Errorf("asked for %v, want %v", from.asked, want)
	}
}

// A wait that is called off has learned nothing.
func TestWaitThatIsCalledOff(t *testing.T) {
	from := full()
	d := decoder(t, from, Topic{})
	c := batcher.Change{Record: batcher.Record{Value: numbered(99, nil)}}
	needs, wait := d.Decode(topicName, 0, &c)
	if wait == nil || needs != "schema 99" {
		t.Fatalf("needs %q", needs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	wait(ctx)
	from.schemas[registry.Number(99)] = registry.Schema{Type: registry.Avro, Text: small}
	expect(t, read(t, d, numbered(99, event(t, "m", "s"))), ` m {"subject":"s"}`)
}

// An id that was unknown is asked for again after a while, and no sooner.
func TestUnknownIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := full()
		d := decoder(t, from, Topic{})
		for range 5 {
			expect(t, read(t, d, numbered(404, nil)), "reject unknown_schema")
			time.Sleep(unknownFor / 6)
		}
		if n := len(from.asked); n != 1 {
			t.Errorf("asked %d times within %v", n, unknownFor)
		}
		delete(from.errors, registry.Number(404))
		from.schemas[registry.Number(404)] = registry.Schema{Type: registry.Avro, Text: small}
		time.Sleep(unknownFor)
		expect(t, read(t, d, numbered(404, event(t, "m", "s"))), ` m {"subject":"s"}`)
	})
}

// There are never more ids kept than so many, and those in use come again.
func TestManySchemas(t *testing.T) {
	from := full()
	for n := range uint32(3 * maxKnown) {
		from.errors[registry.Number(1000+n)] = &registry.UnusableError{Why: "x"}
	}
	d := decoder(t, from, Topic{})
	for n := range uint32(3 * maxKnown) {
		read(t, d, numbered(1000+n, nil))
		if n%100 == 0 {
			expect(t, read(t, d, numbered(1, event(t, "m", "s"))), ` m {"subject":"s"}`)
		}
	}
	if n := len(d.known.byID); n > maxKnown {
		t.Errorf("%d are kept, at most %d", n, maxKnown)
	}
}

// Large schemas are kept as far as their texts go.
func TestLargeSchemas(t *testing.T) {
	const large = 1 << 20
	from, ids := full(), uint32(2*maxKnownBytes/large)
	for n := range ids {
		id := registry.Number(1000 + n)
		text := strings.Replace(small, "{", `{"doc":"`+strings.Repeat("d", large)+`",`, 1)
		from.schemas[id] = registry.Schema{ID: id, Type: registry.JSON, Text: text}
	}
	d := decoder(t, from, Topic{})
	for range 2 {
		for n := range ids {
			expect(t, read(t, d, numbered(1000+n, []byte(`{"messageId":"m","changes":{"a":1}}`))), ` m {"a":1}`)
			expect(t, read(t, d, numbered(1, event(t, "m", "s"))), ` m {"subject":"s"}`)
		}
	}
	kept := 0
	for _, s := range d.known.byID {
		kept += s.bytes
	}
	if kept > maxKnownBytes || kept < maxKnownBytes-3*large || kept != d.known.bytes {
		t.Errorf("%d bytes are kept, and %d counted; at most %d", kept, d.known.bytes, maxKnownBytes)
	}
}

func TestLeftOutIsCounted(t *testing.T) {
	d := decoder(t, nil, Topic{Mapping: mapping.Config{Preset: "kustomer-event", KustomerEvent: mapping.KustomerEventConfig{OtherOrg: true}}})
	c := read(t, d, []byte(`{"id":"e","name":"kustomer.message.update","data":{"type":"message","id":"m"},
		"changes":{"attributes":{"subject":{"op":"replace","before":"a","after":"b"},"rev":{"op":"replace","before":1,"after":2}}}}`))
	expect(t, c, `e m {"subject":"b"}`)
	if got, want := d.LeftOut(), map[string]uint64{topicName: 1}; !cmp.Equal(got, want) {
		t.Errorf("left out %v, want %v", got, want)
	}
}

func TestBadTopics(t *testing.T) {
	for name, test := range map[string]struct {
		topic Topic
		want  string
	}{
		"a schema without its format": {Topic{Name: "t", Schema: small}, "topic t: a schema of its own needs the format avro, not auto"},
		"no schema":                   {Topic{Name: "t", Format: Avro, Schema: "{}"}, "topic t: Avro schema: "},
		"no events":                   {Topic{Name: "t", Format: Avro, Schema: row}, "topic t: Avro schema: it is not of message changes"},
		"no mapping":                  {Topic{Name: "t", Mapping: mapping.Config{Preset: "none"}}, "topic t: mapping.preset"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(Config{Topics: []Topic{test.topic}}); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %s…", err, test.want)
			}
		})
	}
	if _, err := New(Config{Topics: []Topic{{Name: "t", Format: Avro, Schema: row, Mapping: mapping.Config{Preset: "item"}}}}); err != nil {
		t.Errorf("a schema of rows with a mapping: %v", err)
	}
}

// Every code that decoding can give is in the closed sets, which are metric labels.
func TestCodesAreClosed(t *testing.T) {
	seen := map[string]bool{}
	for _, code := range append(Rejects(), Skips()...) {
		if seen[code] && code != schemas.CodeTombstone {
			t.Errorf("%s is there twice", code)
		}
		seen[code] = true
	}
	for _, code := range mapping.Skips() {
		if skipTexts[code] == "" {
			t.Errorf("skip %s has no text", code)
		}
	}
}
