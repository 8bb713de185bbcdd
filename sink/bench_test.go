package sink

import (
	"fmt"
	"testing"

	"kafka-kustomer/batcher"
)

func BenchmarkAppendBody100(b *testing.B) {
	batch := benchBatch()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = appendBody(dst[:0], batch, true)
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkPut100(b *testing.B) {
	srv := always(200, opReply)
	s := newSink(b, srv)
	batch := benchBatch()
	b.ReportAllocs()
	for b.Loop() {
		if out := s.Put(b.Context(), batch, nil); out.Kind != batcher.Accepted {
			b.Fatalf("%+v", out)
		}
	}
}

func benchBatch() *batcher.Batch {
	batch := &batcher.Batch{ID: "1kq9zr3-4f"}
	for i := range 100 {
		batch.Items = append(batch.Items, &batcher.Item{
			MessageID: fmt.Sprintf("64a1f0c2b7d9e30012ab%04d", i),
			Patch:     []byte(`{"subject":"Re: order 1041","status":"received","preview":"Thank you for your order, we will be with you shortly","custom":{"tierStr":"gold","noteTxt":null,"scoreNum":12.5}}`),
		})
	}
	return batch
}
