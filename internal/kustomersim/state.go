package kustomersim

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// message is the state of one message: its fields, and what may still write to
// them. A field is found by walking a slice: a handful of short names is walked
// faster than a map is asked, and costs no memory of its own.
type message struct {
	fields  []field
	open    []pending
	applied int64
	seeded  bool

	windowStart int64 // of the object limit, Unix nanoseconds
	windowUsed  int
}

// field is one member, or one member of custom.
type field struct {
	custom   bool
	name     string
	value    []byte // raw JSON, owned
	seq      uint64 // the latest accepted operation that has written it
	stamp    uint64
	hasStamp bool
}

// pending is an accepted write that may still come.
type pending struct {
	op   *operation
	hash uint64
}

// store holds all messages. It has no lock of its own.
type store struct {
	messages map[string]*message
	names    map[string]string   // field names, shared between messages
	patches  map[uint64]struct{} // (message, patch) pairs ever accepted
}

func newStore() store {
	return store{
		messages: map[string]*message{},
		names:    map[string]string{},
		patches:  map[uint64]struct{}{},
	}
}

func (st *store) message(id []byte) *message {
	m := st.messages[string(id)]
	if m == nil {
		m = &message{}
		st.messages[string(id)] = m
	}
	return m
}

func (st *store) intern(name []byte) string {
	s, ok := st.names[string(name)]
	if !ok {
		s = string(name)
		if len(st.names) < 4096 { // an org has a few hundred; a fuzzer has no end
			st.names[s] = s
		}
	}
	return s
}

// known reports whether the message exists for a reader of the API.
func (m *message) known() bool { return m != nil && (m.seeded || m.applied > 0) }

// races reports whether another patch may still be written to m.
func (m *message) races(hash uint64) bool {
	return slices.ContainsFunc(m.open, func(p pending) bool { return p.hash != hash })
}

// over forgets that op may write to m.
func (m *message) over(op *operation) {
	m.open = slices.DeleteFunc(m.open, func(p pending) bool { return p.op == op })
}

// back counts the fields that went back in time.
type back struct{ order, stamp int64 }

// apply writes an item as the workers of a real API would: whoever comes last
// wins, whatever was accepted last.
func (st *store) apply(it *item, writes []write, seq uint64, opts *Options) (b back) {
	m := it.msg
	m.applied++
	if it.custom && opts.CustomReplaces {
		m.fields = slices.DeleteFunc(m.fields, func(f field) bool {
			return f.custom && !slices.ContainsFunc(writes, func(w write) bool { return w.custom && string(w.name) == f.name })
		})
	}
	for i := range writes {
		w := &writes[i]
		if w.value[0] == 'n' && opts.NullIgnored {
			continue
		}
		if !w.custom && string(w.name) == "custom" { // null, where Options.AllowNull lets it in
			m.fields = slices.DeleteFunc(m.fields, func(f field) bool { return f.custom })
			continue
		}
		f := m.field(st, w)
		// A lost reply makes a client send the same again: its first operation
		// may then be the last to write, but writes what stands there already.
		if f.seq > seq && !bytes.Equal(f.value, w.value) {
			b.order++
		}
		stamp, has := stampOf(w, opts.NumStamps)
		if has && f.hasStamp && stamp < f.stamp {
			b.stamp++
		}
		f.seq, f.stamp, f.hasStamp = max(f.seq, seq), stamp, has
		f.set(w.value, opts)
	}
	return b
}

func (m *message) field(st *store, w *write) *field {
	for i := range m.fields {
		if f := &m.fields[i]; f.custom == w.custom && f.name == string(w.name) {
			return f
		}
	}
	m.fields = append(m.fields, field{custom: w.custom, name: st.intern(w.name)})
	return &m.fields[len(m.fields)-1]
}

func (f *field) set(value []byte, opts *Options) {
	if (opts.DeepMerge || opts.ShallowMerge) && len(f.value) > 0 && f.value[0] == '{' && value[0] == '{' {
		f.value = mergeObjects(f.value, value, opts.DeepMerge)
		return
	}
	f.value = append(f.value[:0], value...)
}

// stampOf reads the version a test wrote into a value: the digits behind the
// last "#" of a string, or a whole number in a custom ...Num member.
func stampOf(w *write, numbers bool) (stamp uint64, ok bool) {
	digits := w.value
	switch {
	case digits[0] == '"':
		digits = digits[1 : len(digits)-1]
		i := len(digits)
		for i > 0 && isDigit(digits[i-1]) {
			i--
		}
		if i == 0 || digits[i-1] != '#' {
			return 0, false
		}
		digits = digits[i:]
	case !numbers || !w.custom || !bytes.HasSuffix(w.name, []byte("Num")):
		return 0, false
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	for _, c := range digits {
		if !isDigit(c) {
			return 0, false
		}
		stamp = stamp*10 + uint64(c-'0')
	}
	return stamp, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// member is one name and raw value of an object.
type member struct {
	name  string
	value jsontext.Value
}

func membersOf(object []byte) []member {
	var out []member
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	_, _ = dec.ReadToken() // values here have been through the contract: they parse
	for dec.PeekKind() == '"' {
		name, _ := dec.ReadToken()
		key := name.String()
		value, _ := dec.ReadValue()
		out = append(out, member{key, value.Clone()})
	}
	return out
}

// mergeObjects returns old with the members of patch merged in by key; deep:
// their objects too.
func mergeObjects(old, patch []byte, deep bool) []byte {
	merged := membersOf(old)
	for _, p := range membersOf(patch) {
		i := slices.IndexFunc(merged, func(m member) bool { return m.name == p.name })
		switch {
		case i < 0:
			merged = append(merged, p)
		case deep && merged[i].value[0] == '{' && p.value[0] == '{':
			merged[i].value = mergeObjects(merged[i].value, p.value, deep)
		default:
			merged[i].value = p.value
		}
	}
	out := []byte{'{'}
	for i, m := range merged {
		if i > 0 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, m.name)
		out = append(append(out, ':'), m.value...)
	}
	return append(out, '}')
}

// snapshot copies the fields, custom members as "custom.name".
func (m *message) snapshot() map[string]jsontext.Value {
	out := make(map[string]jsontext.Value, len(m.fields))
	for i := range m.fields {
		f := &m.fields[i]
		out[f.key()] = bytes.Clone(f.value)
	}
	return out
}

func (f *field) key() string {
	if f.custom {
		return "custom." + f.name
	}
	return f.name
}
