// Package online checks, before anything runs, whether what a configuration names
// is there and may be used: brokers, login, topics, group, rights, the API, its key
// and roles, clocks, a schema registry and its subjects. It changes nothing: no record
// is written, no topic created, no group joined, no offset committed, no message
// touched, no schema registered.
//
// [Run] makes all checks and returns one [Check] each, always in the same order:
// what could not be asked because of an earlier failure is there as skipped. Checks
// that do not depend on each other run at the same time, all of them until the
// context ends. Start with online.go, then kafka.go (brokers, login), topics.go,
// group.go, api.go and registry.go.
//
// # What is proven, and what is not
//
// A right can be proven without using it where the server says so: Kafka lists the
// operations that a user may do on a topic (KIP-430), validates the creation of a
// topic without creating it, and refuses a heartbeat of a member that does not exist
// in one way to who may read the group and in another to who may not. (A cluster that
// has never had a group makes its own topic __consumer_offsets when it is asked for
// the first one, whoever asks.)
//
// Kustomer has no such thing. It is asked for an operation that does not exist, with
// the key and without, and is sent a bulk update of no items. A 401 or 403 proves
// that the key or its role is missing. A 404, or a 400 for the body, says that the
// request got past the key, and most likely past the role: but where roles are
// checked is nowhere documented, so [Check.NotProven] says what is only likely.
//
// A schema registry says whether a schema would be compatible, but not whether who asks
// may register it. Nor does it know which subjects a topic's producers use: the newest
// version of the topic's name and "-value", which is what they mostly do, is read as a
// run would read a record of it, and what is wrong with it is a warning.
//
// Kafka tells its clock to nobody who does not write, so only Kustomer's is compared.
package online
