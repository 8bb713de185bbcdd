package schemas

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"
	"pgregory.net/rapid"

	"kafka-kustomer/batcher"
)

// The bytes are those that goavro writes for the JSON form of the same report: the
// tests of package schemas/avro make the files.
func TestAvroGolden(t *testing.T) {
	for _, kind := range kinds {
		want, err := os.ReadFile(filepath.Join("avro", "testdata", "result-"+kind.String()+".golden.avro"))
		if err != nil {
			t.Fatal(err)
		}
		got := AppendResult(nil, report(kind), ResultOptions{Items: true, Format: Avro})
		if !bytes.Equal(got, want) {
			t.Errorf("%s: not the file's bytes: %d, want %d", kind, len(got), len(want))
		}
		if parts := Results(report(kind), ResultOptions{Items: true, Format: Avro, Prefix: []byte{0, 0, 0, 1, 2}}); len(parts) != 1 ||
			!bytes.Equal(parts[0], append([]byte{0, 0, 0, 1, 2}, want...)) {
			t.Errorf("%s: Results is not the prefix and the event, but %d parts", kind, len(parts))
		}
	}
}

// fataler is a test, of the standard library or of rapid.
type fataler interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// asJSON returns a part of either form as JSON, by way of goavro's decoder.
func asJSON(t fataler, part []byte, o ResultOptions) []byte {
	t.Helper()
	part, framed := bytes.CutPrefix(part, o.Prefix)
	if !framed {
		t.Fatalf("no prefix: %x", part)
	}
	if o.Format == JSON {
		return part
	}
	codec, err := goavro.NewCodec(BatchResultAvro)
	if err != nil {
		t.Fatalf("%v", err)
	}
	native, rest, err := codec.NativeFromBinary(part)
	if err != nil || len(rest) > 0 {
		t.Fatalf("%v, and %d bytes more", err, len(rest))
	}
	text, err := json.Marshal(told(t, native))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return text
}

// told turns what goavro decodes into what encoding/json would, with the members that
// are null left out.
func told(t fataler, v any) any {
	t.Helper()
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			t.Fatalf("not UTF-8: %q", v)
		}
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	case []any:
		list := []any{}
		for _, e := range v {
			list = append(list, told(t, e))
		}
		return list
	case map[string]any:
		for _, branch := range []string{"string", "int", "array", "long.timestamp-millis"} {
			if inner, union := v[branch]; union && len(v) == 1 {
				return told(t, inner)
			}
		}
		object := map[string]any{}
		for name, member := range v {
			if member != nil {
				object[name] = told(t, member)
			}
		}
		return object
	}
	return v
}

// Whatever a report says, both forms say it.
func TestFormsAreEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, items := drawReport(t), rapid.Bool().Draw(t, "list items")
		jsonOptions, avroOptions := ResultOptions{Items: items}, ResultOptions{Items: items, Format: Avro}
		want := exactly(t, AppendResult(nil, r, jsonOptions))
		got := exactly(t, asJSON(t, AppendResult(nil, r, avroOptions), avroOptions))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-JSON +Avro):\n%s", diff)
		}
	})
}

