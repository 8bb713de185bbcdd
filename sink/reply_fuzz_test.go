package sink

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
)

// FuzzReplies: whatever a server sends, reading it must end, and no item may be
// counted updated without the word or an id of it in the reply.
func FuzzReplies(f *testing.F) {
	for _, seed := range []string{
		complete, running, opReply, page(bulkBatch("b1", allThree)), `[{` + allThree + `}]`, replies["region"], replies["flat"], `"x"`, `{"errors":{}}`,
		`{"data":[null,1,{"attributes":{"objectIds":["64a1f0c2b7d9e30012ab1001"],"status":"complete"}}],"meta":{"pages":"x"}}`,
	} {
		f.Add([]byte(seed))
	}
	s, err := New(Config{BaseURL: "http://x", APIKey: testKey, Timeout: 1, MaxInFlight: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if op, ok := parseOperation(body); ok && !validID(op.id) {
			t.Errorf("operation id %q", op.id)
		}
		if words := s.clean(parseErrors(body).words(), body); len(words) > maxWords {
			t.Errorf("%d bytes of words", len(words))
		}
		parseErrors(body).wrongRegion(body)
		tally := newTally(s, three())
		parsePage(body, tally)
		said := textsOf(body)
		for i, r := range tally.results {
			id, reference := tally.batch.Items[i].MessageID, tally.batch.ID+"."+itoa(i)
			if r.Status != batcher.NoResult && !said[id] && !said[reference] {
				t.Errorf("item %d has a result by %q", i, body)
			}
			if (r.Status == batcher.Failed) != (r.Reason.Code == CodeItemFailed) {
				t.Errorf("item %d: %+v", i, r)
			}
		}
	})
}

// textsOf returns all strings of a reply, read by other means than it was.
func textsOf(body []byte) map[string]bool {
	set := make(map[string]bool)
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return set
		}
		set[token.String()] = true
	}
}
