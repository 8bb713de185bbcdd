// Package dryrun shows what a run would send, without sending it. It owns a core
// of package batcher, as the loop of a run does, and plays Kustomer, Kafka's
// acknowledgements and the clock by itself, with plain calls in one goroutine:
//
//	d := dryrun.New(cfg, sender, show)
//	for … { d.Records(topic, partition, changes) } // in partition order
//	totals, err := d.Finish()
//
// Merging, splitting by bytes, pacing and order come out as in a run because the
// same code decides on them. What differs is the world: each request is accepted
// at once and all its items are updated, so nothing is refused, and a record is a
// dead letter only if it cannot be read.
//
// Time is a number here. It jumps to when the core next has something to do, so a
// window of a second costs nothing, and the same records give the same requests.
// How much merges depends on what waits together: here everything that was handed
// over waits at the start, as behind a backlog. A stream that trickles in merges
// less.
package dryrun
