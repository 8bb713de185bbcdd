package main

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/config"
	"kafka-kustomer/internal/kustomersim"
)

const probedMessage = "64a1f0c2b7d9e30012ab1001"

// sandbox is an org that replaces custom, with a message in it, and a
// configuration for it.
func sandbox(t *testing.T) (*kustomersim.Server, *config.Config, string) {
	t.Helper()
	sim := kustomersim.New(kustomersim.Options{
		Key: canary.Secret, CustomReplaces: true, UnknownID: kustomersim.IDFail,
		Script: &kustomersim.Script{Quota: kustomersim.Quota{NoHeaders: true}},
	})
	t.Cleanup(sim.Close)
	sim.Seed(probedMessage, map[string]jsontext.Value{
		"subject": jsontext.Value(`"` + canary.Value + `"`), "meta": jsontext.Value(`{"a":1,"b":{"c":1,"d":2}}`), "custom.oneStr": jsontext.Value(`"` + canary.Value + `"`),
	})
	web := httptest.NewServer(sim)
	t.Cleanup(web.Close)
	text := strings.Replace(minimalConfig, "http://127.0.0.1:2", web.URL, 1)
	cfg, err := config.Load(configFile(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return sim, cfg, text
}

// TestProbe: the whole way, over the network; the settings that the report names
// are ones that the configuration takes.
func TestProbe(t *testing.T) {
	sim, cfg, text := sandbox(t)
	before, _ := sim.Message(probedMessage)
	dir := t.TempDir()
	var out, errs strings.Builder
	o := probing{message: probedMessage, attributes: []string{"oneStr", "twoTxt"}, yes: true, backupDir: dir}
	if err := runProbe(t.Context(), cfg, o, strings.NewReader(""), &out, &errs); err != nil {
		t.Fatal(err, out.String())
	}
	if !strings.Contains(errs.String(), "custom.twoTxt") || leaks(out.String()+errs.String()) {
		t.Errorf("plan and report:\n%s\n%s", &errs, &out)
	}
	after, _ := sim.Message(probedMessage)
	for name, v := range after {
		if string(v) != "null" && string(v) != string(before[name]) {
			t.Errorf("%s was %s and is %s", name, before[name], v)
		}
	}
	if files, _ := filepath.Glob(dir + "/*"); len(files) > 0 {
		t.Errorf("files left: %v", files)
	}
	_, yaml, found := strings.Cut(out.String(), "For the configuration:\n")
	yaml, _, ends := strings.Cut(strings.TrimSpace(yaml), "\n\n")
	if !found || !ends || !strings.Contains(out.String(), "CONTRADICTS") {
		t.Fatalf("the report has no settings:\n%s", &out)
	}
	checkSettings(t, text, yaml)
}

// TestProbeAsJSON: a program reads the report, here of a key that may read no message.
func TestProbeAsJSON(t *testing.T) {
	sim, cfg, _ := sandbox(t)
	if err := sim.SetScript(kustomersim.Script{Deny: kustomersim.DenyShow}); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	o := probing{message: probedMessage, yes: true, json: true, backupDir: t.TempDir()}
	if err := runProbe(t.Context(), cfg, o, strings.NewReader(""), &out, &errs); err != nil {
		t.Fatal(err)
	}
	var report struct {
		Restored bool
		Answers  []struct{ ID, Answer string }
	}
	if err := json.Unmarshal([]byte(out.String()), &report); err != nil || !report.Restored || len(report.Answers) == 0 {
		t.Fatal(err, out.String())
	}
	if !strings.Contains(errs.String(), "may not read it") {
		t.Errorf("the plan does not say that the message is left alone:\n%s", &errs)
	}
}

// checkSettings sees that a configuration takes the piece of YAML.
func checkSettings(t *testing.T, text, yaml string) {
	t.Helper()
	yaml = strings.Replace(yaml, "kustomer:\n", "kustomer:\n  base_url: https://acme.api.kustomerapp.com\n  api_key: any\n", 1)
	text = strings.Join(strings.Split(text, "\n")[:2], "\n") // kafka only
	cfg, err := config.Load(configFile(t, text+"\n"+yaml))
	if err != nil {
		t.Fatalf("%v in\n%s", err, yaml)
	}
	if m := cfg.Batch.Merge; m.Objects != "replace" || len(m.Barrier) != 1 || m.Barrier[0] != "custom" || int(cfg.Kustomer.RequestsPerMinute) != 240 {
		t.Errorf("merge is %+v, pace %v", m, cfg.Kustomer.RequestsPerMinute)
	}
}

// TestProbeAsks: nothing is sent without a message, and without a yes.
func TestProbeAsks(t *testing.T) {
	sim, cfg, _ := sandbox(t)
	devNull, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer devNull.Close()
	for name, o := range map[string]probing{
		"no message":  {yes: true},
		"no terminal": {message: probedMessage},
	} {
		var out, errs strings.Builder
		err := runProbe(t.Context(), cfg, o, devNull, &out, &errs)
		if !errors.As(err, new(usageError)) || out.Len() > 0 {
			t.Errorf("%s: %v, %s", name, err, &out)
		}
	}
	for answer, want := range map[string]bool{"yes\n": true, " yes \n": true, "y\n": false, "": false, "no\n": false} {
		var errs strings.Builder
		if err := confirm(t.Context(), false, strings.NewReader(answer), &errs); (err == nil) != want {
			t.Errorf("%q: %v", answer, err)
		}
	}
	if s := sim.Stats(); s.Puts != 0 || s.Gets != 0 {
		t.Errorf("%d PUTs and %d GETs were sent", s.Puts, s.Gets)
	}
}

func leaks(text string) bool {
	at, _ := canary.Find([]byte(text))
	return at >= 0
}

// The command line leads there, and only as it says.
func TestValidateProbes(t *testing.T) {
	_, _, text := sandbox(t)
	for _, args := range [][]string{
		{"--probe-message", probedMessage},
		{"--online", "--probe-attribute", "oneStr"},
		{"--online", "--yes"},
	} {
		if code, _, stderr := command(t, append([]string{"validate", "-c", configFile(t, text)}, args...)...); code != exitUsage || !strings.Contains(stderr, "is for --") {
			t.Errorf("%v: exit code %d, %s", args, code, stderr)
		}
	}
}
