package kustomersim

import (
	"bytes"
	"hash/maphash"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const maxItems = 100

// hashSeed serves comparisons inside one process only, so it may be random.
var hashSeed = maphash.MakeSeed()

// request is a body and what was found in it. All slices point into body, so it
// lives, unchanged, until its operation has been applied; then it is reused.
type request struct {
	body   []byte
	items  []item
	writes []write // of all items, in order
	refs   bool    // the items carry _clientRef

	in        bytes.Buffer
	dec       jsontext.Decoder
	seenIDs   dedup
	seenRefs  dedup
	opts      *Options
	attachSet map[string]struct{}
}

// item is one update. Its writes are request.writes[lo:hi].
type item struct {
	id, rawID   []byte // text, and as it stood in the body
	ref, rawRef []byte // nil: none
	lo, hi      int
	hash        uint64 // of the patch: every member but id and _clientRef
	custom      bool   // has a custom member
	poisoned    bool   // will fail
	msg         *message
}

// patch identifies the message and what is written to it.
func (it *item) patch() uint64 {
	return it.hash*0x9e3779b97f4a7c15 ^ maphash.Bytes(hashSeed, it.id)
}

// write sets one field to a raw JSON value.
type write struct {
	custom bool
	name   []byte
	value  []byte
}

// read takes the body of r, at most limit bytes.
func (q *request) read(r *http.Request, limit int) (*breach, error) {
	if int(r.ContentLength) > limit {
		return &breach{kind: BreachSize, status: http.StatusRequestEntityTooLarge}, nil
	}
	buf := bytes.NewBuffer(q.body[:0])
	buf.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	_, err := buf.ReadFrom(io.LimitReader(r.Body, int64(limit)+1))
	q.body = buf.Bytes()
	if len(q.body) > limit {
		return &breach{kind: BreachSize, status: http.StatusRequestEntityTooLarge}, nil
	}
	return nil, err
}

// parse checks the body against the contract and fills items and writes. It
// stops at the first breach; a breach accepts nothing.
func (q *request) parse(opts *Options) *breach {
	q.opts = opts
	q.items, q.writes = q.items[:0], q.writes[:0]
	q.seenIDs, q.seenRefs = dedup{}, dedup{}
	if !utf8.Valid(q.body) {
		return badRequest(BreachUTF8)
	}
	q.in = *bytes.NewBuffer(q.body)
	q.dec.Reset(&q.in)
	if k := q.dec.PeekKind(); k != '[' && k != jsontext.KindInvalid {
		return badRequest(BreachShape)
	}
	if _, err := q.dec.ReadToken(); err != nil {
		return badJSON(err)
	}
	for q.dec.PeekKind() != ']' {
		if len(q.items) == maxItems {
			return badParam(BreachCount, "data", "Array is too long, maximum 100", "/maxItems")
		}
		if b := q.item(); b != nil {
			return b
		}
	}
	if len(q.items) == 0 && !opts.AllowEmpty {
		return badParam(BreachCount, "data", "Array is too short (0), minimum 1", "/minItems")
	}
	if _, err := q.dec.ReadToken(); err != nil {
		return badJSON(err)
	}
	if _, err := q.dec.ReadToken(); err != io.EOF {
		return badRequest(BreachJSON)
	}
	return nil
}

// item reads one element of the array.
func (q *request) item() *breach {
	switch q.dec.PeekKind() {
	case '{', jsontext.KindInvalid:
	default:
		return badRequest(BreachShape)
	}
	if _, err := q.dec.ReadToken(); err != nil {
		return badJSON(err)
	}
	q.items = append(q.items, item{lo: len(q.writes)})
	it := &q.items[len(q.items)-1]
	for q.dec.PeekKind() != '}' {
		if b := q.member(it); b != nil {
			return b
		}
	}
	if _, err := q.dec.ReadToken(); err != nil {
		return badJSON(err)
	}
	it.hi = len(q.writes)
	return q.identity(it)
}

// identity checks what an item must have, and what must differ between items.
func (q *request) identity(it *item) *breach {
	if it.id == nil {
		return badParam(BreachIDMissing, "id", "Missing required property: id", "/required/0")
	}
	if !q.seenIDs.add(q.items, it.id, func(it *item) []byte { return it.id }) && !q.opts.RepeatIDs {
		return badParam(BreachIDRepeated, "id", "Array items are not unique", "/uniqueItems")
	}
	hasRef := it.ref != nil
	if len(q.items) == 1 {
		q.refs = hasRef
	}
	if hasRef != q.refs {
		return badParam(BreachRefMixed, "_clientRef", "_clientRef must be on all items or on none", "")
	}
	if hasRef && !q.seenRefs.add(q.items, it.ref, func(it *item) []byte { return it.ref }) {
		return badParam(BreachRefRepeated, "_clientRef", "_clientRef must be unique", "/uniqueItems")
	}
	return nil
}

// member reads one name and value of an item.
func (q *request) member(it *item) *breach {
	name, start, b := q.name()
	if b != nil {
		return b
	}
	r := itemRules[string(name)]
	if r == nil && q.opts.IgnoreUnknown {
		if err := q.dec.SkipValue(); err != nil {
			return badJSON(err)
		}
		return nil
	}
	if r == nil {
		return unknownMember(name, "/additionalProperties")
	}
	if r.kind == custom {
		it.custom = true
	}
	value, b := q.value(r, name, 0)
	if b != nil {
		return b
	}
	switch {
	case string(name) == "id":
		it.id, it.rawID = unquote(value), value
		return nil
	case string(name) == "_clientRef":
		if q.opts.NoClientRef {
			b := unknownMember(name, "/additionalProperties")
			b.kind = BreachRefUnknown
			return b
		}
		it.ref, it.rawRef = unquote(value), value
		return nil
	case r.audit && q.opts.Audit == AuditForbid:
		return &breach{kind: BreachAudit, status: http.StatusForbidden}
	case r.audit && q.opts.Audit == AuditIgnore:
	case r.kind != custom || value[0] == 'n':
		q.writes = append(q.writes, write{name: name, value: value})
	}
	it.hash = it.hash*0x9e3779b97f4a7c15 + maphash.Bytes(hashSeed, q.body[start:q.dec.InputOffset()])
	return nil
}

// name reads a member's name. start is where it begins in the body.
func (q *request) name() (name []byte, start int64, b *breach) {
	raw, err := q.dec.ReadValue()
	if err != nil {
		return nil, 0, badJSON(err)
	}
	raw = q.last(len(raw))
	return unquote(raw), q.dec.InputOffset() - int64(len(raw)), nil
}

// dedup is a hash set of at most 100 items by one of their strings: open
// addressing over item numbers, because a map a request costs more than the
// parsing of its items.
type dedup [256]uint8

// add reports whether the last of items, whose string is key, is new.
func (d *dedup) add(items []item, key []byte, of func(*item) []byte) bool {
	slot := uint8(maphash.Bytes(hashSeed, key))
	for d[slot] != 0 {
		if bytes.Equal(of(&items[d[slot]-1]), key) {
			return false
		}
		slot++
	}
	d[slot] = uint8(len(items))
	return true
}
