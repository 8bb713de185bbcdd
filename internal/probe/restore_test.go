package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/internal/kustomersim"
)

// variants are orgs in which restoring is harder than usual.
var variants = map[string]kustomersim.Options{
	"as assumed":                            {},
	"everything replaced, no references":    {CustomReplaces: true, NoClientRef: true},
	"objects merged deeply, audit refused":  {DeepMerge: true, Audit: kustomersim.AuditForbid},
	"null ignored, ids twice, in any order": {NullIgnored: true, RepeatIDs: true, AllowNull: true, Spread: true},
}

const second1 = kustomersim.Duration(time.Second)

// faults strike calls from the n-th on.
var faults = map[string]kustomersim.Fault{
	"a refused dial":                    {Kind: kustomersim.FaultCutBefore, Count: 1},
	"a lost reply":                      {Kind: kustomersim.FaultCutAfter, Count: 1},
	"a reply that breaks off":           {Kind: kustomersim.FaultCutBody, Count: 1},
	"500 though accepted":               {Kind: kustomersim.FaultStatus, Status: 500, Accept: kustomersim.AcceptFirst, Count: 1},
	"ten times 503":                     {Kind: kustomersim.FaultStatus, Status: 503, Body: "html", Count: 10},
	"three times 429":                   {Kind: kustomersim.FaultStatus, Status: 429, Body: "json", Count: 3},
	"no reply in time":                  {Kind: kustomersim.FaultSlow, Delay: 70 * second1, Accept: kustomersim.AcceptFirst, Count: 1},
	"no reply in time, accepted late":   {Kind: kustomersim.FaultSlow, Delay: 70 * second1, Accept: kustomersim.AcceptLate, On: "put", Count: 1},
	"a foreign page in place of a read": {Kind: kustomersim.FaultStatus, Status: 200, Body: "html", On: "get", Count: 2},
}

// TestRestoresAfterAFault: wherever the API fails in the middle, and however, the
// message is as it was, also when what was lost lands later.
func TestRestoresAfterAFault(t *testing.T) {
	for org, opts := range variants {
		for name, fault := range faults {
			t.Run(org+"/"+name, func(t *testing.T) {
				// Every third call; which ones differs, or it would take a minute.
				for skip := int64(1 + len(org+name)%3); skip < 44; skip += 3 {
					synctest.Test(t, func(t *testing.T) {
						f := fault
						f.Skip, f.Share = skip, 1
						o := world{opts: opts, attrs: two, script: kustomersim.Script{Faults: []kustomersim.Fault{f}}}.run(t, t.Context())
						o.asBefore(t)
						if t.Failed() {
							t.Fatalf("after %d calls: %v\n%s", skip, o.err, textOf(t, o.report))
						}
					})
				}
			})
		}
	}
}

// TestRestoresAfterCancel: whenever the context ends, the message is as it was.
func TestRestoresAfterCancel(t *testing.T) {
	for org, opts := range variants {
		t.Run(org, func(t *testing.T) {
			for at := 2 + len(org)%2; at < 44; at += 2 {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					o := world{opts: opts, attrs: two, before: func(call int, _ *http.Request) error {
						if call == at {
							cancel()
						}
						return nil
					}}.run(t, ctx)
					o.asBefore(t)
					if done := o.report.Stopped == ""; done && o.calls > at+restoreRequests || !done && !strings.Contains(o.err.Error(), "interrupted") {
						t.Errorf("%d calls, stopped: %q, %v", o.calls, o.report.Stopped, o.err)
					}
					if t.Failed() {
						t.Fatalf("cancelled at call %d:\n%s", at, textOf(t, o.report))
					}
				})
			}
		})
	}
}

