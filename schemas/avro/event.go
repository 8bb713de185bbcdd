package avro

import (
	"strings"
)

// role is what a field of the schema's record is in an event.
type role uint8

const (
	other role = iota // passes under its own name
	messageID
	eventID
	occurredAt
	changes
	clears
)

// members of an event that mean something, with the name they have in JSON.
var members = []struct {
	name     string
	role     role
	required bool
}{
	{"messageId", messageID, true},
	{"eventId", eventID, false},
	{"occurredAt", occurredAt, false},
	{"changes", changes, true},
	{"clear", clears, false},
}

// eventField is a field of the schema's record as a member of the event.
type eventField struct {
	name string // in the schema, for errors
	key  []byte // ,"name": as in the event
	of   *node
	role role
}

// compileEvent finds the members of an event in the schema's record, by name and
// then by alias, and says what is missing.
func (t *Transcoder) compileEvent() *SchemaError {
	if t.root.kind != kindRecord {
		return schemaError(CodeSchemaNoEvent, "an event is a record, and this schema is of another type")
	}
	list := make([]eventField, len(t.root.fields))
	for i, f := range t.root.fields {
		list[i] = eventField{name: f.name, key: f.key, of: f.of}
	}
	var faults []string
	for _, m := range members {
		at, many := find(t.root.fields, list, m.name)
		switch {
		case many:
			faults = append(faults, `more than one field has the alias "`+m.name+`"`)
		case at < 0 && m.required:
			faults = append(faults, `no field has the name or alias "`+m.name+`"`)
		case at >= 0:
			f := &list[at]
			f.role, f.key = m.role, fieldKey(m.name)
			t.hasClear = t.hasClear || m.role == clears
			if wrong := unfit(m.role, f.of); wrong != "" {
				faults = append(faults, `"`+m.name+`" `+wrong)
			}
		}
	}
	if faults != nil {
		return schemaError(CodeSchemaNoEvent, "it is not of message changes: %s", strings.Join(faults, "; "))
	}
	t.event = list
	return nil
}

// find looks for a member by name, else by alias.
func find(fields []field, taken []eventField, name string) (at int, many bool) {
	at = -1
	for i, f := range fields {
		if f.name == name {
			return i, false
		}
	}
	for i, f := range fields {
		for _, alias := range f.aliases {
			if alias != name || taken[i].role != other || isMember(f.name) || at == i {
				continue
			}
			many = at >= 0
			at = i
		}
	}
	return at, many
}

func isMember(name string) bool {
	for _, m := range members {
		if m.name == name {
			return true
		}
	}
	return false
}

// unfit says why a type is not one that a member can have. A null among a union's
// branches is always allowed: whether it may be is for the decoder of events to say.
func unfit(r role, n *node) string {
	fit := 0
	for _, b := range branches(n) {
		switch {
		case b.kind == kindNull:
		case r == changes && (b.kind == kindRecord || b.kind == kindMap):
			fit++
		case r == clears && b.kind == kindArray && b.item.kind == kindString:
			fit++
		case (r == messageID || r == eventID) && (b.kind == kindString || b.kind == kindUUIDFixed || b.kind == kindEnum):
			fit++
		case r == occurredAt && (b.kind == kindString || b.kind >= kindTimestampMillis && b.kind <= kindTimestampNanos):
			fit++
		default:
			return "can have another type than " + wanted[r]
		}
	}
	if fit == 0 {
		return "is not of type " + wanted[r]
	}
	return ""
}

var wanted = map[role]string{
	messageID:  "string",
	eventID:    "string",
	occurredAt: "string or a long with the logical type of a timestamp",
	changes:    "record or map",
	clears:     "array of string",
}

func branches(n *node) []*node {
	if n.kind == kindUnion {
		return n.branches
	}
	return []*node{n}
}

// appendEvent reads the record as an event.
func (d *decoder) appendEvent(t *Transcoder) bool {
	d.ev.noting = t.hasClear
	d.depth++
	begun := len(d.dst)
	d.dst = append(d.dst, '{')
	for i := range t.event {
		f := &t.event[i]
		if f.role == clears {
			if !d.readClear(f.of) {
				return d.in(f.name)
			}
			continue
		}
		key := f.key
		if len(d.dst) == begun+1 {
			key = key[1:]
		}
		d.dst = append(d.dst, key...)
		if !d.member(f) || len(d.dst) > d.limit && !d.fail(CodeOutputLarge) {
			return d.in(f.name)
		}
	}
	d.dst = append(d.dst, '}')
	return len(d.ev.clears) == 0 || d.applyClear() || d.in("clear")
}

// member reads a member of the event. "changes" that are null set nothing.
func (d *decoder) member(f *eventField) bool {
	if f.role != changes {
		return d.value(f.of, plain)
	}
	of := f.of
	if of.kind == kindUnion {
		var ok bool
		if of, ok = d.branch(of); !ok {
			return false
		}
	}
	if of.kind != kindNull {
		return d.value(of, inChanges)
	}
	d.dst = append(d.dst, "{}"...)
	d.ev.end[inChanges] = len(d.dst) - 1
	return true
}
