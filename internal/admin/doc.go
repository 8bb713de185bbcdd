// Package admin tells how the program is: to the machine that keeps it running,
// to Prometheus, and to people.
//
//	GET  /               what is going on, for people
//	GET  /healthz        200 while the loop turns, else 503: restart it
//	GET  /readyz         200 when events get through, else 503 with the reasons
//	GET  /metrics        the same and more, for Prometheus
//	POST /brake/release  dead-letters again after the brake has stopped it
//	GET  /log/level      how much is logged; PUT sets it until the next start
//	GET  /debug/pprof/   Go's profiles, where admin.pprof is on
//
// # How the parts fit
//
//	program.go    what is asked of the program, as functions and plain values
//	readiness.go  values -> ready or not, and the reasons; a pure function
//	outlook.go    what is safe during each kind of trouble, and what ends it
//	metrics.go    the same values -> metrics, one look a scrape
//	catalogue.go  the metrics without labels, and Catalogue, the list of all there are
//	families.go   the metrics with labels
//	page.go       the same values -> text
//	server.go     the life of the server: New, Start, Attach, Drain, Close
//	routes.go     one function for each path
//
// A [Server] comes before everything else and goes last, so that there is an
// answer while the program waits for Kafka at its start and while it drains. In
// between, [Server.Attach] says what to ask.
//
// # Health and readiness
//
// Health is about this process alone. A restart cures a loop that stands still,
// and nothing else: while Kafka or Kustomer is away it would cost the partitions,
// and the new process would wait as well. So health asks for a snapshot of the
// loop, which never waits for the network, and for nothing more. A program that
// starts or drains is healthy; both have time-outs of their own.
//
// Readiness is about the events. It is false whenever something keeps them from
// getting through, be it ours, Kafka's, Kustomer's, the schema registry's or the
// configuration's. A rest
// until the quota's next minute is part of normal work: it is listed, and the
// program stays ready. A member of the group that has no partitions, because
// there are more members than partitions, is ready too: it is idle as it should
// be. That is why ready means that the group has answered once, and not that it
// has given us something.
//
// # Why this way
//
// Everything is read at one moment, by one question to the loop, and each form of
// it is derived from that: the page, the probe and the alert can't disagree.
// Metrics are collected when asked for rather than counted along the way, so the
// core knows no metric, and its own counts, which tests hold to an identity, are
// the ones exported. Only what is no state, such as how long a call took, is
// counted along the way, by internal/metrics; both are under /metrics. One request asks the loop at a time; when it hangs, probes
// that go on and on do not pile up questions in it.
//
// There is no login: whoever can reach the address can read it, release the brake,
// and set the level of the log. Nothing here holds a payload or a secret. Web pages of other origins
// are refused.
package admin
