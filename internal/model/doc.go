// Package model runs the real core of the connector, [batcher.Core], in a small
// world that means it no good: one thread, one seed, a thousand whole runs a
// second. It exists because the order and the loss rules of the core guard
// against meetings of three or four rare things (a request that was accepted
// though its reply was lost, a change of owner, a retry, a second change of
// owner), which no test with real parts meets in a year.
//
// The world has a log with two partitions and sixteen records, two processes, a
// group coordinator, and the bulk API. An event is one change of one of three
// messages; most records hold one event, some hold up to three. Everything in the
// world may be late, lost, doubled or refused, at rates that make most runs meet
// many troubles. Some troubles are in the events themselves: a request that holds
// one is refused, or ends in an error, for good.
//
// A run is of one of two modes. In the usual one the trouble stops after 400
// ticks, but for that which is in events; then all must come to rest, with some
// traffic where only the success of others can prove an event guilty, and with a
// person who releases brakes. In the other, [Config.Endless], trouble never stops,
// and only what must never happen is checked.
//
//   - clock.go: time. One heap of closures stands for every goroutine, timer and network.
//   - fault.go, chaos.go: the troubles, each with a name and a rate.
//   - log.go, event.go: the records, and the truth about each event in them.
//   - group.go: the coordinator: membership, tenures, offsets with metadata.
//   - admin.go: what people and the rest of the world do: traffic, releases, offset resets.
//   - kustomer.go, answers.go: the API: what was accepted, when it runs, and what a client is told.
//   - refusals.go: whom and what it refuses, and the budget of calls.
//   - process.go: a process, which is a shell around a core as internal/pipeline is one;
//     membership.go, poll.go, calls.go and commits.go: what it does outside.
//   - letters.go: dead letters.
//   - check.go: the promises, each with a name, checked at every step;
//     gravecheck.go: those about what is given up;
//     endcheck.go: those that are checked when all has come to rest.
//   - world.go: one run from its start to its rest; coverage.go: what it met.
//   - scene.go, knob.go: worlds in which one kind of trouble is common.
//   - sweep.go, table.go: many runs, and what each rule is for.
//
// Command simulate, in a folder of its own, runs any of it by hand.
//
// # The checks
//
// What finds most is a check inside the API: "a newer change was accepted while
// an older one, sent before, may still run". It sees a hole in the order when it
// opens; whether the message then ends wrong is a matter of luck, one time in
// ten. Next comes I3 by the truth of the world: at every commit, each event
// before the offset was applied and its result event is in Kafka, or its dead letter
// is.
//
// # The rules
//
// Every rule of the core is a knob, [batcher.Rules]. A rule is trusted only if
// runs fail without it; RULES.md has the counts. Three duties of the shell are
// knobs as well, [Shell].
//
// # What the world does not do
//
// The world keeps to what the rules assume, or every run would fail:
//
//   - An operation that nobody can name ends within longestRun; one that the
//     group's metadata names may run as long as it likes.
//   - No process is stopped between the lease check and the write of the body, and
//     no proxy sends a PUT twice: there nothing on the client's side helps.
//   - A failure that passes and one that lasts have different reasons: where they
//     had the same, the core could not tell them apart, and a change behind a
//     given-up one would be given up with it.
//   - A change without fault meets at most mostUnlucky unknown outcomes in a row,
//     and two conflicts in four minutes; the core gives up after more.
//   - The key loses its role at most once in two minutes.
//   - The reserve has an end: a run in which events that only the success of others
//     can prove guilty, and what waits behind them, take all of it, is counted and
//     not held against the core. Such a process waits for a person.
//
// Not modelled: the bytes of HTTP and of Kafka, decoding, topics that are deleted.
package model
