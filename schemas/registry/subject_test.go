package registry

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/internal/canary"
)

func TestRegisterAndLookup(t *testing.T) {
	f := newFake(t)
	c := newClient(t, Config{}, f.server.URL)
	subject := Subject("kustomer-batch-results")
	_, err := c.Lookup(t.Context(), subject, plain)
	if e := fails[*UnknownError](t, err); e.Subject != "kustomer-batch-results-value" || !e.ID.IsZero() || e.Since.IsZero() {
		t.Errorf("%+v", e)
	}
	if f.SubjectExists(subject) {
		t.Error("Lookup has registered it")
	}
	id, err := c.Register(t.Context(), subject, plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []func(context.Context, string, string) (ID, error){c.Register, c.Lookup} {
		if again, err := call(t.Context(), subject, plain); err != nil || again != id {
			t.Errorf("%v %v, want %v", again, err, id)
		}
	}
	if s, err := c.Schema(t.Context(), id); err != nil || s != (Schema{id, Avro, plain}) {
		t.Errorf("%v %v", s, err)
	}
}

func TestRegisterFails(t *testing.T) {
	const s = canary.Secret
	for _, test := range []struct {
		status int
		body   string
		want   string
	}{
		{409, `{"error_code":409,"message":"` + s + `"}`, "(409, error code 409); it is incompatible"},
		{422, `{"error_code":42201,"message":"` + s + `"}`, "finds the schema invalid"},
		{422, `{"error_code":42205,"message":"` + s + `"}`, "read-only"},
		{422, s, "(422, error code 0); check the registry's log"},
		{500, s, "status 500"},
		{401, s, "refused (401)"},
		{200, s, "not what a registry sends"},
		{200, `{"id":0}`, "not what a registry sends"},
		{200, strings.Repeat(s, 1000), "larger than a registry's"},
	} {
		f := newFake(t)
		f.answer(say(test.status, test.body))
		c := newClient(t, Config{MaxSchemaBytes: 1000}, f.server.URL)
		for _, call := range []func(context.Context, string, string) (ID, error){c.Register, c.Lookup} {
			id, err := call(t.Context(), "s-value", plain)
			if err == nil || !strings.Contains(err.Error(), test.want) || !id.IsZero() {
				t.Fatalf("%v %v, want %q", id, err, test.want)
			}
			fails[error](t, err)
			var rejected *RejectedError
			if is := test.status == 409 || test.status == 422; errors.As(err, &rejected) != is {
				t.Errorf("%T", err)
			} else if is && rejected.Subject != "s-value" {
				t.Errorf("%+v", rejected)
			}
		}
	}
}

// A registry that does not answer is passed over here too.
func TestRegisterFailsOver(t *testing.T) {
	broken, well := newFake(t), newFake(t)
	broken.answer(say(http.StatusBadGateway, ""))
	c := newClient(t, Config{}, broken.server.URL, well.server.URL)
	if _, err := c.Register(t.Context(), "s", plain); err != nil {
		t.Error(err)
	}
	if got, ok := well.GetSchema("s", 1); !ok || got.Type != sr.TypeAvro || got.Schema.Schema != plain {
		t.Errorf("%+v", got)
	}
}

func TestLatest(t *testing.T) {
	f := newFake(t)
	c := newClient(t, Config{}, f.server.URL)
	_, err := c.Latest(t.Context(), "s")
	if e := fails[*UnknownError](t, err); e.Subject != "s" || !e.ID.IsZero() || !strings.Contains(err.Error(), `"s"`) {
		t.Errorf("%+v: %v", e, err)
	}
	f.seed("s", 7, plain)
	f.SeedSchema("s", 2, 9, sr.Schema{Schema: strings.Replace(plain, "int", "long", 1)})
	if v, err := c.Latest(t.Context(), "s"); err != nil || v != (Version{Number(9), 2}) {
		t.Errorf("%v %v", v, err)
	}
	f.answer(say(200, `{"id":9,"schema":"{}"}`)) // no version
	if v, err := c.Latest(t.Context(), "s"); err == nil || !strings.Contains(err.Error(), "not what a registry sends") {
		t.Errorf("%v %v", v, err)
	}
}

func TestAccepts(t *testing.T) {
	f := newFake(t)
	c := newClient(t, Config{}, f.server.URL)
	for _, test := range []struct {
		status int
		body   string
		want   bool
		says   string // "": no error
	}{
		{200, `{"is_compatible":true}`, true, ""},
		{200, `{"is_compatible":false,"messages":["why"]}`, false, ""},
		{404, `{"error_code":40401,"message":"no such subject"}`, true, ""},
		{422, `{"error_code":42201}`, false, "finds the schema invalid"},
		{403, `no`, false, "refused (403)"},
		{500, `no`, false, "status 500"},
	} {
		f.answer(say(test.status, test.body))
		got, err := c.Accepts(t.Context(), "s-value", plain)
		if got != test.want || (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d %s: %v, %v", test.status, test.body, got, err)
		}
	}
	f.expect(t, slices.Repeat([]string{"POST /compatibility/subjects/s-value/versions"}, 6)...)
}