// exactly decodes JSON without losing digits.
func exactly(t fataler, text []byte) (v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// A reader that changes from one form to the other finds the same parts.
func TestPartsAreEqual(t *testing.T) {
	r := hundred()
	for _, limit := range []int{1500, 3000, 8000} {
		asText := Results(r, ResultOptions{Items: true, MaxBytes: limit})
		o := ResultOptions{Items: true, MaxBytes: limit, Format: Avro}
		binary := Results(r, o)
		if len(asText) < 2 || len(asText) != len(binary) {
			t.Fatalf("%d parts of JSON, %d of Avro, want as many and several", len(asText), len(binary))
		}
		for i := range asText {
			if diff := cmp.Diff(exactly(t, asText[i]), exactly(t, asJSON(t, binary[i], o))); diff != "" {
				t.Errorf("part %d (-JSON +Avro):\n%s", i+1, diff)
			}
		}
	}
}

func drawReport(t *rapid.T) *batcher.Report {
	text := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-z0-9]{1,40}`), rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }))
	at := rapid.OneOf(rapid.Just(time.Time{}), rapid.Map(rapid.Int64Range(0, 4e18), func(ns int64) time.Time { return time.Unix(0, ns) }))
	size := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 1<<31-1))
	assignment := rapid.SampledFrom([]*batcher.Assignment{p0, p3, p3old, other, {Topic: "größe", Partition: 1<<31 - 1}})
	reason := func() batcher.Reason { return batcher.Reason{Code: text.Draw(t, "code"), Text: text.Draw(t, "text")} }
	items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *batcher.Item {
		it := &batcher.Item{MessageID: text.Draw(t, "message"), Assignment: assignment.Draw(t, "assignment"), Attempts: size.Draw(t, "attempts")}
		offset := rapid.OneOf(rapid.Int64Range(0, 20), rapid.Int64Range(0, 1<<63-2))
		for range rapid.IntRange(1, 5).Draw(t, "events") {
			it.Events = append(it.Events, &batcher.Event{
				Assignment: it.Assignment, Offset: offset.Draw(t, "offset"),
				EventID: []byte(text.Draw(t, "event")), Arrived: at.Draw(t, "arrived"),
			})
		}
		return it
	}), 0, 6).Draw(t, "items")
	r := &batcher.Report{
		Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		Batch: &batcher.Batch{
			ID: text.Draw(t, "batch"), Parent: text.Draw(t, "parent"), Items: items, Cut: at.Draw(t, "cut"),
			Reason: rapid.SampledFrom(closeReasons()).Draw(t, "close reason"),
		},
		Outcome: batcher.Outcome{
			Kind: rapid.SampledFrom([]batcher.OutcomeKind{batcher.Accepted, batcher.Refused}).Draw(t, "outcome"), Status: size.Draw(t, "status"),
			RequestID: text.Draw(t, "request"), Org: text.Draw(t, "org"), User: text.Draw(t, "user"), Reason: reason(),
			Sent: at.Draw(t, "sent"), Answered: at.Draw(t, "answered"),
		},
		At: time.Unix(0, rapid.Int64Range(0, 4e18).Draw(t, "at")),
	}
	if rapid.Bool().Draw(t, "has an operation") {
		r.Operation = &batcher.Operation{ID: text.Draw(t, "operation"), Batch: r.Batch}
	}
	for _, it := range items {
		if rapid.Bool().Draw(t, "is still ours") {
			r.Fates = append(r.Fates, batcher.ItemFate{Item: it, Fate: rapid.SampledFrom(fates()).Draw(t, "fate"), Reason: reason()})
		}
	}
	return r
}

func closeReasons() []batcher.CloseReason {
	return []batcher.CloseReason{batcher.ClosedBySize, batcher.ClosedByBytes, batcher.ClosedByTime, batcher.ClosedToSplit, batcher.ClosedToProbe}
}

func fates() []batcher.Fate {
	return []batcher.Fate{batcher.FateUpdated, batcher.FateFailed, batcher.FateReturned, batcher.FateDeadLettered}
}

// Avro writes an enum as the number of its symbol, and the core's constants are these
// numbers.
func TestEnumsAreInOrder(t *testing.T) {
	for _, kind := range kinds {
		wantSymbol(t, int(kind), kind.String(), "ResultKind")
	}
	for _, reason := range closeReasons() {
		wantSymbol(t, int(reason), reason.String(), "CloseReason")
	}
	for _, fate := range fates() {
		wantSymbol(t, int(fate), fate.String(), "ItemStatus")
	}
}

func wantSymbol(t *testing.T, n int, symbol, enum string) {
	t.Helper()
	_, rest, _ := strings.Cut(BatchResultAvro, `"name": "`+enum+`", "symbols": `)
	var symbols []string
	if err := json.NewDecoder(strings.NewReader(rest)).Decode(&symbols); err != nil {
		t.Fatal(enum, err)
	}
	if n >= len(symbols) || symbols[n] != symbol {
		t.Errorf("symbol %d of %s is not %s: %q", n, enum, symbol, symbols)
	}
}
