// Package rules knows what the members of a bulk item may be: it judges a patch by
// what Kustomer's bulk API reference says of each member, its type, its length, its
// form, and whether the endpoint takes it at all.
//
//	table.go  the rules, one line a member, to be read beside the reference
//	rule.go   what a line says, and how it is put
//	value.go  forms of values: times, ids, URIs, lengths
//	check.go  the walk over a patch
//
// [Check] lists what breaks a rule, by member, kind and rule; [Breaks] only says
// whether something does. Neither puts a value into what it says.
//
// # What it is for
//
// The API refuses a whole request for one bad item, without saying which. A rule
// that an item breaks makes it the first to be suspected then, and saves the search:
// that cannot do harm, as Kustomer still has the word. Rejecting a change by the
// rules, before it is sent, is a choice of the user, for the reference may be older
// than the API. So what it leaves open is read in the change's favour: what passes
// here is still judged by Kustomer, what is rejected here is not.
//
//   - A member of the item that the reference does not know passes; the API may have
//     grown. Inside of closed objects, which it calls so, an unknown one does not.
//   - A string's length is its number of Unicode characters, as in JSON Schema. An
//     API that counts UTF-16 units, or bytes, would allow less.
//   - For custom members that end in Txt, one page has a limit and another has none:
//     there is none here.
//   - Whether an id or a custom attribute exists, and whether the key has the role
//     that audit members need, only Kustomer can tell.
//
// # How it works
//
// Patches are walked as bytes with package jsonscan, so they must be valid JSON
// objects without duplicate names, which decoding has seen to. Nothing is decoded,
// and a patch that breaks no rule costs no allocation, unless a string that is looked
// into has an escape, a URI is an unusual one, a time's zone is no whole hour or
// its letters are small, or there are more than 16 attachments.
package rules
