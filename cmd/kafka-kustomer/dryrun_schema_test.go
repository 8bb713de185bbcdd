package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/schemas/formats"
)

// A dry run does not wait for an id that the registry does not have, as a run does.
func TestDryRunBelievesThatAnIDIsUnknown(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"error_code":40403,"message":"Schema not found"}`)
	}))
	defer web.Close()
	cfg := config.Default()
	cfg.SchemaRegistry.URLs = []string{web.URL}
	client, err := impatient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	decoder, err := newDecoder(cfg, client)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	c := batcher.Change{Record: batcher.Record{Value: []byte{0, 0, 0, 0, 7, 2}}}
	if err := (patient{decoder, t.Context(), client}).Decode(cfg.Source.Topics[0].Name, 0, &c); err != nil {
		t.Fatal(err)
	}
	if c.Verdict != batcher.Reject || c.Reason.Code != formats.CodeUnknownSchema {
		t.Errorf("verdict %v, %+v", c.Verdict, c.Reason)
	}
	if took := time.Since(begun); took > schemaPatience {
		t.Errorf("it took %v", took)
	}
}
