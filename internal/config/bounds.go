package config

import (
	"fmt"
	"reflect"
	"strings"
)

// breaks says which of its field's own rules a value breaks, or nothing: the
// words of oneof, or the bounds of range.
func breaks(v reflect.Value, tag reflect.StructTag) string {
	if words, ok := tag.Lookup("oneof"); ok {
		return notOneOf(v.String(), strings.Split(words, ","))
	}
	if bounds, ok := tag.Lookup("range"); ok {
		low, high, _ := strings.Cut(bounds, "..")
		if x := number(v); !(bound(v.Type(), low) <= x && x <= bound(v.Type(), high)) {
			return fmt.Sprintf("is outside %s to %s", low, high)
		}
	}
	return ""
}

func notOneOf(value string, words []string) string {
	var shown []string
	for _, word := range words {
		if word == value {
			return ""
		}
		if word == "" {
			word = `""`
		}
		shown = append(shown, word)
	}
	text := "is none of " + strings.Join(shown, ", ")
	if near := nearest(value, words); near != "" {
		text += fmt.Sprintf("; did you mean %s?", near)
	}
	return text
}

// bound reads one end of a range tag as a value of type t. Tags are part of this
// package and tested, so that one which cannot be read is a bug.
func bound(t reflect.Type, text string) float64 {
	v := reflect.New(t).Elem()
	if err := setScalar(v, text); err != nil {
		panic(fmt.Sprintf("config: range bound %q %v", text, err))
	}
	return number(v)
}

func number(v reflect.Value) float64 {
	if v.Kind() == reflect.Float64 {
		return v.Float()
	}
	return float64(v.Int())
}
