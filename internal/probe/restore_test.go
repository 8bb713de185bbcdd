package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// keeper is an org that keeps members it does not know, and shows them.
type keeper struct {
	http.Handler
	kept bool
}

func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte(`"kafkaKustomerProbe":`)) {
			k.kept = !bytes.Contains(body, []byte(`"kafkaKustomerProbe":null`))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	said := httptest.NewRecorder()
	k.Handler.ServeHTTP(said, r)
	text := said.Body.String()
	if k.kept && r.URL.Path == "/v1/messages/"+message {
		text = strings.Replace(text, `"attributes":{`, `"attributes":{"kafkaKustomerProbe":"text",`, 1)
	}
	w.WriteHeader(said.Code)
	_, _ = io.WriteString(w, text)
}

// A member that is not known, and that the org keeps, is taken away again.
func TestTakesAwayAMemberThatTheOrgKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k *keeper
		o := world{
			opts: kustomersim.Options{IgnoreUnknown: true}, attrs: two,
			wrap: func(h http.Handler) http.Handler { k = &keeper{Handler: h}; return k },
		}.run(t, t.Context())
		o.asBefore(t)
		if k.kept || len(o.report.Others) > 0 {
			t.Errorf("the org still keeps it: %t; said to be somebody else's: %v", k.kept, o.report.Others)
		}
	})
}
