package mapping

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas"
)

// mapper leaves programs more time than they have by default: the machine may be busy.
func mapper(t testing.TB, cfg Config) *Mapper {
	t.Helper()
	if cfg.Limits.Time == 0 {
		cfg.Limits.Time = maxTime
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// got words a result, for comparison: the events, each on a line, or why there are
// none.
func got(res Result) string {
	switch {
	case res.Fault != nil:
		return res.Fault.Code + ": " + res.Fault.Text
	case res.Skip != "":
		return "skip: " + res.Skip
	}
	var lines []string
	for _, e := range res.Events {
		lines = append(lines, string(e))
	}
	return strings.Join(lines, "\n")
}

// golden is one file of testdata.
type golden struct {
	Config struct {
		Preset, JQ string
		Debezium   DebeziumConfig
		Kustomer   KustomerEventConfig
	}
	Headers map[string]string
	Key     json.RawMessage
	Value   json.RawMessage
	Want    []json.RawMessage
	Skip    string
	LeftOut int `json:"left_out"`
	Error   string
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var g golden
			dec := json.NewDecoder(strings.NewReader(string(raw)))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&g); err != nil {
				t.Fatal(err)
			}
			g.check(t)
		})
	}
}

func (g golden) check(t *testing.T) {
	m, err := New(Config{Preset: g.Config.Preset, JQ: g.Config.JQ, Debezium: g.Config.Debezium, KustomerEvent: g.Config.Kustomer})
	if g.Error != "" {
		if err == nil || !strings.Contains(err.Error(), g.Error) {
			t.Fatalf("the error is %v, want one with %q", err, g.Error)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	r := Record{Key: g.Key, Value: g.Value}
	for name, value := range g.Headers {
		r.Headers = append(r.Headers, Header{name, []byte(value)})
	}
	kept := string(r.Value)
	res := m.Map(&r)
	if string(r.Value) != kept {
		t.Error("the record's value was changed")
	}
	want := "skip: " + g.Skip
	if g.Skip == "" {
		var lines []string
		for _, e := range g.Want {
			lines = append(lines, compact(t, e))
		}
		want = strings.Join(lines, "\n")
	}
	if diff := cmp.Diff(want, got(compacted(t, res))); diff != "" || res.LeftOut != g.LeftOut {
		t.Errorf("left out %d, want %d; events:\n%s", res.LeftOut, g.LeftOut, diff)
	}
	for _, event := range res.Events {
		c := batcher.Change{Record: batcher.Record{Value: event}}
		if schemas.NewDecoder(schemas.Config{}).Decode(&c); c.Verdict != batcher.Send {
			t.Errorf("the decoder does not take it: %+v", c.Reason)
		}
	}
}

func compact(t *testing.T, raw []byte) string {
	t.Helper()
	v := jsontext.Value(raw).Clone()
	if err := v.Compact(); err != nil {
		t.Fatal(err)
	}
	return string(v)
}

func compacted(t *testing.T, res Result) Result {
	for i, e := range res.Events {
		res.Events[i] = []byte(compact(t, e))
	}
	return res
}

// What message-change makes of any value, and be it none, is that value.
func TestMessageChangeIsUntouched(t *testing.T) {
	m := mapper(t, Config{})
	for _, value := range [][]byte{nil, {}, []byte(`{"messageId":"m","changes":{}}`), []byte("\xff not JSON")} {
		res := m.Map(&Record{Value: value})
		if len(res.Events) != 1 || string(res.Events[0]) != string(value) || (res.Events[0] == nil) != (value == nil) || res.Skip != "" || res.Fault != nil {
			t.Errorf("%q becomes %+v", value, res)
		}
	}
}

func TestMessageChangeCostsNothing(t *testing.T) {
	m := mapper(t, Config{})
	r := &Record{
		Value:   []byte(`{"messageId":"m","changes":{"status":"sent"}}`),
		Headers: []Header{{"traceparent", []byte("00-4bf92f")}, {"content-type", []byte("application/json; charset=UTF-8")}},
	}
	if n := testing.AllocsPerRun(100, func() {
		if res := m.Map(r); len(res.Events) != 1 {
			t.Fatal(res)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The examples of the package's documentation.
func TestDocumented(t *testing.T) {
	for _, c := range []struct {
		cfg         Config
		value, want string
	}{
		{Config{Preset: Item}, `{"id":"64a1","status":"sent","custom":{"tierStr":"gold"}}`, `{"messageId":"64a1","changes":{"status":"sent","custom":{"tierStr":"gold"}}}`},
		{
			Config{Preset: Debezium},
			`{"op":"u","before":{"id":"64a1","status":"error","subject":"Hi"}, "after":{"id":"64a1","status":"sent","subject":"Hi"},"ts_ms":1792591332010}`,
			`{"occurredAt":"2026-10-21T14:02:12.01Z","messageId":"64a1","changes":{"status":"sent"}}`,
		},
		{
			Config{Preset: KustomerEvent, KustomerEvent: KustomerEventConfig{OwnUsers: []string{"u"}}},
			`{"id":"64b2","name":"kustomer.message.update","data":{"type":"message","id":"64a1"}, "changes":{"attributes":{"subject":{"op":"replace","before":"Hi","after":"Re: Hi"},
			 "rev":{"op":"replace","before":1,"after":2}}},"createdAt":"2026-10-21T14:02:12Z"}`,
			`{"eventId":"64b2","occurredAt":"2026-10-21T14:02:12Z","messageId":"64a1","changes":{"subject":"Re: Hi"}}`,
		},
		{
			Config{JQ: `select(.event == "Message Updated")
				| {messageId: .properties.message_id, occurredAt: .sentAt,
				   changes: {status: .properties.status, custom: {tierStr: .properties.tier}}}`},
			`{"event":"Message Updated","sentAt":"2026-10-21T14:02:12Z","properties":{"message_id":"64a1","status":"sent","tier":"gold"}}`,
			`{"changes":{"custom":{"tierStr":"gold"},"status":"sent"},"messageId":"64a1","occurredAt":"2026-10-21T14:02:12Z"}`,
		},
	} {
		if res := got(mapper(t, c.cfg).Map(&Record{Value: []byte(c.value)})); res != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.value, res, c.want)
		}
	}
}

// Every other preset answers these in the same way.
func TestValuesThatAreNone(t *testing.T) {
	for _, cfg := range []Config{{Preset: Item}, {Preset: Debezium}, {Preset: KustomerEvent, KustomerEvent: KustomerEventConfig{OtherOrg: true}}, {JQ: "."}} {
		m := mapper(t, cfg)
		for value, want := range map[string]string{
			"":                         "malformed: the value has no bytes; a tombstone is null",
			" ":                        "malformed: the value is not valid JSON",
			`{"a":`:                    "malformed: the value is not valid JSON",
			`{}{}`:                     "malformed: something follows the value's JSON",
			`{"a":1,"a":2}`:            "malformed: a member name appears twice in one object",
			`{"a":{"b":1,"\u0062":2}}`: "malformed: a member name appears twice in one object",
			"{\"a\":\"\xff\"}":         "malformed: the value is not valid UTF-8",
			strings.Repeat("[", 65) + strings.Repeat("]", 65): "malformed: objects and arrays are nested more than 64 deep",
		} {
			if res := got(m.Map(&Record{Value: []byte(value)})); res != want {
				t.Errorf("%s%s of %q: %s, want %s", cfg.Preset, cfg.JQ, value, res, want)
			}
		}
		if res := got(m.Map(&Record{})); res != "skip: tombstone" {
			t.Errorf("%s%s of a tombstone: %s", cfg.Preset, cfg.JQ, res)
		}
		for _, value := range []string{"1", "null", `"x"`, "[]", " true "} {
			if res := m.Map(&Record{Value: []byte(value)}); len(res.Events) > 0 || res.Fault == nil && res.Skip != SkipTombstone {
				t.Errorf("%s%s of %s: %+v", cfg.Preset, cfg.JQ, value, res)
			}
		}
	}
}

func TestItem(t *testing.T) {
	m := mapper(t, Config{Preset: Item})
	for value, want := range map[string]string{
		`{"id":"m","status":"sent"}`:           `{"messageId":"m","changes":{"status":"sent"}}`,
		` { "status" : "sent" , "id" : "m" } `: `{"messageId":"m","changes":{"status":"sent"}}`,
		`{"\u0069d":"\u006d","a\n":null}`:      `{"messageId":"\u006d","changes":{"a\n":null}}`,
		`{"id":"m"}`:                           "skip: unchanged",
		`{"id":"","a":1}`:                      `{"messageId":"","changes":{"a":1}}`, // the decoder's to judge
		`{"id":7,"a":1}`:                       `mapping_shape: the item's "id" is a number, not a string`,
		`{"id":null,"a":1}`:                    `mapping_shape: the item's "id" is null, not a string`,
		`{"a":1}`:                              `mapping_shape: the item's "id" is missing, not a string`,
		`{"id":"m","_clientRef":"x"}`:          `mapping_shape: the item has "_clientRef", which is the connector's to set`,
		`{"id":"m","_client\u0052ef":null}`:    `mapping_shape: the item has "_clientRef", which is the connector's to set`,
		`[{"id":"m","a":1}]`:                   `mapping_shape: the item is an array, not an object`,
		`{"id":"m","n":-0.10e+400,"i":12345678901234567890123}`: `{"messageId":"m","changes":{"n":-0.10e+400,"i":12345678901234567890123}}`,
	} {
		if res := got(m.Map(&Record{Value: []byte(value)})); res != want {
			t.Errorf("%s:\n got %s\nwant %s", value, res, want)
		}
	}
}

func TestBigValue(t *testing.T) {
	long := strings.Repeat("é😀", 1<<18)
	for _, m := range []*Mapper{mapper(t, Config{Preset: Item}), mapper(t, Config{JQ: `{messageId: .id, changes: {preview}}`})} {
		res := m.Map(&Record{Value: []byte(`{"id":"m","preview":"` + long + `"}`)})
		if len(res.Events) != 1 || !strings.Contains(string(res.Events[0]), long) {
			t.Errorf("%d events, skip %q, fault %v", len(res.Events), res.Skip, res.Fault)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"preset":       {Config{Preset: "debesium"}, `mapping.preset is "debesium"`},
		"both":         {Config{Preset: Item, JQ: "."}, "both set"},
		"cloud events": {Config{CloudEvents: "yes"}, `mapping.cloud_events is "yes"`},
		"nulls":        {Config{Nulls: "none"}, `mapping.nulls is "none"`},
		"unit":         {Config{Preset: Debezium, Debezium: DebeziumConfig{Times: map[string]string{"at": "min"}}}, `column "at" is "min"`},
		"id column":    {Config{Preset: Debezium, Debezium: DebeziumConfig{Columns: map[string]string{"id": "externalId"}}}, "is sent as the id only"},
		"id member":    {Config{Preset: Debezium, Debezium: DebeziumConfig{Columns: map[string]string{"x": "id"}}}, "not to be changed"},
		"no member":    {Config{Preset: Debezium, Debezium: DebeziumConfig{Columns: map[string]string{"x": ""}}}, "no member to go to"},
		"no attribute": {Config{Preset: Debezium, Debezium: DebeziumConfig{Columns: map[string]string{"x": "custom."}}}, "no member to go to"},
		"deep":         {Config{Preset: Debezium, Debezium: DebeziumConfig{Columns: map[string]string{"x": "meta.a"}}}, "only custom has members"},
		"twice":        {Config{Preset: Debezium, Debezium: DebeziumConfig{Columns: map[string]string{"x": "status", "y": "status"}}}, `"x" and "y" both go to "status"`},
		"loop":         {Config{Preset: KustomerEvent}, "needs own_users"},
		"empty user":   {Config{Preset: KustomerEvent, KustomerEvent: KustomerEventConfig{OwnUsers: []string{""}}}, "empty entry"},
	} {
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
	// The default of the configuration file stands beside a program.
	mapper(t, Config{Preset: MessageChange, JQ: "."})
	mapper(t, Config{JQ: " \n"})
}
