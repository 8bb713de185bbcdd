package config

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// maxName bounds the names in a table, which errors show. The longest names of
// columns that databases allow are 128 characters.
const maxName = 512

func (r *reader) list(n *yaml.Node, v reflect.Value, k key) {
	if n.Kind != yaml.SequenceNode {
		r.reject(n, k.path, "needs a list, as in [a, b], not %s", shape(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, element := range n.Content {
		path := fmt.Sprintf("%s[%d]", k.path, i)
		r.marks[path] = mark{line: element.Line, column: element.Column}
		r.value(element, list.Index(i), key{path: path, tag: k.tag})
	}
	v.Set(list)
}

// entry reads an element of source.topics, which is a name or a section. What it
// does not say is filled in by derive, when the whole source has been read.
func (r *reader) entry(n *yaml.Node, t *Topic, k key) {
	t.Mapping = defaultMapping()
	switch n.Kind {
	case yaml.ScalarNode:
		r.scalar(n, reflect.ValueOf(&t.Name).Elem(), k)
	case yaml.MappingNode:
		r.section(n, reflect.ValueOf(t).Elem(), k)
		if name := join(k.path, "name"); !r.isSet(name) {
			r.reject(n, name, "is required: the topic to read")
		}
	default:
		r.reject(n, k.path, "needs a name or a section of keys, not %s", shape(n))
	}
}

// table reads a map, whose keys are the user's own words. It takes the place of
// the default as a whole.
func (r *reader) table(n *yaml.Node, v reflect.Value, k key) {
	if n.Kind != yaml.MappingNode {
		r.reject(n, k.path, "needs a section of names and values, as in {a: b}, not %s", shape(n))
		return
	}
	table := reflect.MakeMap(v.Type())
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, child := n.Content[i], n.Content[i+1]
		switch {
		case r.restOfValue(n, name, child, k):
		case name.Kind != yaml.ScalarNode || name.Value == "<<" || len(name.Value) > maxName || strings.ContainsFunc(name.Value, unicode.IsControl):
			r.reject(name, k.path, "a name that is not text of at most %d bytes on one line; merge keys (<<) and lists as names are not supported", maxName)
		case !r.again(name, lines, k):
			path := join(k.path, name.Value)
			r.marks[path] = mark{line: child.Line, column: child.Column}
			value := reflect.New(v.Type().Elem()).Elem()
			r.value(child, value, key{path: path, tag: k.tag})
			table.SetMapIndex(reflect.ValueOf(name.Value), value)
		}
	}
	v.Set(table)
}
