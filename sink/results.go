package sink

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
)

// entry is one batch of an operation in any of its shapes: the members may stand
// in attributes, or in the entry itself, or results beside attributes.
type entry struct {
	Attributes object[entryMembers] `json:"attributes"`
	entryMembers
}

type entryMembers struct {
	Status       text       `json:"status"`
	Completed    text       `json:"completed"`
	CreatedAt    text       `json:"createdAt"`
	CompletedAt  text       `json:"completedAt"`
	SuccessCount text       `json:"successCount"`
	ObjectIDs    list[text] `json:"objectIds"`
	Results      list[item] `json:"results"`
	Errors       list[object[struct {
		ID   text  `json:"id"`
		Data words `json:"data"`
	}]] `json:"errors"`
}

// item is the result of one item; its zero where no object stands.
type item struct {
	Ref      text  // _clientRef
	ObjectID text  // objectId
	Status   text  // status
	Error    words // error
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. It is written out because a
// page has a hundred items: reading them by reflection takes a third longer.
func (i *item) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		switch string(unquote(name)) {
		case "_clientRef":
			err = i.Ref.UnmarshalJSONFrom(dec)
		case "objectId":
			err = i.ObjectID.UnmarshalJSONFrom(dec)
		case "status":
			err = i.Status.UnmarshalJSONFrom(dec)
		case "error":
			err = i.Error.UnmarshalJSONFrom(dec)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// words is an error in any form, put into one line.
type words string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (w *words) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err == nil {
		*w = words(parseErrors(v).words())
	}
	return err
}

// parsePage reads one page of an operation's batches: {"data": [...], "meta"},
// or a flat array. It reports false for anything else.
func parsePage(body []byte) (entries []object[entry], pages int, ok bool) {
	if body = bytes.TrimLeft(body, " \r\n\t"); len(body) > 0 && body[0] == '[' {
		ok = lenient(body, &entries) == nil
		return entries, 1, ok
	}
	var doc struct {
		Data *list[object[entry]] `json:"data"`
		Meta object[struct {
			Pages text `json:"pages"`
		}] `json:"meta"`
	}
	if lenient(body, &doc) != nil || doc.Data == nil {
		return nil, 0, false
	}
	pages, _ = strconv.Atoi(string(doc.Meta.v.Pages))
	return *doc.Data, pages, true
}

// tally collects the results of a batch's items.
type tally struct {
	sink    *Sink
	batch   *batcher.Batch
	results []batcher.ItemResult
	byID    map[string]int // items by message id, made when needed
	entries int            // batches listed
	more    bool           // one of them says that it has not ended

	created, completed string // earliest and latest, for how long it took
}

func newTally(s *Sink, b *batcher.Batch) *tally {
	return &tally{sink: s, batch: b, results: make([]batcher.ItemResult, len(b.Items))}
}

// full reports whether every item has its own result.
func (t *tally) full() bool {
	for i := range t.results {
		if t.results[i].Status == batcher.NoResult {
			return false
		}
	}
	return true
}

func (t *tally) took() time.Duration { return elapsed(t.created, t.completed) }

func (t *tally) add(e entry) {
	m := e.Attributes.v
	m.Results = append(m.Results, e.Results...)
	m.ObjectIDs = append(m.ObjectIDs, e.ObjectIDs...)
	m.Errors = append(m.Errors, e.Errors...)
	m.Status, m.Completed = first(m.Status, e.Status), first(m.Completed, e.Completed)
	m.SuccessCount = first(m.SuccessCount, e.SuccessCount)
	t.entries++
	t.more = t.more || m.Status != "" && m.Status != "complete" && m.Completed != "true"
	t.times(string(first(m.CreatedAt, e.CreatedAt)), string(first(m.CompletedAt, e.CompletedAt)))
	if len(m.Results) > 0 {
		for _, r := range m.Results {
			t.result(r)
		}
		return
	}
	t.withoutResults(&m)
}

// times relies on one format: RFC 3339 in UTC sorts as text.
func (t *tally) times(created, completed string) {
	if t.created == "" || created != "" && created < t.created {
		t.created = created
	}
	t.completed = max(t.completed, completed)
}

// result takes the result of one item, found by our reference. One without a
// reference counts for the message it names.
func (t *tally) result(r item) {
	i := t.byReference(string(r.Ref))
	if r.Ref == "" {
		i = t.byMessage(string(r.ObjectID))
	}
	switch {
	case i < 0:
	case r.Status == "error", r.Status == "" && r.Error != "":
		t.set(i, batcher.Failed, string(r.Error))
	case r.Status == "updated" || r.Status == "created":
		t.set(i, batcher.Updated, "")
	}
}

// withoutResults is for an org whose API knows no references yet: ids of what
// was updated, and errors with ids. The ids count only when they can be no list
// of what is yet to be done.
func (t *tally) withoutResults(m *entryMembers) {
	for _, e := range m.Errors {
		if i := t.byMessage(string(e.v.ID)); i >= 0 {
			t.set(i, batcher.Failed, string(e.v.Data))
		}
	}
	over := m.Status == "complete" || m.Completed == "true"
	if !over && (m.Status != "" || m.SuccessCount == "") {
		return
	}
	if m.SuccessCount != "" && string(m.SuccessCount) != itoa(len(m.ObjectIDs)) {
		return
	}
	for _, id := range m.ObjectIDs {
		if i := t.byMessage(string(id)); i >= 0 {
			t.set(i, batcher.Updated, "")
		}
	}
}

// set notes a result. Said again it changes nothing, since pages may shift while
// they are read. Said otherwise, the item has failed: what contradicts itself is
// no success.
func (t *tally) set(i int, status batcher.ResultStatus, said string) {
	have := &t.results[i]
	switch {
	case have.Status == status:
		return
	case have.Status != batcher.NoResult:
		status = batcher.Failed
		said += " (the operation also says that the item was updated)"
	}
	have.Status = status
	if status == batcher.Failed {
		have.Reason = t.sink.itemReason(t.batch.Items[i], said)
	}
}

func (s *Sink) itemReason(it *batcher.Item, said string) batcher.Reason {
	said = s.clean(said, it.Patch)
	if said == "" {
		said = "Kustomer says that the item failed, but not why; look the message up in Kustomer"
	}
	return batcher.Reason{Code: CodeItemFailed, Text: said}
}

// byReference finds the item of one of this batch's references, -1 for any
// other text.
func (t *tally) byReference(ref string) int {
	number, ours := strings.CutPrefix(ref, t.batch.ID+".")
	i, err := strconv.Atoi(number)
	if !ours || err != nil || i < 0 || i >= len(t.results) || itoa(i) != number {
		return -1
	}
	return i
}

func (t *tally) byMessage(id string) int {
	if t.byID == nil {
		t.byID = make(map[string]int, len(t.batch.Items))
		for i, it := range t.batch.Items {
			t.byID[it.MessageID] = i
		}
	}
	if i, ok := t.byID[id]; ok {
		return i
	}
	return -1
}
