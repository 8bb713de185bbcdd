// Package workload makes change events whose right outcome is known, and judges
// what a run made of them. The demo, the benchmarks and the end-to-end tests use
// it.
//
// A [Generator] writes events from a seed and keeps the truth beside them: the
// state that every message must end in, and which events must be dead-lettered.
// [Collect] reads the result and dead-letter topics, [Truth.Judge] compares the
// states with what the API holds.
//
// Some events are poison: the API refuses them, alone or with whatever is sent
// together with them, and takes all others of the same message. The truth is about
// events. How they are merged into items is the connector's business; an item that
// holds a poison event fails as a whole until it is taken apart.
//
// Events are JSON. [Avro] writes the same as Avro, for worlds with a schema registry;
// the schema and its id are the caller's.
//
// It imports nothing of the connector's and has types of its own: a judge that
// shared code with the accused would share its mistakes.
package workload
