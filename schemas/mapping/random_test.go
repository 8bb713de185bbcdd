package mapping

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"kafka-kustomer/internal/canary"
)

// names are those that presets look for, and some that nobody does.
var names = strings.Fields(`id op before after source ts_ms schema payload fields field name type data dataId changes attributes relationships
	conversation custom meta status subject error rev updatedAt modifiedBy createdAt client messageId eventId occurredAt specversion data_base64 time
	__op __deleted __source_ts_ms _clientRef at ` + canary.Value + `Name`)

// words are values that presets look for. All others that are texts are canaries.
var words = []string{
	"u", "c", "r", "d", "t", "m", "true", "message", "kustomer.message.update", "1.0", "io.debezium.time.MicroTimestamp", "io.debezium.data.Json",
	"__debezium_unavailable_value", "2026-10-21T14:02:11Z", "remove", "after", "before",
}

// randomValue draws JSON that looks like what presets read.
func randomValue(t *rapid.T, depth int) string {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return "null"
	case 1:
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "boolean")
	case 2:
		return rapid.SampledFrom([]string{"0", "-0.10e+5", "1792591331925123", "9223372036854775808", "1e400", fmt.Sprint(canary.Number)}).Draw(t, "number")
	case 3:
		return `"` + rapid.SampledFrom(words).Draw(t, "word") + `"`
	case 4:
		return `"` + canary.Value + rapid.SampledFrom([]string{"", `\u00e9`, `\ud83d\ude00`, `\n\"`}).Draw(t, "tail") + `"`
	case 5:
		text := randomValue(t, 0)
		if rapid.Bool().Draw(t, "base64") {
			return `"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"`
		}
		quoted, _ := jsontext.AppendQuote(nil, `{"a":`+text+`}`)
		return string(quoted)
	case 6:
		var list []string
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, randomValue(t, max(depth-1, 0)))
		}
		return "[" + strings.Join(list, " , ") + "]"
	}
	return randomObject(t, depth)
}

func randomObject(t *rapid.T, depth int) string {
	var list []string
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 8, rapid.ID).Draw(t, "names") {
		if rapid.IntRange(0, 9).Draw(t, "escape") == 0 {
			name = fmt.Sprintf(`\u%04x`, name[0]) + name[1:]
		}
		list = append(list, `"`+name+`" : `+randomValue(t, depth-1))
	}
	return "{" + strings.Join(list, ",") + " }"
}

// Whatever comes, each preset has an answer: an event that is JSON, a skip or a fault
// of the closed sets, and no fault says what stands in the record.
func TestRandomRecords(t *testing.T) {
	mappers := map[string]*Mapper{}
	for name, cfg := range map[string]Config{
		"item": {Preset: Item}, "debezium": {Preset: Debezium},
		"columns": {Preset: Debezium, Nulls: NullsAll, Debezium: DebeziumConfig{
			Columns: map[string]string{"status": "custom.statusStr", "subject": "subject", "meta": "meta", "at": "sentAt"}, Times: map[string]string{"at": "us"},
		}},
		"kustomer-event": {Preset: KustomerEvent, KustomerEvent: KustomerEventConfig{OwnUsers: []string{"u"}}},
		"structured":     {Preset: Item, CloudEvents: CloudEventsStructured},
		"identity":       {CloudEvents: CloudEventsStructured},
		"jq":             {JQ: `{messageId: .id, changes: {status, s: (.subject + .meta), t: (.custom | keys), e: error(.error)}}`},
	} {
		mappers[name] = mapper(t, cfg)
	}
	rapid.Check(t, func(t *rapid.T) {
		value := []byte(randomObject(t, 4))
		if rapid.IntRange(0, 4).Draw(t, "damage") == 0 {
			at := rapid.IntRange(0, len(value)-1).Draw(t, "at")
			value[at] = rapid.Byte().Draw(t, "byte")
		}
		kept := bytes.Clone(value)
		headers := []Header{{"ce_specversion", []byte("1.0")}, {"ce_id", []byte(canary.Header)}, {"ce_time", []byte("2026-10-21T14:02:11Z")}}
		for name, m := range mappers {
			res := m.Map(&Record{Value: value, Key: []byte(canary.Key), Headers: headers})
			checkResult(t, name, value, res)
		}
		if !bytes.Equal(kept, value) {
			t.Fatalf("the value was changed: %s", kept)
		}
	})
}

func checkResult(t *rapid.T, name string, value []byte, res Result) {
	switch {
	case res.Fault != nil:
		if at, as := canary.Find([]byte(res.Fault.Error())); at >= 0 {
			t.Fatalf("%s of %s: the fault has a value of the record (%s): %v", name, value, as, res.Fault)
		}
		if !slices.Contains(Faults(), res.Fault.Code) || res.Skip != "" || res.Events != nil {
			t.Fatalf("%s of %s: %+v", name, value, res)
		}
	case res.Skip != "":
		if !slices.Contains(Skips(), res.Skip) || res.Events != nil {
			t.Fatalf("%s of %s: %+v", name, value, res)
		}
	case len(res.Events) != 1:
		t.Fatalf("%s of %s: %d events", name, value, len(res.Events))
	case name != "identity" && !jsontext.Value(res.Events[0]).IsValid():
		t.Fatalf("%s of %s: the event is not valid: %s", name, value, res.Events[0])
	}
}

// On a value that is no JSON at all, too.
func TestRandomBytes(t *testing.T) {
	m := []*Mapper{mapper(t, Config{Preset: Item}), mapper(t, Config{Preset: Debezium}), mapper(t, Config{CloudEvents: CloudEventsStructured}), mapper(t, Config{JQ: "{a: .}"})}
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOfN(rapid.SampledFrom([]byte(`{}[]",:\u01e-nult `+"\n\x00\xff\xc3")), 0, 20).Draw(t, "value")
		for _, m := range m {
			if res := m.Map(&Record{Value: value, Key: value}); len(res.Events) > 0 && !jsontext.Value(value).IsValid() {
				t.Fatalf("%q: %+v", value, res)
			}
		}
	})
}
