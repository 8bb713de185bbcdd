package sink

import (
	"net/http"
	"regexp"

	"kafka-kustomer/batcher"
)

// The codes of a [batcher.Reason] from this package. The set is closed; they are
// metric labels.
const (
	CodeForeignReply   = "foreign_reply"   // a reply that is not Kustomer's, or not whole
	CodeRedirected     = "redirected"      // 3xx
	CodeUnauthorized   = "unauthorized"    // 401: the key
	CodeForbidden      = "forbidden"       // 403: the key's role, or an audit member
	CodeWrongURL       = "wrong_url"       // 404 of the path: kustomer.base_url
	CodeWrongRegion    = "wrong_region"    // the org lives in another region
	CodeBadRequest     = "bad_request"     // 400
	CodeNotFound       = "not_found"       // 404 of an object, or of an operation
	CodeConflict       = "conflict"        // 409
	CodeTooLarge       = "too_large"       // 413
	CodeUnprocessable  = "unprocessable"   // 422
	CodeRefused        = "refused"         // any other 4xx
	CodeNoReferences   = "no_references"   // the org's API knows no _clientRef
	CodeRequestTimeout = "request_timeout" // 408
	CodeLimited        = "limited"         // 429
	CodeServerError    = "server_error"    // 5xx
	CodeDialFailed     = "dial_failed"     // no connection
	CodeLeaseOver      = "lease_over"      // cut off from Kafka for too long
	CodeTimeout        = "timeout"         // no whole reply within kustomer.timeout
	CodeCancelled      = "cancelled"       // the program ended the call
	CodeConnectionLost = "connection_lost" // reset, closed, or a reply cut short
	CodeItemFailed     = "item_failed"     // the operation says so of one item
)

// rule maps replies to an outcome. Text says what to check next.
type rule struct {
	from, to int // statuses, both included
	when     func(reply) bool
	kind     batcher.OutcomeKind
	code     string
	next     string
}

// reply is what of a reply decides the outcome.
type reply struct {
	operation bool // it names an operation
	errors    apiErrors
}

// rules are gone through in order; the first that fits decides. Accepted needs
// an operation id, and what may have been accepted is Unknown: no 4xx but 408 is.
var rules = []rule{
	{200, 299, func(r reply) bool { return r.operation }, batcher.Accepted, "", ""},
	{200, 299, nil, batcher.Unknown, CodeForeignReply, "the reply names no operation, or was cut; check whether a proxy answers in Kustomer's place (kustomer.base_url, kustomer.proxy_url)"},
	{300, 399, nil, batcher.Unknown, CodeRedirected, "redirects are not followed; check kustomer.base_url"},
	{408, 408, nil, batcher.Unknown, CodeRequestTimeout, "the request may have been taken; check the network if it goes on"},
	{429, 429, nil, batcher.Limited, CodeLimited, "the org's request limit is shared by all its keys and users; check kustomer.reserve and who else calls"},
	{401, 401, func(r reply) bool { return !r.errors.wrongRegion() }, batcher.Unauthorized, CodeUnauthorized, "check that the API key exists, is not expired and belongs to this org"},
	{403, 403, func(r reply) bool { return !r.errors.wrongRegion() }, batcher.Unauthorized, CodeForbidden, "check the key's roles: org.permission.message.update to write, org.permission.bulk.read to read operations; createdAt, createdBy, modifiedAt and modifiedBy need org.admin"},
	{404, 404, func(r reply) bool { return r.errors.parameter() == "path" }, batcher.Unauthorized, CodeWrongURL, "the API knows no such path; check kustomer.base_url"},
	{400, 499, func(r reply) bool { return r.errors.wrongRegion() }, batcher.Unauthorized, CodeWrongRegion, "the key belongs to another region; set kustomer.base_url to https://{org}.api.kustomerapp.com"},
	{400, 400, nil, batcher.Refused, CodeBadRequest, "something in the batch is not accepted; the result event names its items"},
	{404, 404, nil, batcher.Refused, CodeNotFound, "an object that the batch names does not exist; the result event names its items"},
	{409, 409, nil, batcher.Refused, CodeConflict, "something in the batch conflicts; the result event names its items"},
	{413, 413, nil, batcher.Refused, CodeTooLarge, "the batch is too large for Kustomer or a proxy; check batch.max_bytes"},
	{422, 422, nil, batcher.Refused, CodeUnprocessable, "something in the batch is not accepted; the result event names its items"},
	{400, 499, nil, batcher.Refused, CodeRefused, "check whether the reply is Kustomer's or a proxy's"},
	{500, 599, nil, batcher.Unknown, CodeServerError, "check Kustomer's status page if it goes on"},
	{0, 1 << 30, nil, batcher.Unknown, CodeForeignReply, "no HTTP API answers so; check kustomer.base_url"},
}

func classify(status int, r reply) rule {
	for _, rule := range rules {
		if status >= rule.from && status <= rule.to && (rule.when == nil || rule.when(r)) {
			return rule
		}
	}
	panic("sink: the last rule takes every status")
}

// statusText is "HTTP 400 Bad Request".
func statusText(status int) string {
	text := "HTTP " + itoa(status)
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	return text
}

// A refusal for the region speaks of pods, and of the key. Both must be there:
// the outcome stops all delivery, and one word could be an attribute's name.
var (
	regionWord = regexp.MustCompile(`(?i)\b(pods?|regions?)\b`)
	keyWord    = regexp.MustCompile(`(?i)\b(auth\w*|unauthori[sz]ed|tokens?|keys?|prod\d+)\b`)
)
