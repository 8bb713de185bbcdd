package sink

import (
	"strconv"
	"time"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/jsonscan"
)

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
	a, o := &e.attributes, &e.own
	status, completed := first(a.status, o.status), first(a.completed, o.completed)
	over := string(status) == "complete" || string(completed) == "true"
	t.entries++
	t.more = t.more || len(status) > 0 && !over
	t.times(string(first(a.createdAt, o.createdAt)), string(first(a.completedAt, o.completedAt)))
	if each(a.results, t.result)+each(o.results, t.result) > 0 {
		return
	}
	each(a.errors, t.failure)
	each(o.errors, t.failure)
	if success := first(a.successCount, o.successCount); over || len(status) == 0 && len(success) > 0 {
		t.updated(success, a.objectIDs, o.objectIDs)
	}
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
func (t *tally) result(s *jsonscan.Scanner) {
	r := readItem(s)
	i := t.byReference(r.ref)
	if len(r.ref) == 0 {
		i = t.byMessage(r.objectID)
	}
	if i < 0 {
		return
	}
	switch status := string(r.status); {
	case status == "updated" || status == "created":
		t.set(i, batcher.Updated, "")
	case status == "error":
		t.set(i, batcher.Failed, r.words())
	case status == "":
		if said := r.words(); said != "" {
			t.set(i, batcher.Failed, said)
		}
	}
}

// failure takes an error that names its message, of an org whose API knows no
// references yet.
func (t *tally) failure(s *jsonscan.Scanner) {
	if !s.AtObject() {
		s.Value()
		return
	}
	var id, data []byte
	for s.Enter(); s.Next(); {
		name, value := string(s.Name), s.Bytes()
		switch name {
		case "id":
			id = textOf(value)
		case "data":
			data = value
		}
	}
	if i := t.byMessage(id); i >= 0 {
		t.set(i, batcher.Failed, wordsOf(data))
	}
}

// updated takes the ids of what was updated, of an org whose API knows no
// references yet. They count only when they can be no list of what is yet to be
// done.
func (t *tally) updated(success []byte, lists ...[]byte) {
	n := 0
	for _, list := range lists {
		n += each(list, func(s *jsonscan.Scanner) { s.Value() })
	}
	if len(success) > 0 && string(success) != itoa(n) {
		return
	}
	for _, list := range lists {
		each(list, func(s *jsonscan.Scanner) {
			if i := t.byMessage(textOf(s.Bytes())); i >= 0 {
				t.set(i, batcher.Updated, "")
			}
		})
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
func (t *tally) byReference(ref []byte) int {
	n := len(t.batch.ID)
	if len(ref) <= n+1 || string(ref[:n]) != t.batch.ID || ref[n] != '.' {
		return -1
	}
	i, err := strconv.Atoi(string(ref[n+1:]))
	if err != nil || i < 0 || i >= len(t.results) || itoa(i) != string(ref[n+1:]) {
		return -1
	}
	return i
}

func (t *tally) byMessage(id []byte) int {
	if t.byID == nil {
		t.byID = make(map[string]int, len(t.batch.Items))
		for i, it := range t.batch.Items {
			t.byID[it.MessageID] = i
		}
	}
	if i, ok := t.byID[string(id)]; ok {
		return i
	}
	return -1
}
