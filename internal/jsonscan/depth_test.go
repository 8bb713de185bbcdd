package jsonscan

import (
	"strings"
	"testing"
)

func TestTooDeep(t *testing.T) {
	many := strings.Repeat("[", 9)
	for value, want := range map[string]bool{
		nested(4):                                false,
		nested(5):                                true,
		`{"a":{"b":{"c":[]}}}`:                   false,
		`{"a":{"b":{"c":[[]]}}}`:                 true,
		`[[],[],[],[],[],[]]`:                    false,
		`["` + many + `"]`:                       false, // brackets in a string do not nest
		`["\"` + many + `"]`:                     false, // nor after a quote that ends none
		`["\\",` + nested(4) + `]`:               true,  // but after one that does
		`{"` + many + `":[{"a":[1,"]"]},[[2]]]}`: false,
	} {
		if got := TooDeep([]byte(value), 4); got != want {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
}
