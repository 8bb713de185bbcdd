package config

import (
	"bytes"
	"fmt"
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
	if err := dumper.Dump(c); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	if err := dumper.Close(); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return out.Bytes(), nil
}

// plain returns text as the number it is, so that the encoder writes no quotes.
func plain(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return text
}
