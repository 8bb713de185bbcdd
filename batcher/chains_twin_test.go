package batcher

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// The table of chains beside a map, which cannot be wrong.
func TestChainsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, twin := newChains(), map[string]*chain{}
		ids := rapid.IntRange(1, 400).Draw(t, "ids")
		for range rapid.IntRange(1, 1500).Draw(t, "steps") {
			id := fmt.Sprintf("m%d", rapid.IntRange(0, ids).Draw(t, "id"))
			if ch := twin[id]; ch != nil && rapid.Bool().Draw(t, "remove") {
				delete(twin, id)
				table.remove(ch)
				table.remove(ch) // a second time changes nothing
				continue
			}
			ch := table.of([]byte(id))
			if ch.id != id || twin[id] != nil && twin[id] != ch {
				t.Fatalf("%s is another chain", id)
			}
			twin[id] = ch
		}
		if table.n != len(twin) {
			t.Fatalf("%d chains, want %d", table.n, len(twin))
		}
		seen := 0
		for ch := range table.all() {
			seen++
			if twin[ch.id] != ch {
				t.Fatalf("%s is not there any more", ch.id)
			}
		}
		if seen != len(twin) {
			t.Fatalf("%d chains seen, want %d", seen, len(twin))
		}
	})
}
