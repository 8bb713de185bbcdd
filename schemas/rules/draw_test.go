package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// The values that patches are drawn from: each is right somewhere and wrong elsewhere.
var scalars = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `1.0`, `-1`, `0.5`, `-1.0001`, `2`, `1e999`, `1e-999`, `""`, `"a"`, `"sent"`, `"error"`, `"s\u0065nt"`, anID, `"64a1f0c2b7d9e30012ab10zz"`, aTime, `"2026-11-24T02:30:00+05:45"`, `"2026-13-24T02:30:00Z"`,
	`"https://example.com/a"`, `"http://a:b"`, `"http://a b/"`, `"https://example.com/%zz"`, `"urn:a"`, `"//a"`, `{}`, `[]`, `{"a":null}`, `[{}]`,
	str(100), str(101), str(256), str(257), str(1024), str(1025), str(10_240), str(10_241), `"` + strings.Repeat(`\ud83d\ude00`, 256) + `"`, `"` + strings.Repeat(`\n`, 257) + `"`,
}

var valuesOf = map[string]*rapid.Generator[string]{
	"error":       drawObject(scalars, "status", "code", "title", "detail", "source", "meta", "links", "more"),
	"sentiment":   drawObject([]string{`0`, `1`, `-1`, `0.5`, `1.5`, `null`, `"1"`}, "polarity", "confidence", "polarity", "confidence", "confidence", "text"),
	"custom":      drawObject(scalars, "aStr", "Str", "b\\u0053tr", "aTxt", "aNum", "aAt", "aBool", "aUrl", "bUrl", "aId", "a", "Stra", "a b"),
	"attachments": drawList(drawObject([]string{anID, `"a"`, `"\u0061"`, `1`, `1.0`, `10e-1`, `null`}, "_id", "name", "contentType", "contentLength", "sourceId")),
	"meta":        rapid.Custom(func(t *rapid.T) string { return manyMembers(rapid.IntRange(98, 103).Draw(t, "n"), "") }),
}

// drawObject draws an object of some of these names.
func drawObject(values []string, names ...string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		seen := map[string]bool{}
		for _, name := range rapid.Permutation(names).Draw(t, "order") {
			if !seen[name] && rapid.IntRange(0, 3).Draw(t, "has") > 0 {
				fmt.Fprintf(&b, `, "%s" :%s`, name, rapid.SampledFrom(values).Draw(t, name))
			}
			seen[name] = true
		}
		return "{" + strings.TrimPrefix(b.String(), ",") + "}"
	})
}

func drawList(of *rapid.Generator[string]) *rapid.Generator[string] {
	// Good ones too, or two that are good and equal would never come.
	good := rapid.SampledFrom([]string{
		aFile, another, `{"contentLength":1,"_id":` + anID + `,"name":"","contentType":"x"}`, `{"_id":` + anID + `,"name":"","contentLength":1.0,"contentType":"\u0078"}`,
	})
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(good, good, good, of), 0, 4), func(list []string) string { return "[" + strings.Join(list, " ,") + "]" })
}

// drawPatch draws a patch of few members, so that many break nothing. With others
// some are not in the reference.
func drawPatch(t *rapid.T, others bool) []byte {
	names := slices.Sorted(maps.Keys(cases))
	if others {
		names = append(names, "new", "Subject", "id")
	}
	var b strings.Builder
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID).Draw(t, "names") {
		values := rapid.SampledFrom(scalars)
		if own := valuesOf[name]; own != nil {
			values = rapid.OneOf(own, own, values)
		} else if good := cases[name].good; len(good) > 0 {
			values = rapid.OneOf(rapid.SampledFrom(good), values)
		}
		fmt.Fprintf(&b, ",\n%q : %s", name, values.Draw(t, name))
	}
	return []byte("{" + strings.TrimPrefix(b.String(), ",") + "}")
}
