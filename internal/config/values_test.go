package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"kafka-kustomer/internal/canary"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestSecretIsNotPrinted(t *testing.T) {
	const hidden = canary.Secret
	s := NewSecret(hidden)
	type wrapper struct {
		inner  Secret // unexported: fmt calls no methods here
		Outer  Secret
		Nested *Secret
	}
	w := wrapper{s, s, &s}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10s"} {
		for _, value := range []any{s, &s, w, &w, []Secret{s}, map[string]Secret{"k": s}} {
			printed := fmt.Sprintf(verb, value)
			if strings.Contains(printed, hidden) || strings.Contains(strings.ToLower(printed), fmt.Sprintf("%x", hidden)) {
				t.Errorf("%s of %T prints %s", verb, value, printed)
			}
		}
	}
	if got := fmt.Sprint(s) + s.String() + s.GoString(); got != "*********" {
		t.Errorf("printed as %q", got)
	}
	inJSON, err := json.Marshal(map[string]any{"a": s, "b": w})
	if err != nil || strings.Contains(string(inJSON), hidden) || !strings.Contains(string(inJSON), `"a":"***"`) {
		t.Errorf("JSON %s, %v", inJSON, err)
	}
	inYAML, err := yaml.Dump(map[string]any{"a": s, "b": []Secret{s}})
	if err != nil || strings.Contains(string(inYAML), hidden) {
		t.Errorf("YAML %s, %v", inYAML, err)
	}
	if s.Reveal() != hidden || !s.Equal(NewSecret(hidden)) || s.Equal(Secret{}) {
		t.Error("Reveal or Equal do not see the text")
	}
	if NewSecret("") != (Secret{}) || fmt.Sprint(Secret{}) != "" {
		t.Error("the empty secret is not the zero one, or not printed as nothing")
	}
}

func TestParseByteSize(t *testing.T) {
	good := map[string]ByteSize{
		"0": 0, "512": 512, "512B": 512, "1KB": 1000, "1KiB": 1024, "24MiB": 24 << 20, "1 MB": 1e6,
		"3GB": 3e9, "2GiB": 2 << 30, "9223372036854775807": 1<<63 - 1, "8589934591GiB": (1<<33 - 1) << 30,
	}
	for text, want := range good {
		if got, err := parseByteSize(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "B", "MiB", "1M", "1mb", "1.5MiB", "-1", "1MiBB", "0x10", "1_000", "8589934592GiB", "9223372036854775808", "1  MB"} {
		if got, err := parseByteSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestParseBrake(t *testing.T) {
	good := map[string]Brake{"off": Off, "5%": 0.05, "0.1": 0.1, "100%": 1}
	for text, want := range good {
		got, err := parseBrake(text)
		if err != nil || got != want {
			t.Errorf("%q is %v, %v, want %v", text, got, err, want)
		}
		if again, err := parseBrake(got.String()); err != nil || again != want {
			t.Errorf("%v is written %q and read as %v, %v", got, got.String(), again, err)
		}
	}
	for _, text := range []string{"", "0", "0%", "on", "none", "no", "Off"} {
		if got, err := parseBrake(text); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestParseShare(t *testing.T) {
	good := map[string]Share{"0": 0, "0.2": 0.2, ".5": 0.5, "20%": 0.2, "12.5%": 0.125, "100%": 1}
	for text, want := range good {
		if got, err := parseShare(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "%", "NaN", "inf", "0x1p-2", "1_0", "1e-1", "20 %", "20%%", "0,2"} {
		if got, err := parseShare(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

// TestWrittenFormsAreReadBack: what an error or Redacted shows can be put into a file.
func TestWrittenFormsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom(byteUnits).Draw(t, "unit").size
		size := ByteSize(rapid.Int64Range(0, 1<<20).Draw(t, "n")) * unit
		if got, err := parseByteSize(size.String()); err != nil || got != size {
			t.Fatalf("%d as %s: got %d, %v", size, size, got, err)
		}
		d := rapid.SampledFrom([]time.Duration{time.Nanosecond, time.Millisecond, time.Second, time.Minute, time.Hour}).Draw(t, "d unit") *
			time.Duration(rapid.Int64Range(-10_000, 10_000).Draw(t, "d"))
		if got, err := parseDuration(short(d)); err != nil || got != d {
			t.Fatalf("%v as %s: got %v, %v", d, short(d), got, err)
		}
		share := Share(rapid.Float64Range(0.0001, 0.9).Draw(t, "share"))
		if got, err := parseShare(share.String()); err != nil || got != share {
			t.Fatalf("%v as %s: got %v, %v", float64(share), share, got, err)
		}
		rate := Rate(rapid.IntRange(0, int(maxRate)).Draw(t, "rate"))
		if got, err := parseRate(rate.String()); err != nil || got != rate {
			t.Fatalf("%d as %s: got %d, %v", int(rate), rate, got, err)
		}
	})
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", time.Minute: "1m", 10 * time.Minute: "10m", 90 * time.Second: "1m30s",
		time.Hour: "1h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 10 * time.Hour: "10h",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
