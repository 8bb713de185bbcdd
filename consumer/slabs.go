package consumer

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The bounds of what is kept between fetches. What is larger, or comes when
// enough is kept, goes to the garbage collector.
const (
	keptSlabs      = 8
	maxSlabBytes   = 1 << 20
	maxSlabRecords = 8192
)

// slabs keeps the memory that kgo decodes fetched batches into, for the next
// ones: the bytes and the records are garbage as soon as a poll has copied them,
// and they are a fifth of all that a backlog would allocate. It is kgo's pool of
// both. A sync.Pool would take an allocation for each slice it keeps.
type slabs struct {
	mu      sync.Mutex
	bytes   [][]byte
	records [][]kgo.Record
}

// GetDecompressBytes implements [kgo.PoolDecompressBytes]. The decompressors take
// another slice where this one is too small, and that is then kept.
func (s *slabs) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return pop(&s.bytes, 0)
}

// PutDecompressBytes implements [kgo.PoolDecompressBytes].
func (s *slabs) PutDecompressBytes(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cap(b) <= maxSlabBytes {
		push(&s.bytes, b)
	}
}

// GetRecords implements [kgo.PoolRecords].
func (s *slabs) GetRecords(n int) []kgo.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := pop(&s.records, n); r != nil {
		return r
	}
	return make([]kgo.Record, 0, n)
}

// PutRecords implements [kgo.PoolRecords].
func (s *slabs) PutRecords(r []kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cap(r) <= maxSlabRecords {
		push(&s.records, r)
	}
}

// pop takes the slice that was put last, if it has room for n; nil otherwise.
func pop[T any](kept *[][]T, n int) []T {
	last := len(*kept) - 1
	if last < 0 || cap((*kept)[last]) < n {
		return nil
	}
	slab := (*kept)[last]
	(*kept)[last] = nil
	*kept = (*kept)[:last]
	return slab[:0]
}

// push keeps a slice. Where enough is kept, it takes the place of the smallest, if
// that is smaller.
func push[T any](kept *[][]T, slab []T) {
	if len(*kept) < keptSlabs {
		*kept = append(*kept, slab)
		return
	}
	least := 0
	for i := range *kept {
		if cap((*kept)[i]) < cap((*kept)[least]) {
			least = i
		}
	}
	if cap((*kept)[least]) < cap(slab) {
		(*kept)[least] = slab
	}
}
