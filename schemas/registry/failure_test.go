package registry

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kafka-kustomer/internal/canary"
)

// say writes a reply that repeats a secret, as if the registry echoed it.
func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://elsewhere.test/"+canary.Secret)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hijack writes to the connection what no HTTP server would.
func hijack(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

// What comes instead of an answer says nothing about the schema, is said in words
// that help, and in none of the other side's.
func TestNoAnswer(t *testing.T) {
	const c = canary.Secret
	for name, test := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"500":              {say(500, c), "status 500; check the registry's log"},
		"503":              {say(503, `{"error_code":50003,"message":"`+c+`"}`), "status 503"},
		"429":              {say(429, c), "too many requests"},
		"400":              {say(400, c), "has the registry's path"},
		"407":              {say(407, c), "check the proxy"},
		"422":              {say(422, `{"error_code":42201,"message":"`+c+`"}`), "status 422"},
		"redirect":         {say(302, c), "redirects (302)"},
		"moved":            {say(308, c), "redirects (308)"},
		"no JSON":          {say(200, "<html>"+c), "not what a registry sends"},
		"other JSON":       {say(200, `{"schema":7,"`+c+`":1}`), "not what a registry sends"},
		"empty object":     {say(200, `{"message":"`+c+`"}`), "not what a registry sends"},
		"array":            {say(200, `["`+c+`"]`), "not what a registry sends"},
		"nothing":          {say(204, ""), "not what a registry sends"},
		"404 of no one":    {say(404, "<html>"+c), "/apis/ccompat/v7"},
		"404 of a router":  {say(404, `{"error_code":404,"message":"HTTP 404 `+c+`"}`), "/apis/ccompat/v7"},
		"huge 404":         {say(404, strings.Repeat(c, 1<<16)), "/apis/ccompat/v7"},
		"no HTTP":          {hijack(c + "\r\n\r\n"), "the reply could not be read"},
		"closed":           {hijack(""), "the connection broke off"},
		"body cut off":     {hijack("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + c), "the connection broke off"},
		"headers too long": {hijack("HTTP/1.1 200 OK\r\nX: " + strings.Repeat(c, 1<<14)), "the reply could not be read"},
		"slow":             {func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within 300ms"},
		"slow body": {func(w http.ResponseWriter, r *http.Request) {
			for w.WriteHeader(200); r.Context().Err() == nil; time.Sleep(10 * time.Millisecond) {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
			}
		}, "no answer within 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.answer(test.h)
			f.server.Config.ErrorLog = log.New(io.Discard, "", 0)
			cl := newClient(t, Config{Timeout: 300 * time.Millisecond}, f.server.URL)
			before := time.Now()
			_, err := cl.Schema(t.Context(), Number(7))
			e := fails[*UnavailableError](t, err)
			if !strings.Contains(e.Error(), test.want) || !strings.Contains(e.Error(), f.server.URL) || e.Check == "" {
				t.Errorf("%v", e)
			}
			if name == "429" && e.After != 7*time.Second {
				t.Errorf("after %v", e.After)
			}
			s, ps := cl.State(), cl.Problems()
			if s.Err != err || s.Since.Before(before) || s.Unknown != 0 {
				t.Errorf("%+v", s)
			}
			if len(ps) != 1 || ps[0].Text != e.What || ps[0].Check != e.Check || ps[0].URL != f.server.URL || ps[0].Since != s.Since {
				t.Errorf("%+v", ps)
			}
			f.ClearInterceptors()
			f.seed("a", 7, plain)
			if _, err := cl.Schema(t.Context(), Number(7)); err != nil {
				t.Error(err)
			}
			if s := cl.State(); s.Err != nil || !s.Since.IsZero() || cl.Problems() != nil {
				t.Errorf("it works again, but %+v", s)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for status, want := range map[int]string{401: "check schema_registry.username and its password", 403: "may read schemas"} {
		f := newFake(t)
		f.answer(say(status, canary.Secret))
		c := newClient(t, Config{Username: "u", Password: canary.Secret}, f.server.URL)
		_, err := c.Schema(t.Context(), Number(7))
		if e := fails[*RefusedError](t, err); e.Status != status || !strings.Contains(e.Error(), want) {
			t.Errorf("%v", e)
		}
		if ps := c.Problems(); len(ps) != 1 || !strings.Contains(ps[0].Check, want) {
			t.Errorf("%+v", ps)
		}
	}
}

// A 404 without a registry's code is one about the schema where the address is a
// registry's all the same: Apicurio answers so to a GUID.
func TestNotFoundWithoutACode(t *testing.T) {
	f := newFake(t)
	f.answer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/schemas/types" {
			_, _ = io.WriteString(w, `["AVRO"]`)
			return
		}
		w.WriteHeader(404)
	})
	c := newClient(t, Config{}, f.server.URL)
	_, err := c.Schema(t.Context(), GUID(someGUID))
	fails[*UnknownError](t, err)
	f.expect(t, "GET /schemas/guids/"+GUID(someGUID).String(), "GET /schemas/types")
}

func TestUnusable(t *testing.T) {
	for body, want := range map[string]string{
		fmt.Sprintf(`{"schema":"%s"}`, strings.Repeat(" ", 1<<12)):                                  "larger than 4096 bytes",
		`{"schema":"x","schemaType":"` + canary.Secret + `"}`:                                       "its type is none of",
		`{"schema":"` + canary.Secret + `{","references":[{"name":"x","subject":"s","version":1}]}`: "is not JSON",
	} {
		f := newFake(t)
		f.answer(say(200, body))
		c := newClient(t, Config{MaxSchemaBytes: 4096}, f.server.URL)
		for range 2 {
			_, err := c.Schema(t.Context(), Number(7))
			if e := fails[*UnusableError](t, err); e.ID != Number(7) || !strings.Contains(e.Error(), want) {
				t.Errorf("%v", e)
			}
		}
		f.expect(t, "GET /schemas/ids/7")
		if c.Problems() != nil {
			t.Error("one schema is no trouble with the registry")
		}
	}
}

// The next URL is asked when one does not answer, and from then on it is the first.
func TestFailover(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	broken, well := newFake(t), newFake(t)
	broken.answer(say(503, ""))
	well.seed("a", 7, plain)
	c := newClient(t, Config{}, dead.URL, broken.server.URL, well.server.URL)
	if _, err := c.Schema(t.Context(), Number(7)); err != nil {
		t.Fatal(err)
	}
	broken.expect(t, "GET /schemas/ids/7")
	well.expect(t, "GET /schemas/ids/7")
	_, err := c.Schema(t.Context(), Number(8))
	fails[*UnknownError](t, err)
	broken.expect(t)
	well.expect(t, "GET /schemas/ids/8")
	if s := c.State(); s.URL != well.server.URL || s.Err != nil {
		t.Errorf("%+v", s)
	}
	well.answer(say(500, ""))
	_, err = c.Schema(t.Context(), Number(9))
	if e := fails[*UnavailableError](t, err); e.URL != broken.server.URL {
		t.Errorf("asked last: %v", e)
	}
	broken.expect(t, "GET /schemas/ids/9")
	for status, wants := range map[int]int{401: 0, 429: 0, 302: 1} {
		well.answer(say(status, ""))
		_, err = c.Schema(t.Context(), Number(uint32(status)))
		if err == nil || len(broken.asked()) != wants {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	c := newClient(t, Config{}, dead.URL)
	_, err := c.Schema(t.Context(), Number(7))
	if e := fails[*UnavailableError](t, err); !strings.Contains(e.Error(), "connection refused") || !strings.Contains(e.Error(), "is up") {
		t.Errorf("%v", e)
	}
}
