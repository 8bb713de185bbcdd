package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Schema returns a JSON Schema (draft 7, which editors know) of the configuration.
// It is made from the struct tree, so it cannot fall behind it. The explanations
// are the comments of example, which is the file that explains every key.
//
// It says less than [Parse] does: rules between keys are not in it, and a value
// with a reference such as ${env:NAME} in it may be anything.
func Schema(example []byte) ([]byte, error) {
	s := schema{defaults: reflect.ValueOf(Default()).Elem(), comments: comments(example)}
	root := s.section(s.defaults, "")
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "kafka-kustomer configuration"
	root["required"] = []string{"kustomer"}
	kustomer := root["properties"].(object)["kustomer"].(object)
	kustomer["type"], kustomer["required"] = "object", []string{"base_url"}
	kustomer["anyOf"] = []object{{"required": []string{"api_key"}}, {"required": []string{"api_key_file"}}}
	return json.MarshalIndent(root, "", "  ")
}

type object = map[string]any

type schema struct {
	defaults reflect.Value
	comments map[string]string // of the example, by key path
}

func (s *schema) section(v reflect.Value, path string) object {
	properties := object{}
	for f, field := range v.Fields() {
		below := join(path, keyName(f))
		var p object
		if isSection(f.Type) {
			p = s.section(field, below)
		} else {
			p = s.value(field, f.Tag)
		}
		if c := s.comments[below]; c != "" {
			p["description"] = c
		}
		properties[keyName(f)] = p
	}
	// A section whose keys are all commented out is null, and legal.
	return object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

// entry is a topic's section. Its keys are explained as those of the source, which
// stand in for what it leaves out.
func (s *schema) entry() object {
	p := s.section(reflect.ValueOf(Topic{Mapping: defaultMapping()}), "source")
	p["type"], p["required"] = "object", []string{"name"}
	for _, name := range []string{"name", "format", "schema"} {
		delete(p["properties"].(object)[name].(object), "default")
	}
	return p
}

// value is a key with its default; a secret has none worth telling.
func (s *schema) value(v reflect.Value, tag reflect.StructTag) object {
	p := s.scalar(v.Type(), tag)
	switch value := v.Interface().(type) {
	case Secret:
	case time.Duration, ByteSize, Rate, Brake:
		p["default"] = fmt.Sprint(value)
	case []string:
		p["default"] = append([]string{}, value...)
	case map[string]string:
		p["default"] = object{}
	case []Topic:
		p["default"] = (&Source{Topics: value}).TopicNames()
	default:
		p["default"] = value
	}
	return p
}

// The forms of values that are written as text.
const (
	referencePattern = `\$\{(env|file):`
	durationPattern  = `^([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*$`
	sizePattern      = `^[0-9]+ ?(B|KB|MB|GB|KiB|MiB|GiB)?$`
	sharePattern     = `^[0-9]*\.?[0-9]+%?$`
)

// scalar is what may be written for a value of type t, as setScalar reads it.
func (s *schema) scalar(t reflect.Type, tag reflect.StructTag) object {
	pattern := func(p string) object { return object{"type": "string", "pattern": p} }
	switch t {
	case reflect.TypeFor[[]string]():
		return object{"type": "array", "items": s.scalar(t.Elem(), tag)}
	case reflect.TypeFor[map[string]string]():
		return object{"type": "object", "additionalProperties": s.scalar(t.Elem(), tag)}
	case reflect.TypeFor[[]Topic]():
		return object{"type": "array", "items": object{"anyOf": []object{s.scalar(reflect.TypeFor[string](), ""), s.entry()}}}
	case reflect.TypeFor[string](), reflect.TypeFor[Secret]():
		if words, ok := tag.Lookup("oneof"); ok {
			return orReference(object{"enum": strings.Split(words, ",")})
		}
		// Text is taken as it is written, so that a password of digits needs no quotes.
		return object{"type": []string{"string", "number", "boolean"}}
	case reflect.TypeFor[bool]():
		return orReference(object{"type": "boolean"})
	case reflect.TypeFor[int]():
		return orReference(ranged(object{"type": "integer"}, t, tag))
	case reflect.TypeFor[time.Duration]():
		return orReference(pattern(durationPattern), object{"const": 0})
	case reflect.TypeFor[ByteSize]():
		return orReference(pattern(sizePattern), ranged(object{"type": "integer"}, t, tag))
	case reflect.TypeFor[Rate]():
		return orReference(object{"const": Auto.String()}, object{"type": "integer", "minimum": 1, "maximum": int(maxRate)})
	case reflect.TypeFor[Share]():
		return orReference(pattern(sharePattern), ranged(object{"type": "number"}, t, tag))
	case reflect.TypeFor[Brake]():
		return orReference(object{"const": Off.String()}, pattern(sharePattern), object{"type": "number", "exclusiveMinimum": 0, "maximum": 1})
	}
	panic(fmt.Sprintf("config: no schema of a %s", t))
}

func orReference(forms ...object) object {
	return object{"anyOf": append(forms, object{"type": "string", "pattern": referencePattern})}
}

// ranged adds the bounds of a range tag, which are numbers in the schema.
func ranged(p object, t reflect.Type, tag reflect.StructTag) object {
	if bounds, ok := tag.Lookup("range"); ok {
		low, high, _ := strings.Cut(bounds, "..")
		p["minimum"], p["maximum"] = bound(t, low), bound(t, high)
	}
	return p
}

// comments returns the comment above each key of the example, by key path. The
// example is ours: two spaces a level, comments on lines of their own above
// their key.
func comments(example []byte) map[string]string {
	found := make(map[string]string)
	var above, path []string
	for line := range strings.Lines(string(example)) {
		text := strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(text, "#"); ok {
			above = append(above, strings.TrimSpace(comment))
			continue
		}
		if name, _, ok := strings.Cut(text, ":"); ok {
			level := (len(line) - len(strings.TrimLeft(line, " "))) / 2
			path = append(path[:min(level, len(path))], name)
			found[strings.Join(path, ".")] = strings.Join(above, " ")
		}
		above = nil
	}
	return found
}
