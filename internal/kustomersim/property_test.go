package kustomersim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// values are good values by member, custom ones by suffix.
var values = map[string][]string{
	"subject":       {`"a"`, `"é\n"`, `""`, `null`},
	"lang":          {`"en"`, `null`},
	"status":        {`"sent"`, `"error"`},
	"size":          {`0`, `-1.5e3`},
	"meta":          {`{}`, `{"a":[1,{"b":null}]}`},
	"sentiment":     {`{"polarity":0,"confidence":0.5}`},
	"custom.aStr":   {`"x"`, `null`},
	"custom.b\"Num": {`1`, `2`, `null`},
	"custom.cBool":  {`true`, `false`},
}

// drawPatch draws some members with values, as JSON and as the fields they set.
func drawPatch(t *rapid.T) (members string, sets map[string]string) {
	sets = map[string]string{}
	var top, custom bytes.Buffer
	for _, name := range rapid.Permutation(slices.Sorted(maps.Keys(values))).Draw(t, "order") {
		if !rapid.Bool().Draw(t, "has") {
			continue
		}
		value := rapid.SampledFrom(values[name]).Draw(t, name)
		sets[name] = value
		if short, isCustom := bytes.CutPrefix([]byte(name), []byte("custom.")); isCustom {
			fmt.Fprintf(&custom, `,%q:%s`, short, value)
		} else {
			fmt.Fprintf(&top, `,%q:%s`, name, value)
		}
	}
	if custom.Len() > 0 {
		fmt.Fprintf(&top, `,"custom":{%s}`, custom.Bytes()[1:])
	}
	return top.String(), sets
}

// TestStateModel: changes applied in order leave what a map would hold.
func TestStateModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(Options{Script: &Script{FirstComplete: 1}})
		defer s.Close()
		model := map[string]map[string]string{}
		for range rapid.IntRange(1, 10).Draw(t, "requests") {
			body := ""
			for _, id := range []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "items")] {
				members, sets := drawPatch(t)
				body += fmt.Sprintf(`,{"id":%q%s}`, id, members)
				if model[id] == nil {
					model[id] = map[string]string{}
				}
				maps.Copy(model[id], sets)
			}
			if w := do(s, "PUT", putPath, "["+body[1:]+"]"); w.Code != 200 {
				t.Fatalf("%s answered %d: %s", body, w.Code, w.Body)
			}
		}
		for id, want := range model {
			got := map[string]string{}
			state, _ := s.Message(id)
			for name, raw := range state {
				got[name] = string(raw)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("message %s (-want +got):\n%s", id, diff)
			}
		}
	})
}

// TestDamage: a body damaged anywhere is refused, or is still good JSON whose
// items have ids; it never breaks the simulator.
func TestDamage(t *testing.T) {
	whole := []byte(bulkBody(3, 1))
	rapid.Check(t, func(t *rapid.T) {
		body := bytes.Clone(whole)
		for range rapid.IntRange(1, 3).Draw(t, "hits") {
			at := rapid.IntRange(0, len(body)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				body[at] = rapid.SampledFrom([]byte("\x00\xff\"\\{}[]:,0-ntf eE.")).Draw(t, "byte")
			case 1:
				body = append(body[:at], body[at+1:]...)
				body = append(body, ' ') // so that there is always a byte to hit
			case 2:
				body = body[:max(at, 1)]
			}
		}
		var q request
		q.body = body
		if b := q.parse(&Options{}); b != nil {
			if b.status < 400 || !json.Valid(b.body()) {
				t.Fatalf("breach %+v has body %s", b, b.body())
			}
			return
		}
		var items []struct{ ID string }
		if err := json.Unmarshal(body, &items); err != nil || len(items) != len(q.items) {
			t.Fatalf("accepted %d items of %s: %v", len(q.items), body, err)
		}
		for i, it := range items {
			if it.ID == "" || it.ID != string(q.items[i].id) {
				t.Fatalf("item %d is %q, want %q", i, q.items[i].id, it.ID)
			}
		}
	})
}
