package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// stem is what all texts begin with, and what is searched. It is long enough not
// to come about by chance, in base64 neither, and has no character that JSON, YAML
// or a URL would escape.
const stem = "qzk7canary"

// The texts to plant.
const (
	Value  = stem + "Value"  // in changes
	Header = stem + "Header" // in headers of records
	Key    = stem + "Key"    // in keys of records that are no message's id
	Secret = stem + "Secret" // in API keys and passwords
)

// Number is a number to plant in changes. Larger ones are found up to
// Number+999999.
const Number = 735190246_000000

// form is one way in which a canary may show.
type form struct {
	name   string
	needle []byte
}

var forms = allForms()

func allForms() []form {
	list := []form{
		{"as it is", []byte(stem)},
		{"in capitals", []byte(strings.ToUpper(stem))},
		{"as a number", []byte("735190246")},
		{"as a floating-point number", []byte("7.35190246")},
		{"in hexadecimal", []byte(hex.EncodeToString([]byte(stem)))},
		{"in hexadecimal", []byte(strings.ToUpper(hex.EncodeToString([]byte(stem))))},
		{"as hexadecimal bytes", fmt.Appendf(nil, "% x", stem)},
		{"as Go syntax", bytes.TrimSuffix(bytes.TrimPrefix(fmt.Appendf(nil, "%#v", []byte(stem)), []byte("[]byte{")), []byte("}"))},
		{"as decimal bytes", bytes.Trim(fmt.Appendf(nil, "%v", []byte(stem)), "[]")},
		{"as JSON array of bytes", bytes.ReplaceAll(bytes.Trim(fmt.Appendf(nil, "%v", []byte(stem)), "[]"), []byte(" "), []byte(","))},
	}
	for before := range 3 { // bytes before it, which decide how the bits are cut
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + stem))
		first := (8*before + 5) / 6          // digits that hold something of what is before
		last := 8 * (before + len(stem)) / 6 // and of what comes after
		list = append(list, form{"in base64", []byte(text[first:last])})
	}
	return list
}

// Find returns where the first canary is in a text, and in which form. It returns
// -1 when there is none.
func Find(text []byte) (at int, as string) {
	at = -1
	for _, f := range forms {
		if i := bytes.Index(text, f.needle); i >= 0 && (at < 0 || i < at) {
			at, as = i, f.name
		}
	}
	return at, as
}

// around returns what is near a place in a text, on one line.
func around(text []byte, at int) string {
	const before, after = 240, 160
	part := text[max(0, at-before):min(len(text), at+after)]
	return strings.ReplaceAll(strings.ToValidUTF8(strings.TrimSpace(string(part)), "\uFFFD"), "\n", "\\n")
}
