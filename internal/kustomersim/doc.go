// Package kustomersim is a simulator of Kustomer's bulk message API: an
// [http.Handler] that checks requests as strictly as the real API is known to,
// runs accepted operations later and out of order, and fails on demand.
//
// It exists because the hard part of talking to a bulk API is what happens
// after the 200: the operation may run late, be overtaken by a newer one, fail
// for single items, or exist although its reply was lost. The simulator does all
// of that by default, and it is a referee: its [Stats] say whether a client's
// writes went back in time, were sent twice, or raced an older operation.
//
// # How the parts fit
//
//   - server.go owns the one mutex and the workers; call.go is the way of a
//     call: fault, key, quota, route, contract, accept, reply.
//   - contract.go and value.go walk a body once with jsontext and apply the
//     member rules of rules.go; breach.go words what is wrong.
//   - operation.go accepts a request, queues it and lets workers run it;
//     plan.go draws its fate.
//   - message.go shows a message, and seeds one.
//   - state.go holds the messages, field by field, and the order detectors.
//   - script.go is the fault script, guide.go explains it to who writes one.
//   - fault.go carries out a fault of a call, poison.go those that an item brings.
//   - quota.go counts calls in fixed windows; headers.go, wire.go and batches.go
//     write replies.
//   - stats.go is what was seen, open.go what is open, control.go shows both
//     under /_sim/.
//
// # Endpoints
//
//	PUT  /v1/messages/bulk       1..100 items as a JSON array
//	GET  /v1/bulk/{id}           an operation
//	GET  /v1/bulk/{id}/batches   its results, ?page=&pageSize=
//	GET  /v1/messages/{id}       a message that was written or seeded
//	GET  /_sim/stats             Stats as JSON
//	GET  /_sim/script            the current Script; POST replaces it
//	GET  /_sim/operations        the operations that have not ended
//	GET  /_sim/messages          every message's state, one JSON line each
//	GET  /_sim/messages/{id}     one message's state
//
// Control calls need no key, cost no quota and meet no fault.
//
// # Why this way
//
// It shares no type with the client it tests. If both sides used one definition
// of the wire they would agree by construction, and prove nothing.
//
// Requests are parsed outside the mutex and applied inside. One mutex is enough:
// an item costs well under a microsecond in it, and one lock makes the counters
// and the order detectors exact instead of nearly right.
//
// Time comes only from package time, and every goroutine ends with
// [Server.Close], so the simulator runs inside a testing/synctest bubble.
// Every random choice is drawn from [Options.Seed]: calls made one after the
// other meet the same faults and operations the same fate each time. Which of
// several waiting operations a worker picks also depends on how many wait when
// it looks, so that repeats exactly only in a bubble.
package kustomersim
