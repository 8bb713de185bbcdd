package batcher

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The twin is the fold written without regard to cost, beside the servers that
// it must be right for: it folds on decoded maps, and finds out by trying
// whether some server could tell the fold from the changes one by one.

// object is a decoded patch or the state of a message.
type object = map[string]any

// A server makes the value of a member from what it has, nil if nothing, and
// what it is sent.
type server struct {
	name  string
	merge func(old, sent any) any
}

var (
	replacing = server{"replace", func(_, sent any) any { return sent }}
	merging   = server{"deep merge", deepMerge}
	// removing takes null for "remove", as RFC 7396 does. The fold is not built
	// for it, but nobody knows yet that Kustomer does not do it.
	removing = server{"merge patch", mergePatch}
)

func deepMerge(old, sent any) any {
	s, ok := sent.(object)
	if !ok {
		return sent
	}
	merged := object{}
	if o, ok := old.(object); ok {
		maps.Copy(merged, o)
	}
	for k, v := range s {
		merged[k] = deepMerge(merged[k], v)
	}
	return merged
}

func mergePatch(old, sent any) any {
	s, ok := sent.(object)
	if !ok {
		return sent
	}
	merged := object{}
	if o, ok := old.(object); ok {
		maps.Copy(merged, o)
	}
	for k, v := range s {
		if v == nil {
			delete(merged, k)
		} else {
			merged[k] = mergePatch(merged[k], v)
		}
	}
	return merged
}

// apply returns the state after patches. custom is merged by key by any server.
func (s server) apply(state object, patches ...object) object {
	state = maps.Clone(state)
	for _, p := range patches {
		for k, v := range p {
			c, ok := v.(object)
			if k != customMember || !ok {
				state[k] = s.merge(state[k], v)
				continue
			}
			custom := object{}
			if old, ok := state[k].(object); ok {
				maps.Copy(custom, old)
			}
			for ck, cv := range c {
				custom[ck] = s.merge(custom[ck], cv)
			}
			state[k] = custom
		}
		if s.name == removing.name {
			maps.DeleteFunc(state, func(_ string, v any) bool { return v == nil })
		}
	}
	return state
}

// foldTwin merges two patches by the rule for custom, later members winning.
func foldTwin(first, later object) object { return replacing.apply(first, later) }

// witnesses returns states that tell a wrong fold of a change from a right one:
// the empty one shows what only the earlier patch would have brought in; the
// other has, wherever the change has an object, an object with a key more, and
// shows what the earlier patch would have wiped out.
func witnesses(later object) []object {
	return []object{{}, withKeyMore(later).(object)}
}

func withKeyMore(v any) any {
	o, ok := v.(object)
	if !ok {
		return v
	}
	more := object{"key more": "state"}
	for k, v := range o {
		more[k] = withKeyMore(v)
	}
	return more
}

// mayFold is the whole rule: no barrier; none of two customs that is not an
// object; and no server can tell. The rule for custom refuses more than needed
// in one case, custom: null (or another value) over custom: the API's reply to
// that is not known, so that is sent as it came.
func mayFold(first, later object, r *foldRules) bool {
	for _, b := range r.barrier {
		_, inFirst := first[b]
		_, inLater := later[b]
		if inFirst || inLater {
			return false
		}
	}
	c1, has1 := first[customMember]
	c2, has2 := later[customMember]
	if has1 && has2 {
		_, ok1 := c1.(object)
		_, ok2 := c2.(object)
		if !ok1 || !ok2 {
			return false
		}
	}
	return sameFor(servers(r), witnesses(later), first, later)
}

func servers(r *foldRules) []server {
	if r.replaceObjects {
		return []server{replacing}
	}
	return []server{replacing, merging}
}

// sameFor reports whether the servers, from the states, end where they would
// end had they been sent the twin's fold.
func sameFor(servers []server, states []object, first, later object) bool {
	for _, s := range servers {
		for _, state := range states {
			if !cmp.Equal(s.apply(state, first, later), s.apply(state, foldTwin(first, later))) {
				return false
			}
		}
	}
	return true
}

func decodePatch(t rapid.TB, patch []byte) object {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(patch))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		t.Fatalf("decode %s: %v", patch, err)
	}
	return o
}

