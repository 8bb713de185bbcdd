package schemas

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

const typicalEvent = `{"eventId": "0f8fad5b-d9cb-469f-a165-70867728950e", "occurredAt": "2026-11-24T02:30:00.123Z",
 "messageId": "64a1f0c2b7d9e30012ab1001", "changes": {"subject": "Re: order 1041", "status": "received",
 "preview": "Thank you for your order, we will be with you shortly", "sentAt": "2026-11-24T02:29:58.000Z",
 "custom": {"tierStr": "gold", "noteTxt": null, "scoreNum": 12.5}}}`

func decode(cfg Config, value []byte) batcher.Change {
	c := batcher.Change{Record: batcher.Record{Value: value}}
	NewDecoder(cfg).Decode(&c)
	return c
}

func TestDecodeTakesTheMembers(t *testing.T) {
	tests := []struct {
		name, value               string
		messageID, eventID, patch string
		occurredAt                time.Time
	}{
		{
			name: "all", value: `{"eventId":"e1","occurredAt":"2026-11-24T02:30:00.123Z","messageId":"m1","changes":{"a":1}}`,
			messageID: "m1", eventID: "e1", patch: `{"a":1}`, occurredAt: time.Date(2026, 11, 24, 2, 30, 0, 123e6, time.UTC),
		},
		{name: "only what is required", value: `{"messageId":"m1","changes":{"a":null}}`, messageID: "m1", patch: `{"a":null}`},
		{name: "optional members null", value: `{"eventId":null,"occurredAt":null,"messageId":"m1","changes":{"a":1}}`, messageID: "m1", patch: `{"a":1}`},
		{name: "event id empty", value: `{"eventId":"","messageId":"m1","changes":{"a":1}}`, messageID: "m1", patch: `{"a":1}`},
		{name: "any order, unknown members", value: `{"v":{"messageId":"no"},"changes":{"a":1},"messageId":"m1","x":[{}]}`, messageID: "m1", patch: `{"a":1}`},
		{name: "white space stays in the patch", value: " {\"messageId\":\"m1\",\"changes\" : { \"a\" : [ 1 ] } }\n", messageID: "m1", patch: `{ "a" : [ 1 ] }`},
		{name: "escapes", value: `{"message\u0049d":"m\u00e9\n","changes":{"\u0061":"\ud83d\ude00"}}`, messageID: "mé\n", patch: `{"\u0061":"\ud83d\ude00"}`},
		{name: "reserved names deeper down", value: `{"messageId":"m1","changes":{"custom":{"id":"x","_clientRef":1}}}`, messageID: "m1", patch: `{"custom":{"id":"x","_clientRef":1}}`},
		{name: "zone", value: `{"occurredAt":"2026-11-24T04:30:00+02:00","messageId":"m1","changes":{"a":1}}`, messageID: "m1", patch: `{"a":1}`, occurredAt: time.Date(2026, 11, 24, 2, 30, 0, 0, time.UTC)},
		{name: "longest id", value: `{"messageId":"` + strings.Repeat("m", 255) + `","changes":{"a":1}}`, messageID: strings.Repeat("m", 255), patch: `{"a":1}`},
		{name: "brackets in strings are no depth", value: `{"messageId":"m1","changes":{"a":"` + strings.Repeat(`[\"{`, 100) + `"}}`, messageID: "m1", patch: `{"a":"` + strings.Repeat(`[\"{`, 100) + `"}`},
		{name: "deepest", value: `{"messageId":"m1","changes":{"a":` + nested(62) + `}}`, messageID: "m1", patch: `{"a":` + nested(62) + `}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := decode(Config{MaxEventBytes: 1 << 20}, []byte(tt.value))
			if c.Verdict != batcher.Send {
				t.Fatalf("verdict %d, reason %+v; want Send", c.Verdict, c.Reason)
			}
			got := []string{string(c.MessageID), string(c.EventID), string(c.Patch)}
			if diff := cmp.Diff([]string{tt.messageID, tt.eventID, tt.patch}, got); diff != "" {
				t.Errorf("message id, event id, patch (-want +got):\n%s", diff)
			}
			if !c.OccurredAt.Equal(tt.occurredAt) {
				t.Errorf("OccurredAt = %v, want %v", c.OccurredAt, tt.occurredAt)
			}
			if c.Reason != (batcher.Reason{}) {
				t.Errorf("Reason = %+v, want none", c.Reason)
			}
		})
	}
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestDecodeRefuses(t *testing.T) {
	const ok = `"messageId":"m1","changes":{"a":1}`
	tests := []struct {
		name, value, code, text string
	}{
		{"no bytes", "", CodeEmptyValue, "no bytes"},
		{"blank", " \n", CodeMalformed, "ends in the middle"},
		{"array", `[{` + ok + `}]`, CodeMalformed, "an array, not an object"},
		{"string", `"x"`, CodeMalformed, "a string, not an object"},
		{"cut", `{` + ok, CodeMalformed, "ends in the middle of its JSON, at byte 35"},
		{"trailing data", `{` + ok + `} {}`, CodeMalformed, "something follows"},
		{"trailing garbage", `{` + ok + `}x`, CodeMalformed, "something follows"},
		{"comma at the end", `{` + ok + `,}`, CodeMalformed, "not valid JSON"},
		{"duplicate member", `{` + ok + `,"x":1,"x":2}`, CodeMalformed, "appears twice"},
		{"duplicate member, other spelling", `{` + ok + `,"message\u0049d":"m2"}`, CodeMalformed, "appears twice"},
		{"duplicate deep in the patch", `{"messageId":"m1","changes":{"a":[{"b":1,"b":2}]}}`, CodeMalformed, "appears twice"},
		{"duplicate in an unknown member", `{` + ok + `,"x":{"b":1,"b":2}}`, CodeMalformed, "appears twice"},
		{"invalid UTF-8", "{" + ok + ",\"x\":\"\xff\"}", CodeMalformed, "not valid UTF-8"},
		{"lone surrogate", `{` + ok + `,"x":"\ud800"}`, CodeMalformed, "not valid JSON"},
		{"too deep", `{"messageId":"m1","changes":{"a":` + nested(63) + `}}`, CodeMalformed, "nested more than 64"},
		{"far too deep", `{"messageId":"m1","changes":{"a":` + nested(20000) + `}}`, CodeMalformed, "not valid JSON"},
		{"number as name", `{1:2}`, CodeMalformed, "not valid JSON"},
		{"NaN", `{` + ok + `,"x":NaN}`, CodeMalformed, "not valid JSON"},
		{"no message id", `{"changes":{"a":1}}`, CodeMessageID, `no "messageId"`},
		{"message id null", `{"messageId":null,"changes":{}}`, CodeMessageID, "null, not a string, at byte 13"},
		{"message id number", `{"messageId":7,"changes":{}}`, CodeMessageID, "a number"},
		{"message id empty", `{"messageId":"","changes":{}}`, CodeMessageID, "empty"},
		{"message id too long", `{"messageId":"` + strings.Repeat("é", 128) + `","changes":{}}`, CodeMessageID, "256 bytes"},
		{"message id in another case", `{"messageid":"m1","changes":{"a":1}}`, CodeMessageID, `no "messageId"`},
		{"event id object", `{"eventId":{},` + ok + `}`, CodeEventID, "an object"},
		{"event id too long", `{"eventId":"` + strings.Repeat("e", 256) + `",` + ok + `}`, CodeEventID, "256 bytes"},
		{"time in words", `{"occurredAt":"yesterday",` + ok + `}`, CodeOccurredAt, "RFC 3339"},
		{"time without zone", `{"occurredAt":"2026-11-24T02:30:00",` + ok + `}`, CodeOccurredAt, "RFC 3339"},
		{"time as number", `{"occurredAt":1764000000,` + ok + `}`, CodeOccurredAt, "a number"},
		{"no changes", `{"messageId":"m1"}`, CodeChanges, `no "changes"`},
		{"changes null", `{"messageId":"m1","changes":null}`, CodeChanges, "null"},
		{"changes array", `{"messageId":"m1","changes":[]}`, CodeChanges, "an array"},
		{"changes boolean", `{"messageId":"m1","changes":true}`, CodeChanges, "a boolean"},
		{"id in changes", `{"messageId":"m1","changes":{"a":1,"id":"m2"}}`, CodeChanges, `reserved member "id"`},
		{"id in changes, escaped", `{"messageId":"m1","changes":{"\u0069d":"m2"}}`, CodeChanges, `reserved member "id"`},
		{"reference in changes", `{"messageId":"m1","changes":{"_clientRef":"r"}}`, CodeChanges, `reserved member "_clientRef"`},
		{"oversize", `{"x":"` + strings.Repeat("y", 50000) + `",` + ok + `}`, CodeOversize, "the bound is 50000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := decode(Config{MaxEventBytes: 50000}, []byte(tt.value))
			if c.Verdict != batcher.Reject || c.Reason.Code != tt.code || !strings.Contains(c.Reason.Text, tt.text) {
				t.Errorf("verdict %d, reason %+v; want Reject, code %q, text with %q", c.Verdict, c.Reason, tt.code, tt.text)
			}
			if c.MessageID != nil || c.EventID != nil || c.Patch != nil || !c.OccurredAt.IsZero() {
				t.Errorf("a rejected change keeps members: %+v", c)
			}
		})
	}
}

func TestDecodeSkips(t *testing.T) {
	if c := decode(Config{}, nil); c.Verdict != batcher.Skip || c.Reason.Code != CodeTombstone {
		t.Errorf("tombstone: verdict %d, reason %+v; want Skip", c.Verdict, c.Reason)
	}
	if c := decode(Config{DeadLetterTombstones: true}, nil); c.Verdict != batcher.Reject || c.Reason.Code != CodeTombstone {
		t.Errorf("tombstone to be dead-lettered: verdict %d, reason %+v; want Reject", c.Verdict, c.Reason)
	}
	c := decode(Config{}, []byte(`{"messageId":"m1","changes":{ }}`))
	if c.Verdict != batcher.Skip || c.Reason.Code != CodeEmptyChange || string(c.MessageID) != "m1" {
		t.Errorf("empty change: verdict %d, id %q, reason %+v; want Skip", c.Verdict, c.MessageID, c.Reason)
	}
	c = decode(Config{}, []byte(`{"messageId":"m1","changes":{},"x":{"a":1,"a":2}}`))
	if c.Verdict != batcher.Reject {
		t.Errorf("an empty change in a malformed event is no Skip: %+v", c)
	}
}

// A decoder lives as long as its partition worker: what one event leaves behind
// must not show in the next.
func TestDecoderForgetsTheLastEvent(t *testing.T) {
	d := NewDecoder(Config{})
	c := batcher.Change{}
	for _, value := range []string{typicalEvent, `{"a":{"b":`, `[`, `{"messageId":"m1","changes":{}}`, "{\"\xff", typicalEvent, `{"messageId":"m2","changes":{"a":1}}`} {
		c.Record.Value = []byte(value)
		d.Decode(&c)
	}
	if c.Verdict != batcher.Send || string(c.MessageID) != "m2" || c.EventID != nil || !c.OccurredAt.IsZero() || c.Reason.Code != "" {
		t.Errorf("after others: %+v", c)
	}
	c.Record.Value = nil
	if d.Decode(&c); c.Verdict != batcher.Skip || c.MessageID != nil || c.Patch != nil {
		t.Errorf("a tombstone after an event: %+v", c)
	}
}

func TestReasonsHoldNoPayload(t *testing.T) {
	values := []string{
		`{"messageId":"m","changes":{"` + canary.Value + `":1,"` + canary.Value + `":2}}`,
		`{"` + canary.Value + `":` + canary.Value + `}`,
		`{"messageId":"` + strings.Repeat(canary.Value, 90) + `","changes":{}}`,
		`{"messageId":"m","occurredAt":"` + canary.Value + `","changes":{}}`,
		`{"messageId":"m","changes":"` + canary.Value + `"}`,
		`{"messageId":"m","changes":{"a":"\u` + canary.Value + `"}}`,
		`{"messageId":"m","changes":{"a":1}}` + canary.Value,
		canary.Value,
		"{\"" + canary.Value + "\xff\":1}",
	}
	for _, value := range values {
		c := decode(Config{}, []byte(value))
		if c.Verdict != batcher.Reject {
			t.Errorf("%s: not rejected", value)
		}
		if strings.Contains(c.Reason.Text, canary.Value) || strings.Contains(c.Reason.Text, "'q'") {
			t.Errorf("%s: the reason quotes the event: %s", value, c.Reason.Text)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d := NewDecoder(Config{MaxEventBytes: 1 << 20})
	c := batcher.Change{Record: batcher.Record{Value: []byte(typicalEvent)}}
	if n := testing.AllocsPerRun(200, func() { d.Decode(&c) }); n > 0 {
		t.Errorf("%v allocations an event, want 0", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	d := NewDecoder(Config{MaxEventBytes: 1 << 20})
	c := batcher.Change{Record: batcher.Record{Value: []byte(typicalEvent)}}
	b.SetBytes(int64(len(typicalEvent)))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(&c)
	}
}

// Strict rejects what breaks a rule of the reference, and names up to three members:
// never a value.
func TestDecodeStrict(t *testing.T) {
	long := strings.Repeat("x", 257)
	tests := []struct{ name, changes, text string }{
		{"right", `{"subject":"a","custom":{"tierStr":null},"new":1}`, ""},
		{"one", `{"subject":"` + long + `"}`, `"changes" breaks what Kustomer's bulk API reference says: subject (string): a string of at most 256 characters, or null`},
		{
			"three", `{"rev":1,"size":"x","custom":{"a":1}}`,
			`"changes" breaks what Kustomer's bulk API reference says: rev (number): read-only; size (string): a number; custom.a (number): not the name of a custom attribute, which ends in Str, Txt, Num, At, Bool, Url or Id`,
		},
		{
			"four, escaped", `{"re\u0076":1,"size":"x","lang":{},"app":null}`,
			`"changes" breaks what Kustomer's bulk API reference says: rev (number): read-only; size (string): a number; lang (object): a string of at most 100 characters, or null; and more`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value := []byte(`{"messageId":"m1","eventId":"e1","changes":` + tt.changes + `}`)
			want := batcher.Change{Verdict: batcher.Send, MessageID: []byte("m1"), EventID: []byte("e1"), Patch: []byte(tt.changes), Record: batcher.Record{Value: value}}
			if diff := cmp.Diff(want, decode(Config{}, value)); diff != "" {
				t.Errorf("not strict (-want +got):\n%s", diff)
			}
			if tt.text != "" {
				want = batcher.Change{Verdict: batcher.Reject, Reason: batcher.Reason{Code: CodeInvalid, Text: tt.text}, Record: batcher.Record{Value: value}}
			}
			if diff := cmp.Diff(want, decode(Config{Strict: true}, value)); diff != "" {
				t.Errorf("strict (-want +got):\n%s", diff)
			}
		})
	}
}

// What is skipped, or is no event, is so in strict mode too.
func TestDecodeStrictKeepsOtherVerdicts(t *testing.T) {
	for value, want := range map[string]string{
		`{"messageId":"m1","changes":{}}`:                CodeEmptyChange,
		`{"messageId":"m1","changes":{"id":1,"rev":1}}`:  CodeChanges,
		`{"changes":{"rev":1}}`:                          CodeMessageID,
		`{"messageId":"m1","changes":{"rev":1,"rev":2}}`: CodeMalformed,
	} {
		if c := decode(Config{Strict: true}, []byte(value)); c.Reason.Code != want {
			t.Errorf("%s: %+v, want %s", value, c.Reason, want)
		}
	}
}
