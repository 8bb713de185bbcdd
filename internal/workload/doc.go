// Package workload makes change events whose right outcome is known, and judges
// what a run made of them. The demo, the benchmarks and the end-to-end tests use
// it.
//
// A [Generator] writes events from a seed and keeps the truth beside them: the
// state that every message must end in. A [Ledger] reads the result and
// dead-letter topics. [Truth.Judge] compares both with what the API holds.
//
// It imports nothing of the connector's and has types of its own: a judge that
// shared code with the accused would share its mistakes.
package workload
