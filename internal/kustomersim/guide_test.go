package kustomersim

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// The guide must name every key of a script, or one is not to be found.
func TestGuideNamesEveryKey(t *testing.T) {
	for _, v := range []any{Script{}, Latency{}, Run{}, Window{}, Fault{}, Quota{}, Poison{}, Vanish{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			key, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if key == "" { // embedded
				continue
			}
			if !regexp.MustCompile(`\b` + key + `\b`).MatchString(Guide) {
				t.Errorf("the guide does not name %s of %s", key, typ.Name())
			}
		}
	}
	for i, line := range strings.Split(Guide, "\n") {
		if len(line) > 84 {
			t.Errorf("line %d of the guide is %d wide", i+1, len(line))
		}
	}
}

// The example must be a script that a server takes, and show something.
func TestExample(t *testing.T) {
	script, err := ReadScript(strings.NewReader(Example))
	if err != nil {
		t.Fatal(err)
	}
	if len(script.Faults) == 0 || len(script.Poison) == 0 || script.Quota.PerMinute == 0 {
		t.Errorf("the example is too poor: %+v", script)
	}
	if err := start(t, Options{}).SetScript(script); err != nil {
		t.Error(err)
	}
}

func TestReadScript(t *testing.T) {
	for text, want := range map[string]string{
		``:                                   "EOF",
		`{"posion":[]}`:                      "posion",
		`{"poison":[{"marked":"x"}]}`:        "marked",
		`{"poison":[{"marker":"x"}]}`:        "poison[0]",
		`{"clock":"five"}`:                   "five",
		`{"clock":"+5m","key":"new"}`:        "",
		`{"refuseIds":["a"],"failIds":[]}`:   "",
		`{"quota":{"retryAfter":"minutes"}}`: "retryAfter",
	} {
		script, err := ReadScript(strings.NewReader(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if again, _ := json.Marshal(script); err != nil && string(again) != "{}" {
			t.Errorf("%s: an error and half a script %s", text, again)
		}
	}
}
