package sink

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
)

// auditMembers need a role of their own; Kustomer does not say whether a key
// without it is refused for them.
var auditMembers = []string{"createdAt", "createdBy", "modifiedAt", "modifiedBy"}

// hinter finds the items of a batch that a refusal speaks of. It is made for one
// refusal, and its indexes only when an error needs them.
//
// It trusts places, not prose: a path with an index, a message's id, or the bare
// name of a member. A sentence names all sorts of things, and a wrong hint costs
// a request. Of the patches it reads the names and never a value.
type hinter struct {
	batch   *batcher.Batch
	ids     map[string]int
	members map[member][]int
}

// member is a member of a patch, or of the custom object in it.
type member struct {
	custom bool
	name   string
}

// hints returns the items that the errors name, in order. An error that names
// all of them tells nothing, and what is left counts. Nil when nothing is left,
// or when together they name all.
func hints(b *batcher.Batch, errs apiErrors) []int {
	h := hinter{batch: b}
	all := make(items, len(b.Items))
	for _, e := range errs {
		if named := h.named(e); !named.all() {
			all.add(named)
		}
	}
	if all.all() {
		return nil
	}
	return all.list()
}

// auditItems returns the items that have an audit member, in order.
func auditItems(b *batcher.Batch) []int {
	h := hinter{batch: b}
	found := make(items, len(b.Items))
	for _, name := range auditMembers {
		h.having(found, member{name: name})
	}
	return found.list()
}

// items says of each item of a batch whether it is meant.
type items []bool

func (s items) any() bool { return slices.Contains(s, true) }
func (s items) all() bool { return !slices.Contains(s, false) }

func (s items) add(more items) {
	for i := range more {
		s[i] = s[i] || more[i]
	}
}

// list returns the indexes of those that are meant, nil when none is.
func (s items) list() (list []int) {
	for i, meant := range s {
		if meant {
			list = append(list, i)
		}
	}
	return list
}

// named returns the items that one error names: by an index, else by an id, else
// by a member. A path whose index the batch does not have is about something
// else, so its member is no hint either.
func (h *hinter) named(e apiError) items {
	found := make(items, len(h.batch.Items))
	indexed := h.byIndex(found, e)
	if !found.any() {
		h.byID(found, e)
	}
	if !found.any() && !indexed {
		h.byMember(found, e)
	}
	return found
}

// byIndex reports whether there is an index at all, of the batch or not.
func (h *hinter) byIndex(found items, e apiError) (indexed bool) {
	for _, place := range e.places() {
		i, ok := index(path(place))
		indexed = indexed || ok
		if ok && i >= 0 && i < len(h.batch.Items) {
			found[i] = true
		}
	}
	return indexed
}

// byID looks for ids as whole words, since one id may begin with another.
func (h *hinter) byID(found items, e apiError) {
	if h.ids == nil {
		h.ids = make(map[string]int, len(h.batch.Items))
		for i, it := range h.batch.Items {
			h.ids[it.MessageID] = i
		}
	}
	for _, said := range e.texts() {
		for word := range strings.FieldsFuncSeq(said, endsWord) {
			if i, ok := h.ids[word]; ok {
				found[i] = true
			}
		}
	}
}

func endsWord(r rune) bool {
	return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// byMember takes the bare name of a member for one of custom where the detail is
// a place in the schema of custom, as in
// {"parameter": "notAnAttribute", "detail": "/properties/custom/additionalProperties"}.
func (h *hinter) byMember(found items, e apiError) {
	detail := string(e.Detail) + "/"
	inCustom := strings.Contains(detail, "/properties/custom/")
	for _, place := range e.Source.v.places() {
		switch p := inRequest(path(place)); {
		case len(p) == 0:
		case len(p) > 1 && p[0] == "custom":
			h.having(found, member{true, p[1]})
		case len(p) == 1 && p[0] != "custom" && inCustom:
			h.having(found, member{true, p[0]})
		default:
			if !h.having(found, member{false, p[0]}) && len(p) == 1 {
				h.having(found, member{true, p[0]})
			}
		}
	}
}

// having adds the items that have a member, and reports whether there are any.
func (h *hinter) having(found items, m member) bool {
	if h.members == nil {
		h.members = make(map[member][]int)
		for i, it := range h.batch.Items {
			eachMember(it.Patch, func(m member) { h.members[m] = append(h.members[m], i) })
		}
	}
	for _, i := range h.members[m] {
		found[i] = true
	}
	return len(h.members[m]) > 0
}

// eachMember calls f for the members of a patch and of its custom object.
func eachMember(patch []byte, f func(member)) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(patch), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != jsontext.KindBeginObject {
		return
	}
	for custom := false; ; {
		tok, err := dec.ReadToken()
		switch {
		case err != nil:
			return
		case tok.Kind() == jsontext.KindEndObject && !custom:
			return
		case tok.Kind() == jsontext.KindEndObject:
			custom = false
			continue
		}
		m := member{custom, tok.String()}
		f(m)
		if m == (member{false, "custom"}) && dec.PeekKind() == jsontext.KindBeginObject {
			custom = true
			_, err = dec.ReadToken()
		} else {
			err = dec.SkipValue()
		}
		if err != nil {
			return
		}
	}
}

// maxPath is the longest text, in bytes, that may be a path.
const maxPath = 512

// path splits a JSON pointer (/3/custom/tierStr), a path of names and indexes
// (data[3].custom.tierStr) or a mixture into its parts. A text with white space
// is a sentence, and has none.
func path(s string) []string {
	if len(s) > maxPath || strings.ContainsFunc(s, unicode.IsSpace) {
		return nil
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(`/.[]'"`, r) })
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts
}

// inRequest leaves out the parts that stand for the request as a whole.
func inRequest(path []string) []string {
	for len(path) > 1 {
		switch path[0] {
		case "#", "$", "body", "data", "attributes", "instance", "items", "messages", "payload", "request", "requestBody":
			path = path[1:]
		default:
			return path
		}
	}
	return path
}

// index returns the place in the request's array that a path leads to, -1 for
// one that no array has, and whether it leads to one at all. An item has names
// in it and no second index: 3.14 and 10.0.0.1 are no paths.
func index(path []string) (i int, ok bool) {
	path = inRequest(path)
	if len(path) == 0 || !isNumber(path[0]) || len(path) > 1 && isNumber(path[1]) {
		return 0, false
	}
	i, err := strconv.Atoi(path[0])
	if err != nil || itoa(i) != path[0] {
		return -1, true
	}
	return i, true
}

func isNumber(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
