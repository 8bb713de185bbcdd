package kustomersim

import (
	"bytes"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// kind is the type of a member.
type kind uint8

const (
	text kind = iota
	objectID
	status
	dateTime
	number
	boolean
	uri
	polarity
	confidence
	freeObject
	closedObject
	attachments
	custom
)

// rule is what the API's schema says of one member.
type rule struct {
	kind     kind
	max      int  // characters of a string, members of an object; 0: no limit
	nonEmpty bool // strings
	null     bool // null is allowed, and clears
	audit    bool
	members  map[string]*rule // of a closed object
	required []string
}

const maxCustom = 100

// itemRules are the members of an item. Members the bulk endpoint cannot
// update (customer, channel, app, ...) are not here, so they are unknown.
var itemRules = map[string]*rule{
	"id":           {kind: text, nonEmpty: true},
	"_clientRef":   {kind: text, nonEmpty: true, max: 255},
	"conversation": {kind: text},
	"related":      {kind: text},
	"createdBy":    {kind: objectID, audit: true},
	"modifiedBy":   {kind: objectID, audit: true, null: true},
	"externalId":   {kind: text, max: 256, null: true},
	"subject":      {kind: text, max: 256, null: true},
	"preview":      {kind: text, max: 10_240, null: true},
	"lang":         {kind: text, max: 100, null: true},
	"status":       {kind: status},
	"error": {kind: closedObject, members: map[string]*rule{
		"status": {kind: number}, "code": {kind: text}, "title": {kind: text}, "detail": {kind: text},
		"source": {kind: freeObject}, "meta": {kind: freeObject}, "links": {kind: freeObject},
	}},
	"errorAt":    {kind: dateTime},
	"sentAt":     {kind: dateTime, null: true},
	"createdAt":  {kind: dateTime, audit: true},
	"modifiedAt": {kind: dateTime, audit: true},
	"updatedAt":  {kind: dateTime},
	"size":       {kind: number},
	"attachments": {kind: attachments, members: map[string]*rule{
		"_id": {kind: objectID}, "name": {kind: text}, "contentType": {kind: text},
		"contentLength": {kind: number}, "sourceId": {kind: objectID},
	}, required: []string{"_id", "name", "contentType", "contentLength"}},
	"meta":   {kind: freeObject, max: 100},
	"custom": {kind: custom, max: maxCustom},
	"sentiment": {kind: closedObject, members: map[string]*rule{
		"polarity": {kind: polarity}, "confidence": {kind: confidence},
	}, required: []string{"polarity", "confidence"}},
}

// customRules: the end of a custom member's name sets its type.
var customRules = []struct {
	suffix []byte
	rule   *rule
}{
	{[]byte("Str"), &rule{kind: text, max: 1024, null: true}},
	{[]byte("Txt"), &rule{kind: text, null: true}},
	{[]byte("Num"), &rule{kind: number, null: true}},
	{[]byte("At"), &rule{kind: dateTime, null: true}},
	{[]byte("Bool"), &rule{kind: boolean, null: true}},
	{[]byte("Url"), &rule{kind: uri, null: true}},
	{[]byte("Id"), &rule{kind: text, nonEmpty: true, null: true}},
}

// customRule returns nil for a name that cannot be a custom member.
func customRule(name []byte) *rule {
	for i := range customRules {
		if r := &customRules[i]; len(name) > len(r.suffix) && bytes.HasSuffix(name, r.suffix) {
			return r.rule
		}
	}
	return nil
}

// scalar checks a value that is neither object nor array. txtLimit is a limit
// of the org that comes on top of the rule's own.
func (r *rule) scalar(raw, name []byte, limit int) *breach {
	switch r.kind {
	case number, polarity, confidence:
		return r.number(raw, name)
	case boolean:
		if k := raw[0]; k != 't' && k != 'f' {
			return wrongType(name, "boolean", raw)
		}
		return nil
	}
	if raw[0] != '"' {
		return wrongType(name, "string", raw)
	}
	if limit == 0 {
		limit = r.max
	}
	// A string has at most as many characters as bytes: count only if need be.
	if n := len(raw) - 2; limit > 0 && n > limit && utf8.RuneCount(unquote(raw)) > limit {
		return badParam(BreachTooLong, name, "String is too long, maximum "+strconv.Itoa(limit), schemaPath(name, "maxLength"))
	}
	return r.format(raw, name)
}

func (r *rule) format(raw, name []byte) *breach {
	ok, kind := true, BreachFormat
	switch r.kind {
	case text:
		ok, kind = !r.nonEmpty || len(raw) > 2, BreachEmpty
	case objectID:
		ok = isObjectID(unquote(raw))
	case status:
		kind = BreachEnum
		switch string(unquote(raw)) {
		case "sent", "received", "error":
		default:
			ok = false
		}
	case dateTime:
		_, err := time.Parse(time.RFC3339, string(unquote(raw)))
		ok = err == nil
	case uri:
		u, err := url.Parse(string(unquote(raw)))
		ok = err == nil && u.Scheme != ""
	}
	if ok {
		return nil
	}
	switch kind {
	case BreachEnum:
		return badParam(kind, name, "No enum match", schemaPath(name, "enum"))
	case BreachEmpty:
		return badParam(kind, name, "String is too short (0 chars), minimum 1", schemaPath(name, "minLength"))
	}
	return badParam(kind, name, "Format validation failed", schemaPath(name, "format"))
}

func (r *rule) number(raw, name []byte) *breach {
	if k := jsontext.Kind(raw[0]); k != '-' && (k < '0' || k > '9') {
		return wrongType(name, "number", raw)
	}
	if r.kind == number {
		return nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err == nil && r.kind == polarity && (f == -1 || f == 0 || f == 1):
		return nil
	case err == nil && r.kind == confidence && f >= -1 && f <= 1:
		return nil
	}
	return badParam(BreachEnum, name, "Value is out of range", schemaPath(name, "enum"))
}

func wrongType(name []byte, want string, raw []byte) *breach {
	return badParam(BreachType, name, "Invalid type: "+kindName(raw[0])+" (expected "+want+")", schemaPath(name, "type"))
}

func kindName(first byte) string {
	switch first {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

func schemaPath[S string | []byte](name S, keyword string) string {
	return "/properties/" + string(name) + "/" + keyword
}

// unquote returns the text of a valid JSON string, without a copy if it has no escape.
func unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	out, _ := jsontext.AppendUnquote(nil, raw) // the decoder has already accepted it
	return out
}

func isObjectID(s []byte) bool {
	if len(s) != 24 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
