package kustomersim

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// last is the value of n bytes just read, as a part of body: what the decoder
// returns is only good until its next call.
func (q *request) last(n int) []byte {
	end := q.dec.InputOffset()
	return q.body[end-int64(n) : end : end]
}

// value reads and checks one value. limit overrides the rule's own for strings.
func (q *request) value(r *rule, name []byte, limit int) ([]byte, *breach) {
	k := q.dec.PeekKind()
	if (k == '{' && r.kind >= freeObject && r.kind != attachments) || (k == '[' && r.kind == attachments) {
		return q.composite(r, name)
	}
	v, err := q.dec.ReadValue()
	if err != nil {
		return nil, badJSON(err)
	}
	raw := q.last(len(v))
	switch {
	case k == 'n' && (r.null || q.opts.AllowNull && !r.nonEmpty):
		return raw, nil
	case k == 'n':
		return nil, badParam(BreachNull, name, "Invalid type: null", schemaPath(name, "type"))
	case r.kind == attachments:
		return nil, wrongType(name, "array", raw)
	case r.kind >= freeObject:
		return nil, wrongType(name, "object", raw)
	}
	return raw, r.scalar(raw, name, limit)
}

// composite reads an object or array member by member.
func (q *request) composite(r *rule, name []byte) ([]byte, *breach) {
	if _, err := q.dec.ReadToken(); err != nil {
		return nil, badJSON(err)
	}
	start := q.dec.InputOffset() - 1
	var b *breach
	if r.kind == attachments {
		b = q.attachments(r)
	} else {
		b = q.object(r, name)
	}
	if b != nil {
		return nil, b
	}
	if _, err := q.dec.ReadToken(); err != nil {
		return nil, badJSON(err)
	}
	end := q.dec.InputOffset()
	return q.body[start:end:end], nil
}

// object reads members up to the closing brace.
func (q *request) object(r *rule, name []byte) *breach {
	var missing uint8 = 1<<len(r.required) - 1
	for n := 1; q.dec.PeekKind() != '}'; n++ {
		if r.max > 0 && n > r.max {
			return badParam(BreachTooLong, name, "Too many properties defined", schemaPath(name, "maxProperties"))
		}
		key, _, b := q.name()
		if b != nil {
			return b
		}
		switch r.kind {
		case custom:
			b = q.customMember(key)
		case freeObject:
			if err := q.dec.SkipValue(); err != nil {
				b = badJSON(err)
			}
		default:
			b = q.closedMember(r, name, key, &missing)
		}
		if b != nil {
			return b
		}
	}
	if missing != 0 {
		return badParam(BreachRequired, name, "Missing required property", schemaPath(name, "required"))
	}
	return nil
}

func (q *request) customMember(name []byte) *breach {
	r := customRule(name)
	if r == nil {
		return unknownMember(name, "/properties/custom/additionalProperties")
	}
	limit := 0
	if bytes.HasSuffix(name, []byte("Txt")) {
		limit = q.opts.TxtLimit
	}
	value, b := q.value(r, name, limit)
	if b != nil {
		b.detail = "/properties/custom" + b.detail
		return b
	}
	q.writes = append(q.writes, write{custom: true, name: name, value: value})
	return nil
}

func (q *request) closedMember(r *rule, parent, key []byte, missing *uint8) *breach {
	m := r.members[string(key)]
	if m == nil {
		return unknownMember(key, schemaPath(parent, "additionalProperties"))
	}
	for i, name := range r.required {
		if name == string(key) {
			*missing &^= 1 << i
		}
	}
	_, b := q.value(m, key, 0)
	return b
}

func (q *request) attachments(r *rule) *breach {
	clear(q.attachSet)
	for q.dec.PeekKind() != ']' {
		if k := q.dec.PeekKind(); k != '{' && k != jsontext.KindInvalid {
			return badParam(BreachType, "attachments", "Invalid type (expected object)", schemaPath("attachments", "items/type"))
		}
		element := rule{kind: closedObject, members: r.members, required: r.required}
		raw, b := q.value(&element, []byte("attachments"), 0)
		if b != nil {
			return b
		}
		// Equal is equal in content: spacing and the order of names do not count.
		canonical := jsontext.Value(bytes.Clone(raw))
		if err := canonical.Canonicalize(); err != nil {
			return badJSON(err)
		}
		if _, dup := q.attachSet[string(canonical)]; dup {
			return badParam(BreachNotUnique, "attachments", "Array items are not unique", schemaPath("attachments", "uniqueItems"))
		}
		if q.attachSet == nil {
			q.attachSet = map[string]struct{}{}
		}
		q.attachSet[string(canonical)] = struct{}{}
	}
	return nil
}

func unknownMember(name []byte, detail string) *breach {
	return badParam(BreachUnknownMember, string(name), "Additional properties not allowed", detail)
}
