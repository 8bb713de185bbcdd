// Package probe finds out by experiment how an organisation's Kustomer answers
// what its documentation leaves open, and says what follows for the connector.
//
// The connector is built to be right whatever the answers are, except for a few
// that it has to assume: that custom is merged by key, that null clears. Where
// an org does otherwise, changes that are folded into one end differently from
// changes sent one by one, and nobody is told. So it is worth a minute in a
// sandbox to ask.
//
// # How the parts fit
//
//   - probe.go is the run: read, confirm, back up, ask, restore, report.
//   - questions.go has the steps and asks what a single write answers, failing.go
//     how an item fails, semantics.go what the state after a write answers,
//     ordering.go which of two operations wins.
//   - catalogue.go is the list of questions: for each answer what it means for
//     the connector and what to set. The code that asks knows nothing of that.
//   - write.go makes an operation and follows it to its end; batches.go reads
//     what became of its items, in every form.
//   - message.go is the message's state, restore.go puts it back, backup.go
//     keeps it where a crash can't take it.
//   - client.go makes the calls: paced, counted, bounded.
//   - headers.go is what was seen of the quota's headers and the clock.
//   - report.go, settings.go, text.go: the report, as data, YAML and text.
//
// # How it stays harmless
//
// It writes to one message, which the user names, and only after a yes. It
// writes attributes that the user names, and subject and meta only where the
// message shows them, for what is not shown can't be put back. It never adds a
// member to meta: where objects are merged, nothing takes it away again. It
// takes one away instead, and an org that merges then does not even notice.
// Each write of custom or meta carries the values that the message had, so that
// an org which replaces them loses nothing. What is not documented is tried where it can
// do no harm: null in a member that the message does not have, a member that does
// not exist, an item for an id that can't exist, a request without items.
//
// The state goes to a file before the first write, in the form of the request
// that restores it, and is put back at the end: after a failure and after
// Ctrl-C too, by a context of its own, and not before the operations that were
// started have ended, or one of them would land on top.
//
// Values never reach the report or an error: names and kinds do.
//
// It has its own small client instead of package sink's: that one keeps what it
// reads to a closed set of outcomes, and here the forms themselves, and the
// headers, are what is asked.
package probe
