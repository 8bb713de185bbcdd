package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// Each scenario has a backlog here and a benchmark there.
func TestScenariosExist(t *testing.T) {
	text, err := os.ReadFile("../../cmd/kafka-kustomer/memory_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		b, err := backlogOf(s.name)
		if err != nil {
			t.Error(err)
			continue
		}
		if r := b.event(0); b.events == 0 || len(r.Key) == 0 || !bytes.Contains(r.Value, []byte(`"changes"`)) {
			t.Errorf("%s: %d events such as %.100s", s.name, b.events, r.Value)
		}
		if !bytes.Contains(text, []byte(`"`+s.name+`"`)) {
			t.Errorf("BenchmarkMemory has no %q", s.name)
		}
		if trouble := strings.HasSuffix(s.name, "stuck") || s.name == "hanging"; trouble != (len(b.script.Faults) > 0) {
			t.Errorf("%s: faults %+v", s.name, b.script.Faults)
		}
	}
	if _, err := backlogOf("nonsense"); err == nil {
		t.Error("a scenario that does not exist was made")
	}
}

// The limit of an event counts key and value.
func TestLargeEventsAreAtTheLimit(t *testing.T) {
	for _, size := range []int{largeEvent, largeEvent + 1000, 1 << 10} {
		if r := change(7, size); len(r.Key)+len(r.Value) != size {
			t.Errorf("%d bytes, want %d", len(r.Key)+len(r.Value), size)
		}
	}
}

// The credit counts at least what is held, or memory would grow past its limits.
func TestChargedIsHeld(t *testing.T) {
	for _, h := range holdings {
		if charged, held := h.measure(); held == 0 || charged < held {
			t.Errorf("%s: charged %.0f bytes, held %.0f", h.title, charged, held)
		}
	}
}
