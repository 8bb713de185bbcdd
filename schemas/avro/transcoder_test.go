package avro_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"

	"kafka-kustomer/schemas/avro"
)

func compile(t testing.TB, schema string, options ...avro.Option) *avro.Transcoder {
	t.Helper()
	tr, err := avro.Compile(schema, options...)
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return tr
}

// encode has goavro write a value.
func encode(t testing.TB, schema string, native any) []byte {
	t.Helper()
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		t.Fatal(err)
	}
	b, err := codec.BinaryFromNative(nil, native)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fataler is a test, of the standard library or of rapid.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// read decodes JSON without losing digits.
func read(t fataler, text []byte) any {
	t.Helper()
	if !jsontext.Value(text).IsValid() {
		t.Fatalf("not valid JSON: %s", text)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func typed(base, lt string) string { return `{"type":"` + base + `","logicalType":"` + lt + `"}` }

func TestTypes(t *testing.T) {
	at := time.Date(2026, 11, 24, 2, 30, 0, 123456789, time.UTC)
	decimal := `{"type":"bytes","logicalType":"decimal","precision":30,"scale":2}`
	fixed := func(size, rest string) string { return `{"type":"fixed","name":"F","size":` + size + rest + `}` }
	tests := []struct {
		name, schema string
		native       any
		want         string
	}{
		{"null", `"null"`, nil, `null`},
		{"true", `"boolean"`, true, `true`},
		{"false", `"boolean"`, false, `false`},
		{"int", `"int"`, int32(math.MinInt32), `-2147483648`},
		{"int max", `{"type":"int"}`, int32(math.MaxInt32), `2147483647`},
		{"long", `"long"`, int64(math.MinInt64), `-9223372036854775808`},
		{"long max", `{"type":{"type":"long"}}`, int64(math.MaxInt64), `9223372036854775807`},
		{"float", `"float"`, float32(0.1), `0.1`},
		{"double", `"double"`, 1e300, `1e+300`},
		{"double small", `"double"`, 5e-324, `5e-324`},
		{"double whole", `"double"`, 3.0, `3`},
		{"double minus zero", `"double"`, math.Copysign(0, -1), `-0`},
		{"string", `"string"`, "plain text", `"plain text"`},
		{"string empty", `"string"`, "", `""`},
		{"string escaped", `"string"`, "12345678\"\\\x00\n\x1f\x7f", `"12345678\"\\\u0000\n\u001f` + "\x7f" + `"`},
		{"string escaped at the end of eight", `"string"`, "1234567\x1f", `"1234567\u001f"`},
		{"string with a backslash among eight", `"string"`, `1234\567`, `"1234\\567"`},
		{"string with a quote among eight", `"string"`, `1234"567`, `"1234\"567"`},
		{"string not ASCII", `"string"`, "Grüße 😀 \u2028", "\"Grüße 😀 \u2028\""},
		{"bytes", `"bytes"`, []byte{0, 0xff, 1, 2}, `"AP8BAg=="`},
		{"fixed", fixed("3", ""), []byte{1, 2, 3}, `"AQID"`},
		{"enum", `{"type":"enum","name":"E","symbols":["a","b"]}`, "b", `"b"`},
		{"array", `{"type":"array","items":"int"}`, []any{1, -1, 64}, `[1,-1,64]`},
		{"array empty", `{"type":"array","items":"int"}`, []any{}, `[]`},
		{"array of fixed", `{"type":"array","items":` + fixed("2", "") + `}`, []any{[]byte{0, 0}, []byte{0, 0}, []byte{0, 0}}, `["AAA=","AAA=","AAA="]`},
		{"array of nulls", `{"type":"array","items":"null"}`, []any{nil, nil}, `[null,null]`},
		{"map", `{"type":"map","values":"int"}`, map[string]any{`a"` + "\n": 1}, `{"a\"\n":1}`},
		{"map empty", `{"type":"map","values":"int"}`, map[string]any{}, `{}`},
		{"union", `["null","string","int"]`, goavro.Union("int", 7), `7`},
		{"union null", `["string","null"]`, nil, `null`},
		{"record", `{"type":"record","name":"R","fields":[{"name":"b","type":"int"},{"name":"a","type":["null","R"]}]}`, map[string]any{"b": 1, "a": goavro.Union("R", map[string]any{"b": 2, "a": nil})}, `{"b":1,"a":{"b":2,"a":null}}`},
		{"record empty", `{"type":"record","name":"R","fields":[]}`, map[string]any{}, `{}`},

		{"date", typed("int", "date"), at, `"2026-11-24"`},
		{"date before 1970", typed("int", "date"), -719528, `"0000-01-01"`},
		{"time-millis", typed("int", "time-millis"), 23*time.Hour + 59*time.Minute + 59*time.Second + 7*time.Millisecond, `"23:59:59.007"`},
		{"time-micros", typed("long", "time-micros"), 5 * time.Microsecond, `"00:00:00.000005"`},
		{"timestamp-millis", typed("long", "timestamp-millis"), at, `"2026-11-24T02:30:00.123Z"`},
		{"timestamp-millis before 1970", typed("long", "timestamp-millis"), int64(-1), `"1969-12-31T23:59:59.999Z"`},
		{"timestamp-millis last", typed("long", "timestamp-millis"), int64(253402300799999), `"9999-12-31T23:59:59.999Z"`},
		{"timestamp-millis first", typed("long", "timestamp-millis"), int64(-62167219200000), `"0000-01-01T00:00:00.000Z"`},
		{"timestamp-micros", typed("long", "timestamp-micros"), at, `"2026-11-24T02:30:00.123456Z"`},
		{"timestamp-nanos", typed("long", "timestamp-nanos"), at.UnixNano(), `"2026-11-24T02:30:00.123456789Z"`},
		{"local-timestamp-millis", typed("long", "local-timestamp-millis"), at.UnixMilli(), `"2026-11-24T02:30:00.123Z"`},
		{"local-timestamp-micros", typed("long", "local-timestamp-micros"), at.UnixMicro(), `"2026-11-24T02:30:00.123456Z"`},
		{"local-timestamp-nanos", typed("long", "local-timestamp-nanos"), int64(-1), `"1969-12-31T23:59:59.999999999Z"`},
		{"decimal", decimal, big.NewRat(4020, 100), `40.20`},
		{"decimal negative", decimal, big.NewRat(-1, 100), `-0.01`},
		{"decimal zero", decimal, big.NewRat(0, 1), `0.00`},
		{"decimal 18 digits", decimal, new(big.Rat).SetFrac64(1e18, 100), `10000000000000000.00`},
		{"decimal long", `{"type":"bytes","logicalType":"decimal","precision":60}`, bigRat("-123456789012345678901234567890123456789012345678901234567890"), `-123456789012345678901234567890123456789012345678901234567890`},
		{"decimal fixed", fixed("90", `,"logicalType":"decimal","precision":9,"scale":3`), big.NewRat(-12345, 10), `-1234.500`},
		{"uuid", typed("string", "uuid"), "0f7f0a4e-0c1e-4c4e-9a0e-3c5b7a1d2e3f", `"0f7f0a4e-0c1e-4c4e-9a0e-3c5b7a1d2e3f"`},
		{"uuid fixed", fixed("16", `,"logicalType":"uuid"`), []byte{0x0f, 0x7f, 0x0a, 0x4e, 0x0c, 0x1e, 0x4c, 0x4e, 0x9a, 0x0e, 0x3c, 0x5b, 0x7a, 0x1d, 0x2e, 0x3f}, `"0f7f0a4e-0c1e-4c4e-9a0e-3c5b7a1d2e3f"`},
		{"duration", fixed("12", `,"logicalType":"duration"`), []byte{1, 0, 0, 0, 2, 0, 0, 0, 0xbc, 0x0b, 0, 0}, `"P1M2DT3.004S"`},
		{"logical beside the type of a field", `{"type":"record","name":"R","fields":[{"name":"a","type":"long","logicalType":"timestamp-millis"}]}`, map[string]any{"a": at}, `{"a":"2026-11-24T02:30:00.123Z"}`},

		{"unknown logical type", typed("string", "colour"), "red", `"red"`},
		{"logical type of another base", typed("string", "date"), "red", `"red"`},
		{"uuid of another size", fixed("2", `,"logicalType":"uuid"`), []byte{1, 2}, `"AQI="`},
		{"union of a logical type", `["null",` + typed("long", "timestamp-millis") + `]`, goavro.Union("long.timestamp-millis", at), `"2026-11-24T02:30:00.123Z"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value := encode(t, tt.schema, tt.native)
			got, err := compile(t, tt.schema).AppendJSON([]byte("before"), value)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != "before"+tt.want {
				t.Fatalf("got %s, want before%s", got, tt.want)
			}
			o, err := newOracle(tt.schema)
			if err != nil {
				t.Fatal(err)
			}
			want, err := o.decode(value)
			if err != nil || o.refuse != "" {
				t.Fatal(err, o.refuse)
			}
			if diff := cmp.Diff(want, read(t, got[len("before"):])); diff != "" {
				t.Errorf("not what goavro reads (-goavro +ours):\n%s", diff)
			}
			wantPrefixesRefused(t, tt.schema, value)
		})
	}
}

// wantPrefixesRefused cuts a value everywhere and puts a byte behind it.
func wantPrefixesRefused(t *testing.T, schema string, value []byte) {
	t.Helper()
	tr := compile(t, schema)
	for i := range value {
		if got, err := tr.AppendJSON(nil, value[:i:i]); code(err) != avro.CodeTruncated || len(got) > 0 {
			t.Errorf("cut to %d of %d bytes: %q, %v", i, len(value), got, err)
		}
	}
	if _, err := tr.AppendJSON(nil, append(bytes.Clone(value), 0)); code(err) != avro.CodeTrailing {
		t.Errorf("with a byte behind it: %v", err)
	}
}

func bigRat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func code(err error) string {
	var e *avro.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// A count may be split into blocks, with their sizes or without.
func TestBlocks(t *testing.T) {
	ints := compile(t, `{"type":"array","items":"int"}`)
	counts := compile(t, `{"type":"map","values":"int"}`)
	for _, tt := range []struct {
		tr          *avro.Transcoder
		value, want string
		code        string
	}{
		{ints, "\x02\x02\x04\x04\x06\x00", `[1,2,3]`, ""},
		{ints, "\x03\x04\x02\x04\x00", `[1,2]`, ""},
		{ints, "\x01\x02\x02\x01\x02\x04\x00", `[1,2]`, ""},
		{ints, "\x03\x02\x02\x04\x00", "", avro.CodeBlock}, // the block is longer than it says
		{ints, "\x03\x06\x02\x04\x00", "", avro.CodeBlock}, // and shorter
		{ints, "\x03\x01\x02\x04\x00", "", avro.CodeBlock}, // a negative size
		{ints, "\x03\x13\x02\x04\x00", "", avro.CodeBlock}, // and more negative than bytes have passed
		{counts, "\x01\x04\x02a\x02\x00", "", avro.CodeBlock},
		{counts, "\x01\x08\x02a\x02\x00", "", avro.CodeBlock},
		{ints, "\x03\x10\x02\x04\x00", "", avro.CodeBlock},                                 // more than is left
		{ints, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x00", "", avro.CodeBlock},     // the least int64
		{ints, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03\x02\x00", "", avro.CodeVarint},    // 65 bits
		{ints, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x00", "", avro.CodeVarint},    // 11 bytes
		{ints, "\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00\x02\x00", `[1]`, ""},              // 10 bytes are allowed
		{ints, "\x02\x80\x80\x80\x80\x80\x00\x00", "", avro.CodeVarint},                    // an int has five
		{ints, "\x02\x80\x80\x80\x80\x10\x00", "", avro.CodeVarint},                        // and 32 bits
		{counts, "\x02\x02a\x02\x02\x02b\x04\x00", `{"a":1,"b":2}`, ""},                    //
		{counts, "\x01\x06\x02a\x02\x00", `{"a":1}`, ""},                                   //
		{counts, "\x02\x02a\x02\x02\x02a\x04\x00", "", avro.CodeDuplicate},                 // across blocks
		{counts, "\x02\x01a\x02\x00", "", avro.CodeLength},                                 //
		{counts, "\x02\x04\xc3\x28\x02\x00", "", avro.CodeUTF8},                            //
		{counts, "\x02\x04\xed\xa0\x02\x00", "", avro.CodeUTF8},                            //
		{counts, "\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01a", "", avro.CodeTruncated},  // a key of 2^63-1 bytes
		{ints, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x00", "", avro.CodeTruncated}, // as many elements
	} {
		got, err := tt.tr.AppendJSON(nil, []byte(tt.value))
		if string(got) != tt.want || code(err) != tt.code {
			t.Errorf("%q: got %s, %v; want %s %s", tt.value, got, err, tt.want, tt.code)
		}
	}
}

func TestManyKeys(t *testing.T) {
	tr := compile(t, `{"type":"map","values":{"type":"map","values":"null"}}`)
	var inner, value []byte
	for i := range 40 {
		inner = append(inner, 2, 4, 'k', byte('A'+i)) // a block for each
	}
	value = append(append(append(append(value, 4, 2, 'a'), inner...), 0, 2, 'b'), inner...)
	good := append(bytes.Clone(value), 0, 0)
	if _, err := tr.AppendJSON(nil, good); err != nil {
		t.Fatal(err)
	}
	bad := append(bytes.Clone(value), 2, 4, 'k', 'C', 0, 0)
	_, err := tr.AppendJSON(nil, bad)
	var e *avro.Error
	if !errors.As(err, &e) || e.Code != avro.CodeDuplicate || e.Offset != len(bad)-4 || e.Path != "{}{}" {
		t.Fatalf("got %+v, want the duplicate at %d", e, len(bad)-4)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	tr := compile(t, `{"type":"record","name":"R","fields":[
		{"name":"a","type":"int"},
		{"name":"list","type":{"type":"array","items":{"type":"record","name":"I","fields":[
			{"name":"m","type":["null",{"type":"map","values":{"type":"enum","name":"E","symbols":["x"]}}]},
			{"name":"b","type":["null","boolean","double","string",
				{"type":"long","logicalType":"timestamp-millis"},
				{"type":"bytes","logicalType":"decimal","precision":4}]}]}}}]}`)
	huge := string(append([]byte{0x0a, 0x84, 1}, bytes.Repeat([]byte{0x55}, 66)...))
	for value, want := range map[string]avro.Error{
		"":                             {avro.CodeTruncated, "a", 0},
		"\x00\x02\x02\x02\x02k\x02":    {avro.CodeEnum, "list[].m{}", 6},
		"\x00\x02\x04\x00":             {avro.CodeUnion, "list[].m", 2},
		"\x00\x02\x00\x01":             {avro.CodeUnion, "list[].b", 3},
		"\x00\x02\x00\x02\x02":         {avro.CodeBoolean, "list[].b", 4},
		"\x00\x02\x00\x06\x02\xff":     {avro.CodeUTF8, "list[].b", 5},
		"\x00\x02\x00" + huge:          {avro.CodeRange, "list[].b", 6},
		"\x00\x02\x00\x02":             {avro.CodeTruncated, "list[].b", 4},
		"\x00\x04\x00\x00\x00":         {avro.CodeTruncated, "list[]", 1},
		"\x00\x00\x00":                 {avro.CodeTrailing, "", 2},
		"\x00\x02\x00\x04" + nan:       {avro.CodeNumber, "list[].b", 12},
		"\x00\x02\x00\x08" + longs[1:]: {avro.CodeRange, "list[].b", 14},
	} {
		_, err := tr.AppendJSON(nil, []byte(value))
		var got *avro.Error
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%q: got %+v, want %+v", value, got, want)
		}
		if err != nil && !strings.Contains(err.Error(), want.Path) {
			t.Errorf("%v does not say where", err)
		}
	}
}

const (
	nan   = "\x00\x00\x00\x00\x00\x00\xf8\x7f"
	longs = "\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" // 2^63-1
)

func TestOutOfRange(t *testing.T) {
	day := int64(24 * time.Hour / time.Microsecond)
	for _, tt := range []struct {
		schema string
		value  int64
	}{
		{typed("int", "date"), math.MaxInt32},
		{typed("int", "date"), -719529},
		{typed("int", "time-millis"), -1},
		{typed("int", "time-millis"), day / 1000},
		{typed("long", "time-micros"), day},
		{typed("long", "timestamp-micros"), math.MaxInt64},
		{typed("long", "timestamp-micros"), math.MinInt64},
		{typed("long", "timestamp-millis"), 253402300800000},
		{typed("long", "timestamp-millis"), -62167219200001},
	} {
		value := binary.AppendVarint(nil, tt.value)
		if got, err := compile(t, tt.schema).AppendJSON(nil, value); code(err) != avro.CodeRange {
			t.Errorf("%s %d: %s, %v", tt.schema, tt.value, got, err)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := compile(t, `"double"`).AppendJSON(nil, encode(t, `"double"`, v)); code(err) != avro.CodeNumber {
			t.Errorf("%v: %v", v, err)
		}
		if _, err := compile(t, `"float"`).AppendJSON(nil, encode(t, `"float"`, float32(v))); code(err) != avro.CodeNumber {
			t.Errorf("%v: %v", v, err)
		}
	}
}

// Decimals end at 512 bits, whatever they are padded with.
func TestLargestDecimals(t *testing.T) {
	tr := compile(t, `{"type":"bytes","logicalType":"decimal","precision":200}`)
	largest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 512), big.NewInt(1))
	least := new(big.Int).Not(largest)
	value := func(sign byte, padding int, rest byte) []byte {
		b := append(bytes.Repeat([]byte{sign}, padding), bytes.Repeat([]byte{rest}, 64)...)
		return append(binary.AppendVarint(nil, int64(len(b))), b...)
	}
	for _, padding := range []int{1, 2, 1000} {
		for want, b := range map[*big.Int][]byte{largest: value(0, padding, 0xff), least: value(0xff, padding, 0)} {
			if got, err := tr.AppendJSON(nil, b); err != nil || string(got) != want.String() {
				t.Errorf("got %s, %v, want %v", got, err, want)
			}
		}
	}
	for _, b := range [][]byte{append([]byte{0x84, 1, 0, 1}, make([]byte, 64)...), append([]byte{0x84, 1, 0xff, 0xfe}, make([]byte, 64)...)} {
		if got, err := tr.AppendJSON(nil, b); code(err) != avro.CodeRange {
			t.Errorf("got %s, %v", got, err)
		}
	}
}
