package main

import (
	"testing"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/schemas"
)

// A batch that is refused without a word is searched by the rules of its members.
func TestRefusalsAreSearchedByTheRules(t *testing.T) {
	suspicious := sinkConfig(new(config.Config)).Suspicious
	if suspicious == nil || !suspicious([]byte(`{"rev":1}`)) || suspicious([]byte(`{"subject":"a"}`)) {
		t.Error("the sink does not know which changes break a rule")
	}
}

// kustomer.validate decides whether such a change is sent at all.
func TestStrictIsConfigured(t *testing.T) {
	for validate, want := range map[string]string{"basic": "", "strict": schemas.CodeInvalid} {
		cfg := new(config.Config)
		cfg.Kustomer.Validate = validate
		cfg.Source.Topics = []config.Topic{{Name: "changes"}}
		decoder, err := newDecoder(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := batcher.Change{Record: batcher.Record{Value: []byte(`{"messageId":"m1","changes":{"rev":1}}`)}}
		decoder.Decode("changes", 0, &c)
		if c.Reason.Code != want {
			t.Errorf("%s: %+v, want %q", validate, c.Reason, want)
		}
	}
}
