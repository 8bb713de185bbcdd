package batcher

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestFold(t *testing.T) {
	tests := []struct {
		name    string
		patches []string // all but the first are added; "!" in front: must be refused
		want    string
	}{
		{"one patch loses its white space between members", []string{" { \"a\" : 1 ,\n\"b\":[1, 2] } "}, `{"a":1,"b":[1, 2]}`},
		{"empty patches", []string{`{}`, `{ }`}, `{}`},
		{"into an empty patch", []string{`{}`, `{"a":1}`}, `{"a":1}`},
		{"later member wins, order of first appearance", []string{`{"a":1,"b":2}`, `{"c":3,"a":4}`}, `{"a":4,"b":2,"c":3}`},
		{"null is a value", []string{`{"a":1,"b":null}`, `{"a":null,"b":2}`}, `{"a":null,"b":2}`},
		{"array is a value", []string{`{"a":[{"x":1}]}`, `{"a":[{"y":2}]}`}, `{"a":[{"y":2}]}`},
		{"brackets and quotes in strings", []string{`{"a":{"x":"}\"]"},"b":"\\"}`, `{"b":"{\\\""}`}, `{"a":{"x":"}\"]"},"b":"{\\\""}`},
		{"names compare unescaped", []string{`{"\u0061":1,"b/":2}`, `{"a":3,"\u0062\/":4}`}, `{"\u0061":3,"b/":4}`},
		{"names are case sensitive", []string{`{"a":1}`, `{"A":2}`}, `{"a":1,"A":2}`},
		{"name with a quote", []string{`{"\"":1}`, `{"\u0022":2,"\\":3}`}, `{"\"":2,"\\":3}`},

		{"object over object with all its keys", []string{`{"m":{"a":1}}`, `{"m":{"b":2,"a":3}}`}, `{"m":{"b":2,"a":3}}`},
		{"object over equal object", []string{`{"m":{"a":{"b":1}}}`, `{"m":{"a":{"b":1}}}`}, `{"m":{"a":{"b":1}}}`},
		{"object over object with a key more", []string{`{"m":{"a":1,"b":2}}`, `!{"m":{"a":3}}`}, `{"m":{"a":1,"b":2}}`},
		{"empty object over object", []string{`{"m":{"a":1}}`, `!{"m":{}}`}, `{"m":{"a":1}}`},
		{"object over empty object", []string{`{"m":{}}`, `{"m":{"a":1}}`}, `{"m":{"a":1}}`},
		{"covered to the bottom", []string{`{"m":{"a":{"b":{"c":1}}}}`, `{"m":{"a":{"b":{"\u0063":2}}}}`}, `{"m":{"a":{"b":{"\u0063":2}}}}`},
		{"not covered at the bottom", []string{`{"m":{"a":{"b":{"c":1}}}}`, `!{"m":{"a":{"b":{"d":2}}}}`}, `{"m":{"a":{"b":{"c":1}}}}`},
		{"value over object", []string{`{"m":{"a":1}}`, `{"m":2}`}, `{"m":2}`},
		{"object over value", []string{`{"m":2}`, `!{"m":{"a":1}}`}, `{"m":2}`},
		{"object over null", []string{`{"m":null}`, `!{"m":{"a":1}}`}, `{"m":null}`},
		{"object over value, deep", []string{`{"m":{"a":[]}}`, `!{"m":{"a":{}}}`}, `{"m":{"a":[]}}`},

		{"custom by key", []string{`{"custom":{"a":1,"b":null}}`, `{"custom":{"b":2,"c":null}}`}, `{"custom":{"a":1,"b":2,"c":null}}`},
		{"custom keeps its place", []string{`{"a":1}`, `{"custom":{"x":1}}`, `{"b":2,"custom":{"y":2}}`}, `{"a":1,"custom":{"x":1,"y":2},"b":2}`},
		{"custom escaped", []string{`{"custom":{"a":1}}`, `{"\u0063ustom":{"b":2}}`}, `{"custom":{"a":1,"b":2}}`},
		{"custom empty", []string{`{"custom":{}}`, `{"custom":{ }}`}, `{"custom":{}}`},
		{"custom by key, objects covered", []string{`{"custom":{"o":{"x":1}}}`, `{"custom":{"o":{"x":2,"y":3}}}`}, `{"custom":{"o":{"x":2,"y":3}}}`},
		{"custom by key, objects not covered", []string{`{"custom":{"o":{"x":1}}}`, `!{"custom":{"a":1,"o":{"y":3}}}`}, `{"custom":{"o":{"x":1}}}`},
		{"custom by key, object over value", []string{`{"custom":{"o":1}}`, `!{"custom":{"o":{}}}`}, `{"custom":{"o":1}}`},
		{"custom inside of another member is an object like others", []string{`{"m":{"custom":{"a":1}}}`, `!{"m":{"custom":{"b":1}}}`}, `{"m":{"custom":{"a":1}}}`},
		{"custom inside of custom is an object like others", []string{`{"custom":{"custom":{"a":1}}}`, `!{"custom":{"custom":{"b":1}}}`}, `{"custom":{"custom":{"a":1}}}`},
		{"custom null alone", []string{`{"a":1}`, `{"custom":null}`, `{"b":2}`}, `{"a":1,"custom":null,"b":2}`},
		{"custom null after custom", []string{`{"custom":{"a":1}}`, `!{"custom":null}`}, `{"custom":{"a":1}}`},
		{"custom after custom null", []string{`{"custom":null}`, `!{"custom":{}}`}, `{"custom":null}`},
		{"custom null twice", []string{`{"custom":null}`, `!{"custom":null}`}, `{"custom":null}`},
		{"custom of another kind", []string{`{"custom":{"a":1}}`, `!{"custom":[]}`, `{"custom":{"b":2}}`}, `{"custom":{"a":1,"b":2}}`},

		{"a refusal changes nothing", []string{`{"a":1,"m":{"x":1},"custom":{"k":1}}`, `!{"a":2,"n":3,"custom":{"k":2,"l":3},"m":{}}`, `{"n":4}`}, `{"a":1,"m":{"x":1},"custom":{"k":1},"n":4}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFold([]byte(tt.patches[0]))
			addAll(t, f, tt.patches[1:], &foldRules{})
			checkFold(t, f, tt.want)
		})
	}
}

func TestFoldRules(t *testing.T) {
	barrier := &foldRules{barrier: []string{"priority", "status"}}
	replace := &foldRules{replaceObjects: true}
	tests := []struct {
		name    string
		rules   *foldRules
		patches []string
		want    string
	}{
		{"barrier in the change", barrier, []string{`{"a":1}`, `!{"b":2,"status":"sent"}`}, `{"a":1}`},
		{"barrier in the change, escaped", barrier, []string{`{"a":1}`, `!{"\u0073tatus":null}`}, `{"a":1}`},
		{"barrier in the item", barrier, []string{`{"a":1,"statu\u0073":"sent"}`, `!{"b":2}`, `!{}`}, `{"a":1,"statu\u0073":"sent"}`},
		{"barrier names are top members", barrier, []string{`{"custom":{"status":1}}`, `{"m":{"status":2}}`}, `{"custom":{"status":1},"m":{"status":2}}`},
		{"no barrier", barrier, []string{`{"statuS":1}`, `{"a":2}`}, `{"statuS":1,"a":2}`},
		{"custom as a barrier", &foldRules{barrier: []string{"custom"}}, []string{`{"a":1}`, `!{"custom":{"k":1}}`, `{"b":2}`}, `{"a":1,"b":2}`},
		{"replace: object over object", replace, []string{`{"m":{"a":1}}`, `{"m":{}}`}, `{"m":{}}`},
		{"replace: object over value", replace, []string{`{"m":null}`, `{"m":{"a":1}}`}, `{"m":{"a":1}}`},
		{"replace: object in custom", replace, []string{`{"custom":{"o":{"x":1}}}`, `{"custom":{"o":{"y":1}}}`}, `{"custom":{"o":{"y":1}}}`},
		{"replace: custom null all the same", replace, []string{`{"custom":null}`, `!{"custom":{"y":1}}`}, `{"custom":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFold([]byte(tt.patches[0]))
			addAll(t, f, tt.patches[1:], tt.rules)
			checkFold(t, f, tt.want)
		})
	}
}

