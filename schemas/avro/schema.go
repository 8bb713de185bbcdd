package avro

import (
	"encoding/json"
	"math"
	"strings"
)

const (
	maxSchemaBytes = 1 << 20
	maxSchemaDepth = 4 * maxDepth // of its JSON: a field that is a nullable record takes four levels
	maxFixedBytes  = 1 << 20
)

// parse checks a schema with goavro and builds the tree that values are read by.
// goavro does not show its own tree, and builds one of functions that make maps.
func parse(text string) (*node, *SchemaError) {
	if len(text) > maxSchemaBytes {
		return nil, unsupported("it has %d bytes, at most %d are allowed", len(text), maxSchemaBytes)
	}
	var schema any
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		return nil, invalid("it is not JSON: %v", err)
	}
	bare, serr := newStripper().strip(schema, "", 0)
	if serr != nil {
		return nil, serr
	}
	if err := check(bare); err != nil {
		return nil, invalid("%v", err)
	}
	p := parser{named: map[string]*node{}}
	root, serr := p.parse(schema, "")
	if serr != nil {
		return nil, serr
	}
	for i := range p.nodes {
		p.nodes[i].setLeast()
	}
	return root, nil
}

// parser builds the tree.
type parser struct {
	named map[string]*node // by full name
	nodes []*node
}

func (p *parser) add(n *node) *node {
	p.nodes = append(p.nodes, n)
	return n
}

func (p *parser) parse(schema any, namespace string) (*node, *SchemaError) {
	switch s := schema.(type) {
	case string:
		return p.reference(s, namespace)
	case []any:
		return p.union(s, namespace)
	case map[string]any:
		name, ok := s["type"].(string)
		if !ok {
			return p.parse(s["type"], namespace)
		}
		switch name {
		case "record":
			return p.record(s, namespace)
		case "enum":
			return p.enum(s, namespace)
		case "fixed":
			return p.fixed(s, namespace)
		case "array", "map":
			return p.collection(name, s, namespace)
		}
		if base, primitive := primitives[name]; primitive {
			n, serr := withLogical(&node{kind: base}, s)
			return p.add(n), serr
		}
		return p.reference(name, namespace)
	}
	return nil, invalid("a type is neither a name, an object nor a list")
}

func (p *parser) reference(name, namespace string) (*node, *SchemaError) {
	if base, ok := primitives[name]; ok {
		return p.add(&node{kind: base}), nil
	}
	if n, ok := resolve(p.named, name, namespace); ok {
		return n, nil
	}
	return nil, invalid("the type %q is not defined before its use", name)
}

// define registers a named type and returns the namespace inside it.
func (p *parser) define(s map[string]any, namespace string, n *node) (string, *SchemaError) {
	full, namespace := fullName(s, namespace)
	name := full[strings.LastIndexByte(full, '.')+1:]
	if _, primitive := primitives[name]; primitive || complexTypes[name] {
		return "", invalid("%q cannot be the name of a type of one's own", name)
	}
	if p.named[full] != nil {
		return "", invalid("the type %q is defined twice", full)
	}
	p.named[full] = p.add(n)
	return namespace, nil
}

// fullName is the name of a type that is defined within a namespace, and the
// namespace inside it. A namespace that is empty is none, as in a schema from before
// another with a namespace came to refer to it.
func fullName(s map[string]any, namespace string) (full, inside string) {
	name, _ := s["name"].(string)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name, name[:i]
	}
	if own, ok := s["namespace"].(string); ok {
		namespace = own
	}
	if namespace == "" {
		return name, ""
	}
	return namespace + "." + name, namespace
}

// resolve looks a name up as the specification has it: within the namespace, then
// without one.
func resolve[T any](named map[string]T, name, namespace string) (found T, ok bool) {
	if !strings.Contains(name, ".") && namespace != "" {
		if found, ok = named[namespace+"."+name]; ok {
			return found, true
		}
	}
	found, ok = named[name]
	return found, ok
}

func (p *parser) record(s map[string]any, namespace string) (*node, *SchemaError) {
	n := &node{kind: kindRecord}
	namespace, serr := p.define(s, namespace, n)
	if serr != nil {
		return nil, serr
	}
	fields, _ := s["fields"].([]any)
	for _, item := range fields {
		f, _ := item.(map[string]any)
		name, _ := f["name"].(string)
		if name == "" || strings.Contains(name, ".") {
			return nil, invalid("%q cannot be the name of a field", name)
		}
		// The field itself is read as a schema, for the sake of a logicalType that
		// stands beside its type. It belongs inside, but what is meant is plain, and
		// goavro takes it, too.
		of, serr := p.parse(f, namespace)
		if serr != nil {
			return nil, serr
		}
		n.fields = append(n.fields, field{
			name: name, key: fieldKey(name), of: of, aliases: stringsOf(f["aliases"]), custom: name == "custom",
		})
	}
	return n, nil
}

func fieldKey(name string) []byte { return append(appendQuoted([]byte{','}, name), ':') }

// stringsOf takes the strings of a list.
func stringsOf(list any) (out []string) {
	items, _ := list.([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (p *parser) enum(s map[string]any, namespace string) (*node, *SchemaError) {
	n := &node{kind: kindEnum}
	for _, symbol := range stringsOf(s["symbols"]) {
		n.symbols = append(n.symbols, appendQuoted(nil, symbol))
	}
	_, serr := p.define(s, namespace, n)
	return n, serr
}

func (p *parser) fixed(s map[string]any, namespace string) (*node, *SchemaError) {
	size, ok := s["size"].(float64)
	if !ok || size < 0 || size != math.Trunc(size) {
		return nil, invalid("the size of a fixed is no whole number")
	}
	if size > maxFixedBytes {
		return nil, unsupported("a fixed has %v bytes, at most %d are allowed", size, maxFixedBytes)
	}
	n, serr := withLogical(&node{kind: kindFixed, size: int(size)}, s)
	if serr != nil {
		return nil, serr
	}
	_, serr = p.define(s, namespace, n)
	return n, serr
}

func (p *parser) collection(name string, s map[string]any, namespace string) (*node, *SchemaError) {
	n, of := &node{kind: kindArray}, s["items"]
	if name == "map" {
		n.kind, of = kindMap, s["values"]
	}
	item, serr := p.parse(of, namespace)
	n.item = item
	return p.add(n), serr
}

func (p *parser) union(list []any, namespace string) (*node, *SchemaError) {
	n := &node{kind: kindUnion}
	for _, item := range list {
		branch, serr := p.parse(item, namespace)
		if serr != nil {
			return nil, serr
		}
		if branch.kind == kindUnion {
			return nil, invalid("a union stands directly in a union")
		}
		n.branches = append(n.branches, branch)
	}
	return p.add(n), nil
}
