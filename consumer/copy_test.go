package consumer

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

func TestCopyRecordIsACopy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 20))
		r := &kgo.Record{
			Key: field.Draw(t, "key"), Value: field.Draw(t, "value"),
			Offset: rapid.Int64().Draw(t, "offset"), LeaderEpoch: rapid.Int32().Draw(t, "epoch"), Timestamp: time.UnixMilli(7),
		}
		want := batcher.Change{Offset: r.Offset, LeaderEpoch: r.LeaderEpoch}
		want.Record = batcher.Record{Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value), Timestamp: r.Timestamp}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			v := field.Draw(t, "header")
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: "h", Value: v})
			want.Record.Headers = append(want.Record.Headers, batcher.Header{Key: "h", Value: bytes.Clone(v)})
		}
		got := batcher.Change{Verdict: batcher.Reject, Patch: []byte("of the last poll")}
		copyRecord(&got, r)
		scribble(r.Key, r.Value)
		for _, h := range r.Headers {
			scribble(h.Value)
		}
		_ = append(got.Record.Key, "over"...) // must not run into the next field
		_ = append(got.Record.Value, "over"...)
		if diff := cmp.Diff(want, got); diff != "" { // nil and empty differ
			t.Fatalf("copy (-want +got):\n%s", diff)
		}
	})
}

func scribble(bs ...[]byte) {
	for _, b := range bs {
		for i := range b {
			b[i] ^= 0xff
		}
	}
}

func BenchmarkCollect(b *testing.B) {
	const n = 1000
	fetches := kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "in", Partitions: []kgo.FetchPartition{{}}}}}}
	p := &fetches[0].Topics[0].Partitions[0]
	for i := range n {
		p.Records = append(p.Records, &kgo.Record{
			Topic: "in", Offset: int64(i), Key: []byte("5f0000000000000000000000"), Value: bytes.Repeat([]byte("v"), 200),
		})
	}
	c := &Consumer{
		cfg: Config{MaxEventBytes: 1 << 20}, dec: none{}, log: canary.Logger(b), problems: newProblems(canary.Logger(b)),
		tenures: map[Partition]*tenure{{"in", 0}: {handle: &batcher.Assignment{Topic: "in"}, next: -1}},
	}
	b.ReportAllocs()
	for b.Loop() {
		c.tenures[Partition{"in", 0}].next = -1
		if err := c.collect(fetches, 1<<20); err != nil {
			b.Fatal(err)
		}
		c.release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
}
