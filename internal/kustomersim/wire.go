package kustomersim

import (
	"strconv"
	"time"
)

// Ids of the simulated org and of the user the API key belongs to.
const (
	orgID  = "64a1f0c2b7d9e30012ab0001"
	userID = "64a1f0c2b7d9e30012ab0002"
)

// Constant parts of replies. Replies are appended bytes because a completed
// operation lists 100 results, and is read about once.
const (
	wireOrg  = `"org":{"links":{"self":"/v1/orgs/` + orgID + `"},"data":{"type":"org","id":"` + orgID + `"}}`
	wireUser = `"createdBy":{"links":{"self":"/v1/users/` + userID + `"},"data":{"type":"user","id":"` + userID + `"}}`
	wireAPI  = `"path":"/v1/messages/bulk","user":{"id":"` + userID + `","userType":"machine","roles":["org"],"orgName":"acme","subject":"` +
		userID + `","org":"` + orgID + `"},"service":"sobjects","method":"PUT","requestId":"`
)

// appendMinimal appends the shortest reply the documentation shows.
func appendMinimal(b []byte, op *operation) []byte {
	b = append(b, `{"data":{"type":"bulk","id":"`...)
	b = append(b, op.id...)
	b = append(b, `","attributes":{"status":"`...)
	b = append(b, op.status()...)
	return append(b, `"}}}`...)
}

// appendOperation appends an operation, with payload.api in reply to a PUT and
// the body echoed in it if echo is not nil.
func appendOperation(b []byte, op *operation, put bool, echo []byte) []byte {
	ended := op.stage == complete
	b = append(b, `{"data":{"type":"bulk","id":"`...)
	b = append(b, op.id...)
	b = append(b, `","attributes":{"ids":[],"context":"api.sobjects.messages.bulk-update","status":"`...)
	b = append(b, op.status()...)
	b = append(b, `","batchErrors":`...)
	b = strconv.AppendBool(b, ended && op.failed > 0)
	b = append(b, `,"completed":`...)
	b = strconv.AppendBool(b, ended)
	b = append(b, `,"v2":true,"batches":`...)
	b = appendProgress(b, op)
	b = append(b, `,"createdAt":"`...)
	b = appendTime(b, op.acceptedAt)
	b = append(b, `","updatedAt":"`...)
	b = appendTime(b, op.updatedAt)
	if ended {
		b = append(b, `","completedAt":"`...)
		b = appendTime(b, op.updatedAt)
	}
	b = append(b, '"')
	if ended && op.failed > 0 {
		b = append(b, `,"lastBatchError":{"errors":[`...)
		b = appendErrorData(b, op.lastFailure())
		b = append(b, `]}`...)
	}
	if put {
		b = append(b, `,"payload":{"api":{`...)
		if echo != nil {
			b = append(append(append(b, `"data":`...), echo...), ',')
		}
		b = append(append(b, wireAPI...), op.requestID...)
		b = append(b, `"}}`...)
	}
	b = append(b, `},"relationships":{`+wireOrg+`,`+wireUser+`},"links":{"self":"/v1/bulk/`...)
	b = append(b, op.id...)
	return append(b, `"}}}`...)
}

func appendProgress(b []byte, op *operation) []byte {
	completed := 0
	if op.stage == complete {
		completed = 1
	}
	b = append(b, `{"complete":`...)
	b = strconv.AppendInt(b, int64(completed), 10)
	b = append(b, `,"total":1,"idsTotal":`...)
	b = strconv.AppendInt(b, int64(len(op.results)), 10)
	return append(b, '}')
}

func (op *operation) lastFailure() outcome {
	for i := op.done - 1; i >= 0; i-- {
		if o := op.results[i].outcome; o == failed || o == notFound {
			return o
		}
	}
	return updated
}

// appendErrorData appends a failure as an object.
func appendErrorData(b []byte, o outcome) []byte {
	if o == notFound {
		return append(b, `{"status":404,"code":"notfound","title":"Not Found"}`...)
	}
	return append(b, `{"status":500,"code":"internal","title":"Internal Server Error"}`...)
}

// errorText is a failure as a result's plain string.
func errorText(o outcome) string {
	if o == notFound {
		return "not found"
	}
	return "internal error"
}

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
