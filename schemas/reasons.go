package schemas

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
	"kafka-kustomer/schemas/rules"
)

// The codes of a [batcher.Reason] that decoding gives. The set is closed; they
// are metric labels and the code of a dead letter.
const (
	CodeTombstone   = "tombstone"           // null value: a Skip, or a Reject where configured
	CodeEmptyChange = "empty_change"        // "changes" is {}: a Skip
	CodeEmptyValue  = "empty_value"         // a value of zero bytes, which is no tombstone
	CodeOversize    = "oversize"            // larger than the configured bound
	CodeMalformed   = "malformed"           // not JSON, or not unambiguous JSON
	CodeMessageID   = "invalid_message_id"  // missing, empty, too long or no string
	CodeEventID     = "invalid_event_id"    // too long or no string
	CodeOccurredAt  = "invalid_occurred_at" // no RFC 3339 time
	CodeChanges     = "invalid_changes"     // missing, no object, or with a reserved member
	CodeInvalid     = "invalid"             // breaks a rule of Kustomer's reference, where that is looked at
)

// Rejects returns the codes with which a record is rejected.
func Rejects() []string {
	return []string{CodeTombstone, CodeEmptyValue, CodeOversize, CodeMalformed, CodeMessageID, CodeEventID, CodeOccurredAt, CodeChanges, CodeInvalid}
}

// fault is why an event is rejected: by the decoder's own error, or by a text
// of ours and where in the value it applies.
type fault struct {
	code string
	text string
	at   int64
	err  error // of jsontext
}

// reason words a fault. The error of jsontext is only classified: its text can
// quote the event.
func (f *fault) reason(value []byte) batcher.Reason {
	if f.code == CodeInvalid { // it is about members, by name, and not about one place
		return batcher.Reason{Code: f.code, Text: f.text}
	}
	if f.err == nil {
		return batcher.Reason{Code: f.code, Text: fmt.Sprintf("%s, at byte %d", f.text, f.at)}
	}
	text := "the value is not valid JSON"
	switch {
	case errors.Is(f.err, jsontext.ErrDuplicateName):
		text = "a member name appears twice in one object"
	case errors.Is(f.err, io.ErrUnexpectedEOF), errors.Is(f.err, io.EOF):
		text = "the value ends in the middle of its JSON"
	case !utf8.Valid(value):
		text = "the value is not valid UTF-8"
	}
	at := f.at
	if syn := (*jsontext.SyntacticError)(nil); errors.As(f.err, &syn) {
		at = syn.ByteOffset
	}
	return batcher.Reason{Code: CodeMalformed, Text: fmt.Sprintf("%s, at byte %d", text, at)}
}

// maxViolations is how many are named.
const maxViolations = 3

// invalid is the fault of a patch that breaks rules of the API's reference, nil when
// it breaks none.
func invalid(patch []byte) *fault {
	broken := rules.Check(patch, maxViolations+1)
	if broken == nil {
		return nil
	}
	text := `"changes" breaks what Kustomer's bulk API reference says: `
	for i, v := range broken[:min(len(broken), maxViolations)] {
		if i > 0 {
			text += "; "
		}
		text += v.String()
	}
	if len(broken) > maxViolations {
		text += "; and more"
	}
	return &fault{code: CodeInvalid, text: text}
}
