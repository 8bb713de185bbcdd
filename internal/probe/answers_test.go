package probe

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kafka-kustomer/internal/kustomersim"
)

// usual are the answers of an org that does what the connector assumes. Which of
// two operations wins is left to chance there.
func usual() map[string]Verdict {
	return map[string]Verdict{
		qCustom: customMerged, qNullCustom: nullClears, qNull: nullClears, qNullElsewhere: nullRefused, qObjects: objectsReplaced,
		qUnknownID: idFails, qFailedItem: failText, qShape: pagedShape, qClientRef: refEchoed,
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
	const passes = kustomersim.IDRule("pass") // no rule: the item is written
	tests := []struct {
		name     string
		world    world
		want     map[string]Verdict // what is not as usual
		contrary []string
		settings map[string]string // some of them
	}{
		{"as assumed", world{}, nil, nil, map[string]string{"batch.merge.objects": "replace", "kustomer.requests_per_minute": "auto"}},
		{"custom replaced", world{opts: sim{CustomReplaces: true}}, map[string]Verdict{qCustom: customReplaced}, []string{qCustom}, map[string]string{"batch.merge.barrier": "[custom]"}},
		{"null ignored", world{opts: sim{NullIgnored: true}}, map[string]Verdict{qNull: nullIgnored, qNullCustom: nullIgnored}, []string{qNullCustom, qNull}, map[string]string{"batch.merge.enabled": "false"}},
		{"null anywhere", world{opts: sim{AllowNull: true}}, map[string]Verdict{qNullElsewhere: nullTaken}, nil, nil},
		{"objects merged", world{opts: sim{ShallowMerge: true}}, map[string]Verdict{qObjects: objectsShallow}, nil, map[string]string{"batch.merge.objects": "safe"}},
		{"objects merged deeply", world{opts: sim{DeepMerge: true}}, map[string]Verdict{qObjects: objectsDeep}, nil, map[string]string{"batch.merge.objects": "safe"}},
		{"overtaken", world{tune: func(c *Config) { c.Rounds, c.MaxRequests = 12, 200 }}, map[string]Verdict{qOrder: orderBroken}, nil, nil},
		{"in order", world{opts: sim{InOrder: true, Workers: 1}}, map[string]Verdict{qOrder: orderKept}, nil, nil},
		{"no references", world{opts: sim{NoClientRef: true}}, map[string]Verdict{qClientRef: refRefused, qShape: countsShape, qFailedItem: failErrors}, nil, nil},
		{"references not echoed", world{script: script{Batches: kustomersim.ShapeNoRef}}, map[string]Verdict{qClientRef: refSilent, qShape: countsShape, qFailedItem: failErrors}, nil, nil},
		{"flat", world{script: script{Batches: kustomersim.ShapeFlat}}, map[string]Verdict{qShape: flatShape}, nil, nil},
		{"beside", world{script: script{Batches: kustomersim.ShapeBeside}}, map[string]Verdict{qShape: besideShape}, nil, nil},
		{"unknown id refused", world{opts: sim{UnknownID: kustomersim.IDRefuse}}, map[string]Verdict{qUnknownID: idRefuses, qFailedItem: Unknown, qSize: sizeOther}, nil, nil},
		{"unknown id passes", world{opts: sim{UnknownID: passes}}, map[string]Verdict{qUnknownID: idPasses, qFailedItem: Unknown}, []string{qUnknownID}, nil},
		{"unknown member ignored", world{opts: sim{IgnoreUnknown: true}}, map[string]Verdict{qUnknownMember: memberIgnored}, nil, nil},
		{"empty taken", world{opts: sim{AllowEmpty: true}}, map[string]Verdict{qEmpty: emptyTaken}, nil, nil},
		{"id twice", world{opts: sim{RepeatIDs: true}}, map[string]Verdict{qRepeatedID: repeatLast}, nil, nil},
		{"audit ignored", world{opts: sim{Audit: kustomersim.AuditIgnore}}, map[string]Verdict{qAudit: auditIgnored}, nil, nil},
		{"audit forbidden", world{opts: sim{Audit: kustomersim.AuditForbid}}, map[string]Verdict{qAudit: auditRefused}, nil, nil},
		{"small requests", world{opts: sim{MaxBodyBytes: 100_000}}, map[string]Verdict{qSize: sizeRefused, qQuota: someHeaders}, nil, map[string]string{"batch.max_bytes": "256KiB"}},
		{"complete at once", world{script: script{FirstComplete: 1}}, map[string]Verdict{qFirstReply: firstComplete, qOrder: orderKept}, nil, nil},
		{"running at once", world{script: script{FirstRunning: 1}}, nil, nil, nil},
		{"no quota headers", world{script: script{Quota: kustomersim.Quota{NoHeaders: true}}}, map[string]Verdict{qQuota: noHeaders}, nil, map[string]string{"kustomer.requests_per_minute": "240"}},
		{"reset always, one message limited", world{script: script{Quota: kustomersim.Quota{ResetAlways: true, Object: 1000}}}, map[string]Verdict{qReset: epochReset, qObject: hasObject}, nil, nil},
		{"limited once", world{script: script{Faults: []kustomersim.Fault{{Kind: kustomersim.FaultStatus, Share: 1, Skip: 5, Count: 1, Status: 429, Body: "json"}}}}, map[string]Verdict{qReset: limitedReset}, nil, nil},
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
				tt.world.attrs = two
				if tt.world.opts.UnknownID == "" {
					tt.world.opts.UnknownID = kustomersim.IDFail
				}
				o := tt.world.run(t, t.Context())
				if o.err != nil {
					t.Fatal(o.err)
				}
				want := usual()
				maps.Copy(want, tt.want)
				o.answers(t, want, tt.contrary)
				for key, value := range tt.settings {
					if o.settings()[key] != value {
						t.Errorf("%s is %q, want %q", key, o.settings()[key], value)
					}
				}
				o.asBefore(t)
				if o.calls > 46 && tt.world.tune == nil || o.report.Requests != o.calls {
					t.Errorf("%d requests, said to be %d", o.calls, o.report.Requests)
				}
			})
		})
	}
}

