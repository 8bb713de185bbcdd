package main

import (
	"testing"

	"kafka-kustomer/internal/config"
)

// A batch that is refused without a word is searched by the rules of its members.
func TestRefusalsAreSearchedByTheRules(t *testing.T) {
	suspicious := sinkConfig(new(config.Config)).Suspicious
	if suspicious == nil || !suspicious([]byte(`{"rev":1}`)) || suspicious([]byte(`{"subject":"a"}`)) {
		t.Error("the sink does not know which changes break a rule")
	}
}
