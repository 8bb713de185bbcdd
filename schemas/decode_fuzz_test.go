package schemas

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kafka-kustomer/batcher"
)

// FuzzDecode holds the decoder against a dumb twin that decodes everything into
// maps with encoding/json.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		typicalEvent,
		`{"messageId":"m1","changes":{}}`,
		`{"messageId":"m1","changes":{"id":1}}`,
		`{"messageId":"m1","changes":{"a":1},"changes":{"b":1}}`,
		`{"message\u0049d":"\ud83d\ude00","changes":{"a":"\ud800"}}`,
		`{"messageId":"m","occurredAt":"2026-11-24T02:30:00.5+01:00","eventId":null,"changes":{"a":[[{"b":{}}]]}} `,
		`{"messageId":"m","changes":{"a":` + nested(62) + `}}`,
		`{"messageId":"m","changes":{"a":` + nested(63) + `}}`,
		"{\"messageId\":\"\xff\"}", `[]`, `nul`, `{"a":1}{`, `{"\u0000":0e1}`,
	} {
		f.Add([]byte(seed))
	}
	d := NewDecoder(Config{})
	f.Fuzz(func(t *testing.T, value []byte) {
		if value == nil {
			value = []byte{}
		}
		kept := bytes.Clone(value)
		c := batcher.Change{Record: batcher.Record{Value: value}}
		d.Decode(&c)
		if !bytes.Equal(kept, value) {
			t.Fatalf("the value was changed: %q", value)
		}
		w := twin(value)
		if c.Verdict != w.Verdict {
			t.Fatalf("%q: verdict %d (%+v), the twin says %d", value, c.Verdict, c.Reason, w.Verdict)
		}
		if string(c.MessageID) != string(w.MessageID) || string(c.EventID) != string(w.EventID) || string(c.Patch) != string(w.Patch) || !c.OccurredAt.Equal(w.OccurredAt) {
			t.Fatalf("%q:\n got %q %q %q %v\nwant %q %q %q %v", value,
				c.MessageID, c.EventID, c.Patch, c.OccurredAt, w.MessageID, w.EventID, w.Patch, w.OccurredAt)
		}
	})
}

// twin decodes by the rules as they are written down, without any care for cost.
func twin(value []byte) batcher.Change {
	reject := batcher.Change{Verdict: batcher.Reject}
	if !json.Valid(value) || !utf8.Valid(value) || loneSurrogate(string(value)) || !plain(value) {
		return reject
	}
	var event map[string]json.RawMessage
	if json.Unmarshal(value, &event) != nil || event == nil {
		return reject
	}
	var messageID, eventID *string
	var occurredAt *time.Time
	var changes map[string]any
	if json.Unmarshal(event["messageId"], &messageID) != nil || messageID == nil || *messageID == "" || len(*messageID) > 255 {
		return reject
	}
	if json.Unmarshal(event["changes"], &changes) != nil || changes == nil {
		return reject
	}
	for _, reserved := range []string{"id", "_clientRef"} {
		if _, has := changes[reserved]; has {
			return reject
		}
	}
	c := batcher.Change{MessageID: []byte(*messageID), Patch: bytes.TrimSpace(event["changes"])}
	if raw, has := event["eventId"]; has {
		if json.Unmarshal(raw, &eventID) != nil || eventID != nil && len(*eventID) > 255 {
			return reject
		}
		if eventID != nil {
			c.EventID = []byte(*eventID)
		}
	}
	if raw, has := event["occurredAt"]; has {
		var text *string
		if json.Unmarshal(raw, &text) != nil {
			return reject
		}
		if text != nil {
			at, err := json.Marshal(*text)
			if err != nil || json.Unmarshal(at, &occurredAt) != nil {
				return reject
			}
			c.OccurredAt = *occurredAt
		}
	}
	if len(changes) == 0 {
		c.Verdict = batcher.Skip
	}
	return c
}

// plain reports that no object has a name twice and that nothing is too deep.
func plain(value []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	type level struct {
		names map[string]bool // nil for an array
		name  bool            // a name comes next
	}
	var stack []level
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return true
		}
		if err != nil {
			return false
		}
		top := len(stack) - 1
		if s, isString := tok.(string); isString && top >= 0 && stack[top].name {
			if stack[top].names[s] {
				return false
			}
			stack[top].names[s] = true
			stack[top].name = false
			continue
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}, name: true})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
		}
		if len(stack) > 64 {
			return false
		}
		// After a value, the object that holds it expects a name again.
		if top = len(stack) - 1; top >= 0 && stack[top].names != nil && tok != json.Delim('{') {
			stack[top].name = true
		}
	}
}

// loneSurrogate finds half a surrogate pair in valid JSON, which encoding/json
// would quietly replace.
func loneSurrogate(s string) bool {
	s = strings.ReplaceAll(s, `\\`, "")
	isSurrogate := func(s, second string) bool {
		return len(s) >= 6 && s[0] == '\\' && s[1] == 'u' && strings.ContainsRune("dD", rune(s[2])) && strings.ContainsRune(second, rune(s[3]))
	}
	for i := 0; i < len(s); i++ {
		switch {
		case isSurrogate(s[i:], "89abAB"):
			if !isSurrogate(s[i+6:], "cdefCDEF") {
				return true
			}
			i += 11
		case isSurrogate(s[i:], "cdefCDEF"):
			return true
		}
	}
	return false
}
