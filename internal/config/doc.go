// Package config reads the program's one YAML file into a [Config] and refuses
// it, with every fault at once, when anything in it is wrong.
//
// # Use
//
//	cfg, err := config.Load("/etc/kafka-kustomer.yaml")
//	var faults config.Errors
//	if errors.As(err, &faults) { … } // one [Error] per fault, in file order
//
// [Load] reads a file; [Parse] does the same to bytes, with the environment
// passed in. [Default] is the configuration of an empty file, [Redacted] the
// effective one as YAML for people to read, and [Config.Warnings] says what is
// legal but hardly meant. [Schema] describes the file to editors.
//
// # How its parts fit
//
//	bytes ── document.go ──> yaml nodes ── decode*.go ─> Config ── check*.go ──> Config
//	                                          │ interpolate.go (references)
//	                                          │ values.go      (durations, sizes, secrets)
//	                                          │ suggest.go     (did you mean)
//	                                          └ errors.go      (file:line:column)
//
// config*.go is the tree of structs. A field's yaml tag is its key, its type
// decides how a scalar is read, `oneof` lists the words it may be and `range`
// its bounds, written as in the file. Rules that need more than one key, or more
// than a bound, are Go code in check*.go. To add a key: add the field with its
// comment, its default in [Default], its line in deploy/config.example.yaml;
// tests fail until all three are there.
//
// An element of source.topics is a name or a section. What an entry does not say is
// filled in from the source before the checks, so that a [Topic] is complete and
// nobody else has to know of the rule. Mappings, schemas and addresses of a registry
// are judged by the packages that will use them, so that what passes here starts.
//
// # Why this way
//
// The YAML library can decode into structs strictly, but its messages quote the
// values they complain about, and one of those may be a password; it knows
// nothing of where a value came from once decoded, which rules between keys
// need; and it offers no near miss for an unknown key. So the library parses,
// and a small walk over its nodes, driven by the struct tree, does the rest.
//
// References such as ${env:NAME} are replaced in scalars after parsing, never in
// the text before it: a password with a quote or a colon in it can neither break
// the file nor add keys to it, and line numbers stay those of the file.
//
// Aliases, merge keys, tags and second documents are refused. A file of this size
// needs none of them, and what one cannot write one cannot get wrong.
//
// # Secrets
//
// A key is secret when its field is a [Secret]. No error of this package holds a
// secret's value, nor any value that a reference was replaced by: errors show the
// reference as it stands in the file. Where another package's error may quote a
// value that a reference brought in, that error is not shown.
package config
