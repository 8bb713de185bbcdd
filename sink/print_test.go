package sink

import (
	"fmt"
	"testing"

	"kafka-kustomer/internal/canary"
)

func TestPrintsNoSecret(t *testing.T) {
	cfg := Config{BaseURL: "http://acme.api.example", APIKey: canary.Secret, ProxyURL: "http://user:" + canary.Secret + "@proxy:3128", Timeout: 1, MaxInFlight: 1}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, value := range []any{cfg, &cfg, s, []Config{cfg}, struct{ C any }{cfg}, struct{ S *Sink }{s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if at, as := canary.Find([]byte(fmt.Sprintf(verb, value))); at >= 0 {
				t.Errorf("%s of %T prints a secret %s", verb, value, as)
			}
		}
	}
	// A secret in a place where none belongs must not be in the error that says so.
	for _, url := range []string{
		"http://" + canary.Secret + ":x@host", "http://u:" + canary.Secret + "@host", "http://host?key=" + canary.Secret,
		"ftp://u:" + canary.Secret + "@host", "http://u:" + canary.Secret + "@host:x", "://u:" + canary.Secret + "@",
	} {
		for name, bad := range map[string]Config{
			"base URL": {BaseURL: url, APIKey: "k", Timeout: 1, MaxInFlight: 1},
			"proxy":    {BaseURL: "http://host", ProxyURL: url, APIKey: "k", Timeout: 1, MaxInFlight: 1},
		} {
			s, err := New(bad)
			if err == nil {
				s.Close()
				continue
			}
			if at, as := canary.Find([]byte(err.Error())); at >= 0 {
				t.Errorf("the error about the %s holds a secret %s", name, as)
			}
		}
	}
}
