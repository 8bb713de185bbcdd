// Package registrytest runs a real schema registry for tests, without Docker:
// Apicurio Registry, which speaks Confluent's API beside its own.
//
// A fake of a registry answers as its author thinks that registries do. What a
// real one says to an id it does not know, to a schema that breaks compatibility,
// or to what a producer of another language registers, is worth knowing.
//
//	reg := registrytest.Start(t)
//	client, err := registry.New(registry.Config{URLs: []string{reg.URL()}})
//
// A machine needs Java 21 or later and, the first time, Maven, which fetches some
// 150 MB into a cache (see [Home]). From then on a registry is ready about four
// seconds after [Start], and needs some 280 MB of memory. Tests of one package had
// better share one: [Open] it in TestMain.
//
// # A registry in trouble
//
// Clients reach it through a door of ours, a TCP proxy, so its address stays the
// same whatever happens behind it:
//
//	Block, Unblock     connections are refused, open ones reset; nothing is lost
//	Pause, Resume      connections are accepted and then nothing comes (SIGSTOP)
//	Stop, Restart      the process ends, and starts again with what it had
//
// Contents are in a file of its folder, hence outlive a Restart; a new registry
// is empty and counts its ids from 1. By convention, files that need a registry
// carry the build tag "kafka".
//
// How the parts fit: home.go finds or fetches the registry and a Java for it,
// ports.go claims its ports, registry.go runs the process (package child), door.go
// is the door.
package registrytest
