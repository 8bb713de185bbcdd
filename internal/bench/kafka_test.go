//go:build kafka

package main

import (
	"bytes"
	"strings"
	"testing"
)

// A small run on Apache Kafka.
func TestWholeOnKafka(t *testing.T) {
	t.Setenv(asChild, "1")
	var out bytes.Buffer
	o := options{events: 3000, messages: 200, wholeRuns: 1}
	if err := o.benchSetting(t.Context(), &out, t.TempDir(), setting{title: "Apache Kafka", real: true}, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "every message is in its right state") {
		t.Errorf("no verdict in\n%s", out.String())
	}
}
