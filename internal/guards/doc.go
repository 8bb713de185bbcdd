// Command guards takes the guards of the code away, one at a time, and names the
// test that goes red for each. A guard is a line that keeps a promise: a check, a
// wait, a condition. One whose removal no test notices is either not needed or
// not proved.
//
//	go run ./internal/guards              all of them, a quarter of an hour; also "make guards"
//	go run ./internal/guards -only brake  those whose name contains "brake"
//	go run ./internal/guards -list        their names and places
//
// Nothing is written to the source: the compiler is given an overlay of the
// changed file. It ends with 1 when a guard has no test, when its text is not
// found exactly once, or when the code does not compile without it.
//
// The lists are in list_*.go, a file for each package; main.go runs them. A unit
// test checks with every run that each text is still found exactly once, so that
// the lists keep up with the code.
package main
