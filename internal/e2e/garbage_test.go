//go:build kafka && linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/workload"
)

// original is what a dead letter must repeat byte for byte.
type original struct {
	Key, Value []byte
	Headers    []kgo.RecordHeader
	Timestamp  time.Time
}

// Records that can't be delivered, among those that can.
func TestGarbage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 500, HotShare: 0.2}, calm())
	// Dead letters keep the time of their record, so one that is older than what Kafka
	// retains could be gone before it is read.
	at := time.UnixMilli(time.Now().Add(-time.Hour).UnixMilli())
	want := map[string]original{}
	tombstones := map[string]bool{}
	for i := range 300 {
		w.produce(5)
		r := garbage(i)
		r.Topic, r.Timestamp = w.topic, at.Add(time.Duration(i)*time.Millisecond)
		if err := w.client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if r.Value == nil {
			tombstones[position(r)] = true
			continue
		}
		want[position(r)] = original{r.Key, r.Value, r.Headers, r.Timestamp}
		w.buried[position(r)] = true
	}
	c := w.connector("sorter", "", "limits: {max_event_bytes: 4KiB}", w.deadLetter("off"))
	w.awaitNoLag(time.Minute)
	c.term()
	_, got := w.check()

	letters := w.readDeadLetters(len(want))
	if diff := cmp.Diff(want, letters); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff[:min(len(diff), 4000)])
	}
	for p, n := range got.DeadLetters {
		if n != 1 {
			t.Errorf("record %s has %d dead letters", p, n)
		}
		if tombstones[p] {
			t.Errorf("tombstone %s is in the dead-letter topic, and on_tombstone is skip", p)
		}
	}
	for _, reason := range []string{"malformed", "oversize"} {
		if got.Reasons[reason] == 0 {
			t.Errorf("no dead letter for the reason %q: %v", reason, got.Reasons)
		}
	}
	t.Logf("reasons %v, %d tombstones skipped", got.Reasons, len(tombstones))
}

func garbage(i int) *kgo.Record {
	r := &kgo.Record{
		Key: fmt.Appendf(nil, "%s-%d", canary.Key, i),
		Headers: []kgo.RecordHeader{
			{Key: "trace", Value: []byte{0xff, 0x00, byte(i)}},
			{Key: "trace", Value: []byte(canary.Header)},
			{Key: "empty", Value: []byte{}},
		},
	}
	switch i % 6 {
	case 0:
		r.Value = nil
	case 1:
		r.Value = []byte(`{"messageId":"5f0000000000000000000000","changes":{"subject":"`)
	case 2:
		r.Value = bytes.Repeat([]byte("x"), 5000)
	case 3:
		r.Value = []byte{}
	case 4:
		r.Value, r.Key = []byte{0xc3, 0x28, 0x00}, nil
	case 5:
		r.Value, r.Headers = []byte(`{"messageId":"5f0000000000000000000000","changes":{"subject":"a","subject":"b"}}`), nil
	}
	return r
}

// readDeadLetters reads the whole topic, each letter under the position of its
// source, without the headers that tell of the failure.
func (w *world) readDeadLetters(n int) map[string]original {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.ConsumeTopics(w.deadLetters))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	letters := map[string]original{}
	for read := 0; read < n; {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			w.t.Fatalf("%d dead letters read of %d: %v", read, n, err)
		}
		for r := range fetches.RecordsAll() {
			read++
			from, own := splitHeaders(r)
			letters[from] = original{r.Key, r.Value, own, r.Timestamp}
		}
	}
	return letters
}

// splitHeaders returns the position that a dead letter names, and the headers
// that its record had.
func splitHeaders(r *kgo.Record) (from string, own []kgo.RecordHeader) {
	told := map[string]string{}
	for _, h := range r.Headers {
		name, added := strings.CutPrefix(h.Key, "__connect.errors.")
		switch {
		case added:
			told[name] = string(h.Value)
		case !strings.HasPrefix(h.Key, "kafka-kustomer."):
			own = append(own, h)
		}
	}
	return told["topic"] + "/" + told["partition"] + "/" + told["offset"], own
}
