package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// reader takes one document to a Config and collects what is wrong with it.
type reader struct {
	file     string
	env      func(string) (string, bool)
	readFile func(path string) ([]byte, error)

	errs     Errors
	marks    map[string]mark // what the file says, by key path
	expanded int             // bytes that references came to
}

// mark is where a key stands in the file, and how it fared.
type mark struct {
	line, column int    // of the value; of the key, for a section
	reference    string // the scalar as written, when it has references
	bad          bool   // reported already: rules that involve it are not checked
}

// reject reports a fault of the node that is the value of key.
func (r *reader) reject(n *yaml.Node, key, format string, args ...any) {
	m := r.marks[key]
	m.bad = true
	r.marks[key] = m
	r.report(n.Line, n.Column, key, fmt.Sprintf(format, args...))
}

func (r *reader) report(line, column int, key, text string) {
	r.errs = append(r.errs, Error{File: r.file, Line: line, Column: column, Key: key, Text: text})
}

func (r *reader) decode(root *yaml.Node, c *Config) {
	if root == nil {
		return
	}
	r.marks[""] = mark{line: root.Line, column: root.Column}
	r.value(root, reflect.ValueOf(c).Elem(), key{})
}

// key is one key of the tree: a field, or an element of one.
type key struct {
	path string
	tag  reflect.StructTag
}

func (k key) child(f reflect.StructField) key {
	return key{path: join(k.path, keyName(f)), tag: f.Tag}
}

func keyName(f reflect.StructField) string { return f.Tag.Get("yaml") }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// isSection reports whether values of t are sections of keys: Secret is a struct
// as well, but a scalar in the file.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[Secret]()
}

func (r *reader) value(n *yaml.Node, v reflect.Value, k key) {
	section, entry := isSection(v.Type()), v.Type() == reflect.TypeFor[Topic]()
	switch {
	case n.Kind == yaml.AliasNode:
		r.reject(n, k.path, "aliases are not supported; write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		r.reject(n, k.path, "tags are not supported; put a value that begins with ! in quotes")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		// A section whose keys are all commented out is what is left of it.
		if !section || entry {
			r.reject(n, k.path, "has no value; write one, or remove the key for its default")
		}
	case entry:
		r.entry(n, v.Addr().Interface().(*Topic), k)
	case section:
		r.section(n, v, k)
	case v.Kind() == reflect.Slice:
		r.list(n, v, k)
	case v.Kind() == reflect.Map:
		r.table(n, v, k)
	case n.Kind != yaml.ScalarNode:
		r.reject(n, k.path, "needs a single value, not %s", shape(n))
	default:
		r.scalar(n, v, k)
	}
}

func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

func (r *reader) section(n *yaml.Node, v reflect.Value, k key) {
	if n.Kind != yaml.MappingNode {
		r.reject(n, k.path, "needs a section of keys, not %s", shape(n))
		return
	}
	lines := make(map[string]int) // of the keys so far
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, child := n.Content[i], n.Content[i+1]
		field, known := fieldByKey(v.Type(), name)
		switch {
		case !known:
			r.unknown(n, i, v.Type(), k)
		case !r.again(name, lines, k):
			at := child
			if isSection(field.Type) {
				at = name
			}
			r.marks[join(k.path, name.Value)] = mark{line: at.Line, column: at.Column}
			r.value(child, v.FieldByIndex(field.Index), k.child(field))
		}
	}
}

// again reports a key that the section has already, and remembers the line of one
// that is new.
func (r *reader) again(name *yaml.Node, lines map[string]int, k key) bool {
	first, again := lines[name.Value]
	if again {
		r.reject(name, join(k.path, name.Value), "is set a second time; it is on line %d already", first)
	} else {
		lines[name.Value] = name.Line
	}
	return again
}

