package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"strings"
)

// maxDepth is how deep a schema's types may be nested.
const maxDepth = 200

var errDeep = fmt.Errorf("its types are nested more than %d deep", maxDepth)

// names are the named types (records, enums, fixed) of a schema and of those it
// refers to, by full name.
type names struct {
	defined map[string]definition
	written map[string]bool
}

// definition is a named type as some schema has it.
type definition struct {
	node      map[string]any
	name      string // full
	namespace string // in which the names inside it stand
	own       bool   // by the schema itself: it is there already
}

func newNames() *names {
	return &names{defined: map[string]definition{}, written: map[string]bool{}}
}

// parse reads a schema's JSON. Numbers stay as written: defaults may have more
// digits than a float64.
func parse(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err == nil {
		if _, err := d.Token(); err == io.EOF {
			return tree, nil
		}
	}
	return nil, errors.New("it, or a schema it refers to, is not JSON")
}

// collect takes in the types that a schema defines.
func (n *names) collect(tree any, own bool) error {
	return walk(tree, "", 0, func(d definition) error {
		d.own = own
		before, twice := n.defined[d.name]
		switch {
		case !twice:
			n.defined[d.name] = d
		case !reflect.DeepEqual(before.node, d.node):
			return fmt.Errorf("the type %q is defined in two ways, by it or by what it refers to", d.name)
		}
		return nil
	})
}

// walk calls visit for each definition in a schema.
func walk(node any, namespace string, depth int, visit func(definition) error) error {
	if depth > maxDepth {
		return errDeep
	}
	switch t := node.(type) {
	case []any:
		for _, branch := range t {
			if err := walk(branch, namespace, depth+1, visit); err != nil {
				return err
			}
		}
	case map[string]any:
		if d, ok := define(t, namespace); ok {
			if err := visit(d); err != nil {
				return err
			}
			namespace = d.namespace
		}
		for _, part := range parts(t) {
			if err := walk(part.get(), namespace, depth+1, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// define tells whether a node defines a named type, and which.
func define(node map[string]any, namespace string) (definition, bool) {
	kind, _ := node["type"].(string)
	switch kind {
	case "record", "error", "enum", "fixed":
	default:
		return definition{}, false
	}
	name, _ := node["name"].(string)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return definition{node: node, name: name, namespace: name[:i]}, true
	}
	if ns, ok := node["namespace"].(string); ok {
		namespace = ns
	}
	return definition{node: node, name: join(namespace, name), namespace: namespace}, name != ""
}

func join(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "." + name
}

// part is a place in a node that holds a type.
type part struct {
	node map[string]any
	key  string
}

func (p part) get() any  { return p.node[p.key] }
func (p part) set(v any) { p.node[p.key] = v }

// parts are the places of types in a node, in the order in which they are read.
func parts(node map[string]any) []part {
	switch kind, _ := node["type"].(string); kind {
	case "record", "error":
		fields, _ := node["fields"].([]any)
		var all []part
		for _, f := range fields {
			if f, ok := f.(map[string]any); ok {
				all = append(all, part{f, "type"})
			}
		}
		return all
	case "array":
		return []part{{node, "items"}}
	case "map":
		return []part{{node, "values"}}
	case "enum", "fixed":
		return nil
	}
	return []part{{node, "type"}} // {"type": "int", ...}, or a type within a type
}

// inline writes the schema out, with each type of another schema where it is named
// first. It can't become larger than all of them together, but for namespaces, as
// each type is written once.
func (n *names) inline(root any) (string, error) {
	tree, err := n.expand(root, "", 0)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return "", errors.New("it can't be written as JSON")
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// expand returns a node with the types of other schemas in it.
func (n *names) expand(node any, namespace string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	switch t := node.(type) {
	case string:
		d, ok := n.find(t, namespace)
		if !ok || d.own || n.written[d.name] {
			return t, nil
		}
		return n.write(d, true, depth)
	case []any:
		for i := range t {
			var err error
			if t[i], err = n.expand(t[i], namespace, depth+1); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if d, ok := define(t, namespace); ok {
			if n.written[d.name] {
				return d.name, nil
			}
			return n.write(d, false, depth)
		}
		return t, n.fill(t, namespace, depth)
	}
	return node, nil
}

// write is a type where it stands from now on. One from another schema is not in
// the namespace that its names were written for, so it has to say which that was.
func (n *names) write(d definition, moved bool, depth int) (any, error) {
	n.written[d.name] = true
	if moved {
		d.node = maps.Clone(d.node)
		d.node["name"], d.node["namespace"] = d.name[strings.LastIndexByte(d.name, '.')+1:], d.namespace
	}
	return d.node, n.fill(d.node, d.namespace, depth)
}

func (n *names) fill(node map[string]any, namespace string, depth int) error {
	for _, p := range parts(node) {
		t, err := n.expand(p.get(), namespace, depth+1)
		if err != nil {
			return err
		}
		p.set(t)
	}
	return nil
}

// find looks a name up as Avro does: within the namespace, then without one.
func (n *names) find(name, namespace string) (definition, bool) {
	if primitive[name] {
		return definition{}, false
	}
	if !strings.Contains(name, ".") {
		if d, ok := n.defined[join(namespace, name)]; ok {
			return d, true
		}
	}
	d, ok := n.defined[name]
	return d, ok
}

var primitive = map[string]bool{
	"null": true, "boolean": true, "int": true, "long": true, "float": true, "double": true, "bytes": true, "string": true,
}
