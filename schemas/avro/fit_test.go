package avro_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/linkedin/goavro/v2"
)

// fit turns JSON into what goavro encodes, as a reader with the schema would resolve
// it: a member that the schema does not know is left out, one that is missing has the
// schema's default, a union's branch is the first that fits.
func (o *oracle) fit(schema any, ns string, v any) (any, error) {
	resolved := o.resolve(schema, ns)
	if union, ok := resolved.([]any); ok {
		return o.fitUnion(union, ns, v)
	}
	s := resolved.(object)
	switch v := v.(type) {
	case object:
		if s["type"] == "map" {
			return o.fitMap(s, ns, v)
		}
		return o.fitRecord(s, ns, v)
	case []any:
		if s["type"] != "array" {
			return nil, fmt.Errorf("an array for %v", s["type"])
		}
		list := []any{}
		for _, e := range v {
			item, err := o.fit(s["items"], ns, e)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		return list, nil
	}
	return fitScalar(s, v)
}

func (o *oracle) fitUnion(union []any, ns string, v any) (any, error) {
	var faults error
	for _, branch := range union {
		if branch == "null" {
			if v == nil {
				return nil, nil
			}
			continue
		}
		fitted, err := o.fit(branch, ns, v)
		if err == nil {
			return goavro.Union(o.branchName(branch, ns), fitted), nil
		}
		faults = errors.Join(faults, err)
	}
	return nil, fmt.Errorf("no branch for %v: %w", v, faults)
}

func (o *oracle) fitMap(s object, ns string, v object) (any, error) {
	out := object{}
	for key, e := range v {
		fitted, err := o.fit(s["values"], ns, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		out[key] = fitted
	}
	return out, nil
}

func (o *oracle) fitRecord(s object, ns string, v object) (any, error) {
	if s["type"] != "record" {
		return nil, fmt.Errorf("an object for %v", s["type"])
	}
	_, inner := fullName(s, ns)
	record := object{}
	for _, f := range s["fields"].([]any) {
		field := f.(object)
		name := field["name"].(string)
		value, has := v[name]
		if !has {
			if value, has = field["default"]; !has {
				return nil, fmt.Errorf("no member %s, and no default", name)
			}
		}
		fitted, err := o.fit(field["type"], inner, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		record[name] = fitted
	}
	return record, nil
}

func fitScalar(s object, v any) (any, error) {
	_, logical := s["logicalType"]
	switch v := v.(type) {
	case bool:
		if s["type"] == "boolean" {
			return v, nil
		}
	case string:
		symbols, _ := s["symbols"].([]any)
		switch {
		case s["type"] == "string", s["type"] == "enum" && slices.Contains(symbols, any(v)):
			return v, nil
		case s["type"] == "long" && logical:
			return time.Parse(time.RFC3339Nano, v)
		}
	case json.Number:
		switch n, err := v.Int64(); {
		case s["type"] == "double":
			return v.Float64()
		case err == nil && !logical && (s["type"] == "long" || s["type"] == "int" && n == int64(int32(n))):
			return n, nil
		}
	}
	return nil, fmt.Errorf("%T %v for %v", v, v, s["type"])
}
