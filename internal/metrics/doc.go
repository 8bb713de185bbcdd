// Package metrics counts and measures what happens, for Prometheus: what the core
// does not count itself because it is no state of it, and what is told only in
// passing. What is a state, or counted by the core, is exported by internal/admin
// from a snapshot; its Catalogue lists both.
//
//	metric.go    a Metric, and how one is made: its name, help and labels in one place
//	observer.go  the metrics, and the methods that the loop calls
//	reasons.go   the closed sets of labels that other rooms' codes make up
//	kafka.go     the metrics of the Kafka clients (kprom)
//
// # Why this way
//
// An [Observer] is called on the loop's goroutine, and what it takes every event
// waits for. So the series of each label is looked up once, at the start, where it
// is also made to be there at 0; a call is then some atomic additions. The age of
// an event is the only thing that is measured event by event: a histogram can't be
// made from anything less.
//
// A scrape comes in between: a batch may be counted in one metric and not yet in
// the next. What comes from a snapshot is of one moment.
//
// Labels come from closed sets, the configured topics and the brokers. Codes that a
// set does not know, which a test makes sure is none, become "other".
//
// Histograms have classic buckets, for every Prometheus there is, and native ones,
// for one that scrapes them (scrape_native_histograms).
package metrics
