package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Redacted returns the effective configuration, defaults and references filled
// in, as YAML in the order of the struct tree, with *** for every secret. What is
// copied from it into a file means the same there: a plain $ is written $$.
func Redacted(c *Config) ([]byte, error) {
	text, err := dump(shortened(c))
	if err != nil || !bytes.Contains(text, []byte("$")) {
		return text, err
	}
	// The library decides on quotes and blocks, so it is asked once more, with values
	// in which every $ is two.
	var tree yaml.Node
	if err := yaml.Load(text, &tree); err != nil {
		return nil, fmt.Errorf("read written configuration: %w", err)
	}
	escapeDollars(&tree)
	return dump(&tree)
}

func dump(v any) ([]byte, error) {
	var out bytes.Buffer
	dumper, err := yaml.NewDumper(&out, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	if err := dumper.Dump(v); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	if err := dumper.Close(); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return out.Bytes(), nil
}

// escapeDollars doubles each $ of the values. Names are read as they stand.
func escapeDollars(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		n.Value = strings.ReplaceAll(n.Value, "$", "$$")
		return
	}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			escapeDollars(child)
		}
	}
}

// shortened is c with the topics that are as the source says by name only, as in
// most files.
func shortened(c *Config) *Config {
	s := *c
	s.Source.Topics = slices.Clone(c.Source.Topics)
	for i := range s.Source.Topics {
		t := &s.Source.Topics[i]
		usual := Topic{Name: t.Name, Format: s.Source.Format, Schema: s.Source.Schema, Mapping: s.Source.Mapping}
		if reflect.DeepEqual(*t, usual) {
			*t = Topic{Name: t.Name}
		}
	}
	return &s
}

// MarshalYAML writes a topic of which there is only a name as that, as in the file.
func (t Topic) MarshalYAML() (any, error) {
	if t.Format == "" {
		return t.Name, nil
	}
	type section Topic
	return section(t), nil
}

// plain returns text as the number it is, so that the encoder writes no quotes.
func plain(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return text
}
