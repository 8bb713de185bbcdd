package sink

import (
	"net/http"

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
	CodeForeignRefusal = "foreign_refusal" // 4xx of a PUT in words that are not Kustomer's
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

// rule maps replies to an outcome. next says what to check next.
type rule struct {
	from, to int // statuses, both included
	when     func(reply) bool
	kind     batcher.OutcomeKind
	code     string
	next     string
}

// reply is what of a reply, and of its request, decides the outcome.
type reply struct {
	operation bool // it names an operation
	errors    apiErrors
	payload   []byte // of the request: what the errors may repeat
	look      bool   // the request was a look at an operation
	audit     []int  // the items of a PUT that have audit members, looked for when it is forbidden
}

func (r reply) wrongRegion() bool { return r.errors.wrongRegion(r.payload) }
func (r reply) wrongPath() bool   { return r.errors.wrongPath() }
func (r reply) foreign() bool     { return !r.errors.kustomers() }

// rules are gone through in order; the first that fits decides. Accepted needs
// an operation id, and what may have been accepted is Unknown: no 4xx but 408 is.
var rules = []rule{
	{200, 299, func(r reply) bool { return r.operation }, batcher.Accepted, "", ""},
	{200, 299, nil, batcher.Unknown, CodeForeignReply, "the reply is not what was asked for, or was cut; check whether a proxy answers in Kustomer's place (kustomer.base_url, kustomer.proxy_url)"},
	{300, 399, nil, batcher.Unknown, CodeRedirected, "redirects are not followed; check kustomer.base_url"},
	{408, 408, nil, batcher.Unknown, CodeRequestTimeout, "the request may have been taken; check the network if it goes on"},
	{429, 429, nil, batcher.Limited, CodeLimited, "the org's request limit is shared by all its keys and users, and one message has a limit of its own; check kustomer.reserve and who else calls"},
	{400, 499, reply.wrongRegion, batcher.Unauthorized, CodeWrongRegion, "the key belongs to another region; check kustomer.base_url: https://{org}.api.kustomerapp.com leads to the right one"},
	{401, 401, nil, batcher.Unauthorized, CodeUnauthorized, "check that the API key exists, is not expired and belongs to this org"},
	{403, 403, func(r reply) bool { return r.look }, batcher.Unauthorized, CodeForbidden, "check the key's roles: to read operations it needs org.permission.bulk.read or org.user.bulk.read"},
	{403, 403, func(r reply) bool { return len(r.audit) > 0 }, batcher.Doubtful, CodeForbidden, "check the key's roles: createdAt, createdBy, modifiedAt and modifiedBy, which the batch has, need org.admin; and to write at all it needs org.permission.message.update"},
	{403, 403, func(r reply) bool { return !r.foreign() }, batcher.Unauthorized, CodeForbidden, "check the key's roles: to write it needs org.permission.message.update or org.user.message.write"},
	{404, 404, reply.wrongPath, batcher.Unauthorized, CodeWrongURL, "the API knows no such path; check kustomer.base_url"},
	{404, 404, func(r reply) bool { return r.look }, batcher.Refused, CodeNotFound, "the API does not know the operation; check kustomer.base_url and the key's org if the operation is new"},
	{400, 499, func(r reply) bool { return r.look }, batcher.Refused, CodeRefused, "no look at an operation is answered so; check whether the reply is Kustomer's or a proxy's"},
	{413, 413, nil, batcher.Refused, CodeTooLarge, "the request is too large for Kustomer or a proxy; check batch.max_bytes, and the size of a change that is refused alone"},
	{400, 499, reply.foreign, batcher.Doubtful, CodeForeignRefusal, "the words are not Kustomer's; check kustomer.base_url and what stands in front of it, such as a proxy or a gateway. Where others get through, it is for something in these changes"},
	{400, 400, nil, batcher.Refused, CodeBadRequest, "something in the request is not accepted; check the members and values of its changes"},
	{404, 404, nil, batcher.Refused, CodeNotFound, "an object that the request names does not exist; check the ids in its changes"},
	{409, 409, nil, batcher.Refused, CodeConflict, "something in the request conflicts; check its changes"},
	{422, 422, nil, batcher.Refused, CodeUnprocessable, "something in the request is not accepted; check the members and values of its changes"},
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
