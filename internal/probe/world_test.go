package probe

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/internal/kustomersim"
)

const (
	message = "64a1f0c2b7d9e30012ab1001"
	testKey = "canary-key-0123456789"
	secret  = "canary-value" // in every value of the user's message
)

// direct makes calls without a network, so that a bubble's clock can run.
type direct struct {
	handler http.Handler
	before  func(call int, r *http.Request) error // may be nil
	calls   int
}

func (d *direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	d.calls++
	if d.before != nil {
		err := d.before(d.calls, r)
		if errors.Is(err, errDenied) {
			return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody}, nil
		}
		if err != nil {
			return nil, err
		}
	}
	defer func() {
		if v := recover(); v != nil {
			resp, err = nil, errors.New("connection closed, key was "+testKey)
		}
	}()
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

// seeded is the message before a probe.
func seeded() map[string]jsontext.Value {
	return map[string]jsontext.Value{
		"subject":        jsontext.Value(`"canary-value subject"`),
		"preview":        jsontext.Value(`"canary-value preview"`),
		"status":         jsontext.Value(`"received"`),
		"meta":           jsontext.Value(`{"a":"canary-value","b":{"c":"canary-value","d":2},"z":[1]}`),
		"modifiedAt":     jsontext.Value(`"2026-01-02T03:04:05.000Z"`),
		"custom.oneStr":  jsontext.Value(`"canary-value one"`),
		"custom.twoTxt":  jsontext.Value(`"canary-value two"`),
		"custom.ageNum":  jsontext.Value(`42`),
		"custom.goneStr": jsontext.Value(`null`),
	}
}

// world is an org, a message in it, and a probe of it.
type world struct {
	opts    kustomersim.Options
	script  kustomersim.Script
	message map[string]jsontext.Value
	attrs   []string
	before  func(call int, r *http.Request) error
	tune    func(*Config)
	wrap    func(http.Handler) http.Handler // of the org; may be nil
	finally func(outcome)                   // before the message is looked at for the last time
}

// outcome is what a probe left behind.
type outcome struct {
	report        *Report
	err           error
	before, after map[string]string
	files         []string
	calls         int
	stats         kustomersim.Stats
}

func (w world) run(t *testing.T, ctx context.Context) (o outcome) {
	t.Helper()
	w.script.Quota.PerMinute = max(w.script.Quota.PerMinute, 1000)
	if w.script.Run == (kustomersim.Run{}) {
		w.script.Run = kustomersim.Run{Base: kustomersim.Duration(time.Second), Tail: kustomersim.Duration(time.Second)}
	}
	w.opts.Script, w.opts.Key, w.opts.Seed = &w.script, testKey, 7
	sim := kustomersim.New(w.opts)
	defer sim.Close()
	if w.message == nil {
		w.message = seeded()
	}
	sim.Seed(message, w.message)
	d := &direct{handler: sim, before: w.before}
	if w.wrap != nil {
		d.handler = w.wrap(sim)
	}
	cfg := Config{
		BaseURL: "http://sandbox.example", APIKey: testKey, Transport: d, Message: message, Attributes: w.attrs,
		BackupDir: t.TempDir(), Confirm: func(Plan) error { return nil },
	}
	if w.tune != nil {
		w.tune(&cfg)
	}
	o.before = shown(t, sim)
	o.report, o.err = Run(ctx, cfg)
	o.files, _ = filepath.Glob(cfg.BackupDir + "/*")
	time.Sleep(5 * time.Minute) // of a bubble's clock: whatever still runs has landed
	if w.finally != nil {
		w.finally(o)
		time.Sleep(5 * time.Minute)
	}
	o.after, o.calls, o.stats = shown(t, sim), d.calls, sim.Stats()
	o.noLeak(t)
	return o
}

// shown is the message as a reader sees it, without what is null.
func shown(t *testing.T, sim *kustomersim.Server) map[string]string {
	t.Helper()
	out := map[string]string{}
	fields, _ := sim.Message(message)
	for name, v := range fields {
		if !absent(v) {
			out[name] = canonical(v)
		}
	}
	return out
}

// noLeak sees that neither the key nor a value of the user's is told.
func (o outcome) noLeak(t *testing.T) {
	t.Helper()
	var b bytes.Buffer
	if o.err != nil {
		b.WriteString(o.err.Error())
	}
	if o.report != nil {
		if err := errors.Join(o.report.WriteText(&b), o.report.WriteJSON(&b)); err != nil {
			t.Fatal(err)
		}
	}
	if text := b.String(); strings.Contains(text, testKey) || strings.Contains(text, secret) {
		t.Errorf("the key or a value is told:\n%s", text)
	}
}

func (o outcome) verdicts() map[string]Verdict {
	out := map[string]Verdict{}
	for _, a := range o.report.Answers {
		out[a.ID] = a.Verdict
	}
	return out
}

func (o outcome) settings() map[string]string {
	out := map[string]string{}
	for _, s := range o.report.Settings {
		out[s.Key] = s.Value
	}
	return out
}

// asBefore sees that the message is as it was, and that the probe says so.
func (o outcome) asBefore(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(o.before, o.after); diff != "" {
		t.Errorf("the message is not as it was (-before +after):\n%s", diff)
	}
	if !o.report.Restored || len(o.files) > 0 {
		t.Errorf("restored %t, %v, %s; files left: %v", o.report.Restored, o.report.Unrestored, o.report.RestoreError, o.files)
	}
	if !strings.Contains(textOf(t, o.report), "is as it was") {
		t.Error("the report does not say that the message is as it was")
	}
}

func textOf(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
