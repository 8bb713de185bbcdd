package jsonscan

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestPlain(t *testing.T) {
	for _, s := range []string{
		`{}`, ` { } `, "[]", `[ 1 , 2 ]`, `{"a":1}`, "\t{\"a\" : -0.5e+7 ,\r\n\"b\":[true,false,null]}", `"x"`, `0`, `-1`, `12.5E3`,
		`{"text":"a \"quoted\" one \\ with \n and \/ escapes"}`, `{"a":"é 😀 long enough for whole words of eight bytes"}`,
		`{"a":{"a":{"a":1}},"b":{"a":2}}`, `{"abcdefgh":"abcdefgh","abcdefg":"abcdefg"}`, `""`, `{"":""}`,
		nested(plainDepth), object(plainNames),
	} {
		if !Plain([]byte(s)) {
			t.Errorf("%s is not plain", s)
		}
	}
	for why, s := range map[string]string{
		"nothing": ``, "only blanks": ` `, "two values": `{}{}`, "a comma more": `[1,]`, "a comma less": `[1 2]`, "no colon": `{"a"1}`, "no value": `{"a":}`,
		"a name twice": `{"a":1,"a":2}`, "inside too": `{"x":{"a":1,"b":1,"a":2}}`, "after an inner object": `{"a":{"b":1},"a":2}`, "an escaped name": `{"\/":1}`,
		"a zero before": `01`, "a point alone": `1.`, "no exponent": `1e`, "a plus": `+1`, "a minus alone": `-`, "a word cut short": `tru`, "another word": `nul1`,
		"a control character": "\"a\x1f\"", "bad UTF-8": "\"\xff\"", "half a character": "\"\xc3\"", "a surrogate": "\"\xed\xa0\x80\"", "no end": `"abc`, "an escape without end": `"abc\`,
		"an unknown escape": `"\x"`, "a written character": `"\u00e9"`, "too deep": nested(plainDepth + 1), "too many names": object(plainNames + 1), "an open object": `{"a":1`, "a name without end": `{"a`,
		"a NUL": "\x00", "NUL in a string": "\"\x00\"",
	} {
		if Plain([]byte(s)) {
			t.Errorf("%s is plain: %q", why, s)
		}
	}
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func object(names int) string {
	var b strings.Builder
	for i := range names {
		b.WriteString(`,"` + strings.Repeat("n", i+1) + `":1`)
	}
	return "{" + b.String()[1:] + "}"
}

// A special byte is found wherever it stands in a word, whatever stands beside it.
func TestSpecials(t *testing.T) {
	for c := range 256 {
		special := c < ' ' || c == '"' || c == '\\' || c >= 0x80
		for at := range 8 {
			for _, fill := range []byte{' ', '!', '#', '[', ']', 'a', 0x7f} {
				b := []byte(`"` + strings.Repeat(string(fill), 8) + `"`)
				b[1+at] = byte(c)
				want := jsontext.Value(b).IsValid()
				if got := Plain(b); got && !want || !special && !got {
					t.Fatalf("plain(%q) is %v, valid is %v", b, got, want)
				}
			}
		}
	}
}

// Whatever is plain is valid for jsontext with all its checks on.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"c\n"},null],"d":-1.5e9}`, `{"a":1,"a":2}`, "\"\xff\"", `[[[]]]`, `{"x":{"y":"é"},"":0}`, ` 1 `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if Plain(b) && !jsontext.Value(b).IsValid() {
			t.Errorf("plain, but not valid: %q", b)
		}
	})
}

// The walk over what is valid sees what a decoder sees.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"c\"\\"},null],"d":-1.5e9}`, `{"a" : {"a":{}} , "b":[]}`, `{"\"":"\\","é":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v := jsontext.Value(b); !v.IsValid() || v.Kind() != jsontext.KindBeginObject {
			return
		}
		dec := jsontext.NewDecoder(strings.NewReader(string(b)))
		if _, err := dec.ReadToken(); err != nil {
			t.Fatal(err)
		}
		s := Scan(b)
		for s.Next() {
			name, err := dec.ReadToken()
			if err != nil || name.String() != string(s.Name) {
				t.Fatalf("name %q, want %v (%v) in %q", s.Name, name, err, b)
			}
			value, err := dec.ReadValue()
			if got := s.Bytes(); err != nil || string(value) != string(got) {
				t.Fatalf("value %q, want %q (%v) in %q", got, value, err, b)
			}
		}
		if rest := strings.TrimSpace(string(b[s.Pos():])); rest != "" || dec.PeekKind() != jsontext.KindEndObject {
			t.Fatalf("stopped before %q in %q", rest, b)
		}
	})
}

// The outline of what is plain is what a decoder sees, two levels deep.
func FuzzOutline(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":2}],"c":{"d":{"e":1},"f":[]},"g":null}`, `{}`, ` { "a" : { } , "b" : { "c" : 1 } } `, `[{"a":1}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var o Outline
		o.Read([]byte(`{"left":{"from":"before"}}`))
		got := o.Read(b)
		if want := Plain(b) && jsontext.Value(b).Kind() == jsontext.KindBeginObject; got != want {
			t.Fatalf("read %v, want %v: %q", got, want, b)
		}
		if !got {
			return
		}
		next := 0
		for s := Scan(b); s.Next(); {
			m := o.Members[next]
			next++
			inner := s
			if m.Name != s.Raw || m.Value != s.Value() {
				t.Fatalf("%q is %q, want %q in %q", m.Name.Of(b), m.Value.Of(b), s.Raw.Of(b), b)
			}
			inside := 0
			if inner.AtObject() {
				for inner.Enter(); inner.Next(); inside++ {
					if at := o.Members[next+inside]; at.Name != inner.Raw || at.Value != inner.Value() || at.Inside != 0 {
						t.Fatalf("%q in %q is %q in %q", at.Name.Of(b), m.Name.Of(b), at.Value.Of(b), b)
					}
				}
			}
			if m.Inside != inside {
				t.Fatalf("%q has %d members, want %d: %q", m.Name.Of(b), m.Inside, inside, b)
			}
			next += inside
		}
		if next != len(o.Members) {
			t.Fatalf("%d members, want %d: %q", len(o.Members), next, b)
		}
	})
}
