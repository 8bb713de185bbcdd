// Package readme holds README.md to what it speaks of: links, anchors, keys of the
// configuration, metrics and targets of make. It is tests only; commands and their
// flags are compared in cmd/kafka-kustomer, where they are.
//
// A README is believed. A key in it that no longer exists costs its reader an
// hour, and nobody notices when a rename makes it wrong.
package readme