// TestNullRefused: an org that takes no null at all is still asked about custom.
func TestNullRefused(t *testing.T) {
	for _, replaces := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			msg := seeded()
			delete(msg, "custom.goneStr") // is null, and sent along
			o := world{attrs: two, message: msg, opts: kustomersim.Options{CustomReplaces: replaces, UnknownID: kustomersim.IDFail}, before: func(_ int, r *http.Request) error {
				if r.Method == http.MethodGet {
					return nil
				}
				body, err := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				if bytes.Contains(body, []byte(":null")) {
					return errDenied
				}
				return err
			}}.run(t, t.Context())
			want := usual()
			want[qNull], want[qNullCustom], want[qQuota], want[qDate] = nullRefused, nullRefused, someHeaders, skewedDate
			if replaces {
				want[qCustom] = customReplaced
			}
			o.answers(t, want, map[bool][]string{true: {qCustom}}[replaces])
			o.asBefore(t)
		})
	}
}

// TestFailedItem: each form in which a failure may be told.
func TestFailedItem(t *testing.T) {
	text, object := jsontext.Value(`"canary"`), jsontext.Value(`{"code":"canary"}`)
	for want, f := range map[Verdict]fate{
		failText:   {results: []result{{Status: "updated"}, {Ref: "r", Status: "error", Error: text}}},
		failObject: {results: []result{{ID: "i", Status: "error", Error: object}}},
		failOther:  {results: []result{{Ref: "r", Status: "error"}}},
		failErrors: {results: []result{{ID: "i", Error: object}}},
		failCount:  {bad: 1, results: []result{{ID: "i", Status: "updated"}}},
	} {
		p := &prober{report: newReport(Config{}, "")}
		p.failedItem(f)
		if a := p.report.find(qFailedItem); a.Verdict != want || a.Means == "" || strings.Contains(a.Evidence, "canary") {
			t.Errorf("%+v, want %q", a, want)
		}
	}
}

// TestCatalogue: every meaning belongs to a question of the list, and a setting has
// a key, a value and a reason.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range catalogue {
		if seen[q.id] || q.text == "" || len(q.means) == 0 {
			t.Errorf("question %q is there twice, or says nothing", q.id)
		}
		seen[q.id] = true
		for v, m := range q.means {
			if m.text == "" {
				t.Errorf("%s: %q means nothing", q.id, v)
			}
			for _, s := range m.settings {
				if s.Key == "" || s.Value == "" || s.Why == "" {
					t.Errorf("%s: setting %+v", q.id, s)
				}
			}
		}
	}
}

// answers compares verdicts, and which of them contradict what is assumed. The
// order counts only where it is wanted.
func (o outcome) answers(t *testing.T, want map[string]Verdict, contrary []string) {
	t.Helper()
	got := o.verdicts()
	if want[qOrder] == "" && got[qOrder] != Unknown {
		delete(got, qOrder)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s\n%s", diff, textOf(t, o.report))
	}
	var contradict []string
	for _, a := range o.report.Answers {
		if a.Contrary {
			contradict = append(contradict, a.ID)
		}
		if a.Verdict != Unknown && a.Means == "" {
			t.Errorf("%s: the answer %q means nothing", a.ID, a.Verdict)
		}
	}
	if diff := cmp.Diff(contrary, contradict, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("contradictions (-want +got):\n%s", diff)
	}
}