// checkAdd adds a change to a fold of which the twin has folded, and returns
// the twin's next.
func checkAdd(t rapid.TB, f *fold, folded object, patch []byte, r *foldRules) (object, bool) {
	t.Helper()
	before := f.appendTo(nil)
	later := decodePatch(t, patch)
	want := mayFold(folded, later, r)
	if got := f.add(patch, r); got != want {
		t.Fatalf("add = %t, want %t (%+v)\nfold   %s\nchange %s", got, want, *r, before, patch)
	}
	if want {
		folded = foldTwin(folded, later)
	}
	checkBytes(t, f, folded)
	if !want && !bytes.Equal(before, f.appendTo(nil)) {
		t.Fatalf("a refused add changed the fold\nbefore %s\nafter  %s\nchange %s", before, f.appendTo(nil), patch)
	}
	return folded, want
}

// checkBytes compares a fold with the twin's.
func checkBytes(t rapid.TB, f *fold, want object) {
	t.Helper()
	got := f.appendTo(nil)
	if !jsontext.Value(got).IsValid() { // duplicate names are invalid, too
		t.Fatalf("fold is not valid JSON: %s", got)
	}
	if len(got) != f.size() {
		t.Fatalf("size() = %d, but appendTo appends %d bytes: %s", f.size(), len(got), got)
	}
	if diff := cmp.Diff(want, decodePatch(t, got)); diff != "" {
		t.Fatalf("fold differs (-want +got):\n%s", diff)
	}
}

func TestFoldTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &foldRules{replaceObjects: rapid.Bool().Draw(t, "replace")}
		if rapid.IntRange(0, 3).Draw(t, "with barrier") == 0 {
			r.barrier = []string{"b", "é\"\\"}
		}
		patches := drawPatches(t)
		f, folded := newFold(patches[0]), decodePatch(t, patches[0])
		checkBytes(t, f, folded)
		for _, p := range patches[1:] {
			folded, _ = checkAdd(t, f, folded, p, r)
		}
	})
}

// From any state, any server ends where it would have ended without folding,
// also one that takes null for "remove".
func TestFoldIsTheSameForAnyServer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &foldRules{}
		patches := drawPatches(t)
		changes := make([]object, len(patches))
		for i, p := range patches {
			changes[i] = decodePatch(t, p)
		}
		var items []object
		for _, item := range foldRuns(patches, r) {
			items = append(items, decodePatch(t, item.fold.appendTo(nil)))
		}
		state := drawObject(3).Draw(t, "state").(object)
		for _, s := range []server{replacing, merging, removing} {
			if diff := cmp.Diff(s.apply(state, changes...), s.apply(state, items...)); diff != "" {
				t.Fatalf("server that does %q ends in another state (-one by one +folded):\n%s", s.name, diff)
			}
		}
	})
}

type foldRun struct {
	fold    *fold
	patches [][]byte
}

// foldRuns folds changes as the core does: what is refused starts a new item.
func foldRuns(patches [][]byte, r *foldRules) []foldRun {
	runs := []foldRun{{newFold(patches[0]), patches[:1]}}
	for i, p := range patches[1:] {
		last := &runs[len(runs)-1]
		if last.fold.add(p, r) {
			last.patches = last.patches[:len(last.patches)+1]
		} else {
			runs = append(runs, foldRun{newFold(p), patches[i+1 : i+2]})
		}
	}
	return runs
}

// Changes that were folded fold in any part of them too: an item that fails is
// halved, and its halves are folded anew.
func TestFoldOfPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &foldRules{replaceObjects: rapid.Bool().Draw(t, "replace")}
		for _, run := range foldRuns(drawPatches(t), r) {
			from := rapid.IntRange(0, len(run.patches)-1).Draw(t, "from")
			part := run.patches[from:]
			f := newFold(part[0])
			for _, p := range part[1:] {
				if !f.add(p, r) {
					t.Fatalf("folded as a whole, but not from %d on: add(%s) = false\nof %s", from, p, bytes.Join(run.patches, []byte("\n")))
				}
			}
		}
	})
}

// memberNames are few, so that patches meet, and nasty.
var memberNames = []string{"custom", "a", "b", "A", "", "é\"\\", "\U0001f511", "{}[],:"}

