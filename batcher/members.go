package batcher

import "bytes"

// member is one member of an object: its name as first written, with quotes,
// the same unescaped, and its value as last written.
type member struct {
	raw, name, value []byte
}

// appendName appends all that stands before the value of the member with
// index i.
func (m *member) appendName(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return append(append(dst, m.raw...), ':')
}

// Up to manyMembers are compared one by one, which is quicker than hashing.
// Beyond, a hot message that collects hundreds of keys would make each change
// cost as much as all before it.
const (
	fewMembers  = 8
	manyMembers = 16
)

// members is an object taken apart: its members in order of first appearance.
type members struct {
	list   []member
	byName map[string]int // nil up to manyMembers
	bytes  int            // of names, colons and values
}

// find returns the index of the member with an unescaped name, or -1.
func (o *members) find(name []byte) int {
	if o.byName != nil {
		if at, ok := o.byName[string(name)]; ok {
			return at
		}
		return -1
	}
	for i := range o.list {
		if bytes.Equal(o.list[i].name, name) {
			return i
		}
	}
	return -1
}

// replace gives the member at index at a new value.
func (o *members) replace(at int, value []byte) {
	m := &o.list[at]
	o.bytes += len(value) - len(m.value)
	m.value = value
}

// append adds a member of a name that is not there.
func (o *members) append(m member) {
	if o.list == nil {
		o.list = make([]member, 0, fewMembers)
	}
	o.list = append(o.list, m)
	o.bytes += len(m.raw) + len(":") + len(m.value)
	if o.byName != nil {
		o.byName[string(m.name)] = len(o.list) - 1
		return
	}
	o.index()
}

// index makes byName if there are many members.
func (o *members) index() {
	if len(o.list) <= manyMembers {
		return
	}
	o.byName = make(map[string]int, 2*len(o.list))
	for i := range o.list {
		o.byName[string(o.list[i].name)] = i
	}
}

// size is the length of what appendTo appends.
func (o *members) size() int {
	return len("{}") + o.bytes + max(0, len(o.list)-1)
}

// appendTo appends the object.
func (o *members) appendTo(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range o.list {
		dst = append(o.list[i].appendName(dst, i), o.list[i].value...)
	}
	return append(dst, '}')
}
