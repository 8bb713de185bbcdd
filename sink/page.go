package sink

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/internal/jsonscan"
)

// entry is one batch of an operation in any of its shapes: the members may stand in
// attributes, or in the entry itself, or results beside attributes.
type entry struct{ attributes, own entryMembers }

// entryMembers are parts of the reply: texts as they are meant, arrays as they are
// written, empty where none stands.
type entryMembers struct {
	status, completed, createdAt, completedAt, successCount []byte
	objectIDs, results, errors                              []byte
}

// readEntry reads what should be a batch; its zero for what is no object.
func readEntry(s *jsonscan.Scanner) (e entry) {
	if !s.AtObject() {
		s.Value()
		return e
	}
	for s.Enter(); s.Next(); {
		if string(s.Name) != "attributes" {
			e.own.take(s)
			continue
		}
		if !s.AtObject() {
			s.Value()
			continue
		}
		for s.Enter(); s.Next(); {
			e.attributes.take(s)
		}
	}
	return e
}

// take takes the member that the scanner is in front of.
func (m *entryMembers) take(s *jsonscan.Scanner) {
	name, value := string(s.Name), s.Bytes()
	switch name {
	case "status":
		m.status = textOf(value)
	case "completed":
		m.completed = textOf(value)
	case "createdAt":
		m.createdAt = textOf(value)
	case "completedAt":
		m.completedAt = textOf(value)
	case "successCount":
		m.successCount = textOf(value)
	case "objectIds":
		m.objectIDs = arrayOf(value)
	case "results":
		m.results = arrayOf(value)
	case "errors":
		m.errors = arrayOf(value)
	}
}

// textOf is a string, number or boolean as text, and nothing for anything else, as
// [text] is.
func textOf(value []byte) []byte {
	switch value[0] {
	case '{', '[', 'n':
		return nil
	}
	return unquote(value)
}

func arrayOf(value []byte) []byte {
	if value[0] != '[' {
		return nil
	}
	return value
}

// each calls f in front of each element of an array, which f has to pass, and
// returns their number. No array has none.
func each(array []byte, f func(*jsonscan.Scanner)) (n int) {
	if len(array) == 0 {
		return 0
	}
	s := jsonscan.Scan(array)
	return elements(&s, f)
}

func elements(s *jsonscan.Scanner, f func(*jsonscan.Scanner)) (n int) {
	for ; s.Element(); n++ {
		f(s)
	}
	return n
}

// item is the result of one item.
type item struct {
	ref, objectID, status []byte
	said                  []byte // its error, as written
}

func readItem(s *jsonscan.Scanner) (i item) {
	if !s.AtObject() {
		s.Value()
		return i
	}
	for s.Enter(); s.Next(); {
		name, value := string(s.Name), s.Bytes()
		switch name {
		case "_clientRef":
			i.ref = textOf(value)
		case "objectId":
			i.objectID = textOf(value)
		case "status":
			i.status = textOf(value)
		case "error":
			i.said = value
		}
	}
	return i
}

// words is its error in one line.
func (i item) words() string { return wordsOf(i.said) }

// wordsOf puts an error in any form into one line.
func wordsOf(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	return parseErrors(value).words()
}

// parsePage reads one page of an operation's batches: {"data": [...], "meta"},
// or a flat array, and adds what it finds to the tally. It returns how many batches
// it lists, and how many pages there are, 0 when it does not say. It reports false
// for anything else.
//
// A page has up to a hundred results, and each item of each operation is read once
// at least. So the reply is checked once, then walked.
func parsePage(body []byte, t *tally) (entries, pages int, ok bool) {
	if !jsonscan.Plain(body) && !jsontext.Value(body).IsValid(jsontext.AllowInvalidUTF8(true)) {
		return 0, 0, false
	}
	body = bytes.TrimLeft(body, " \r\n\t")
	add := func(s *jsonscan.Scanner) { t.add(readEntry(s)) }
	switch body[0] {
	case '[':
		return each(body, add), 1, true
	case '{':
	default:
		return 0, 0, false
	}
	for s := jsonscan.Scan(body); s.Next(); {
		switch name := string(s.Name); {
		case name == "data" && s.AtArray():
			s.Enter()
			entries, ok = elements(&s, add), true
		case name == "data":
			ok = s.Bytes()[0] != 'n'
		case name == "meta" && s.AtObject():
			pages = pagesOf(&s)
		default:
			s.Value()
		}
	}
	return entries, pages, ok
}

func pagesOf(meta *jsonscan.Scanner) (pages int) {
	for meta.Enter(); meta.Next(); {
		if name, value := string(meta.Name), meta.Bytes(); name == "pages" {
			pages, _ = strconv.Atoi(string(textOf(value)))
		}
	}
	return pages
}
