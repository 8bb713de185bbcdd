// Command bench measures what the connector costs: "make bench" prints one
// table.
//
// What counts is processor time, user and system, of a process that does nothing
// else, divided by the events it handled. Time by the clock depends on what else
// the machine does and on how many processors it has; the processor time of a
// connector that shares its process with the broker that feeds it says nothing
// about the connector. So every figure comes from a process of its own:
//
//   - The parts (core, decoding, encoding) are the Go benchmarks of their
//     packages, compiled and run one by one for a fixed number of iterations. The
//     benchmarks stay with the code they measure; see [part].
//   - The whole is the real binary, "kafka-kustomer run", with the default
//     limits. Broker and API run in another process, [surroundings], which holds
//     all events before the connector starts and judges at the end whether every
//     message is in the state it must be in: a run that loses work is fast and
//     counts for nothing.
//   - The floors are the least a program could do with the same broker and API:
//     poll and discard; and poll, cut the patch out by its place in the text, and
//     PUT it, with no check, no order, no result and no commit but one at the
//     end. See [floor].
//
// All processes start once for each run, and their start and end are part of
// what they cost. Each figure is given as the least, the median and the most of
// some runs that were the same. Where these lie far apart, the machine was busy.
//
// The allocations of the whole come from BenchmarkRun of cmd/kafka-kustomer,
// which runs the same wiring against the same surroundings but inside the test
// process, so that the runtime can be asked. "make profile" runs it under the
// profiler.
//
// "make bench-memory" prints another table: what the program holds where a
// program without bounds would grow. See [scenario]; each is a run of
// BenchmarkMemory of cmd/kafka-kustomer. Below it stands what the core charges an
// open event against its credit, and what the event really holds: a ratio under 1
// means that the limits promise more than they keep.
package main
