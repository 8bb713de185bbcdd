package probe

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/internal/kustomersim"
)

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
