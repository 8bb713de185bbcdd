package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// Redacted returns the effective configuration, defaults and references filled
// in, as YAML in the order of the struct tree, with *** for every secret. It is
// for reading: a $ in it is a plain one, so it need not load again.
func Redacted(c *Config) ([]byte, error) {
	var out bytes.Buffer
	dumper, err := yaml.NewDumper(&out, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	if err := dumper.Dump(shortened(c)); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	if err := dumper.Close(); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return out.Bytes(), nil
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
