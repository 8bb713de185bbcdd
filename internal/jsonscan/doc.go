// Package jsonscan walks JSON objects that are known to be valid, without copying.
//
// It is not a decoder. What comes from outside is read once by jsontext, which
// checks syntax, UTF-8 and duplicate names; from then on the same bytes are looked
// into several times, for a change's members, to fold two patches, for the result
// of each item. Doing that with a tokenizer would check everything anew each time,
// at several times the cost of the walk.
//
// On invalid JSON its results mean nothing, and it may panic.
//
//	for s := jsonscan.Scan(object); s.Next(); {
//		value := s.Bytes() // of the member s.Name; or s.Enter() to go inside
//	}
package jsonscan