func fieldByKey(t reflect.Type, name *yaml.Node) (reflect.StructField, bool) {
	if name.Kind != yaml.ScalarNode {
		return reflect.StructField{}, false
	}
	for f := range t.Fields() {
		if keyName(f) == name.Value {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// unknown reports entry i of a section, a key that is none, with the key that may have been meant: one
// like it in the same section, or of the same name in another.
func (r *reader) unknown(section *yaml.Node, i int, t reflect.Type, k key) {
	name, child := section.Content[i], section.Content[i+1]
	if r.restOfValue(section, name, child, k) {
		return
	}
	if name.Kind != yaml.ScalarNode || name.Value == "<<" || len(name.Value) > maxWord {
		r.report(name.Line, name.Column, k.path, "a key that is not one word; merge keys (<<) and lists as keys are not supported")
		return
	}
	var known []string
	for f := range t.Fields() {
		known = append(known, keyName(f))
	}
	hint := "known here: " + strings.Join(known, ", ")
	if near := nearest(name.Value, known); near != "" {
		hint = fmt.Sprintf("did you mean %s?", join(k.path, near))
	} else if elsewhere := sameName(name.Value); len(elsewhere) > 0 {
		hint = fmt.Sprintf("did you mean %s?", strings.Join(elsewhere, " or "))
	}
	r.report(name.Line, name.Column, k.path, fmt.Sprintf("unknown key %q; %s", name.Value, hint))
}

// restOfValue reports a key that is probably none: {password: my,secret} is a
// password and a key without a value. It is not shown.
func (r *reader) restOfValue(section, name, child *yaml.Node, k key) bool {
	if section.Style&yaml.FlowStyle == 0 || child.Tag != "!!null" || child.Value != "" {
		return false
	}
	r.report(name.Line, name.Column, k.path, "a key without a value; is it the rest of a value with a comma, which needs quotes?")
	return true
}

// sameName returns the paths of all keys whose last part is name.
func sameName(name string) []string {
	var found []string
	for _, path := range keys(reflect.TypeFor[Config](), "") {
		if bare(path[strings.LastIndex(path, ".")+1:]) == bare(name) {
			found = append(found, path)
		}
	}
	return found
}

// keys returns the paths of all keys below t that hold values, in the tree's order.
func keys(t reflect.Type, path string) []string {
	var all []string
	for f := range t.Fields() {
		if below := join(path, keyName(f)); isSection(f.Type) {
			all = append(all, keys(f.Type, below)...)
		} else {
			all = append(all, below)
		}
	}
	return all
}

// scalar reads a single value as the type of v. Strings take what is written,
// whatever YAML would make of it, so that a password of digits needs no quotes.
func (r *reader) scalar(n *yaml.Node, v reflect.Value, k key) {
	text, references, err := r.expand(n.Value)
	if err != nil {
		r.reject(n, k.path, "%v", err)
		return
	}
	if references {
		m := r.marks[k.path]
		m.reference = n.Value
		r.marks[k.path] = m
	}
	const quotes = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	// What a reference brings in is read as if it stood there without quotes.
	quoted := n.Style&quotes != 0 && !references
	if kind := v.Kind(); quoted && (kind == reflect.Bool || v.Type() == reflect.TypeFor[int]()) {
		r.reject(n, k.path, "%s is text because of its quotes; remove them", show(n.Value))
		return
	}
	if err := setScalar(v, text); err != nil {
		r.reject(n, k.path, "%s %v", show(n.Value), err)
		return
	}
	if fault := breaks(v, k.tag); fault != "" {
		r.reject(n, k.path, "%s %s", show(n.Value), fault)
	}
}

// show quotes a value as it stands in the file, cut to a length that fits a line.
// Secrets never get here: they take any text.
func show(value string) string {
	if runes := []rune(value); len(runes) > maxWord {
		value = string(runes[:maxWord]) + "…"
	}
	return fmt.Sprintf("%q", value)
}

func setScalar(v reflect.Value, text string) (err error) {
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text
	case *Secret:
		*p = NewSecret(text)
	case *bool:
		*p, err = parseBool(text)
	case *int:
		*p, err = parseInt(text)
	case *time.Duration:
		*p, err = parseDuration(text)
	case *ByteSize:
		*p, err = parseByteSize(text)
	case *Rate:
		*p, err = parseRate(text)
	case *Share:
		*p, err = parseShare(text)
	case *Brake:
		*p, err = parseBrake(text)
	default:
		panic(fmt.Sprintf("config: no way to read a %s", v.Type()))
	}
	return err
}
