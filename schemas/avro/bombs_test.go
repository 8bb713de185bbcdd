package avro_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"kafka-kustomer/schemas/avro"
)

// What a few bytes can claim. A decoder that believes it takes gigabytes, or is
// killed.
func TestBombs(t *testing.T) {
	count := func(n int64, rest string) []byte { return append(binary.AppendVarint(nil, n), rest...) }
	empty := `{"type":"record","name":"Empty","fields":[]}`
	tests := []struct {
		name, schema string
		value        []byte
		code         string
	}{
		{"array of long, 2^31-1", `{"type":"array","items":"long"}`, count(1<<31-1, ""), avro.CodeTruncated},
		{"array of long, 2^62", `{"type":"array","items":"long"}`, count(1<<62, ""), avro.CodeTruncated},
		{"array of null, 5 x 10^7", `{"type":"array","items":"null"}`, count(5e7, "\x00"), avro.CodeTooMany},
		{"array of null, 2^60", `{"type":"array","items":"null"}`, count(1<<60, "\x00"), avro.CodeTooMany},
		{"array of null, many blocks", `{"type":"array","items":"null"}`, bytes.Repeat([]byte{0x7e}, 1<<20), avro.CodeTooMany},
		{"array of null, block with its size", `{"type":"array","items":"null"}`, count(-1<<60, "\x00\x00"), avro.CodeTooMany},
		{"array of empty records", `{"type":"array","items":` + empty + `}`, count(5e7, "\x00"), avro.CodeTooMany},
		{"arrays of arrays of null", `{"type":"array","items":{"type":"array","items":"null"}}`, append(count(1000, ""), bytes.Repeat([]byte{0x7e, 0}, 1000)...), avro.CodeTooMany},
		{"map, 2^31-1", `{"type":"map","values":"long"}`, count(1<<31-1, ""), avro.CodeTruncated},
		{"map of null, one key", `{"type":"map","values":"null"}`, append(count(1000, ""), make([]byte, 1001)...), avro.CodeDuplicate},
		{"block count, the least int64", `{"type":"array","items":"null"}`, count(-1<<63, "\x00"), avro.CodeBlock},
		{"map block count, the least int64", `{"type":"map","values":"null"}`, count(-1<<63, "\x00"), avro.CodeBlock},
		{"string, 2^31-1", `"string"`, count(1<<31-1, "a"), avro.CodeTruncated},
		{"bytes, 2^62", `"bytes"`, count(1<<62, "a"), avro.CodeTruncated},
		{"bytes, negative", `"bytes"`, count(-1, "a"), avro.CodeLength},
		{"recursion, 4 MB", `{"type":"record","name":"R","fields":[{"name":"next","type":["null","R"]}]}`, bytes.Repeat([]byte{2}, 4<<20), avro.CodeTooDeep},
		{"recursion by an array", `{"type":"record","name":"R","fields":[{"name":"next","type":{"type":"array","items":"R"}}]}`, bytes.Repeat([]byte{2}, 4<<20), avro.CodeTooDeep},
		{"recursion by a map", `{"type":"record","name":"R","fields":[{"name":"next","type":{"type":"map","values":"R"}}]}`, bytes.Repeat([]byte{2, 0}, 4<<20), avro.CodeTooDeep},
		{"recursion without end, no bytes", `{"type":"record","name":"R","fields":[{"name":"next","type":"R"}]}`, nil, avro.CodeTooDeep},
		{"doubling without bytes", doubling(40), nil, avro.CodeTooMany},
		{"doubling in an array", `{"type":"array","items":` + doubling(11) + `}`, count(2, "\x00"), avro.CodeTooMany},
		{"decimal of a megabyte", `{"type":"bytes","logicalType":"decimal","precision":9}`, append(count(1<<20, ""), bytes.Repeat([]byte{0x55}, 1<<20)...), avro.CodeRange},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := compile(t, tt.schema)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			got, err := tr.AppendJSON(nil, tt.value)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if code(err) != tt.code || len(got) > 0 {
				t.Fatalf("got %.50s, %v; want %s", got, err, tt.code)
			}
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
				t.Errorf("it allocated %d bytes", spent)
			}
			if took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// doubling is a schema of n records, each with twice the one before: 2^n empty
// records that take no byte.
func doubling(n int) string {
	s := `{"type":"record","name":"R0","fields":[]}`
	for i := 1; i <= n; i++ {
		s = fmt.Sprintf(`{"type":"record","name":"R%d","fields":[{"name":"a","type":%s},{"name":"b","type":"R%d"}]}`, i, s, i-1)
	}
	return s
}

// What is allowed: as many elements without bytes as an honest value could have,
// and as deep as events may be.
func TestUpToTheBounds(t *testing.T) {
	nulls := compile(t, `{"type":"array","items":"null"}`)
	if _, err := nulls.AppendJSON(nil, []byte{0}); err != nil { // and saves nothing for the next
		t.Error(err)
	}
	if _, err := nulls.AppendJSON(nil, append(binary.AppendVarint(nil, 4096), 0)); err != nil {
		t.Error(err)
	}
	if _, err := nulls.AppendJSON(nil, append(binary.AppendVarint(nil, 4097), 0)); code(err) != avro.CodeTooMany {
		t.Error(err)
	}
	list := compile(t, `{"type":"record","name":"R","fields":[{"name":"next","type":["null","R"]}]}`)
	deep := func(n int) []byte { return append(bytes.Repeat([]byte{2}, n-1), 0) }
	got, err := list.AppendJSON(nil, deep(64))
	if want := strings.Repeat(`{"next":`, 64) + "null" + strings.Repeat("}", 64); string(got) != want || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := list.AppendJSON(nil, deep(65)); code(err) != avro.CodeTooDeep {
		t.Error(err)
	}
}

func TestOutputIsBounded(t *testing.T) {
	// A string of control characters grows six times.
	for schema, value := range map[string][]byte{
		`"string"`:                          append(binary.AppendVarint(nil, 200), make([]byte, 200)...),
		`{"type":"array","items":"string"}`: append(append(binary.AppendVarint(nil, 1), append(binary.AppendVarint(nil, 200), make([]byte, 200)...)...), 0),
		`{"type":"map","values":"int"}`:     append(append(binary.AppendVarint(nil, 1), append(binary.AppendVarint(nil, 200), make([]byte, 200)...)...), 0, 0),
		`{"type":"record","name":"R","fields":[{"name":"` + strings.Repeat("n", 1000) + `","type":"null"}]}`: nil,
	} {
		got, err := compile(t, schema, avro.MaxOutput(1000)).AppendJSON(make([]byte, 500), value)
		if code(err) != avro.CodeOutputLarge || len(got) != 500 {
			t.Errorf("%s: %d bytes, %v", schema, len(got), err)
		}
		if _, err := compile(t, schema, avro.MaxOutput(1300)).AppendJSON(make([]byte, 500), value); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
	}
	// Many elements end soon after the bound, not after all have been written.
	ints := append(binary.AppendVarint(nil, 1<<20), make([]byte, 1<<20+1)...)
	entries := binary.AppendVarint(nil, 1<<14)
	for i := range 1 << 14 {
		entries = append(entries, 4, byte(i>>7), byte(i&0x7f), 0)
	}
	for schema, value := range map[string][]byte{
		`{"type":"array","items":"int"}`: ints,
		`{"type":"map","values":"int"}`:  append(entries, 0),
	} {
		dst := make([]byte, 0, 2000)
		got, err := compile(t, schema, avro.MaxOutput(1000)).AppendJSON(dst, value)
		if code(err) != avro.CodeOutputLarge || cap(got) != cap(dst) {
			t.Errorf("%s: %v; the buffer has %d bytes", schema, err, cap(got))
		}
	}
}
