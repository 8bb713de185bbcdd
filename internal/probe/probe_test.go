package probe

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
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
		if err := d.before(d.calls, r); err != nil {
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
	cfg := Config{
		BaseURL: "http://sandbox.example", APIKey: testKey, Transport: d, Message: message, Attributes: w.attrs,
		BackupDir: t.TempDir(), Confirm: func(Plan) error { return nil },
	}
	if w.tune != nil {
		w.tune(&cfg)
	}
	o.before = shown(t, sim)
	o.report, o.err = Run(ctx, cfg)
	time.Sleep(5 * time.Minute) // of a bubble's clock: whatever still runs has landed
	o.after, o.calls, o.stats = shown(t, sim), d.calls, sim.Stats()
	o.files, _ = filepath.Glob(cfg.BackupDir + "/*")
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

// usual are the answers of an org that does what the connector assumes.
func usual() map[string]Verdict {
	return map[string]Verdict{
		qCustom: customMerged, qNullCustom: nullClears, qNull: nullClears, qNullElsewhere: nullRefused, qObjects: objectsReplaced,
		qOrder: orderBroken, qUnknownID: idFails, qFailedItem: failText, qShape: pagedShape, qClientRef: refEchoed,
		qFirstReply: firstNotComplete, qRepeatedID: repeatRefused, qUnknownMember: memberRefused, qEmpty: emptyRefused,
		qAudit: auditWritten, qSize: sizeTaken, qQuota: allHeaders, qReset: noReset, qObject: noObject, qDate: goodDate, qDuration: durationSeen,
	}
}

var two = []string{"oneStr", "twoTxt"}

// TestAnswers: each way an org may do it, the answer to it, and the message as
// it was.
func TestAnswers(t *testing.T) {
	type sim = kustomersim.Options
	type script = kustomersim.Script
	tests := []struct {
		name     string
		world    world
		want     map[string]Verdict // what is not as usual
		contrary []string
		settings map[string]string // some of them
	}{
		{"as assumed", world{}, nil, nil, map[string]string{"batch.merge.objects": "replace", "kustomer.requests_per_minute": "auto"}},
		{"custom replaced", world{opts: sim{CustomReplaces: true}}, map[string]Verdict{qCustom: customReplaced}, []string{qCustom}, map[string]string{"batch.merge.barrier": "[custom]"}},
		{"null ignored", world{opts: sim{NullIgnored: true}}, map[string]Verdict{qNull: nullIgnored, qNullCustom: nullIgnored}, []string{qNull, qNullCustom}, map[string]string{"batch.merge.enabled": "false"}},
		{"null anywhere", world{opts: sim{AllowNull: true}}, map[string]Verdict{qNullElsewhere: nullTaken}, nil, nil},
		{"objects merged", world{opts: sim{ShallowMerge: true}}, map[string]Verdict{qObjects: objectsShallow}, nil, map[string]string{"batch.merge.objects": "safe"}},
		{"objects merged deeply", world{opts: sim{DeepMerge: true}}, map[string]Verdict{qObjects: objectsDeep}, nil, map[string]string{"batch.merge.objects": "safe"}},
		{"in order", world{opts: sim{InOrder: true, Workers: 1}}, map[string]Verdict{qOrder: orderKept}, nil, nil},
		{"no references", world{opts: sim{NoClientRef: true}}, map[string]Verdict{qClientRef: refRefused, qShape: countsShape, qFailedItem: failErrors}, nil, nil},
		{"references not echoed", world{script: script{Batches: kustomersim.ShapeNoRef}}, map[string]Verdict{qClientRef: refSilent, qShape: countsShape, qFailedItem: failErrors}, nil, nil},
		{"flat", world{script: script{Batches: kustomersim.ShapeFlat}}, map[string]Verdict{qShape: flatShape}, nil, nil},
		{"beside", world{script: script{Batches: kustomersim.ShapeBeside}}, map[string]Verdict{qShape: besideShape}, nil, nil},
		{"unknown id refused", world{opts: sim{UnknownID: kustomersim.IDRefuse}}, map[string]Verdict{qUnknownID: idRefuses, qFailedItem: Unknown}, nil, nil},
		{"unknown id passes", world{opts: sim{UnknownID: "pass"}}, map[string]Verdict{qUnknownID: idPasses, qFailedItem: Unknown}, []string{qUnknownID}, nil},
		{"unknown member ignored", world{opts: sim{IgnoreUnknown: true}}, map[string]Verdict{qUnknownMember: memberIgnored}, nil, nil},
		{"empty taken", world{opts: sim{AllowEmpty: true}}, map[string]Verdict{qEmpty: emptyTaken}, nil, nil},
		{"id twice", world{opts: sim{RepeatIDs: true}}, map[string]Verdict{qRepeatedID: repeatLast}, nil, nil},
		{"audit ignored", world{opts: sim{Audit: kustomersim.AuditIgnore}}, map[string]Verdict{qAudit: auditIgnored}, nil, nil},
		{"audit forbidden", world{opts: sim{Audit: kustomersim.AuditForbid}}, map[string]Verdict{qAudit: auditRefused}, nil, nil},
		{"small requests", world{opts: sim{MaxBodyBytes: 100_000}}, map[string]Verdict{qSize: sizeRefused}, nil, map[string]string{"batch.max_bytes": "256KiB"}},
		{"complete at once", world{script: script{FirstComplete: 1}}, map[string]Verdict{qFirstReply: firstComplete, qOrder: orderKept}, nil, nil},
		{"running at once", world{script: script{FirstRunning: 1}}, nil, nil, nil},
		{"no quota headers", world{script: script{Quota: kustomersim.Quota{NoHeaders: true}}}, map[string]Verdict{qQuota: noHeaders}, nil, map[string]string{"kustomer.requests_per_minute": "240"}},
		{"reset always, one message limited", world{script: script{Quota: kustomersim.Quota{ResetAlways: true, Object: 1000}}}, map[string]Verdict{qReset: epochReset, qObject: hasObject}, nil, nil},
		{"clock apart", world{script: script{Clock: kustomersim.Duration(time.Hour)}}, map[string]Verdict{qDate: skewedDate}, nil, nil},
		{"minimal reply, 201", world{script: script{Minimal: true, PutStatus: 201}}, nil, nil, nil},
		{
			"slow",
			world{script: script{Run: kustomersim.Run{Base: kustomersim.Duration(40 * time.Second)}}},
			map[string]Verdict{},
			nil,
			map[string]string{"kustomer.lost_reply_wait": "260s", "kustomer.overdue_after": "13m"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := tt.world
				w.attrs = two
				if w.opts.UnknownID == "" {
					w.opts.UnknownID = kustomersim.IDFail
				} else if w.opts.UnknownID == "pass" {
					w.opts.UnknownID = kustomersim.IDCreate
				}
				o := w.run(t, t.Context())
				if o.err != nil {
					t.Fatal(o.err)
				}
				want := usual()
				maps.Copy(want, tt.want)
				if tt.name == "slow" || tt.name == "running at once" || tt.name == "minimal reply, 201" {
					delete(want, qOrder)
				}
				got := o.verdicts()
				if _, fixed := want[qOrder]; !fixed {
					delete(got, qOrder)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("answers (-want +got):\n%s\n%s", diff, textOf(t, o.report))
				}
				var contrary []string
				for _, a := range o.report.Answers {
					if a.Contrary {
						contrary = append(contrary, a.ID)
					}
					if a.Verdict != Unknown && a.Means == "" {
						t.Errorf("%s: the answer %q means nothing", a.ID, a.Verdict)
					}
				}
				less := func(s []string) map[string]bool {
					m := map[string]bool{}
					for _, v := range s {
						m[v] = true
					}
					return m
				}
				if diff := cmp.Diff(less(tt.contrary), less(contrary)); diff != "" {
					t.Errorf("contradictions (-want +got):\n%s", diff)
				}
				for key, value := range tt.settings {
					if o.settings()[key] != value {
						t.Errorf("%s is %q, want %q", key, o.settings()[key], value)
					}
				}
				o.asBefore(t)
				if o.calls > 48 || o.report.Requests != o.calls {
					t.Errorf("%d requests, said to be %d", o.calls, o.report.Requests)
				}
			})
		})
	}
}
