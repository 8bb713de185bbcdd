package batcher

import (
	"bytes"

	"kafka-kustomer/internal/jsonscan"
)

// customMember is the one member that the API is known to merge by key.
const customMember = "custom"

// maxCustom is how many members "custom" may have in one item, by the API's
// documentation: two changes that are each within it must not fold into one that
// is refused.
const maxCustom = 100

// foldRules are the settings of the fold.
type foldRules struct {
	// replaceObjects says that the API is known to replace object members as a
	// whole, so that of two objects the later one may be taken without a look
	// into them.
	replaceObjects bool
	// barrier names the members of a patch whose changes never fold, because
	// someone waits for each of them (a workflow that runs on "status", say).
	barrier []string
}

// fold makes one patch of several changes of one message, such that sending it
// does the same as sending the changes one after the other.
//
// The trouble is that "the same" depends on what the API does with an object:
// replace it, or merge it into the one it has. Kustomer does not say. So a
// change is folded only if the result is the same both ways:
//
//   - A later member wins over an earlier one. null is a value like others.
//   - Members of "custom" are merged by key; each key follows these same rules.
//   - A later object wins over an earlier object only if it has all of its keys,
//     and so on inwards: a key that it lacks would survive a merge.
//   - A later object never wins over an earlier value of another kind: that
//     value wipes out what the API had, and the folded object would be merged
//     into it instead.
//   - "custom" grows to no more members than the API takes in one item.
//   - Where one of two "custom" is not an object, nothing is folded: what the
//     API makes of that is unknown. "custom": null beside a change without
//     custom is just another member.
//
// A fold keeps parts of the patches it is given and copies nothing, so they
// must not change as long as it is used.
type fold struct {
	top members
	// custom holds the members of "custom" while that is an object. Its entry in
	// top then has a nil value and only keeps its place.
	custom    members
	hasCustom bool
}

// newFold returns the fold of one patch.
func newFold(first []byte) *fold {
	f := &fold{}
	f.add(first, &foldRules{}) // an empty fold takes any patch
	return f
}

// reset empties the fold for another first patch, and reports whether it is
// worth keeping.
func (f *fold) reset() bool {
	if cap(f.top.list) > fewMembers || cap(f.custom.list) > fewMembers {
		return false
	}
	for _, o := range []*members{&f.top, &f.custom} {
		clear(o.list) // they are parts of patches
		*o = members{list: o.list[:0]}
	}
	f.hasCustom = false
	return true
}

// staged is a member of a patch on its way into the fold. It says where things
// are in the patch rather than holding slices of it, because filling and copying
// those would take a good part of an add's time.
type staged struct {
	to    *members
	at    int32 // index of the member in to that it replaces, -1 for a new one
	name  jsonscan.Span
	value jsonscan.Span // empty for the custom object, whose members are staged by themselves
}

// add folds a later change in. When it reports false the change must be sent
// after this fold, not in it, and the fold is as it was.
//
// A patch is scanned once. Only where two values are unequal objects the earlier
// one is scanned too, and both again for each level of depth. The later one then
// takes its place, so over many adds the time is still proportional to the bytes
// given.
func (f *fold) add(patch []byte, r *foldRules) bool {
	if f.holdsBarrier(r) {
		return false
	}
	var room [16]staged // enough for most patches; stays on the stack
	changes, ok := f.stage(room[:0], patch, r)
	if !ok || f.overflows(changes) {
		return false
	}
	for i := range changes {
		f.put(patch, &changes[i])
	}
	return true
}

// overflows reports whether "custom" would grow beyond what the API takes by
// folding, rather than by one change alone.
func (f *fold) overflows(changes []staged) bool {
	n := len(f.custom.list)
	if n == 0 {
		return false
	}
	for i := range changes {
		if changes[i].to == &f.custom && changes[i].at < 0 {
			n++
		}
	}
	return n > maxCustom
}

// holdsBarrier reports whether a barrier member is in the fold. That is only
// possible while the fold is of one patch.
func (f *fold) holdsBarrier(r *foldRules) bool {
	for _, name := range r.barrier {
		if f.top.find([]byte(name)) >= 0 {
			return true
		}
	}
	return false
}

