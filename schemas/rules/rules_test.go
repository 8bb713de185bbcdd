package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	anID    = `"64a1f0c2b7d9e30012AB1001"`
	aTime   = `"2026-11-24T02:30:00.123Z"`
	aFile   = `{"_id":` + anID + `,"name":"a","contentType":"text/plain","contentLength":12,"sourceId":` + anID + `}`
	another = `{"_id":` + anID + `,"name":"b","contentType":"","contentLength":12.5}`
)

func str(n int) string { return `"` + strings.Repeat("é", n) + `"` }

func manyMembers(n int, suffix string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d%s":null`, i, suffix)
	}
	return "{" + b.String()[1:] + "}"
}

// cases are values of each member: what is taken, and what breaks which rule.
// A rule is told by the path below the member, the kind found, and a word of its text.
var cases = map[string]struct {
	good []string
	bad  map[string]string
}{
	"conversation": {[]string{`""`, `"64a1"`, str(5000)}, map[string]string{`null`: " (null): a string", `1`: " (number): a string", `{}`: " (object): a string", `[""]`: " (array): a string", `true`: " (boolean): a string"}},
	"related":      {[]string{`"x"`}, map[string]string{`null`: " (null): a string", `1`: " (number): a string"}},
	"createdBy":    {[]string{anID, `"\u0036\u0034a1f0c2b7d9e30012AB1001"`}, map[string]string{`null`: " (null): an object id of 24", `"64a1f0c2b7d9e30012ab100"`: " (string): an object id", `"64a1f0c2b7d9e30012ab10011"`: " (string): an object id", `"64a1f0c2b7d9e30012ab100g"`: " (string): an object id", `""`: " (string): an object id", `1`: " (number): an object id"}},
	"modifiedBy":   {[]string{anID, `null`}, map[string]string{`"x"`: " (string): an object id of 24 hexadecimal digits, or null", `1`: " (number): an object id"}},
	"externalId":   {[]string{`""`, str(256), `null`}, map[string]string{str(257): " (string): a string of at most 256 characters, or null", `1`: " (number): a string"}},
	"subject": {[]string{`"a"`, str(256), `null`, `"` + strings.Repeat(`\ud83d\ude00`, 256) + `"`, `"` + strings.Repeat(`\uD83D\uDE00\n`, 128) + `"`, `"` + strings.Repeat(`\u00e9\ud7ff\"\\`, 64) + `"`}, map[string]string{
		str(257): " (string): a string of at most 256 characters, or null", `"` + strings.Repeat(`\ud83d\ude00`, 257) + `"`: " (string): a string", `"` + strings.Repeat(`\n`, 257) + `"`: " (string): a string",
		`"` + strings.Repeat(`\ud7ff`, 257) + `"`: " (string): a string", `false`: " (boolean): a string", `["a"]`: " (array): a string",
	}},
	"preview": {[]string{str(10_240), `null`}, map[string]string{str(10_241): " (string): a string of at most 10240 characters, or null", `{}`: " (object): a string"}},
	"lang":    {[]string{`"en"`, str(100), `null`}, map[string]string{str(101): " (string): a string of at most 100 characters, or null", `1`: " (number): a string"}},
	"status":  {[]string{`"sent"`, `"received"`, `"error"`, `"s\u0065nt"`}, map[string]string{`"Sent"`: " (string): one of sent, received, error", `""`: " (string): one of", `null`: " (null): one of", `1`: " (number): one of"}},
	"error": {[]string{`{}`, `{"status":1,"code":"a","title":"b","detail":"c","source":{"x":null},"meta":{},"links":{"a":[1]}}`}, map[string]string{
		`null`: " (null): an object", `"x"`: " (string): an object", `[]`: " (array): an object", `{"status":"400"}`: ".status (string): a number", `{"code":1}`: ".code (number): a string", `{"title":null}`: ".title (null): a string",
		`{"detail":{}}`: ".detail (object): a string", `{"source":"x"}`: ".source (string): an object", `{"meta":null}`: ".meta (null): an object", `{"links":[]}`: ".links (array): an object",
		`{"message":"x"}`: ".message (string): not a member",
	}},
	"errorAt":    {[]string{aTime}, map[string]string{`null`: " (null): an RFC 3339 time", `"yesterday"`: " (string): an RFC 3339 time", `1790000000`: " (number): an RFC 3339 time"}},
	"sentAt":     {[]string{aTime, `null`, `"2026-11-24T02:30:00Z"`, `"2026-11-24T02:30:00.123456789+05:30"`, `"2024-02-29T23:59:59-11:00"`, `"2026-11-24t02:30:00z"`, `"2026-11-24t02:30:00.5+01:00"`, `"2016-12-31T23:59:60Z"`, `"2016-12-31T15:59:60.25-08:00"`}, map[string]string{`"2026-11-24"`: " (string): an RFC 3339 time such as 2026-11-24T02:30:00.123Z, or null", `"2026-11-24T02:30:00"`: " (string): an RFC", `"2026-02-29T02:30:00Z"`: " (string): an RFC", `"2026-11-24 02:30:00Z"`: " (string): an RFC", `"2026-11-24T24:00:00Z"`: " (string): an RFC", `"2026-11-24T02:30:60Z"`: " (string): an RFC", `"2026-11-24t02:61:00z"`: " (string): an RFC", `"2016-12-31T23:59:61Z"`: " (string): an RFC", `"2026-11-24T02:30:00Z "`: " (string): an RFC"}},
	"createdAt":  {[]string{aTime}, map[string]string{`null`: " (null): an RFC", `""`: " (string): an RFC"}},
	"modifiedAt": {[]string{aTime}, map[string]string{`null`: " (null): an RFC", `""`: " (string): an RFC"}},
	"updatedAt":  {[]string{aTime}, map[string]string{`null`: " (null): an RFC", `""`: " (string): an RFC"}},
	"size":       {[]string{`0`, `-1.5e3`, `1e999`}, map[string]string{`null`: " (null): a number", `"12"`: " (string): a number", `true`: " (boolean): a number"}},
	"attachments": {[]string{`[]`, `[` + aFile + `]`, `[` + aFile + `,` + another + `]`, ` [ ` + manyFiles(40, 0) + ` ] `}, map[string]string{
		`null`: " (null): an array of objects that differ", aFile: " (object): an array", `"x"`: " (string): an array", `[` + aFile + `,"x"]`: "[1] (string): an object", `[[]]`: "[0] (array): an object", `[null]`: "[0] (null): an object",
		`[` + aFile + `,` + aFile + `]`: " (array): an array of objects that differ",
		`[{"_id":` + anID + `,"name":"a","contentType":"t","contentLength":1},{"contentLength":1.0,"contentType":"\u0074", "name":"a","_id":` + anID + `}]`: " (array): an array of objects that differ",
		`[` + manyFiles(40, 1) + `]`:                           " (array): an array of objects that differ",
		`[` + strings.Replace(aFile, `"_id"`, `"id"`, 1) + `]`: "[0].id (string): not a member|[0]._id (absent): required", `[` + aFile + `,` + strings.Replace(another, `"name":"b",`, ``, 1) + `]`: "[1].name (absent): required",
		`[` + strings.Replace(another, `"contentType":"",`, ``, 1) + `]`: "[0].contentType (absent): required", `[` + strings.Replace(another, `,"contentLength":12.5`, ``, 1) + `]`: "[0].contentLength (absent): required",
		`[` + strings.Replace(another, `12.5`, `"12"`, 1) + `]`: "[0].contentLength (string): a number", `[` + strings.Replace(another, `"b"`, `null`, 1) + `]`: "[0].name (null): a string",
		`[` + strings.Replace(another, `""`, `7`, 1) + `]`: "[0].contentType (number): a string", `[` + strings.Replace(another, anID, `"x"`, 1) + `]`: "[0]._id (string): an object id", `[` + strings.Replace(another, `12.5`, `1,"sourceId":"x"`, 1) + `]`: "[0].sourceId (string): an object id",
	}},
	"meta": {[]string{`{}`, `{"a":{"b":[null,{}]},"rev":1}`, manyMembers(100, "")}, map[string]string{`null`: " (null): an object of at most 100 members", `[]`: " (array): an object", manyMembers(101, ""): " (object): an object of at most 100 members"}},
	"custom": {[]string{
		`{}`, `{"aStr":null,"aTxt":null,"aNum":null,"aAt":null,"aBool":null,"aUrl":null,"aId":null}`, manyMembers(100, "Str"), `{"Str\u0053tr":` + str(1024) + `,"xTxt":` + str(5000) + `}`, `{"NumNum":-0.5,"BoolBool":false,"aBool":true}`,
		`{"aAt":` + aTime + `,"aId":"x"}`, `{"aUrl":"https://example.com/a?b=c#d","bUrl":"mailto:a@example.com","cUrl":"http://user@[::1]:80/%20é","dUrl":"urn:x"}`,
	}, map[string]string{
		`null`: " (null): an object of at most 100 members", `[]`: " (array): an object", manyMembers(101, "Str"): " (object): an object of at most 100 members",
		`{"tier":"x"}`: ".tier (string): not the name of a custom attribute", `{"Str":"x"}`: ".Str (string): not the name", `{"tierstr":null}`: ".tierstr (null): not the name", `{"":{}}`: `."" (object): not the name`,
		`{"aStr":1}`: ".aStr (number): a string of at most 1024 characters, or null", `{"aStr":` + str(1025) + `}`: ".aStr (string): a string of at most 1024", `{"aTxt":1}`: ".aTxt (number): a string, or null",
		`{"aNum":"1"}`: ".aNum (string): a number, or null", `{"aAt":1}`: ".aAt (number): an RFC 3339 time", `{"aAt":"now"}`: ".aAt (string): an RFC 3339 time", `{"aBool":"true"}`: ".aBool (string): true or false, or null", `{"aBool":1}`: ".aBool (number): true or false",
		`{"aUrl":1}`: ".aUrl (number): a URI", `{"aUrl":"example.com/a"}`: ".aUrl (string): a URI", `{"aUrl":""}`: ".aUrl (string): a URI", `{"aUrl":"http://a b/"}`: ".aUrl (string): a URI", `{"aUrl":"http://a/%zz"}`: ".aUrl (string): a URI", `{"aUrl":"http://a:b/"}`: ".aUrl (string): a URI", `{"aUrl":"/a"}`: ".aUrl (string): a URI",
		`{"aId":""}`: ".aId (string): a string that is not empty, or null", `{"aId":1}`: ".aId (number): a string that", `{"aStr":1,"bNum":true,"c":1}`: ".aStr (number): a string|.bNum (boolean): a number|.c (number): not the name",
	}},
	"sentiment": {[]string{`{"polarity":0,"confidence":0.5}`, `{"confidence":-1,"polarity":-1.0}`, `{"polarity":10e-1,"confidence":1}`}, map[string]string{
		`null`: " (null): an object", `1`: " (number): an object", `{}`: ".polarity (absent): required|.confidence (absent): required", `{"polarity":1}`: ".confidence (absent): required", `{"confidence":1}`: ".polarity (absent): required",
		`{"polarity":2,"confidence":0}`: ".polarity (number): -1, 0 or 1", `{"polarity":0.5,"confidence":0}`: ".polarity (number): -1", `{"polarity":"1","confidence":0}`: ".polarity (string): -1", `{"polarity":null,"confidence":0}`: ".polarity (null): -1",
		`{"polarity":0,"confidence":1.01}`: ".confidence (number): a number from -1 to 1", `{"polarity":0,"confidence":-1.01}`: ".confidence (number): a number from", `{"polarity":0,"confidence":1e999}`: ".confidence (number): a number from", `{"polarity":1e999,"confidence":0}`: ".polarity (number): -1",
		`{"polarity":0,"confidence":null}`: ".confidence (null): a number from", `{"polarity":0,"confidence":0,"text":"x"}`: ".text (string): not a member",
	}},
}

