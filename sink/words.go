package sink

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxWords    = 300  // bytes of Kustomer's words that are passed on
	maxScrubbed = 4096 // bytes of them that are looked at
)

// apiError is one error in any of the API's three forms:
// {"errors": [{code, message, meta}]}, the JSON:API form with title, detail and
// source, and {status, title, detail} alone.
type apiError struct {
	Code    text `json:"code"`
	Title   text `json:"title"`
	Message text `json:"message"`
	Detail  text `json:"detail"`
	Source  object[struct {
		Pointer    text `json:"pointer"`
		Parameter  text `json:"parameter"`
		Parameters text `json:"parameters"`
	}] `json:"source"`
}

// apiErrors are the errors of one reply; none when it is not Kustomer's.
type apiErrors []apiError

// parseErrors reads an error body, or the "error" of an item, which may be a
// plain string.
func parseErrors(body []byte) apiErrors {
	var plain text
	if lenient(body, &plain) == nil && plain != "" {
		return apiErrors{{Message: plain}}
	}
	var e struct {
		apiError
		Errors list[object[apiError]] `json:"errors"`
	}
	if lenient(body, &e) != nil {
		return nil
	}
	var errs apiErrors
	for _, one := range e.Errors {
		errs = append(errs, one.v)
	}
	if len(errs) == 0 && e.apiError != (apiError{}) {
		errs = apiErrors{e.apiError}
	}
	return errs
}

// parameter is what the first error points at: a member name mostly, sometimes
// a sentence or a JSON pointer.
func (e apiErrors) parameter() string {
	if len(e) == 0 {
		return ""
	}
	s := e[0].Source.v
	return string(first(s.Parameter, s.Parameters, s.Pointer))
}

func first(texts ...text) text {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// nameReference reports whether the errors point at our reference.
func (e apiErrors) nameReference() bool {
	return slices.ContainsFunc(e, func(one apiError) bool {
		s := one.Source.v
		return s.Parameter == "_clientRef" || s.Parameters == "_clientRef" || strings.HasSuffix(string(s.Pointer), "/_clientRef")
	})
}

// wrongRegion reports whether the errors say that the key belongs elsewhere.
func (e apiErrors) wrongRegion() bool {
	return slices.ContainsFunc(e, func(one apiError) bool {
		said := string(one.Code + " " + one.Title + " " + one.Message + " " + one.Detail)
		return regionWord.MatchString(said) && keyWord.MatchString(said)
	})
}

// words puts the errors into one line.
func (e apiErrors) words() string {
	var b strings.Builder
	for i, one := range e {
		if i > 0 {
			b.WriteString("; ")
		}
		said := make([]string, 0, 4)
		for _, t := range []text{one.Code, one.Title, one.Message, one.Detail} {
			if t != "" && !slices.Contains(said, string(t)) {
				said = append(said, string(t))
			}
		}
		b.WriteString(strings.Join(said, ": "))
		s := one.Source.v
		if at := first(s.Parameter, s.Parameters, s.Pointer); at != "" {
			b.WriteString(" (" + string(at) + ")")
		}
	}
	return b.String()
}

// scrubbed returns the errors without the payload's texts, for deciding by
// their words. What they point at stays: it names members.
func (e apiErrors) scrubbed(payload []byte) apiErrors {
	out := slices.Clone(e)
	for i := range out {
		for _, t := range []*text{&out[i].Title, &out[i].Message, &out[i].Detail} {
			*t = text(scrub(bounded(string(*t)), payload))
		}
	}
	return out
}

// clean makes foreign words fit for a log: without texts of the payload, which
// Kustomer may echo, without secrets, on one line, and short.
func (s *Sink) clean(words string, payload []byte) string {
	words = scrub(bounded(words), payload)
	for _, secret := range slices.Concat(s.key.secrets(), s.secrets) {
		if len(secret) >= shortestValue {
			words = strings.ReplaceAll(words, secret, mask)
		}
	}
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "\uFFFD"))
	return truncate(strings.TrimSpace(words), maxWords)
}

func bounded(s string) string { return truncate(s, maxScrubbed) }

// truncate cuts between characters.
func truncate(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

const (
	mask          = "***"
	shortestValue = 4  // a shorter value says nothing, and would mask half of any sentence
	run           = 12 // so much of a longer value gives it away, wherever Kustomer cut it
)

// scrub masks in words every string value of the payload, and every run of 12
// bytes out of a longer one. Member names stay: they say where the trouble is.
func scrub(words string, payload []byte) string {
	if len(words) < shortestValue || len(payload) == 0 {
		return words
	}
	windows := make(map[string][]int)
	for i := 0; i+run <= len(words); i++ {
		windows[words[i:i+run]] = append(windows[words[i:i+run]], i)
	}
	masked := make([]bool, len(words))
	hide := func(at, n int) {
		for i := at; i < at+n; i++ {
			masked[i] = true
		}
	}
	eachString(payload, func(v string) {
		if len(v) < run {
			for at, i := 0, strings.Index(words, v); i >= 0; i = strings.Index(words[at:], v) {
				hide(at+i, len(v))
				at += i + len(v)
			}
			return
		}
		for i := 0; i+run <= len(v); i++ {
			for _, at := range windows[v[i:i+run]] {
				hide(at, run)
			}
		}
	})
	var b strings.Builder
	for i := range len(words) {
		switch {
		case !masked[i]:
			b.WriteByte(words[i])
		case i == 0 || !masked[i-1]:
			b.WriteString(mask)
		}
	}
	return b.String()
}

// eachString calls f for the string values, not the names, of a JSON text.
func eachString(payload []byte, f func(string)) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return
		}
		if tok.Kind() != jsontext.KindString {
			continue
		}
		if kind, n := dec.StackIndex(dec.StackDepth()); kind == jsontext.KindBeginObject && n%2 == 1 {
			continue // a name
		}
		if v := tok.String(); len(v) >= shortestValue {
			f(v)
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// lenient decodes a reply. Kustomer echoes our texts, cut in the middle of a
// character at times, so half a surrogate pair must not spoil the whole.
func lenient(body []byte, v any) error {
	return json.Unmarshal(body, v, jsontext.AllowInvalidUTF8(true))
}

// text is a string, number or boolean as text; anything else is no text. The
// documents disagree on which of them is which.
type text string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case jsontext.KindString, jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		v, err := dec.ReadValue()
		if err == nil {
			*t = text(unquote(v))
		}
		return err
	}
	return dec.SkipValue()
}

// unquote returns what a string that ReadValue has let pass stands for, and any
// other value as it is.
func unquote(v jsontext.Value) []byte {
	if v.Kind() != jsontext.KindString {
		return v
	}
	if bytes.IndexByte(v, '\\') < 0 && utf8.Valid(v) {
		return v[1 : len(v)-1]
	}
	s, _ := jsontext.AppendUnquote(nil, v)
	return s
}

// object is a T where an object stands, and its zero where anything else does.
type object[T any] struct{ v T }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (o *object[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	return json.UnmarshalDecode(dec, &o.v)
}

// list is a []T where an array stands, and empty where anything else does. A *T
// must be a json.UnmarshalerFrom.
type list[T any] []T

// UnmarshalJSONFrom implements json.UnmarshalerFrom. The elements' own method is
// called without the detour over reflection.
func (l *list[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginArray {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndArray {
		*l = append(*l, *new(T))
		if err := any(&(*l)[len(*l)-1]).(json.UnmarshalerFrom).UnmarshalJSONFrom(dec); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}
