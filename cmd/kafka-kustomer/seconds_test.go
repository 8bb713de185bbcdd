package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/zap"

	"kafka-kustomer/internal/config"
)

func TestDurationsAreNumbersOfSeconds(t *testing.T) {
	var out bytes.Buffer
	log, _ := newLogger(config.Log{Level: "info", Format: "json"}, &out)
	log.Info("x", zap.Duration("for_seconds", 90*time.Second+1_234_567*time.Nanosecond))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["for_seconds"] != 90.001 {
		t.Errorf("for_seconds is %v, want 90.001", line["for_seconds"])
	}
}
