package batcher

import (
	"container/heap"
	"time"
)

// itemList is a first-in first-out list threaded through the items themselves:
// an item leaves from the middle in constant time when its partition is
// revoked, and no move allocates.
type itemList struct {
	first, last *Item
	n           int
	bytes       int // sum of the items' sizes
}

func (l *itemList) push(it *Item) {
	if it.list != nil {
		panic("batcher: item in two lists")
	}
	it.list, it.prev, it.next = l, l.last, nil
	if l.last == nil {
		l.first = it
	} else {
		l.last.next = it
	}
	l.last = it
	l.n++
	l.bytes += it.bytes
}

func (l *itemList) remove(it *Item) {
	if it.prev == nil {
		l.first = it.next
	} else {
		it.prev.next = it.next
	}
	if it.next == nil {
		l.last = it.prev
	} else {
		it.next.prev = it.prev
	}
	it.list, it.prev, it.next = nil, nil, nil
	l.n--
	l.bytes -= it.bytes
}

// alarm wakes a chain or a partition at a time. An alarm that comes to nothing
// is harmless, so none is ever cancelled: whoever wakes looks again.
type alarm struct {
	at         time.Time
	chain      *chain
	assignment *Assignment
}

type alarms []alarm

func (h alarms) Len() int           { return len(h) }
func (h alarms) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h alarms) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *alarms) Push(x any)        { *h = append(*h, x.(alarm)) }
func (h *alarms) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = alarm{}
	*h = old[:len(old)-1]
	return a
}

// looks orders the operations by when they are to be looked at next.
type looks []*Operation

func (h looks) Len() int           { return len(h) }
func (h looks) Less(i, j int) bool { return h[i].nextLook.Before(h[j].nextLook) }
func (h looks) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

func (h *looks) Push(x any) {
	op := x.(*Operation)
	op.heapIndex = len(*h)
	*h = append(*h, op)
}

func (h *looks) Pop() any {
	old := *h
	op := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	op.heapIndex = -1
	return op
}

func (h *looks) schedule(op *Operation, at time.Time) {
	op.nextLook = at
	if op.heapIndex < 0 {
		heap.Push(h, op)
		return
	}
	heap.Fix(h, op.heapIndex)
}

func (h *looks) cancel(op *Operation) {
	if op.heapIndex >= 0 {
		heap.Remove(h, op.heapIndex)
	}
}
