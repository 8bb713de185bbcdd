package results

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A report is written when all of its parts are: one that failed counts, whatever
// came before and after it, and done is called after the last.
func TestAReportIsWrittenAsAWhole(t *testing.T) {
	w := newWriter(t, newCluster(t))
	defer w.trouble.close()
	errPart := errors.New("one part failed")
	for _, tt := range []struct {
		name  string
		parts []error
		want  error
	}{
		{"all written", []error{nil, nil, nil}, nil},
		{"the first failed", []error{errPart, nil, nil}, errPart},
		{"the last failed", []error{nil, nil, errPart}, errPart},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told []error
			finish := w.begin("results", len(tt.parts), func(err error) { told = append(told, err) })
			for i, part := range tt.parts {
				if len(told) > 0 {
					t.Fatalf("done was called after %d of %d parts", i, len(tt.parts))
				}
				finish(part)
			}
			if len(told) != 1 || told[0] != tt.want {
				t.Errorf("done was called with %v, want once with %v", told, tt.want)
			}
		})
	}
}

// The client keeps records in a pool, so a written one must point to nothing.
func TestAWrittenRecordKeepsNothing(t *testing.T) {
	w := newWriter(t, newCluster(t))
	var written *kgo.Record
	w.bury(func(_ context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
		written = r
		promise(r, nil)
	}, bury([]byte("value")), whole, func(error) {})
	if written.Key != nil || written.Value != nil || written.Headers != nil {
		t.Errorf("it keeps %+v", written)
	}
}

// The smaller version of a dead letter is produced by the client's own goroutine,
// which must not wait for room that only it can make.
func TestASmallerDeadLetterDoesNotWaitForRoom(t *testing.T) {
	c := newCluster(t)
	w := newWriter(t, c, kgo.MaxBufferedRecords(1))
	if _, err := w.admin.CreateTopic(t.Context(), 1, 1, map[string]*string{}, "dead"); err != nil {
		t.Fatal(err)
	}
	err := await(t, func(done func(error)) { w.Bury(bury([]byte(strings.Repeat("v", 2_000_000))), done) })
	if err != nil && !errors.Is(err, kgo.ErrMaxBuffered) { // the pipeline tries again
		t.Error(err)
	}
}

// A result event may be as long as Sizes.event says: with its key and what is
// around it, it still fits into a batch.
func TestAnEventOfFullSizeFits(t *testing.T) {
	c := newCluster(t)
	sizes := &Sizes{}
	client := newClient(t, c, sizes.Opt())
	w := New(client, Config{ResultsTopic: "results", DeadLetterTopic: "dead", Sizes: sizes}, nil)
	for topic, most := range map[string]string{"small": "2000", "usual": "1048588"} {
		if _, err := w.admin.CreateTopic(t.Context(), 1, 1, map[string]*string{"max.message.bytes": &most}, topic); err != nil {
			t.Fatal(err)
		}
		n, ok := w.topicSetting(t.Context(), topic, "max.message.bytes")
		if !ok {
			t.Fatal("the size of the topic is not known")
		}
		sizes.set(topic, n)
		r := &kgo.Record{Topic: topic, Key: []byte("c1x-99999999"), Value: make([]byte, sizes.event(topic))}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Errorf("an event of %d bytes on %s: %v", len(r.Value), topic, err)
		}
	}
}

// A topic that is not there yet is waited for: another member may be creating it.
func TestATopicThatComesLater(t *testing.T) {
	c := newCluster(t)
	w := newWriter(t, c, kgo.MetadataMinAge(10*time.Millisecond))
	err := await(t, func(done func(error)) {
		w.Report(report(1), done)
		time.AfterFunc(500*time.Millisecond, func() {
			if _, err := w.admin.CreateTopic(context.Background(), 1, 1, nil, "results"); err != nil {
				t.Error(err)
			}
		})
	})
	if err != nil {
		t.Errorf("it was not written: %v", err)
	}
}
