package sink

import (
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// apiError is one error in any of the API's three forms:
// {"errors": [{code, message, meta}]}, the JSON:API form with title, detail and
// source, and {status, title, detail} alone.
type apiError struct {
	Code    text                `json:"code"`
	Title   text                `json:"title"`
	Message text                `json:"message"`
	Detail  text                `json:"detail"`
	Source  object[errorSource] `json:"source"`
	Meta    jsontext.Value      `json:"meta"`

	listed bool // it stood in "errors"
}

// errorSource holds a member's name mostly, sometimes a sentence or a path.
type errorSource struct {
	Pointer    text  `json:"pointer"`
	Parameter  text  `json:"parameter"`
	Parameters texts `json:"parameters"`
}

func (s errorSource) places() []string {
	return append([]string{string(s.Pointer), string(s.Parameter)}, s.Parameters...)
}

func (s errorSource) String() string {
	return string(first(s.Parameter, text(strings.Join(s.Parameters, ", ")), s.Pointer))
}

// errorMeta is what validators are known to call a place. A path may come in
// pieces: ["body", 3, "custom", "tierStr"].
type errorMeta struct {
	Index        text  `json:"index"`
	Path         texts `json:"path"`
	Field        text  `json:"field"`
	Pointer      text  `json:"pointer"`
	Parameter    text  `json:"parameter"`
	Parameters   texts `json:"parameters"`
	InstancePath text  `json:"instancePath"`
	DataPath     text  `json:"dataPath"`
}

// places are the texts that may be a path with an index: what is there to say
// where, and the words when they are a path as a whole.
func (e apiError) places() []string {
	var meta object[errorMeta]
	_ = lenient(e.Meta, &meta) // none, or not as expected: then it says nothing
	m := meta.v
	places := append(e.Source.v.places(), m.Parameters...)
	places = append(places, strings.Join(m.Path, "/"))
	for _, t := range []text{m.Index, m.Field, m.Pointer, m.Parameter, m.InstancePath, m.DataPath} {
		places = append(places, string(t))
	}
	for _, t := range []text{e.Title, e.Message, e.Detail} {
		if len(path(string(t))) > 1 { // a number alone is no place
			places = append(places, string(t))
		}
	}
	return places
}

// texts are all the error's texts.
func (e apiError) texts() []string {
	return append(e.Source.v.places(), string(e.Code), string(e.Title), string(e.Message), string(e.Detail), string(e.Meta))
}

// words puts the error into one line.
func (e apiError) words() string {
	said := make([]string, 0, 4)
	for _, t := range []text{e.Code, e.Title, e.Message, e.Detail} {
		if t != "" && !slices.Contains(said, string(t)) {
			said = append(said, string(t))
		}
	}
	words := strings.Join(said, ": ")
	if at := e.Source.v.String(); at != "" {
		words += " (" + at + ")"
	}
	return words
}

// maxErrors is the most errors of a reply that count. A batch has 100 items.
const maxErrors = 1000

// apiErrors are the errors of one reply; none when it is not Kustomer's.
type apiErrors []apiError

// parseErrors reads an error body, or the "error" of an item, which may be a
// plain string.
func parseErrors(body []byte) apiErrors {
	var plain text
	if lenient(body, &plain) == nil && plain != "" {
		return apiErrors{{Message: plain}}
	}
	var e struct {
		apiError
		Errors list[object[apiError]] `json:"errors"`
	}
	if lenient(body, &e) != nil {
		return nil
	}
	var errs apiErrors
	for _, one := range e.Errors[:min(len(e.Errors), maxErrors)] {
		one.v.listed = true
		errs = append(errs, one.v)
	}
	if len(errs) == 0 && e.apiError.words() != "" {
		errs = apiErrors{e.apiError}
	}
	return errs
}

// kustomers reports whether the errors are in one of the forms that Kustomer has:
// a list of them, or one with a code or a title. Gateways say {"message": …}.
func (e apiErrors) kustomers() bool {
	return slices.ContainsFunc(e, func(one apiError) bool { return one.listed || one.Code != "" || one.Title != "" })
}

// words puts the errors into one line.
func (e apiErrors) words() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.words()
	}
	return strings.Join(lines, "; ")
}

// wrongPath reports whether the API knows no such path.
func (e apiErrors) wrongPath() bool {
	return len(e) > 0 && e[0].Source.v.String() == "path"
}

// nameReference reports whether the errors point at our reference.
func (e apiErrors) nameReference() bool {
	return slices.ContainsFunc(e, func(one apiError) bool {
		return slices.ContainsFunc(one.Source.v.places(), func(place string) bool {
			p := inRequest(path(place))
			if _, ok := index(p); ok {
				p = p[1:]
			}
			return len(p) == 1 && p[0] == "_clientRef"
		})
	})
}

// A refusal for the region speaks of pods, and of the key. Both must be there:
// the outcome stops all delivery, and one word could be an attribute's name.
var (
	regionWord = regexp.MustCompile(`(?i)\b(pods?|regions?)\b`)
	keyWord    = regexp.MustCompile(`(?i)\b(auth\w*|unauthori[sz]ed|tokens?|keys?|prod\d+)\b`)
)

// wrongRegion reports whether the errors say that the key belongs elsewhere, in
// words of Kustomer's own: what it repeats of the payload does not count. It says
// so in one error; the payload is gone through only where it matters.
func (e apiErrors) wrongRegion(payload []byte) bool {
	const most = 10
	return slices.ContainsFunc(e[:min(len(e), most)], func(one apiError) bool {
		said := bounded(string(one.Title + " " + one.Message + " " + one.Detail))
		return ofRegion(string(one.Code), said) && ofRegion(string(one.Code), scrub(said, payload))
	})
}

func ofRegion(code, said string) bool {
	said = code + " " + said
	return regionWord.MatchString(said) && keyWord.MatchString(said)
}
