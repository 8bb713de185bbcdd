package probe

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"kafka-kustomer/internal/kustomersim"
)

// TestPlan names everything that is touched, and no value.
func TestPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		world{attrs: []string{"newStr"}, tune: func(c *Config) {
			c.Confirm = func(p Plan) error { return errors.Join(p.WriteText(&b), errors.New("enough")) }
		}}.run(t, t.Context())
		text := b.String()
		for _, want := range []string{message, "sandbox.example", "custom.newStr", "not set", "custom.ageNum", "sent along", "subject", "meta", "modifiedAt", unknownMember, "kafka-kustomer-probe-", "--probe-attribute twice"} {
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
