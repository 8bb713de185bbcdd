package results

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/batcher"
)

// changesOfOneRecord are the events of one record that changes three messages, which
// only a core makes.
func changesOfOneRecord(t *testing.T) (events []*batcher.Event) {
	t.Helper()
	core := batcher.New(batcher.Config{MaxItems: 3, MaxBytes: 1 << 20, MaxInFlight: 1, MaxOpenOperations: 1, RequestsPerMinute: 1000})
	a := core.Assigned(recordTime, batcher.Start{Topic: "message-changes", Offset: -1})
	core.Fetched(recordTime, a, []batcher.Change{{
		Offset: 7, MessageID: []byte("m1"), Patch: []byte(`{}`), Record: batcher.Record{Key: []byte("k"), Value: []byte("v")},
		More: []batcher.Update{{MessageID: []byte("m2"), Patch: []byte(`{}`)}, {MessageID: []byte("m3"), Patch: []byte(`{}`)}},
	}})
	for range 100 {
		if put, ok := core.Next(recordTime.Add(time.Minute)).(batcher.Put); ok {
			for _, it := range put.Batch.Items {
				events = append(events, it.Events...)
			}
			return events
		}
	}
	t.Fatal("the core sends nothing")
	return nil
}

// Each dead letter of a record is the whole record, and says which change it is for.
func TestDeadLettersOfOneRecord(t *testing.T) {
	type letter struct{ Key, Value, Offset, Message, Change string }
	var got []letter
	w := &Writer{}
	for i, ev := range changesOfOneRecord(t) {
		if i == 1 {
			continue // this one was not given up
		}
		r := w.deadLetter(&batcher.Bury{Event: ev, MessageID: "of change " + strconv.Itoa(i+1)}, whole)
		got = append(got, letter{
			string(r.Key), string(r.Value), header(r, "__connect.errors.offset"),
			header(r, "kafka-kustomer.message.id"), header(r, "kafka-kustomer.change"),
		})
	}
	want := []letter{{"k", "v", "7", "of change 1", "1/3"}, {"k", "v", "7", "of change 3", "3/3"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
