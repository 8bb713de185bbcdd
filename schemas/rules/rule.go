package rules

import (
	"bytes"
	"strconv"
	"strings"

	"kafka-kustomer/internal/jsonscan"
)

// rule is what the API takes as the value of one member.
type rule struct {
	text    string // what it takes, for people
	kind    Kind   // empty: the member is not taken, whatever its value
	null    bool   // null is taken too, and clears the field
	holds   func(raw []byte) bool
	members *object // of an object; nil: any
	each    *rule   // of an array: its elements, which must differ
}

// object is what the API takes as the members of an object.
type object struct {
	members  map[string]*rule
	required []string // at most 8
	suffixes []suffix // of names that are not in members
	other    *rule    // of any other name; nil: it passes
	most     int      // members; 0: no limit
}

// suffix is the rule of members whose names end so, with something before.
type suffix struct {
	end  string
	rule *rule
}

var (
	notUpdatable = &rule{text: "not updatable in bulk"}
	readOnly     = &rule{text: "read-only"}
	unknown      = &rule{text: "not a member that this object may have"}
	unknownType  = &rule{text: "not the name of a custom attribute, which ends in Str, Txt, Num, At, Bool, Url or Id"}
)

func text() *rule { return &rule{text: "a string", kind: String} }

func textUpTo(most int) *rule {
	return &rule{
		text: "a string of at most " + strconv.Itoa(most) + " characters", kind: String,
		holds: func(raw []byte) bool { return !longer(raw, most) },
	}
}

func nonEmptyText() *rule {
	return &rule{text: "a string that is not empty", kind: String, holds: func(raw []byte) bool { return len(raw) > len(`""`) }}
}

func oneOf(values ...string) *rule {
	return &rule{text: "one of " + strings.Join(values, ", "), kind: String, holds: func(raw []byte) bool {
		said := jsonscan.Unquote(raw)
		for _, v := range values {
			if string(said) == v {
				return true
			}
		}
		return false
	}}
}

func objectID() *rule {
	return &rule{text: "an object id of 24 hexadecimal digits", kind: String, holds: isObjectID}
}

func dateTime() *rule {
	return &rule{text: "an RFC 3339 time such as 2026-11-24T02:30:00.123Z", kind: String, holds: isDateTime}
}

func uri() *rule {
	return &rule{text: "a URI such as https://example.com/path", kind: String, holds: isURI}
}

func number() *rule  { return &rule{text: "a number", kind: Number} }
func boolean() *rule { return &rule{text: "true or false", kind: Boolean} }

func numberThat(text string, holds func(raw []byte) bool) *rule {
	return &rule{text: text, kind: Number, holds: holds}
}

// free is an object of any members.
func free() *rule { return &rule{text: "an object", kind: Object} }

// open is an object of these members and any others: the API may grow.
func open(members map[string]*rule) *rule {
	return &rule{text: "an object", kind: Object, members: &object{members: members}}
}

// closed is an object of these members only.
func closed(members map[string]*rule, required ...string) *rule {
	return &rule{text: "an object", kind: Object, members: &object{members: members, required: required, other: unknown}}
}

// custom is the object of an org's own attributes.
func custom() *rule {
	return &rule{text: "an object", kind: Object, members: &object{suffixes: customTypes, other: unknownType}}
}

func arrayOf(each *rule) *rule {
	return &rule{text: "an array of objects that differ", kind: Array, each: each}
}

// orNull is the rule with which null is taken too.
func (r *rule) orNull() *rule {
	r.null = true
	r.text += ", or null"
	return r
}

// upTo is the rule of an object with at most so many members.
func (r *rule) upTo(most int) *rule {
	if r.members == nil {
		r.members = new(object)
	}
	r.members.most = most
	r.text += " of at most " + strconv.Itoa(most) + " members"
	return r
}

// rule returns the rule of a member, nil when any value will do.
func (o *object) rule(name []byte) *rule {
	if r := o.members[string(name)]; r != nil {
		return r
	}
	for i := range o.suffixes {
		if s := &o.suffixes[i]; len(name) > len(s.end) && bytes.HasSuffix(name, []byte(s.end)) {
			return s.rule
		}
	}
	return o.other
}
