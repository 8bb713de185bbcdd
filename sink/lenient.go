package sink

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

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

// maxTexts is the most texts of a list that count.
const maxTexts = 100

// texts is a list of texts; one alone where no array stands.
type texts []string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *texts) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginArray {
		var one text
		err := one.UnmarshalJSONFrom(dec)
		if one != "" {
			*t = append(*t, string(one))
		}
		return err
	}
	var many list[text]
	if err := json.UnmarshalDecode(dec, &many); err != nil {
		return err
	}
	for _, one := range many[:min(len(many), maxTexts)] {
		*t = append(*t, string(one))
	}
	return nil
}

// first returns the first text that is not empty.
func first[T ~string | ~[]byte](texts ...T) (t T) {
	for _, t = range texts {
		if len(t) > 0 {
			break
		}
	}
	return t
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
