package avro_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/linkedin/goavro/v2"
	"pgregory.net/rapid"

	"kafka-kustomer/schemas/avro"
)

// drawer makes random schemas, and values of them as goavro takes them.
type drawer struct {
	t     *rapid.T
	types int // named so far
}

type valueOf func() any

func (d *drawer) intn(n int, label string) int { return rapid.IntRange(0, n-1).Draw(d.t, label) }

// schema draws a type, the name that goavro has for it in a union, and how to draw
// a value.
func (d *drawer) schema(depth int) (schema any, name string, value valueOf) {
	if depth == 0 || d.intn(3, "simple") == 0 {
		return d.simple()
	}
	switch d.intn(5, "complex") {
	case 0:
		items, _, of := d.schema(depth - 1)
		return object{"type": "array", "items": items}, "array", func() any {
			list := []any{}
			for range d.intn(4, "length") {
				list = append(list, of())
			}
			return list
		}
	case 1:
		values, _, of := d.schema(depth - 1)
		return object{"type": "map", "values": values}, "map", func() any {
			m := object{}
			for range d.intn(12, "length") {
				m[rapid.String().Draw(d.t, "key")] = of()
			}
			return m
		}
	case 2:
		return d.union(depth)
	}
	return d.record(depth)
}

func (d *drawer) name() string {
	d.types++
	return fmt.Sprintf("T%d", d.types)
}

func (d *drawer) record(depth int) (any, string, valueOf) {
	name := d.name()
	var fields []any
	of := map[string]valueOf{}
	for i := range d.intn(5, "fields") {
		field := fmt.Sprintf("f%d", i)
		schema, _, value := d.schema(depth - 1)
		fields = append(fields, object{"name": field, "type": schema})
		of[field] = value
	}
	fields = append(fields, object{"name": "again", "type": []any{"null", name}})
	one := func(again any) any {
		m := object{"again": again}
		for field, v := range of {
			m[field] = v()
		}
		return m
	}
	return object{"type": "record", "name": name, "fields": fields}, name, func() any {
		if d.intn(3, "again") > 0 {
			return one(nil)
		}
		return one(goavro.Union(name, one(nil)))
	}
}

func (d *drawer) union(depth int) (any, string, valueOf) {
	var list []any
	var names []string
	var values []valueOf
	for range 1 + d.intn(4, "branches") {
		schema, name, value := d.schema(depth - 1)
		_, nested := schema.([]any)
		for _, other := range names {
			nested = nested || kindName(other) == kindName(name)
		}
		if !nested {
			list, names, values = append(list, schema), append(names, name), append(values, value)
		}
	}
	if list == nil {
		list, names, values = []any{"null"}, []string{"null"}, []valueOf{func() any { return nil }}
	}
	return list, "union", func() any {
		i := d.intn(len(list), "branch")
		return goavro.Union(names[i], values[i]())
	}
}

// kindName is the name of a type without its logical type: by the specification a
// union has each once.
func kindName(name string) string {
	for i := range name {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

func (d *drawer) simple() (any, string, valueOf) {
	long := func() any { return rapid.Int64().Draw(d.t, "long") }
	lt := func(base, logical string) any { return object{"type": base, "logicalType": logical} }
	switch d.intn(16, "type") {
	case 0:
		return "null", "null", func() any { return nil }
	case 1:
		return "boolean", "boolean", func() any { return rapid.Bool().Draw(d.t, "boolean") }
	case 2:
		return "int", "int", func() any { return rapid.Int32().Draw(d.t, "int") }
	case 3:
		return object{"type": "long"}, "long", long
	case 4:
		return "float", "float", func() any { return rapid.Float32().Draw(d.t, "float") }
	case 5:
		return "double", "double", func() any { return rapid.Float64().Draw(d.t, "double") }
	case 6:
		return "string", "string", func() any { return rapid.String().Draw(d.t, "string") }
	case 7:
		return "bytes", "bytes", func() any { return rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(d.t, "bytes") }
	case 8:
		name := d.name()
		return object{"type": "fixed", "name": name, "size": 5}, name, func() any { return rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(d.t, "fixed") }
	case 9:
		name := d.name()
		return object{"type": "enum", "name": name, "symbols": []string{"a", "b", "c"}}, name, func() any { return string(rune('a' + d.intn(3, "enum"))) }
	case 10:
		return lt("long", "timestamp-millis"), "long.timestamp-millis", func() any { return rapid.Int64Range(-62167219200000-9, 253402300799999+9).Draw(d.t, "millis") }
	case 11:
		return lt("long", "timestamp-micros"), "long.timestamp-micros", func() any { return rapid.Int64Range(-62167219200000000-9, 253402300799999999+9).Draw(d.t, "micros") }
	case 12:
		return lt("int", "date"), "int.date", func() any { return rapid.Int32Range(-719528-9, 2932896+9).Draw(d.t, "days") }
	case 13:
		return lt("long", "local-timestamp-nanos"), "long", long
	case 14:
		schema := object{"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": d.intn(30, "scale")}
		return schema, "bytes.decimal", func() any {
			v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 24).Draw(d.t, "unscaled"))
			if rapid.Bool().Draw(d.t, "negative") {
				v.Neg(v)
			}
			return new(big.Rat).SetInt(v)
		}
	}
	return lt("int", "time-millis"), "int.time-millis", func() any { return rapid.Int32Range(-9, 24*60*60*1000+9).Draw(d.t, "millis") }
}

// Random values of random schemas are what goavro reads.
func TestRandomSchemas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &drawer{t: t}
		schema, _, value := d.schema(4)
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		o, err := newOracle(string(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		tr, err := avro.Compile(string(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for range 3 {
			b, err := o.codec.BinaryFromNative(nil, value())
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			want, err := o.decode(b)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			got, err := tr.AppendJSON(nil, b)
			if o.refuse != "" {
				if err == nil {
					t.Fatalf("%s: %s, but %s", text, got, o.refuse)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %q: %v", text, b, err)
			}
			if diff := cmp.Diff(want, read(t, got)); diff != "" {
				t.Fatalf("%s: %q (-goavro +ours):\n%s", text, b, diff)
			}
		}
	})
}
