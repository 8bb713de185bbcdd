package batcher

import (
	"fmt"
	"strings"
	"testing"

	"kafka-kustomer/internal/canary"
)

// However what holds a payload is printed, the payload is not in it.
func TestPrintsNoPayload(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	patch := []byte(fmt.Sprintf(`{"subject":"%s","custom":{"phoneNum":%d}}`, canary.Value, canary.Number))
	record := Record{
		Key: []byte(canary.Key), Value: patch,
		Headers: []Header{{Key: canary.Header, Value: []byte(canary.Header)}},
	}
	c := Change{Offset: 7, MessageID: []byte("m7"), EventID: []byte(canary.Value), Patch: patch, Record: record}
	update := Update{MessageID: []byte("m8"), EventID: []byte(canary.Value), Patch: patch}
	d.fetch(a, c)
	d.fetch(a, Change{Offset: 8, MessageID: []byte("m7"), Patch: patch, Record: record}) // waits in the chain
	b := d.put()
	ev := b.Items[0].Events[0]
	d.answer(b, Accepted)
	op := &Operation{ID: "op", Batch: b}
	for _, value := range []any{
		record, &record, record.Headers, c, &c, update, &update,
		[]Update{update},
		[]Change{c},
		Fetched{Assignment: a, Changes: []Change{c}},
		&Fetched{Assignment: a, Changes: []Change{c}},
		ev, *ev, b.Items, b.Items[0], *b.Items[0], b, *b, op, *op,
		Put{b},
		Look{op},
		Report{Batch: b, Fates: []ItemFate{{Item: b.Items[0]}}, settles: []*Event{ev}},
		&Report{settles: []*Event{ev}},
		Bury{Event: ev, item: b.Items[0]},
		&Bury{Event: ev},
		Notice{Batch: b, Operation: op},
		a, *a, d.c,
		map[string]any{"of": b.Items[0]},
		struct{ E any }{ev},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d"} {
			if at, as := canary.Find([]byte(fmt.Sprintf(verb, value))); at >= 0 {
				t.Errorf("%s of %T prints the payload %s", verb, value, as)
			}
		}
	}
	if got := fmt.Sprint(b.Items, ev, c, record); !strings.Contains(got, "message m7") || !strings.Contains(got, "t/0@7") || !strings.Contains(got, "offset 7") {
		t.Errorf("what is printed is of no use: %s", got)
	}
	var nothing *Event
	if got := fmt.Sprint(nothing); got != "<nil>" {
		t.Errorf("a nil event prints %s", got)
	}
}
