package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	known := []string{"brokers", "tls", "sasl", "max_items", "max_bytes", "read_committed"}
	tests := map[string]string{
		"broker": "brokers", "BROKERS": "brokers", "borkers": "brokers", "tsl": "tls", "ssl": "sasl",
		"maxitems": "max_items", "max-bytes": "max_bytes", "read-comitted": "read_committed",
		"admin": "", "schema_registry": "", "": "", "x": "", strings.Repeat("brokers", 10): "",
	}
	for got, want := range tests {
		if near := nearest(got, known); near != want {
			t.Errorf("%q: got %q, want %q", got, near, want)
		}
	}
}

// TestOneTypoIsForgiven: any key with one letter lost, doubled or swapped with
// its neighbour still finds a key no further away than the one that was meant.
func TestOneTypoIsForgiven(t *testing.T) {
	all := keys(reflect.TypeFor[Config](), "")
	rapid.Check(t, func(t *rapid.T) {
		meant := rapid.SampledFrom(all).Draw(t, "key")
		i := rapid.IntRange(0, len(meant)-2).Draw(t, "at")
		typo := []byte(meant)
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			typo = slices.Delete(typo, i, i+1)
		case 1:
			typo = slices.Insert(typo, i, typo[i])
		case 2:
			typo[i], typo[i+1] = typo[i+1], typo[i]
		}
		near := nearest(string(typo), all)
		if near == "" || distance(bare(string(typo)), bare(near)) > 1 {
			t.Fatalf("%q for %q: got %q", typo, meant, near)
		}
	})
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "acb", 1},
		{"abc", "axc", 1},
		{"abc", "xabc", 1},
		{"kitten", "sitting", 3},
		{"abcd", "badc", 2},
	}
	for _, test := range tests {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
