package kustomersim

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// plan is what was drawn for an operation at its acceptance. Everything is
// drawn then, in this order, so that a seed and a sequence of calls fix it.
type plan struct {
	first   float64
	never   bool
	vanish  bool
	missing int // number of the item without result; -1: none
	written bool
	run     time.Duration
}

func (s *Server) draw(items int) plan {
	sc, rnd := &s.script.Script, s.planRand
	p := plan{first: rnd.Float64(), missing: -1}
	p.never = rnd.Float64() < sc.NeverEnd
	p.vanish = rnd.Float64() < sc.Vanish.Share
	if rnd.Float64() < sc.MissingResults && items > 0 {
		p.missing, p.written = rnd.IntN(items), rnd.IntN(2) == 0
	}
	tail := min(rnd.ExpFloat64(), 10) * float64(sc.Run.Tail)
	p.run = time.Duration(sc.Run.Base) + time.Duration(tail)
	return p
}

// outcomes decides each item's fate and copies what replies will name.
func (s *Server) outcomes(q *request, p plan) []result {
	size := 0
	for i := range q.items {
		size += len(q.items[i].rawID) + len(q.items[i].rawRef)
	}
	names := make([]byte, 0, size)
	keep := func(b []byte) []byte {
		from := len(names)
		names = append(names, b...)
		return names[from:len(names):len(names)]
	}
	out := make([]result, len(q.items))
	for i := range q.items {
		it := &q.items[i]
		out[i] = result{id: keep(it.rawID), ref: keep(it.rawRef)}
		switch {
		case it.poisoned || s.fails(it.id) || s.opts.UnknownID == IDFail && !it.msg.known():
			out[i].outcome = notFound
		case s.script.ItemFailures > 0 && s.planRand.Float64() < s.script.ItemFailures:
			out[i].outcome = failed
		case i == p.missing && p.written:
			out[i].outcome = silent
		case i == p.missing:
			out[i].outcome = lost
		}
	}
	return out
}

func (s *Server) fails(id []byte) bool {
	if _, listed := s.script.failIDs[string(id)]; listed {
		return true
	}
	return s.opts.FailID != nil && s.opts.FailID(string(id))
}

// newID returns 24 hex digits, different for each seq.
func newID(rnd *rand.Rand, seq uint64) string {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:8], rnd.Uint64())
	binary.BigEndian.PutUint32(b[8:], uint32(seq))
	return hex.EncodeToString(b[:])
}
