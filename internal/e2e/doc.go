// Package e2e holds the end-to-end tests: the real binary as real processes
// against a real Kafka, with the simulator of the API as a process beside it.
//
// What they add to the tests in virtual time is what those take for granted:
// the kernel, kill -9, signals and exit codes, a broker that is not ours, and
// the memory of a process. Each test makes a topic, a group and a simulator of
// its own (a world, world_test.go), produces events whose outcome is known
// (package workload), does something rude, and then asks whether every message
// holds its newest state, every dead letter is there, and the group's lag is 0.
// The simulator is the referee of the order: it counts fields that went back to
// an older value, and changes sent while an older one could still run.
//
// The tests in formats_*_test.go are about the forms of records: JSON, Avro, rows,
// webhooks, a program in jq, and bytes that mean harm, with a real schema registry
// (package registrytest) beside Kafka. There the test that makes a record writes down
// what must become of it (a formatWorld, formats_world_test.go).
//
// They carry the build tag kafka and run on Linux only: they read /proc, and let
// the kernel end the processes when the test dies.
//
//	go test -tags kafka ./internal/e2e
//
// The environment sets how long and how large:
//
//	E2E_EVENTS   events of the backlog (100,000)
//	E2E_HOSTILE  events sent to an API with every fault at once (6,000)
//	E2E_CHAOS    how long members are killed, stopped and restarted (75s)
//	E2E_KILLS    kills of one member (10)
//	E2E_OUTAGE   how long the API is away (20s)
//	E2E_REGISTRY how long the schema registry is away (15s)
//	E2E_BYTES    records that mean harm (10,000)
//	E2E_SEED     seed of events, faults and moments (the time)
//
// KAFKA_KUSTOMER_TEST_LOGS names a folder that keeps the logs. They are those of
// level debug, and none may hold a payload or a secret: see package canary.
//
// With -race the binary is built with the race detector too, and a race in it
// fails the test.
package e2e