func drawPatches(t *rapid.T) [][]byte {
	n := rapid.IntRange(1, 6).Draw(t, "patches")
	patches := make([][]byte, n)
	var last object
	for i := range patches {
		// What meets at random rarely folds: half of the patches are the one
		// before with other members.
		o := drawObject(3).Draw(t, "patch").(object)
		if last != nil && rapid.Bool().Draw(t, "like the last") {
			o = deepMerge(last, o).(object)
		}
		last = o
		patches[i] = renderValue(t, nil, o)
	}
	return patches
}

func drawObject(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		o := object{}
		// A few patches have so many members that an index is built.
		if depth == 3 && rapid.IntRange(0, 9).Draw(t, "wide") == 0 {
			for i := range rapid.IntRange(manyMembers-2, 2*manyMembers).Draw(t, "width") {
				o[fmt.Sprint("wide", i)] = json.Number(fmt.Sprint(i))
			}
		}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(memberNames), 0, 4).Draw(t, "names") {
			o[name] = drawValue(depth-1).Draw(t, "value")
		}
		return o
	})
}

func drawValue(depth int) *rapid.Generator[any] {
	scalars := rapid.SampledFrom([]any{
		nil, true, json.Number("0"), json.Number("-1.5e+3"), "", "x", `\`, `"`, `\"`, `\\`, `"},{"`, "é\u2028\U0001f511\n\x00/",
	})
	if depth <= 0 {
		return scalars
	}
	arrays := rapid.Custom(func(t *rapid.T) any {
		return rapid.SliceOfN(drawValue(depth-1), 0, 3).Draw(t, "array")
	})
	return rapid.OneOf(scalars, arrays, drawObject(depth), drawObject(depth))
}

// renderValue writes a value as JSON, with white space and escapes wherever JSON
// lets them be, members in any order.
func renderValue(t *rapid.T, dst []byte, v any) []byte {
	dst = renderSpace(t, dst)
	switch v := v.(type) {
	case object:
		dst = append(dst, '{')
		for i, k := range rapid.Permutation(slices.Sorted(maps.Keys(v))).Draw(t, "order") {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = renderSpace(t, renderString(t, renderSpace(t, dst), k))
			dst = renderValue(t, append(dst, ':'), v[k])
		}
		dst = append(renderSpace(t, dst), '}')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = renderValue(t, dst, e)
		}
		dst = append(renderSpace(t, dst), ']')
	case string:
		dst = renderString(t, dst, v)
	case nil:
		dst = append(dst, "null"...)
	default:
		dst = fmt.Append(dst, v)
	}
	return renderSpace(t, dst)
}

func renderSpace(t *rapid.T, dst []byte) []byte {
	return append(dst, rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r\n  "}).Draw(t, "space")...)
}

func renderString(t *rapid.T, dst []byte, s string) []byte {
	if !rapid.Bool().Draw(t, "escape all") {
		dst, _ = jsontext.AppendQuote(dst, s)
		return dst
	}
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '/' || r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r > 0xffff:
			r -= 0x10000
			dst = fmt.Appendf(dst, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
	}
	return append(dst, '"')
}

// FuzzFold folds any two patches after a third, and compares with the twin.
func FuzzFold(f *testing.F) {
	f.Add(`{"a":1,"custom":{"k":1}}`, `{"b":[{}],"custom":{"l":null}}`, `{"a":null}`, false)
	f.Add(`{"m":{"a":{"b":1}}}`, `{"m":{"a":{"b":2,"c":3}}}`, `{"m":{"a":{}}}`, false)
	f.Add(`{"m":{"a":{"b":1}}}`, ` { "m" : { } } `, `{"custom":null}`, true)
	f.Add(`{"\u0063ustom":{"\\\"":"\\"}}`, `{"custom":{"\\\u0022":{"x":"\\\\\""}}}`, `{"custom":{}}`, false)
	f.Add(`{"barrier":1}`, `{}`, `{"a":"`+strings.Repeat(`\\`, 40)+`\""}`, false)
	f.Fuzz(func(t *testing.T, first, second, third string, replace bool) {
		for _, p := range []string{first, second, third} {
			if v := jsontext.Value(p); !v.IsValid() || v.Kind() != '{' {
				return
			}
		}
		r := &foldRules{replaceObjects: replace, barrier: []string{"barrier"}}
		got, folded := newFold([]byte(first)), decodePatch(t, []byte(first))
		checkBytes(t, got, folded)
		folded, _ = checkAdd(t, got, folded, []byte(second), r)
		checkAdd(t, got, folded, []byte(third), r)
	})
}
