package probe

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// members are the members of an object by name.
type members map[string]jsontext.Value

// state is a message as GET shows it: its attributes.
type state struct{ members }

func readState(body []byte) (state, error) {
	var r struct {
		Data struct {
			Attributes members `json:"attributes"`
		} `json:"data"`
	}
	// Its error would quote what it met.
	if json.Unmarshal(body, &r, jsontext.AllowInvalidUTF8(true)) != nil || r.Data.Attributes == nil {
		return state{}, fmt.Errorf("the message was shown in a form that this probe does not know: no data.attributes")
	}
	return state{r.Data.Attributes}, nil
}

// object is a member that is an object; empty where it is not.
func (m members) object(name string) members {
	var out members
	if v := m[name]; kindOf(v) == "object" && json.Unmarshal(v, &out) == nil {
		return out
	}
	return members{}
}

func (s state) custom() members { return s.object("custom") }

// text is a member that is a string, or empty.
func (m members) text(name string) string {
	var s string
	_ = json.Unmarshal(m[name], &s) // then it is empty
	return s
}

// is reports whether a member has this text.
func (m members) is(name, text string) bool { return same(m[name], quote(text)) }

// has reports whether a member is there and not null.
func (m members) has(name string) bool { return !absent(m[name]) }

func absent(v jsontext.Value) bool { return len(v) == 0 || v.Kind() == 'n' }

// same compares by content. What is absent is the same as null: the API shows a
// cleared member either way.
func same(a, b jsontext.Value) bool {
	if absent(a) || absent(b) {
		return absent(a) && absent(b)
	}
	return canonical(a) == canonical(b)
}

func canonical(v jsontext.Value) string {
	c := v.Clone()
	if c.Canonicalize() != nil {
		return string(v)
	}
	return string(c)
}

// differ lists the names whose values differ, in order.
func differ(a, b members) []string {
	var out []string
	for name := range a {
		if !same(a[name], b[name]) {
			out = append(out, name)
		}
	}
	for name := range b {
		if _, both := a[name]; !both && b.has(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// with is a copy in which some values are others.
func (m members) with(changes members) members {
	out := make(members, len(m)+len(changes))
	maps.Copy(out, m)
	maps.Copy(out, changes)
	return out
}

func (m members) without(name string) members {
	out := maps.Clone(m)
	delete(out, name)
	return out
}

// raw is the object as JSON, its names in order.
func (m members) raw() jsontext.Value {
	b, _ := json.Marshal(m, json.Deterministic(true)) // parts of JSON make JSON
	return b
}

func quote(text string) jsontext.Value {
	b, _ := jsontext.AppendQuote(nil, text) // our own texts are UTF-8
	return b
}

var null = jsontext.Value("null")

func kindOf(v jsontext.Value) string {
	if len(v) == 0 {
		return "not set"
	}
	switch v.Kind() {
	case 'n':
		return "null"
	case '"':
		return "text"
	case '{':
		return "object"
	case '[':
		return "list"
	case 't', 'f':
		return "true or false"
	}
	return "number"
}

// textAttribute reports whether a custom attribute of this name holds text.
func textAttribute(name string) bool {
	return len(name) > 3 && name == word(name) && (strings.HasSuffix(name, "Str") || strings.HasSuffix(name, "Txt"))
}

// word passes a text on if it is a short name, and otherwise nothing: an error's
// text may repeat a value.
func word(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("_-.", rune(c)) {
			return ""
		}
	}
	return s
}

// refusal is a 4xx in words that hold no value.
type refusal struct {
	status      int
	code, param string
	ref         bool // it speaks of _clientRef
}

func (r *refusal) String() string {
	s := fmt.Sprintf("%d", r.status)
	if r.code != "" {
		s += " " + r.code
	}
	if r.param != "" {
		s += " (" + r.param + ")"
	}
	return s
}

func readRefusal(r reply) *refusal {
	out := &refusal{status: r.status, ref: r.status == http.StatusBadRequest && strings.Contains(string(r.body), "_clientRef")}
	var body struct {
		Errors []struct {
			Code   jsontext.Value `json:"code"`
			Source struct {
				Parameter jsontext.Value `json:"parameter"`
				Pointer   jsontext.Value `json:"pointer"`
			} `json:"source"`
		} `json:"errors"`
	}
	if json.Unmarshal(r.body, &body, jsontext.AllowInvalidUTF8(true)) != nil || len(body.Errors) == 0 {
		return out
	}
	e := body.Errors[0]
	m := members{"code": e.Code, "parameter": e.Source.Parameter}
	out.code, out.param = word(m.text("code")), word(m.text("parameter"))
	return out
}
