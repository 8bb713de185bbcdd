package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A chain of schemas, each referring to some before it, comes out as one text which
// defines each type once and before it is named, and which means what the schemas
// mean together.
func TestInlineKeepsTheMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "schemas")
		texts, means := make([]string, n), make([]string, n)
		namespaces := rapid.SliceOfN(rapid.SampledFrom([]string{"x", "x.y", "z"}), n, n).Draw(t, "namespaces")
		for i := range n {
			fields, mean := []string{`"int"`}, []string{"int"}
			for range rapid.IntRange(0, 3).Draw(t, "fields") {
				if i == 0 {
					break
				}
				j := rapid.IntRange(0, i-1).Draw(t, "refers to")
				name := fmt.Sprintf("%s.R%d", namespaces[j], j)
				if namespaces[i] == namespaces[j] && rapid.Bool().Draw(t, "short") {
					name = fmt.Sprint("R", j)
				}
				form := rapid.SampledFrom([]string{`"%s"`, `{"type":"array","items":"%s"}`, `{"type":"map","values":"%s"}`, `["null","%s"]`}).Draw(t, "form")
				fields = append(fields, fmt.Sprintf(form, name))
				mean = append(mean, fmt.Sprintf(meaningOf[form], means[j]))
			}
			name := fmt.Sprintf("%s.R%d", namespaces[i], i)
			texts[i], means[i] = record(name, fields...), name+"("+strings.Join(mean, ",")+")"
		}
		names := newNames()
		root, err := parse(texts[n-1])
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range slices.Backward(texts) {
			tree := root
			if i < n-1 {
				if tree, err = parse(text); err != nil {
					t.Fatal(err)
				}
			}
			if err := names.collect(tree, i == n-1); err != nil {
				t.Fatal(err)
			}
		}
		text, err := names.inline(root)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal([]byte(text), &tree); err != nil {
			t.Fatal(err)
		}
		if got := meaning(t, tree, "", map[string]string{}); got != means[n-1] {
			t.Fatalf("%s\nmeans %s\nwant  %s", text, got, means[n-1])
		}
	})
}

var meaningOf = map[string]string{
	`"%s"`: "%s", `{"type":"array","items":"%s"}`: "[%s]", `{"type":"map","values":"%s"}`: "{%s}", `["null","%s"]`: "<null,%s>",
}

// meaning reads a schema as an Avro parser does: in order, and a name only after its
// definition.
func meaning(t *rapid.T, node any, namespace string, defined map[string]string) string {
	switch node := node.(type) {
	case string:
		if node == "int" || node == "null" {
			return node
		}
		if !strings.Contains(node, ".") {
			node = namespace + "." + node
		}
		if defined[node] == "" {
			t.Fatalf("%s is named before it is defined", node)
		}
		return defined[node]
	case []any:
		return "<" + meaning(t, node[0], namespace, defined) + "," + meaning(t, node[1], namespace, defined) + ">"
	case map[string]any:
		switch node["type"] {
		case "array":
			return "[" + meaning(t, node["items"], namespace, defined) + "]"
		case "map":
			return "{" + meaning(t, node["values"], namespace, defined) + "}"
		}
		name := node["name"].(string)
		if ns, ok := node["namespace"].(string); ok {
			name = ns + "." + name
		}
		if defined[name] != "" {
			t.Fatalf("%s is defined twice", name)
		}
		namespace = name[:strings.LastIndexByte(name, '.')]
		var fields []string
		for _, f := range node["fields"].([]any) {
			fields = append(fields, meaning(t, f.(map[string]any)["type"], namespace, defined))
		}
		defined[name] = name + "(" + strings.Join(fields, ",") + ")"
		return defined[name]
	}
	t.Fatalf("%v is no type", node)
	return ""
}
