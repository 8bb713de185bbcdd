package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// twin judges a patch by the rules once more, decoded into maps and without any care
// for cost. A line is a member's path and the kind found there.
func twin(patch []byte) (lines []string) {
	dec := json.NewDecoder(bytes.NewReader(patch))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil {
		panic(err)
	}
	say := func(path string, v any) { lines = append(lines, path+" "+twinKind(v)) }
	for name, v := range members {
		path := printable([]byte(name))
		switch name {
		case "meta":
			if m, ok := v.(map[string]any); !ok || len(m) > 100 {
				say(path, v)
			}
		case "custom":
			m, ok := v.(map[string]any)
			if !ok || len(m) > 100 {
				say(path, v)
			}
			for name, v := range m {
				spec := "none"
				for _, end := range []string{"Str", "Txt", "Num", "At", "Bool", "Url", "Id"} {
					if strings.HasSuffix(name, end) && name != end {
						spec = twinCustom[end]
					}
				}
				if !twinTakes(spec, v) {
					say(path+"."+printable([]byte(name)), v)
				}
			}
		case "attachments":
			list, ok := v.([]any)
			if !ok {
				say(path, v)
			}
			seen := map[string]bool{}
			twice := false
			for i, v := range list {
				found := twinClosed(fmt.Sprintf("%s[%d]", path, i), v, "_id:id name:string contentType:string contentLength:number sourceId:id", "_id name contentType contentLength")
				lines = append(lines, found...)
				if len(found) == 0 {
					text := twinText(v)
					twice = twice || seen[text]
					seen[text] = true
				}
			}
			if twice {
				say(path, v)
			}
		case "error":
			lines = append(lines, twinClosed(path, v, "status:number code:string title:string detail:string source:object meta:object links:object", "")...)
		case "sentiment":
			lines = append(lines, twinClosed(path, v, "polarity:polarity confidence:confidence", "polarity confidence")...)
		default:
			if spec, ok := twinItem[name]; ok && !twinTakes(spec, v) {
				say(path, v)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

var twinCustom = map[string]string{"Str": "string 1024 null", "Txt": "string null", "Num": "number null", "At": "time null", "Bool": "boolean null", "Url": "url null", "Id": "word null"}

var twinItem = map[string]string{
	"conversation": "string", "related": "string", "createdBy": "id", "modifiedBy": "id null", "externalId": "string 256 null", "subject": "string 256 null", "preview": "string 10240 null", "lang": "string 100 null",
	"status": "status", "errorAt": "time", "sentAt": "time null", "createdAt": "time", "modifiedAt": "time", "updatedAt": "time", "size": "number",
	"customer": "none", "channel": "none", "app": "none", "direction": "none", "auto": "none", "source": "none", "shortcuts": "none", "kbArticles": "none", "location": "none", "reference": "none", "importedAt": "none", "queue": "none", "spam": "none", "reactions": "none",
	"rev": "none", "redacted": "none", "directionType": "none", "assignedUsers": "none", "assignedTeams": "none", "createdByTeams": "none", "intentDetections": "none",
}

func twinClosed(path string, v any, members, required string) (lines []string) {
	m, ok := v.(map[string]any)
	if !ok {
		return []string{path + " " + twinKind(v)}
	}
	specs := map[string]string{}
	for _, one := range strings.Fields(members) {
		name, spec, _ := strings.Cut(one, ":")
		specs[name] = spec
	}
	for name, v := range m {
		if !twinTakes(specs[name], v) {
			lines = append(lines, path+"."+printable([]byte(name))+" "+twinKind(v))
		}
	}
	for _, name := range strings.Fields(required) {
		if _, ok := m[name]; !ok {
			lines = append(lines, path+"."+name+" absent")
		}
	}
	return lines
}

var twinID = regexp.MustCompile(`^[0-9a-fA-F]{24}$`)

func twinTakes(spec string, v any) bool {
	kind, rest, _ := strings.Cut(spec, " ")
	if v == nil {
		return strings.Contains(rest, "null")
	}
	text, isText := v.(string)
	n, isNumber := v.(json.Number)
	f, rangeErr := strconv.ParseFloat(string(n), 64)
	switch kind {
	case "string":
		most, err := strconv.Atoi(strings.TrimSuffix(rest, " null"))
		return isText && (err != nil || utf8.RuneCountInString(text) <= most)
	case "word":
		return isText && text != ""
	case "id":
		return isText && twinID.MatchString(text)
	case "status":
		return text == "sent" || text == "received" || text == "error"
	case "time":
		return isText && twinTime(text)
	case "url":
		u, err := url.Parse(text)
		return isText && err == nil && u.Scheme != ""
	case "number":
		return isNumber
	case "boolean":
		return v == true || v == false
	case "object":
		_, ok := v.(map[string]any)
		return ok
	case "polarity":
		return isNumber && rangeErr == nil && slices.Contains([]float64{-1, 0, 1}, f)
	case "confidence":
		return isNumber && rangeErr == nil && f >= -1 && f <= 1
	}
	return false
}

var leapSecond = regexp.MustCompile(`^(.{17})60`)

// twinTime reads the letters in any case, and what comes before a leap second, which
// must be the last of a day.
func twinTime(text string) bool {
	if len(text) <= maxTime {
		text = strings.NewReplacer("t", "T", "z", "Z").Replace(text)
	}
	before := leapSecond.ReplaceAllString(text, "${1}59")
	if before == text || len(text) > maxTime {
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	}
	at, err := time.Parse(time.RFC3339, before)
	return err == nil && at.UTC().Format("15:04") == "23:59"
}

func twinKind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	}
	return "null"
}

// twinText is equal for equal values: maps are printed in order of their keys, and
// numbers as floats.
func twinText(v any) string {
	m := map[string]string{}
	for name, v := range v.(map[string]any) {
		m[name] = fmt.Sprintf("%T %q", v, v)
		if n, ok := v.(json.Number); ok {
			f, _ := strconv.ParseFloat(string(n), 64)
			m[name] = fmt.Sprint(f + 0) // -0 is 0
		}
	}
	return fmt.Sprintf("%q", m)
}

func agree(t interface{ Fatalf(string, ...any) }, patch []byte) {
	var got []string
	for _, v := range Check(patch, len(patch)) {
		got = append(got, v.Member+" "+string(v.Kind))
	}
	slices.Sort(got)
	if diff := cmp.Diff(twin(patch), got); diff != "" {
		t.Fatalf("%.2000s (-twin +Check):\n%s", patch, diff)
	}
	if Breaks(patch) != (len(got) > 0) {
		t.Fatalf("%.2000s: Breaks is %v, and it breaks %v", patch, Breaks(patch), got)
	}
}

func TestTwinAgrees(t *testing.T) {
	for name, c := range cases {
		for _, value := range c.good {
			agree(t, []byte(`{"`+name+`":`+value+`}`))
		}
		for value := range c.bad {
			agree(t, []byte(`{"`+name+`":`+value+`}`))
		}
	}
	rapid.Check(t, func(t *rapid.T) { agree(t, drawPatch(t, true)) })
}

func FuzzCheck(f *testing.F) {
	for name, c := range cases {
		for _, value := range c.good {
			f.Add([]byte(`{"` + name + `":` + value + `}`))
		}
		for value := range c.bad {
			f.Add([]byte(` { "` + name + `" : ` + value + ` , "x" : 1 } `))
		}
	}
	f.Fuzz(func(t *testing.T, patch []byte) {
		if v := jsontext.Value(patch); !v.IsValid() || v.Kind() != jsontext.KindBeginObject {
			return
		}
		kept := bytes.Clone(patch)
		agree(t, patch)
		if !bytes.Equal(kept, patch) {
			t.Fatalf("the patch was changed: %q", patch)
		}
	})
}

// A URL is let through unparsed only if parsing would let it through.
func FuzzWebURL(f *testing.F) {
	for _, s := range []string{"https://example.com", "http://a-b.c/d?e=f#g:h,i;j@k!l$m*(n)+", "https://", "http:///", "http://a?b", "https://a:80/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := url.Parse(s); isWebURL([]byte(s)) && (err != nil || u.Scheme == "") {
			t.Errorf("%q: %v", s, err)
		}
	})
}
