package results

import (
	"slices"
	"sync"
)

// The bounds of what is kept between events.
const (
	keptBuffers    = 64
	maxKeptBuffer  = 64 << 10
	leastNewBuffer = 4 << 10
)

// buffers keeps the memory of result events that Kafka has acknowledged, for the
// next ones. Those of full batches are some 20 KiB each, two for each batch.
type buffers struct {
	mu   sync.Mutex
	kept [][]byte
}

// get returns an empty buffer with room for n bytes.
func (b *buffers) get(n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.kept) - 1; i >= 0; i-- {
		if cap(b.kept[i]) >= n {
			buf := b.kept[i]
			b.kept = slices.Delete(b.kept, i, i+1)
			return buf[:0]
		}
	}
	return make([]byte, 0, max(n, leastNewBuffer))
}

// put takes a buffer back.
func (b *buffers) put(buf []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if cap(buf) <= maxKeptBuffer && len(b.kept) < keptBuffers {
		b.kept = append(b.kept, buf)
	}
}
