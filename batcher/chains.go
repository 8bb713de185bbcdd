package batcher

import (
	"hash/maphash"
	"iter"
)

// chains are the messages with something open or a stray time, by id. It is a hash
// table threaded through the chains themselves. With a map, each message costs
// four accesses to memory that is nowhere near: to look it up, to enter it, to find
// it again and to delete it, each time with its id. That came to a tenth of what an
// event costs. Here the hash is computed once, and the buckets are small enough to
// stay close.
type chains struct {
	seed    maphash.Seed
	buckets []*chain // its length is a power of two
	n       int
}

func newChains() chains {
	return chains{seed: maphash.MakeSeed(), buckets: make([]*chain, 64)}
}

// of returns the chain of a message, a new one if it has none.
func (t *chains) of(messageID []byte) *chain {
	hash := maphash.Bytes(t.seed, messageID)
	for ch := t.buckets[t.bucket(hash)]; ch != nil; ch = ch.next {
		if ch.hash == hash && ch.id == string(messageID) {
			return ch
		}
	}
	ch := &chain{id: string(messageID), hash: hash, listed: true}
	ch.items = ch.room[:0]
	if t.n == len(t.buckets) {
		t.grow()
	}
	t.enter(ch)
	t.n++
	return ch
}

// remove takes a chain out, if it is still there.
func (t *chains) remove(ch *chain) {
	if !ch.listed {
		return
	}
	at := &t.buckets[t.bucket(ch.hash)]
	for *at != ch {
		at = &(*at).next
	}
	*at, ch.next, ch.listed = ch.next, nil, false
	t.n--
}

// all goes over the chains in no order. None may be added or removed meanwhile.
func (t *chains) all() iter.Seq[*chain] {
	return func(yield func(*chain) bool) {
		for _, first := range t.buckets {
			for ch := first; ch != nil; ch = ch.next {
				if !yield(ch) {
					return
				}
			}
		}
	}
}

func (t *chains) bucket(hash uint64) uint64 { return hash & uint64(len(t.buckets)-1) }

func (t *chains) enter(ch *chain) {
	at := t.bucket(ch.hash)
	ch.next, t.buckets[at] = t.buckets[at], ch
}

func (t *chains) grow() {
	old := t.buckets
	t.buckets = make([]*chain, 2*len(old))
	for _, ch := range old {
		for ch != nil {
			next := ch.next
			t.enter(ch)
			ch = next
		}
	}
}
