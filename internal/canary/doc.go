// Package canary finds payloads and secrets where they must not be: in a log, an
// error, the output of a crash.
//
// A canary is a text that nothing but the tests' payloads and secrets holds, and
// that is known when it is seen again. The tests write [Value] into changes,
// [Key] and [Header] into the keys and headers of records, [Secret] into API keys
// and passwords, and [Number] where a payload has a number. Then whatever the
// program prints is searched, at all levels:
//
//   - [Logger] and [Watch] make the loggers of tests. They write everything, down
//     to debug, and the test fails at the line that holds a canary.
//   - The logs go to files too, in the folder that [FolderVariable] names, and so
//     does the output of programs that the tests start. The command
//     internal/canary/search runs "go test", searches all of that and the output
//     of the tests themselves, the passing ones included, which nobody would see.
//     make test and make test-kafka use it.
//
// Why not a list of what may be logged: it would hold for our own lines only.
// Errors of libraries, Kafka's and Kustomer's words, dumps and panics come along
// ways that no list knows.
//
// A message's id is no payload: it is in result events and may be in a log.
package canary
