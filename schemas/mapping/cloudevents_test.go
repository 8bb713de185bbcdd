package mapping

import (
	"encoding/base64"
	"strings"
	"testing"
)

const ceType = "Application/CloudEvents+JSON; charset=UTF-8"

func TestStructured(t *testing.T) {
	headers := []Header{{"Content-Type", []byte(ceType)}}
	const own = `{"messageId":"m","changes":{"a":1}}`
	for value, want := range map[string]string{
		`{"specversion":"1.0","id":"x","time":"2026-10-21T14:02:11Z","data":` + own + `}`:              `{"eventId":"x","occurredAt":"2026-10-21T14:02:11Z","messageId":"m","changes":{"a":1}}`,
		`{"specversion":"1.0","id":"x","data":{"eventId":"mine","messageId":"m"}}`:                     `{"eventId":"mine","messageId":"m"}`,
		`{"specversion":"1.0","id":"x","data":{"eventId":null,"messageId":"m"}}`:                       `{"eventId":"x","messageId":"m"}`,
		`{"specversion":"1.0","id":"x","data":{"event\u0049d":null,"occurredAt":null}}`:                `{"eventId":"x","occurredAt":null}`,
		`{"specversion":"1.0","id":"x","data":{}}`:                                                     `{"eventId":"x"}`,
		`{"specversion":"1.0","id":"","time":"noon","data":` + own + `}`:                               own,
		`{"specversion":"1.0","id":7,"time":7,"data":` + own + `}`:                                     own,
		`{"specversion":"1.0","id":"` + strings.Repeat("x", 256) + `","data":` + own + `}`:             own,
		`{"specversion":"1.0","id":"x","data":[1]}`:                                                    `[1]`,
		`{"specversion":"1.0","id":"x","data":null}`:                                                   "skip: tombstone",
		`{"specversion":"1.0","id":"x"}`:                                                               "skip: tombstone",
		`{"specversion":"1.0","data_base64":"` + base64.StdEncoding.EncodeToString([]byte(own)) + `"}`: own,
		`{"specversion":"1.0","id":"x","data_base64":"e30="}`:                                          `{"eventId":"x"}`,
		`{"specversion":"1.0","id":"x","data_base64":"//8="}`:                                          "\xff\xff",
		`{"specversion":"1.0","data":null,"data_base64":null}`:                                         "skip: tombstone",
		`{"specversion":"1.0","data":1,"data_base64":"e30="}`:                                          `mapping_cloudevent: the CloudEvent has both "data" and "data_base64"`,
		`{"specversion":"1.0","data_base64":"***"}`:                                                    `mapping_cloudevent: the CloudEvent's "data_base64" is not the base64 of anything`,
		`{"specversion":"1.0","data_base64":""}`:                                                       `mapping_cloudevent: the CloudEvent's "data_base64" is not the base64 of anything`,
		`{"specversion":"1.0","data_base64":{}}`:                                                       `mapping_cloudevent: the CloudEvent's "data_base64" is an object, not a string`,
		`{"data":{}}`:                                                                                  `mapping_cloudevent: the CloudEvent's "specversion" is missing, not a string`,
		`{"specversion":1.0,"data":{}}`:                                                                `mapping_cloudevent: the CloudEvent's "specversion" is a number, not a string`,
		`[{"specversion":"1.0"}]`:                                                                      `mapping_cloudevent: the CloudEvent is an array, not an object`,
		`{`:                                                                                            `malformed: the value is not valid JSON`,
	} {
		for _, m := range []*Mapper{mapper(t, Config{}), mapper(t, Config{CloudEvents: CloudEventsStructured})} {
			if res := got(m.Map(&Record{Value: []byte(value), Headers: headers})); res != want {
				t.Errorf("%s:\n got %s\nwant %s", value, res, want)
			}
			headers = nil // the second one needs none
		}
		headers = []Header{{"Content-Type", []byte(ceType)}}
	}
}

func TestBinary(t *testing.T) {
	m := mapper(t, Config{})
	headers := []Header{{"ce_id", []byte("x\"é")}, {"ce_specversion", []byte("1.0")}, {"ce_time", []byte("2026-10-21T14:02:11Z")}, {"content-type", []byte("text/plain")}}
	for value, want := range map[string]string{
		`{"messageId":"m","changes":{}}`: `{"eventId":"x\"é","occurredAt":"2026-10-21T14:02:11Z","messageId":"m","changes":{}}`,
		` { "occurredAt" : "mine" } `:    `{"eventId":"x\"é","occurredAt":"mine"}`,
		`{"eventId":"a","occurredAt":1}`: `{"eventId":"a","occurredAt":1}`,
		`{"a":1,"a":2}`:                  `{"a":1,"a":2}`, // the decoder's to refuse
		`7`:                              `7`,
	} {
		if res := got(m.Map(&Record{Value: []byte(value), Headers: headers})); res != want {
			t.Errorf("%s:\n got %s\nwant %s", value, res, want)
		}
	}
	if res := got(m.Map(&Record{Headers: headers})); res != "skip: tombstone" {
		t.Error(res)
	}
	const plain = `{"messageId":"m"}`
	for why, h := range map[string][]Header{
		"no version": {{"ce_id", []byte("x")}},
		"not UTF-8":  {{"ce_specversion", []byte("1.0")}, {"ce_id", []byte("\xff")}, {"ce_time", nil}},
		"too long":   {{"ce_specversion", []byte("1.0")}, {"ce_id", []byte(strings.Repeat("é", 128))}},
	} {
		if res := got(m.Map(&Record{Value: []byte(plain), Headers: h})); res != plain {
			t.Errorf("%s: %s", why, res)
		}
	}
	off := mapper(t, Config{CloudEvents: CloudEventsOff})
	if res := got(off.Map(&Record{Value: []byte(plain), Headers: headers})); res != plain {
		t.Errorf("off: %s", res)
	}
}

// All presets, and each event of a program, get what the envelope says.
func TestCloudEventsAroundPresets(t *testing.T) {
	headers := []Header{{"ce_specversion", []byte("1.0")}, {"ce_id", []byte("x")}}
	for value, c := range map[string]struct {
		cfg  Config
		want string
	}{
		`{"id":"m","a":1}`:                    {Config{Preset: Item}, `{"eventId":"x","messageId":"m","changes":{"a":1}}`},
		`{"op":"c","after":{"id":"m","a":1}}`: {Config{Preset: Debezium}, `{"eventId":"x","messageId":"m","changes":{"a":1}}`},
		event(`{"id":"m"}`, `{"attributes":{"lang":{"after":"en"}}}`, ``): {
			Config{Preset: KustomerEvent, KustomerEvent: KustomerEventConfig{OtherOrg: true}},
			`{"eventId":"e","messageId":"m","changes":{"lang":"en"}}`,
		},
		`["m","n"]`: {Config{JQ: `.[] | {messageId: ., changes: {a: 1}}`}, `{"eventId":"x","changes":{"a":1},"messageId":"m"}` + "\n" + `{"eventId":"x","changes":{"a":1},"messageId":"n"}`},
	} {
		if res := got(mapper(t, c.cfg).Map(&Record{Value: []byte(value), Headers: headers})); res != c.want {
			t.Errorf("%s:\n got %s\nwant %s", value, res, c.want)
		}
	}
}