// TestSaysWhatIsNotRestored: an API that is down for good leaves the file, and
// the file, sent as it is, restores the message.
func TestSaysWhatIsNotRestored(t *testing.T) {
	for org, opts := range variants {
		t.Run(org, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				down := false
				var sim http.Handler
				var backup []byte
				w := world{opts: opts, attrs: two, before: func(call int, r *http.Request) error {
					if down = down || call > 9; down {
						return errors.New("connection refused")
					}
					return nil
				}, tune: func(c *Config) {
					sim = c.Transport.(*direct).handler
				}}
				w.finally = func(o outcome) {
					var err error
					if len(o.files) != 1 {
						t.Fatalf("files left: %v", o.files)
					}
					if backup, err = os.ReadFile(o.files[0]); err != nil {
						t.Fatal(err)
					}
					r := httptest.NewRequest("PUT", "/v1/messages/bulk", strings.NewReader(string(backup)))
					r.Header.Set("Authorization", "Bearer "+testKey)
					r.Header.Set("Content-Type", "application/json")
					rec := httptest.NewRecorder()
					sim.ServeHTTP(rec, r)
					if rec.Code != 200 {
						t.Errorf("the file is refused: %d %s", rec.Code, rec.Body)
					}
				}
				o := w.run(t, t.Context())
				text := textOf(t, o.report)
				for _, want := range []string{"COULD NOT BE RESTORED", "no reply", "subject (was: text)", "curl -X PUT http://sandbox.example/v1/messages/bulk", o.files[0]} {
					if !strings.Contains(text, want) {
						t.Errorf("it does not say %q:\n%s", want, text)
					}
				}
				if o.err == nil || !strings.Contains(o.err.Error(), o.files[0]) || o.report.Restored {
					t.Errorf("restored %t, %v", o.report.Restored, o.err)
				}
				if diff := cmp.Diff(o.before, o.after); diff != "" {
					t.Errorf("the file does not restore the message (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// TestWhatStays: where null is ignored an attribute that was not set can't be
// unset, and that is said.
func TestWhatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world{opts: kustomersim.Options{NullIgnored: true}, attrs: []string{"newStr", "twoTxt"}}.run(t, t.Context())
		want := []string{"custom.newStr (was: not set)"}
		if diff := cmp.Diff(want, o.report.Unrestored); diff != "" || o.report.Restored || o.err == nil || len(o.files) != 1 {
			t.Errorf("unrestored (-want +got):\n%s\nrestored %t, %v, files %v", diff, o.report.Restored, o.err, o.files)
		}
		if !strings.Contains(o.after["custom.newStr"], "kafka-kustomer probe ") {
			t.Errorf("newStr is %s", o.after["custom.newStr"])
		}
		delete(o.after, "custom.newStr")
		if diff := cmp.Diff(o.before, o.after); diff != "" {
			t.Errorf("more stays (-before +after):\n%s", diff)
		}
		if text := textOf(t, o.report); !strings.Contains(text, want[0]) {
			t.Errorf("the text does not say it:\n%s", text)
		}
	})
}

// TestUnsetsWhatWasNotSet: attributes that the message did not have are gone again.
func TestUnsetsWhatWasNotSet(t *testing.T) {
	for _, replaces := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := world{
				opts: kustomersim.Options{CustomReplaces: replaces}, attrs: []string{"newStr", "newTxt"},
				message: map[string]jsontext.Value{"preview": jsontext.Value(`"x"`)},
			}.run(t, t.Context())
			o.asBefore(t)
			want := map[bool]Verdict{false: customMerged, true: customReplaced}[replaces]
			if got := o.verdicts(); got[qCustom] != want || got[qNull] != Unknown || got[qObjects] != Unknown || got[qAudit] != Unknown {
				t.Errorf("answers: %v", got)
			}
		})
	}
}

// TestNothingIsWritten: what ends a probe before its first write.
func TestNothingIsWritten(t *testing.T) {
	no := errors.New("no, thanks")
	tests := []struct {
		name  string
		world world
		says  string
	}{
		{"declined", world{tune: func(c *Config) { c.Confirm = func(Plan) error { return no } }}, "no, thanks"},
		{"no such message", world{tune: func(c *Config) { c.Message = "64a1f0c2b7d9e30012abffff" }}, "404"},
		{"no message", world{tune: func(c *Config) { c.Message = "" }}, "no id"},
		{"a path for a message", world{tune: func(c *Config) { c.Message = "../bulk" }}, "no id"},
		{"key", world{tune: func(c *Config) { c.APIKey = "another" }}, "401"},
		{"nothing harmless", world{message: map[string]jsontext.Value{"preview": jsontext.Value(`"x"`)}, tune: func(c *Config) { c.Attributes = nil }}, "--probe-attribute"},
		{"attribute of another type", world{tune: func(c *Config) { c.Attributes = []string{"ageNum"} }}, "ageNum"},
		{"one attribute twice", world{tune: func(c *Config) { c.Attributes = []string{"aStr", "aStr"} }}, "different"},
		{"an older file", world{tune: func(c *Config) {
			path := backupPath(c.BackupDir, message)
			if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
				panic(err)
			}
		}}, "earlier probe"},
		{"no place for the file", world{tune: func(c *Config) { c.BackupDir += "/nowhere" }}, "nothing was changed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.world.attrs = two
				tt.world.before = func(_ int, r *http.Request) error {
					if r.Method != http.MethodGet {
						t.Errorf("%s %s was sent", r.Method, r.URL.Path)
					}
					return nil
				}
				o := tt.world.run(t, t.Context())
				if o.report != nil || o.err == nil || !strings.Contains(o.err.Error(), tt.says) {
					t.Errorf("%v, want it to say %q", o.err, tt.says)
				}
				for _, f := range o.files {
					if b, err := os.ReadFile(f); string(b) != "precious" {
						t.Errorf("file %s: %q, %v", f, b, err)
					}
				}
			})
		})
	}
}

