package kustomersim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
)

// Guide explains a [Script] in JSON to who writes one.
//
//go:embed guide.txt
var Guide string

// Example is a [Script] in JSON with some of everything.
//
//go:embed example.json
var Example string

// ReadScript reads a script in JSON. It refuses names that it does not know,
// for a misspelt fault would be a test of nothing, and what Validate refuses.
func ReadScript(r io.Reader) (sc Script, err error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&sc); err != nil {
		return Script{}, fmt.Errorf("fault script: %w", err)
	}
	if err := sc.Validate(); err != nil {
		return Script{}, fmt.Errorf("fault script is invalid: %w", err)
	}
	return sc, nil
}
