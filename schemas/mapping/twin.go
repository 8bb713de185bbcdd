package mapping

import "kafka-kustomer/internal/jsonscan"

// maxMisses is how often a twin searches from the start before it makes an index.
const maxMisses = 16

// twin looks up the members of an object beside a walk over another one of the same
// kind: what was before beside what came after. The two list their members in the same
// order, nearly always, so that the next one is the one to look at first. Searching for
// each from the start would take the square of the members, which a hostile event has
// a hundred thousand of.
type twin struct {
	object []byte
	s      jsonscan.Scanner
	at     bool // s is in front of a member
	misses int
	index  map[string][]byte // nil: not needed so far
}

// newTwin takes what is no object for one without members.
func newTwin(object []byte) twin {
	t := twin{object: object}
	if isObject(object) {
		t.s = jsonscan.Scan(object)
		t.at = t.s.Next()
	}
	return t
}

// value returns nil for what is not in the object.
func (t *twin) value(name []byte) []byte {
	if t.at && string(t.s.Name) == string(name) {
		v := t.s.Bytes()
		t.at = t.s.Next()
		return v
	}
	if t.misses++; t.misses <= maxMisses {
		return member(t.object, string(name))
	}
	if t.index == nil {
		t.index = map[string][]byte{}
		if isObject(t.object) {
			for s := jsonscan.Scan(t.object); s.Next(); {
				name := string(s.Name)
				t.index[name] = s.Bytes()
			}
		}
	}
	return t.index[string(name)]
}