// stage appends the members of a patch to changes without touching the fold. It
// reports false when one of them must not be folded.
func (f *fold) stage(changes []staged, patch []byte, r *foldRules) ([]staged, bool) {
	for s := jsonscan.Scan(patch); s.Next(); {
		if r.isBarrier(s.Name) {
			return nil, false
		}
		ok := true
		if string(s.Name) == customMember {
			changes, ok = f.stageCustom(changes, patch, &s, r)
		} else {
			changes, ok = stageMember(changes, patch, &s, &f.top, r)
		}
		if !ok {
			return nil, false
		}
	}
	return changes, true
}

// stageCustom is stage for "custom".
func (f *fold) stageCustom(changes []staged, patch []byte, s *jsonscan.Scanner, r *foldRules) ([]staged, bool) {
	at := f.top.find(s.Name)
	if at >= 0 && !(s.AtObject() && f.hasCustom) {
		return nil, false
	}
	if !s.AtObject() {
		return stageMember(changes, patch, s, &f.top, r)
	}
	changes = append(changes, staged{to: &f.top, at: int32(at), name: s.Raw})
	for s.Enter(); s.Next(); {
		var ok bool
		if changes, ok = stageMember(changes, patch, s, &f.custom, r); !ok {
			return nil, false
		}
	}
	return changes, true
}

// stageMember is stage for one member, which goes into to.
func stageMember(changes []staged, patch []byte, s *jsonscan.Scanner, to *members, r *foldRules) ([]staged, bool) {
	at := to.find(s.Name)
	value := s.Value()
	if at >= 0 && !r.overrides(value.Of(patch), to.list[at].value) {
		return nil, false
	}
	return append(changes, staged{to, int32(at), s.Raw, value}), true
}

// put carries out one staged change.
func (f *fold) put(patch []byte, c *staged) {
	var value []byte
	if c.value != (jsonscan.Span{}) {
		value = c.value.Of(patch)
	} else {
		f.hasCustom = true
	}
	if c.at >= 0 {
		c.to.replace(int(c.at), value)
		return
	}
	raw := c.name.Of(patch)
	c.to.append(member{raw, jsonscan.Unquote(raw), value})
}

// size is the length of what appendTo appends.
func (f *fold) size() int {
	if f.hasCustom {
		return f.top.size() + f.custom.size()
	}
	return f.top.size()
}

// appendTo appends the folded patch, its members in order of first appearance,
// each as it was written last.
func (f *fold) appendTo(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range f.top.list {
		m := &f.top.list[i]
		dst = m.appendName(dst, i)
		if m.value == nil {
			dst = f.custom.appendTo(dst)
		} else {
			dst = append(dst, m.value...)
		}
	}
	return append(dst, '}')
}

// isBarrier reports whether a member must not be folded.
func (r *foldRules) isBarrier(name []byte) bool {
	for _, b := range r.barrier {
		if string(name) == b {
			return true
		}
	}
	return false
}

// overrides reports whether sending later alone does the same as sending
// earlier and then later.
func (r *foldRules) overrides(later, earlier []byte) bool {
	return r.replaceObjects || covers(later, earlier)
}

// covers reports whether later leaves nothing of earlier, even if the API merges
// objects into those it has. Arrays are values: no API merges them.
func covers(later, earlier []byte) bool {
	if later[0] != '{' {
		return true
	}
	if earlier[0] != '{' {
		return false
	}
	if bytes.Equal(later, earlier) { // a producer that always sends the whole object
		return true
	}
	var room [fewMembers]member // stays on the stack, which keys.append would not let it
	list := room[:0]
	for s := jsonscan.Scan(later); s.Next(); {
		list = append(list, member{s.Raw.Of(later), s.Name, s.Bytes()})
	}
	keys := members{list: list}
	keys.index()
	for s := jsonscan.Scan(earlier); s.Next(); {
		at := keys.find(s.Name)
		if at < 0 || !covers(keys.list[at].value, s.Bytes()) {
			return false
		}
	}
	return true
}