func addAll(t *testing.T, f *fold, patches []string, r *foldRules) {
	t.Helper()
	for _, p := range patches {
		patch, refused := strings.CutPrefix(p, "!")
		if got := f.add([]byte(patch), r); got == refused {
			t.Errorf("add(%s) = %t, want %t", patch, got, !refused)
		}
	}
}

func checkFold(t *testing.T, f *fold, want string) {
	t.Helper()
	got := string(f.appendTo([]byte("before ")))
	if got != "before "+want {
		t.Errorf("folded\n got %s\nwant before %s", got, want)
	}
	if f.size() != len(want) {
		t.Errorf("size() = %d, want %d", f.size(), len(want))
	}
}

// typicalPatch has about 250 bytes, as most patches do; value makes them differ.
func typicalPatch(value int) []byte {
	return fmt.Appendf(nil, `{"subject":"Re: your order %d","preview":"Thank you for your message, we will look into it",`+
		`"status":"received","sentAt":"2026-11-24T02:30:00.123Z","custom":{"tierStr":"gold","scoreNum":%d,`+
		`"checkedAt":"2026-11-24T02:30:00.123Z","escalatedBool":true}}`, 1000+value, 1000+value)
}

func TestFoldHotMessage(t *testing.T) {
	f := newFold([]byte(`{"custom":{}}`))
	var want strings.Builder
	want.WriteString(`{"custom":{`)
	const keys = maxCustom
	for i := range 10 * keys {
		patch := fmt.Appendf(nil, `{"custom":{"k%03dNum":%d}}`, i%keys, i)
		if !f.add(patch, &foldRules{}) {
			t.Fatalf("add(%s) = false", patch)
		}
	}
	for i := range keys {
		if i > 0 {
			want.WriteByte(',')
		}
		fmt.Fprintf(&want, `"k%03dNum":%d`, i, 9*keys+i)
	}
	want.WriteString(`}}`)
	if f.add([]byte(`{"subject":"s","custom":{"k001Num":0,"oneMoreNum":0}}`), &foldRules{}) {
		t.Error("custom grew beyond what the API takes in one item")
	}
	checkFold(t, f, want.String())
}

