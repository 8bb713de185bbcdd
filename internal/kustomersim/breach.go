package kustomersim

import (
	"errors"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// Kinds of breach, the keys of [Stats.Breaches].
const (
	BreachKey           = "key"             // bearer key missing or wrong
	BreachPath          = "path"            // no such path, or not with this method
	BreachContentType   = "content_type"    // not application/json
	BreachIDsMode       = "ids_mode"        // ?ids= is another contract
	BreachOperationID   = "operation_id"    // not 24 hex digits
	BreachPaging        = "paging"          // page or pageSize is not a positive number
	BreachSize          = "size"            // body over Options.MaxBodyBytes
	BreachUTF8          = "invalid_utf8"    // body is not UTF-8
	BreachJSON          = "json"            // body is not JSON
	BreachDuplicateName = "duplicate_name"  // an object has a name twice
	BreachShape         = "shape"           // not an array of objects
	BreachCount         = "item_count"      // none, or more than 100
	BreachIDMissing     = "id_missing"      // id absent
	BreachIDRepeated    = "id_repeated"     // id twice in one request
	BreachRefMixed      = "ref_mixed"       // _clientRef on some items only
	BreachRefRepeated   = "ref_repeated"    // _clientRef twice in one request
	BreachRefUnknown    = "ref_unknown"     // this org has no _clientRef
	BreachUnknownMember = "unknown_member"  // not in the (closed) object
	BreachNull          = "null"            // null where it is not allowed
	BreachType          = "type"            // another JSON type
	BreachEmpty         = "empty"           // empty string
	BreachTooLong       = "too_long"        // string, or object, over its limit
	BreachFormat        = "format"          // not a date, an object id, a URI
	BreachEnum          = "enum"            // not one of the allowed values, or out of range
	BreachRequired      = "required"        // member of a closed object missing
	BreachNotUnique     = "not_unique"      // equal attachments
	BreachAudit         = "audit_forbidden" // audit member without the role
)

// breach is a refused request. It becomes a reply and a count.
type breach struct {
	kind   string
	status int
	param  string // bare member name, as the real API gives it
	title  string
	detail string // path into the schema, as the real API gives it
}

func badParam[S string | []byte](kind string, param S, title, detail string) *breach {
	return &breach{kind: kind, status: http.StatusBadRequest, param: string(param), title: title, detail: detail}
}

func badRequest(kind string) *breach {
	return &breach{kind: kind, status: http.StatusBadRequest}
}

// badJSON turns a decoder's error into a breach.
func badJSON(err error) *breach {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return badRequest(BreachDuplicateName)
	}
	return badRequest(BreachJSON)
}

// body words a breach in the form the real API uses for it: a pointer to the
// member where its schema validator spoke, a bare code where it did not.
func (b *breach) body() []byte {
	switch {
	case b.status == http.StatusForbidden:
		return forbiddenBody
	case b.status == http.StatusRequestEntityTooLarge:
		return tooLargeBody
	case b.param == "":
		return badRequestBody
	}
	e := apiError{Status: b.status, Code: "badparam", Title: b.title, Detail: b.detail}
	e.Source.Parameter = b.param
	return e.body()
}

var (
	badRequestBody   = []byte(`{"errors":[{"code":"bad_request","message":"Invalid request body or parameters.","meta":{}}]}`)
	unauthorizedBody = []byte(`{"errors":[{"status":"401","code":"unauthorized","title":"Unauthorized","source":{"parameters":"authorization"}}]}`)
	regionBody       = []byte(`{"errors":[{"code":"unauthorized","message":"Auth token associated with pod prod2 but request is being handled by prod1","meta":{}}]}`)
	forbiddenBody    = []byte(`{"errors":[{"status":403,"source":{"parameter":"roles"},"code":"forbidden","title":"Forbidden"}]}`)
	noPathBody       = []byte(`{"errors":[{"status":404,"source":{"parameter":"path"},"code":"notfound","title":"Not Found"}]}`)
	noObjectBody     = []byte(`{"errors":[{"status":404,"source":{"parameter":"id"},"code":"notfound","title":"Not Found"}]}`)
	tooLargeBody     = []byte(`{"status":413,"title":"Payload Too Large","detail":"request entity too large"}`)
	tooManyBody      = []byte(`{"errors":[{"code":"too_many_requests","message":"Too Many Requests","meta":{}}]}`)
)