// TestRefusedFirstWrite: what is wrong with the key or the attributes is said.
func TestRefusedFirstWrite(t *testing.T) {
	for name, tt := range map[string]struct {
		world world
		says  string
	}{
		"key may not write":    {world{script: kustomersim.Script{Deny: kustomersim.DenyWrite}}, "org.permission.message.update"},
		"the item fails":       {world{script: kustomersim.Script{FailIDs: []string{message}}}, "failed as an item"},
		"refused":              {world{script: kustomersim.Script{RefuseIDs: []string{message}}}, "oneStr, twoTxt"},
		"no operation is read": {world{before: denyOperations}, "org.permission.bulk.read"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.world.attrs = two
				o := tt.world.run(t, t.Context())
				if o.err == nil || !strings.Contains(o.err.Error(), tt.says) {
					t.Errorf("%v, want it to say %q", o.err, tt.says)
				}
				o.asBefore(t)
			})
		})
	}
}

// errDenied makes a call a 403, see direct.
var errDenied = errors.New("denied")

func denyOperations(_ int, r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/v1/bulk/") {
		return errDenied
	}
	return nil
}

// TestBlind: a key that may not read messages touches none, and gets the few
// answers that need none.
func TestBlind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var plan Plan
		o := world{
			attrs: two, script: kustomersim.Script{Deny: kustomersim.DenyShow}, opts: kustomersim.Options{UnknownID: kustomersim.IDFail},
			tune: func(c *Config) { c.Confirm = func(p Plan) error { plan = p; return nil } },
		}.run(t, t.Context())
		if o.err != nil {
			t.Fatal(o.err)
		}
		if len(plan.Touches) > 0 || len(o.files) > 0 || o.stats.ItemsApplied > 0 {
			t.Errorf("touched: %v, files %v, %d items applied", plan.Touches, o.files, o.stats.ItemsApplied)
		}
		for id, want := range map[string]Verdict{qUnknownID: idFails, qFailedItem: failText, qEmpty: emptyRefused, qClientRef: refEchoed, qShape: pagedShape, qCustom: Unknown, qOrder: Unknown} {
			if got := o.report.find(id); got.Verdict != want || want == Unknown && !strings.Contains(got.Evidence, "403") {
				t.Errorf("%s: %q (%s), want %q", id, got.Verdict, got.Evidence, want)
			}
		}
		o.asBefore(t)
	})
}

// TestPlan names everything that is touched, and no value.
func TestPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		world{attrs: []string{"newStr"}, tune: func(c *Config) {
			c.Confirm = func(p Plan) error { return errors.Join(p.WriteText(&b), errors.New("enough")) }
		}}.run(t, t.Context())
		text := b.String()
		for _, want := range []string{message, "sandbox.example", "custom.newStr", "not set", "custom.ageNum", "sent along", "subject", "meta", "modifiedAt", "kafka-kustomer-probe-", "--probe-attribute twice"} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, secret) {
			t.Errorf("it tells a value:\n%s", text)
		}
	})
}

// TestYAML: sections are opened once, and each line has its reason.
func TestYAML(t *testing.T) {
	r := Report{Settings: []Setting{{"kustomer.a", "1", "x"}, {"batch.merge.objects", "safe", "y"}, {"batch.max_bytes", "2", "z"}, {"batch.merge.barrier", "[custom]", "w"}}}
	var b strings.Builder
	if err := r.WriteYAML(&b); err != nil {
		t.Fatal(err)
	}
	want := "batch:\n  # z\n  max_bytes: 2\n  merge:\n    # w\n    barrier: [custom]\n    # y\n    objects: safe\nkustomer:\n  # x\n  a: 1\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestReportIsJSON: a program finds the answers by their ids.
func TestReportIsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := world{attrs: two, opts: kustomersim.Options{NullIgnored: true}}.run(t, t.Context())
		var b strings.Builder
		if err := o.report.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Answers []struct {
				ID, Answer            string
				ContradictsAssumption bool
			}
			Restored bool
		}
		if err := json.Unmarshal([]byte(b.String()), &got, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		if len(got.Answers) != len(catalogue) || !got.Restored || !o.report.Contrary() {
			t.Fatalf("%d answers, restored %t: %s", len(got.Answers), got.Restored, b.String())
		}
		if a := got.Answers[1]; a.ID != qNullCustom || a.Answer != string(nullIgnored) || !a.ContradictsAssumption {
			t.Errorf("the second answer is %+v", a)
		}
	})
}

