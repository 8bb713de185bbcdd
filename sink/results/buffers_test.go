package results

import "testing"

func TestBuffersAreUsedAgainWithinBounds(t *testing.T) {
	var b buffers
	first := append(b.get(10), "of the last event"...)
	if cap(first) < leastNewBuffer {
		t.Errorf("a new one has room for %d bytes", cap(first))
	}
	b.put(first)
	if got := b.get(cap(first) + 1); len(got) != 0 || cap(got) <= cap(first) {
		t.Errorf("length %d, room for %d, want an empty one that is large enough", len(got), cap(got))
	}
	if got := b.get(cap(first)); len(got) != 0 || &got[:1][0] != &first[0] {
		t.Error("the one that was put is not used again, or not empty")
	}
	if b.put(make([]byte, maxKeptBuffer+1)); len(b.kept) != 0 {
		t.Error("too large a buffer is kept")
	}
	for range 2 * keptBuffers {
		b.put(make([]byte, 1))
	}
	if len(b.kept) != keptBuffers {
		t.Errorf("%d are kept, want %d", len(b.kept), keptBuffers)
	}
}

// A result event that Kafka has acknowledged leaves its buffer to the next.
func TestReportGivesItsBufferBack(t *testing.T) {
	w := newWriter(t, newCluster(t))
	if err := w.Ensure(t.Context()); err == nil {
		t.Fatal("topics are there that nobody made")
	}
	w.cfg.CreateResults, w.cfg.CreateDeadLetters = true, true
	if err := w.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := await(t, func(done func(error)) { w.Report(report(1), done) }); err != nil {
		t.Fatal(err)
	}
	if n := len(w.buffers.kept); n != 1 {
		t.Errorf("%d buffers are kept, want the one of the event", n)
	}
}