func init() {
	for _, name := range strings.Fields("customer channel app direction auto source shortcuts kbArticles location reference importedAt queue spam reactions") {
		refuseAll(name, "not updatable in bulk")
	}
	for _, name := range strings.Fields("rev redacted directionType assignedUsers assignedTeams createdByTeams intentDetections") {
		refuseAll(name, "read-only")
	}
}

func refuseAll(name, rule string) {
	c := cases[name]
	c.bad = map[string]string{`null`: " (null): " + rule, `"x"`: " (string): " + rule, `{}`: " (object): " + rule, `[]`: " (array): " + rule, `1`: " (number): " + rule, `true`: " (boolean): " + rule}
	cases[name] = c
}

// manyFiles are n attachments, the last same of which are the first again.
func manyFiles(n, same int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.Replace(aFile, `"name":"a"`, fmt.Sprintf(`"name":"%d"`, i%(n-same)), 1)
	}
	return strings.Join(list, ",")
}

// Every member has its rule, and each way to break it is noticed.
func TestRules(t *testing.T) {
	for name := range item.members.members {
		if _, ok := cases[name]; !ok {
			t.Errorf("nothing tests %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		for _, value := range cases[name].good {
			patch := fmt.Sprintf(`{"x":{"rev":1}, %q : %s ,"y":0}`, name, value)
			if got := Check([]byte(patch), 9); got != nil || Breaks([]byte(patch)) {
				t.Errorf("%.200s breaks %v", patch, got)
			}
		}
		for value, want := range cases[name].bad {
			patch := []byte(fmt.Sprintf(` { "x":{"rev":1},%q:%s}`, name, value))
			got := Check(patch, 9)
			rules := strings.Split(want, "|")
			for i := range min(len(got), len(rules)) {
				if !strings.HasPrefix(got[i].String(), name+rules[i]) {
					t.Errorf("%.200s breaks %v, want %s%s", patch, got[i], name, rules[i])
				}
			}
			if len(got) != len(rules) || !Breaks(patch) {
				t.Errorf("%.200s breaks %v, want %v", patch, got, rules)
			}
		}
	}
}

// What the reference does not know of passes, at the top.
func TestUnknownMembersPass(t *testing.T) {
	for _, patch := range []string{`{}`, ` { } `, `{"new":null}`, `{"new":{"status":1},"Subject":1,"sub":[{}]}`, `{"id":1,"_clientRef":2}`} {
		if got := Check([]byte(patch), 9); got != nil {
			t.Errorf("%s breaks %v", patch, got)
		}
	}
}

// As many as asked for, in the order of the patch, and no more.
func TestCheckIsBounded(t *testing.T) {
	patch := []byte(`{"rev":1,"subject":2,"custom":{"aStr":3,"bStr":"ok","c":4},"size":"5"}`)
	all := []Violation{
		{"rev", Number, "read-only"},
		{"subject", Number, "a string of at most 256 characters, or null"},
		{"custom.aStr", Number, "a string of at most 1024 characters, or null"},
		{"custom.c", Number, "not the name of a custom attribute, which ends in Str, Txt, Num, At, Bool, Url or Id"},
		{"size", String, "a number"},
	}
	for most := range 7 {
		want := slices.Clip(all[:min(most, len(all))])
		if len(want) == 0 {
			want = nil
		}
		if diff := cmp.Diff(want, Check(patch, most)); diff != "" {
			t.Errorf("at most %d (-want +got):\n%s", most, diff)
		}
	}
}

// A name may be anything, so it is shown short, on one line, and apart from its path.
func TestNamesAreShownSafely(t *testing.T) {
	for name, want := range map[string]string{
		`a_b-3`:                         `custom.a_b-3`,
		`a\nb`:                          `custom."a\nb"`,
		`a.b (x)`:                       `custom."a.b (x)"`,
		`\u0000`:                        `custom."\x00"`,
		`größe`:                         `custom."größe"`,
		strings.Repeat("a", 64):         `custom.` + strings.Repeat("a", 64),
		strings.Repeat("a", 65):         `custom.` + strings.Repeat("a", 64) + `…`,
		strings.Repeat("a", 63) + "ééé": `custom.` + strings.Repeat("a", 63) + `…`,
	} {
		got := Check([]byte(`{"custom":{"`+name+`":1}}`), 1)
		if len(got) != 1 || got[0].Member != want {
			t.Errorf("%s is shown as %v, want %s", name, got, want)
		}
	}
}

// Nothing of a value is in what is said of it.
func TestNoValueIsShown(t *testing.T) {
	const secret = `51CRET`
	for _, patch := range []string{
		`{"rev":"51CRET"}`, `{"subject":["51CRET"]}`, `{"status":"51CRET"}`, `{"sentAt":"51CRET"}`, `{"createdBy":"51CRET"}`, `{"custom":{"aUrl":"51CRET","bStr":{"51CRET":1},"c":"51CRET"}}`,
		`{"attachments":[{"name":["51CRET"]},"51CRET"]}`, `{"sentiment":{"polarity":"51CRET"}}`,
	} {
		for _, v := range Check([]byte(patch), 9) {
			if strings.Contains(v.String(), secret) {
				t.Errorf("%s: %s", patch, v)
			}
		}
		if !Breaks([]byte(patch)) {
			t.Errorf("%s breaks nothing", patch)
		}
	}
}
