package avro

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/linkedin/goavro/v2"
)

// stripper leaves of a schema what decides the bytes. goavro is not shown the rest:
// it refuses some good defaults, panics on a second decimal without a scale, and
// keeps patterns of its own logical type in a global map without a lock.
//
// Nor is it shown namespaces. It refuses those that Java's Avro takes, as Debezium
// writes for a server with a hyphen in its name, does not know that one may be none,
// and is wrong where a name is known with and without one. Types go by their own
// names instead, with an underscore for each type before that has it in another
// namespace.
type stripper struct {
	shown map[string]string // by full name
	taken map[string]bool
}

func newStripper() *stripper {
	return &stripper{shown: map[string]string{}, taken: map[string]bool{}}
}

func (st *stripper) strip(schema any, namespace string, depth int) (any, *SchemaError) {
	if depth > maxSchemaDepth {
		return nil, unsupported("it is nested too deep")
	}
	switch s := schema.(type) {
	case string:
		if shown, ok := resolve(st.shown, s, namespace); ok {
			return shown, nil
		}
	case []any:
		list := make([]any, len(s))
		for i := range s {
			var err *SchemaError
			if list[i], err = st.strip(s[i], namespace, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		return st.object(s, namespace, depth)
	}
	return schema, nil
}

func (st *stripper) object(s map[string]any, namespace string, depth int) (any, *SchemaError) {
	bare := make(map[string]any, 4)
	for _, key := range [...]string{"name", "symbols", "size"} {
		if value, ok := s[key]; ok {
			bare[key] = value
		}
	}
	switch s["type"] {
	case "record", "enum", "fixed":
		if _, ok := s["name"].(string); ok {
			bare["name"], namespace = st.define(s, namespace)
		}
	}
	for _, key := range [...]string{"type", "fields", "items", "values"} {
		value, ok := s[key]
		if !ok {
			continue
		}
		var err *SchemaError
		if bare[key], err = st.strip(value, namespace, depth+1); err != nil {
			return nil, err
		}
	}
	return bare, nil
}

// define returns the name that a type is shown by, and the namespace inside it.
func (st *stripper) define(s map[string]any, namespace string) (shown, inside string) {
	full, inside := fullName(s, namespace)
	if shown, twice := st.shown[full]; twice {
		return shown, inside
	}
	for shown = full[strings.LastIndexByte(full, '.')+1:]; st.taken[shown]; {
		shown += "_"
	}
	st.shown[full], st.taken[shown] = shown, true
	return shown, inside
}

// check has goavro say whether the schema is one. A panic of its is an error of
// the schema, because schemas come from outside.
func check(schema any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("parsing it panics: %v", r)
		}
	}()
	text, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	_, err = goavro.NewCodec(string(text))
	return err
}