// A later change of members that the fold has costs no memory, whatever the
// number of changes; one that brings a new member costs about that member, not
// all before it.
func TestFoldAllocations(t *testing.T) {
	f, patch := newFold(typicalPatch(0)), typicalPatch(1)
	if n := testing.AllocsPerRun(100, func() { f.add(patch, &foldRules{}) }); n != 0 {
		t.Errorf("add of a typical patch makes %v allocations, want 0", n)
	}
	f, patch = newFold([]byte(`{"meta":{"to":[1],"x":{"y":1}}}`)), []byte(`{"meta":{"to":[2],"x":{"y":2}}}`)
	first := f.appendTo(nil)
	if n := testing.AllocsPerRun(100, func() { f.add(patch, &foldRules{}); f.add(first, &foldRules{}) }); n != 0 {
		t.Errorf("add of objects over objects makes %v allocations, want 0", n)
	}
	patch = typicalPatch(0)
	if n := testing.AllocsPerRun(100, func() { newFold(patch) }); n > 3 {
		t.Errorf("newFold of a typical patch makes %v allocations, want at most 3", n)
	}

	const keys = 2000
	patches := make([][]byte, keys)
	for i := range patches {
		patches[i] = fmt.Appendf(nil, `{"k%d":0}`, i)
	}
	n := testing.AllocsPerRun(1, func() {
		f = newFold(patches[0])
		for _, p := range patches[1:] {
			f.add(p, &foldRules{})
		}
	})
	if n > 2*keys {
		t.Errorf("folding %d new members makes %v allocations, want at most 2 for each", keys, n)
	}
	if f.top.byName == nil {
		t.Errorf("%d members have no index", keys)
	}
}

func BenchmarkFold(b *testing.B) {
	first, second := typicalPatch(0), typicalPatch(1)
	object := []byte(`{"meta":{"from":"a@example.com","to":[{"email":"b@example.com"}],"headers":{"x":"1","y":"2"}}}`)
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(first)))
		for b.Loop() {
			newFold(first)
		}
	})
	b.Run("add", func(b *testing.B) { benchmarkAdd(b, first, second) })
	b.Run("add objects", func(b *testing.B) { benchmarkAdd(b, object, bytes.Replace(object, []byte("a@"), []byte("c@"), 1)) })
	b.Run("add equal objects", func(b *testing.B) { benchmarkAdd(b, object, bytes.Clone(object)) })
	b.Run("append", func(b *testing.B) {
		f, dst := newFold(first), make([]byte, 0, 1024)
		b.SetBytes(int64(f.size()))
		for b.Loop() {
			f.appendTo(dst)
		}
	})
}

func benchmarkAdd(b *testing.B, first, second []byte) {
	b.ReportAllocs()
	b.SetBytes(int64(len(second)))
	f := newFold(first)
	for b.Loop() {
		first, second = second, first
		if !f.add(first, &foldRules{}) {
			b.Fatal("add = false")
		}
	}
}

// BenchmarkFoldHotMessage is one message with 10,000 waiting changes; ns/change
// must hardly depend on how many keys they share.
func BenchmarkFoldHotMessage(b *testing.B) {
	const changes = 10_000
	for _, keys := range []int{10, maxCustom - 1} {
		patches := make([][]byte, changes)
		for i := range patches {
			patches[i] = fmt.Appendf(nil, `{"status":"sent","custom":{"k%05dNum":%d,"tierStr":"gold"}}`, i%keys, i)
		}
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f := newFold(patches[0])
				for _, p := range patches[1:] {
					f.add(p, &foldRules{})
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/changes, "ns/change")
		})
	}
}
