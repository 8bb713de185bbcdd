// Package sink speaks Kustomer's bulk API over HTTP. It makes one attempt at a
// time and says what came of it; when to try, how often and with what is decided
// in package batcher.
//
//	Put   one PUT of a batch        -> batcher.Outcome   (put.go)
//	Look  one look at an operation  -> batcher.View      (look.go)
//
// Two more serve people: Ask, a request that changes nothing, tells what the API
// thinks of the address and the key (ask.go), and Preview is the request that Put
// would make (preview.go).
//
// The hard part is to say no more than is known. A request that failed may still
// have been accepted, and then an operation nobody knows of changes messages
// later. So outcomes are a closed set, and one table (classify.go) maps every
// status to one of them; without a reply, only a request of which no byte of the
// body was read can be called not sent. The body reader (body.go) decides that
// in one place under one lock, together with the lease.
//
// A refusal is of the whole batch, and splitting finds the item at fault. Where
// Kustomer names a place, a message or a member, the outcome hints at the items
// meant (hints.go), and where that leaves several, at those of them whose patches are
// suspicious (Config.Suspicious). It saves requests: it is a guess that decides nothing.
//
// net/http repeats requests by itself under some conditions: that is prevented
// by a body that cannot be rewound and by never sending Idempotency-Key. It
// follows redirects: [http.Transport] does not, so no [http.Client] is used. It
// takes proxies from the environment: the transport is given its proxy.
//
// Replies (reply.go, page.go, results.go) are read leniently (lenient.go), since the API's
// documents and its replies differ, but never in our favour: an operation id must
// look like one, a reference must be one of the batch, and what is said twice in
// two ways is no success.
//
// What Kustomer says in an error (errors.go) is passed on to people, so it is
// cleaned first (words.go): Kustomer echoes input, and neither payloads nor the
// API key may reach a log or a topic of results.
package sink
