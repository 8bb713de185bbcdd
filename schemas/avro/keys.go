package avro

import (
	"bytes"
	"cmp"
	"slices"
)

const fewKeys = 8 // up to here each is compared with each, and none is moved

// distinct fails when a key stands twice among those from a place on: two readers
// could understand such an object in two ways. Sorting bounds what many keys cost,
// and needs no memory of its own.
func (d *decoder) distinct(from int) bool {
	keys := d.keys[from:]
	if len(keys) <= fewKeys {
		for i, a := range keys {
			for _, b := range keys[:i] {
				if bytes.Equal(d.key(a), d.key(b)) {
					return d.failAt(CodeDuplicate, a.start)
				}
			}
		}
		return true
	}
	slices.SortFunc(keys, func(a, b span) int {
		return cmp.Or(bytes.Compare(d.key(a), d.key(b)), a.start-b.start)
	})
	for i := 1; i < len(keys); i++ {
		if bytes.Equal(d.key(keys[i-1]), d.key(keys[i])) {
			return d.failAt(CodeDuplicate, keys[i].start)
		}
	}
	return true
}

func (d *decoder) key(s span) []byte { return d.src[s.start:s.end] }
