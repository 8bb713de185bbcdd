package sink

import (
	"testing"

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
		entries, _, ok := parsePage(body)
		if !ok && len(entries) > 0 {
			entries = nil
		}
		named := false
		for _, e := range entries {
			tally.add(e.v)
			for _, m := range []entryMembers{e.v.Attributes.v, e.v.entryMembers} {
				named = named || len(m.Results) > 0 || len(m.ObjectIDs) > 0
			}
		}
		for i, r := range tally.results {
			if r.Status == batcher.Updated && !named {
				t.Errorf("item %d is updated by %q", i, body)
			}
			if (r.Status == batcher.Failed) != (r.Reason.Code == CodeItemFailed) {
				t.Errorf("item %d: %+v", i, r)
			}
		}
	})
}