// TestReadFate: forms that the simulator does not have.
func TestReadFate(t *testing.T) {
	for body, want := range map[string]string{
		`<html>`: unknownShape + " 0 0",
		`{}`:     " 0 0",
		`[]`:     " 0 0",
		`{"data":[{"attributes":{"successCount":1,"failureCount":0}}]}`:                              countsShape + " 1 0",
		`[{"successCount":0,"failureCount":1,"errors":[{"id":"x","data":{}}]}]`:                      flatShape + " 0 1",
		`{"data":[{"attributes":{"results":[{"status":"error","error":{"code":"x"}}]}}]}`:            pagedShape + " 0 1",
		`{"data":[{"attributes":{"successCount":1},"results":[{"status":"updated"}]}]}`:              besideShape + " 1 0",
		`{"data":[{"attributes":{"successCount":"1"}}]}`:                                             unknownShape + " 0 0",
		`{"data":[{"attributes":{"results":[]}},{"attributes":{"results":[{"status":"created"}]}}]}`: pagedShape + " 1 0",
	} {
		f := readFate([]byte(body))
		if got := fmt.Sprint(f.shape, " ", f.good, " ", f.bad); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestRest: how long a 429 is waited for.
func TestRest(t *testing.T) {
	for name, tt := range map[string]struct {
		reset, retryAfter, date string
		want                    time.Duration
	}{
		"nothing said":         {"", "", "", plainRest},
		"reset":                {"1792591380", "", "Thu, 22 Oct 2026 01:22:40 GMT", 0},
		"reset long over":      {"1", "", "Thu, 22 Oct 2026 01:22:40 GMT", time.Second},
		"a reset of years":     {"99999999999", "", "", longestRest},
		"seconds":              {"", "7", "", 7 * time.Second},
		"a date":               {"", "Thu, 22 Oct 2026 01:23:00 GMT", "Thu, 22 Oct 2026 01:22:40 GMT", 20 * time.Second},
		"nonsense":             {"soon", "later", "", plainRest},
		"retry after is first": {"1", "9", "", 9 * time.Second},
	} {
		h := http.Header{}
		for k, v := range map[string]string{"X-Ratelimit-Reset": tt.reset, "Retry-After": tt.retryAfter, "Date": tt.date} {
			if v != "" {
				h.Set(k, v)
			}
		}
		want := tt.want
		if want == 0 {
			date, _ := http.ParseTime(tt.date)
			want = min(max(time.Unix(1792591380, 0).Sub(date)+time.Second, time.Second), longestRest)
		}
		if got := rest(h); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestLosesNothingMeanwhile: what the probe does not ask about never goes, not even
// for a moment and where custom is replaced as a whole.
func TestLosesNothingMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sim *kustomersim.Server
		want := seeded()
		o := world{
			attrs: two, opts: kustomersim.Options{CustomReplaces: true},
			tune: func(c *Config) { sim = c.Transport.(*direct).handler.(*kustomersim.Server) },
			before: func(call int, _ *http.Request) error {
				now, _ := sim.Message(message)
				for _, name := range []string{"custom.ageNum", "preview", "status"} {
					if !same(now[name], want[name]) {
						t.Errorf("before call %d, %s is %s", call, name, now[name])
					}
				}
				return nil
			},
		}.run(t, t.Context())
		o.asBefore(t)
	})
}

// TestFinishesAPut: a PUT on its way when the context ends is waited for, or
// nobody would know whether it was accepted.
func TestFinishesAPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		slow := kustomersim.Fault{Kind: kustomersim.FaultSlow, On: "put", Share: 1, Delay: 10 * second1, Accept: kustomersim.AcceptFirst}
		start := time.Now()
		o := world{attrs: two, script: kustomersim.Script{Faults: []kustomersim.Fault{slow}}, tune: func(c *Config) {
			c.StrayWait = time.Hour // would be seen in the time it takes
			c.RestoreTimeout = 2 * time.Hour
		}}.run(t, ctx)
		o.asBefore(t)
		if took := time.Since(start); o.stats.RepliesLost > 0 || o.report.Stopped != "interrupted" || took > 10*time.Minute {
			t.Errorf("%d replies lost, stopped: %q, after %v", o.stats.RepliesLost, o.report.Stopped, took)
		}
	})
}
