package kustomersim

import "time"

// stage is how far an operation is.
type stage uint8

const (
	queued stage = iota
	running
	complete
)

// outcome is what becomes of an item.
type outcome uint8

const (
	updated  outcome = iota
	failed           // once: sent again it may pass
	notFound         // always
	lost             // not written, and no result names it
	silent           // written, but no result names it
)

func (o outcome) writes() bool { return o == updated || o == silent }

// operation is an accepted request.
type operation struct {
	seq       uint64 // order of acceptance
	id        string // 24 hex
	requestID string

	stage       stage
	saysRunning bool // answers "running" although queued
	polls       int
	acceptedAt  time.Time
	updatedAt   time.Time // last change; the end, once complete
	vanishesAt  time.Time // zero: never
	run         time.Duration

	// results outlive req, so that reading an old operation does not keep
	// its whole body in memory.
	results []result
	refs    bool
	done    int      // results[:done] are final
	failed  int      // of them
	req     *request // nil once applied
}

// result is one item's fate; id and ref are raw JSON strings.
type result struct {
	id, ref []byte
	outcome outcome
}

func (op *operation) status() string {
	switch {
	case op.stage == complete:
		return "complete"
	case op.stage == running || op.saysRunning:
		return "running"
	}
	return "queued"
}

// accept makes an operation of a valid request whose items know their
// messages. It owns q from here on. Called with the mutex held.
func (s *Server) accept(q *request, now time.Time) *operation {
	s.seq++
	p := s.draw(len(q.items))
	op := &operation{
		seq: s.seq, id: newID(s.planRand, s.seq), requestID: newID(s.planRand, s.seq),
		acceptedAt: now, updatedAt: now, run: p.run, req: q, refs: q.refs,
	}
	op.results = s.outcomes(q, p)
	s.ops[op.id] = op
	s.rec.OperationsAccepted++
	s.rec.ItemsAccepted += int64(len(q.items))
	s.rec.Fill[len(q.items)]++
	s.rec.Polls[0]++
	if p.vanish {
		op.vanishesAt = now.Add(time.Duration(s.script.Vanish.After))
	}
	runs := !p.vanish || s.script.Vanish.Apply
	s.referee(op, runs)
	if !runs {
		s.rec.OperationsDropped++
		s.release(op)
		s.retire(op, now)
		return op
	}
	s.opened()
	s.start(op, p, now)
	return op
}

// referee counts repeated patches and races with open operations.
func (s *Server) referee(op *operation, runs bool) {
	q := op.req
	for i := range q.items {
		it := &q.items[i]
		if _, again := s.store.patches[it.patch()]; again {
			s.rec.ItemsRepeated++
		} else {
			s.store.patches[it.patch()] = struct{}{}
		}
		if it.msg.races(it.hash) {
			s.rec.NewerWhileOpen++
		}
		if runs {
			it.msg.open = append(it.msg.open, pending{op, it.hash})
		}
	}
}

// start lets op run now, later, or never.
func (s *Server) start(op *operation, p plan, now time.Time) {
	sc := &s.script.Script
	switch {
	case p.never:
		op.stage = running
	case p.first < sc.FirstComplete:
		s.finish(op, now)
	case p.vanish && sc.Vanish.Delay > 0:
		// Not a worker's time: a few late operations would block all others.
		delay := time.Duration(sc.Vanish.Delay)
		s.wg.Go(func() {
			if s.sleep(delay) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.enqueue(op)
			}
		})
	default:
		op.saysRunning = p.first < sc.FirstComplete+sc.FirstRunning
		s.enqueue(op)
	}
}

func (s *Server) enqueue(op *operation) {
	s.queue = append(s.queue, op)
	s.ready.Signal()
}

// work is one worker: it runs operations until the server is closed.
func (s *Server) work() {
	for op := s.take(); op != nil; op = s.take() {
		if !s.awaitNoStall() {
			return
		}
		s.mu.Lock()
		op.stage, op.updatedAt = running, time.Now()
		s.mu.Unlock()
		if !s.execute(op) || !s.awaitNoStall() {
			return
		}
		s.mu.Lock()
		s.finish(op, time.Now())
		s.mu.Unlock()
	}
}

// take waits for an operation and picks one. Nil: the server is closed.
func (s *Server) take() *operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closed {
		s.ready.Wait()
	}
	if s.closed {
		return nil
	}
	if s.opts.InOrder {
		op := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		return op
	}
	i, last := s.pickRand.IntN(len(s.queue)), len(s.queue)-1
	op := s.queue[i]
	s.queue[i], s.queue[last] = s.queue[last], nil
	s.queue = s.queue[:last]
	return op
}

// execute takes the operation's time and, if Options.Spread, writes on the way.
func (s *Server) execute(op *operation) bool {
	if !s.opts.Spread {
		return s.sleep(op.run)
	}
	for range op.results {
		if !s.sleep(op.run / time.Duration(len(op.results))) {
			return false
		}
		s.mu.Lock()
		s.applyNext(op)
		op.updatedAt = time.Now()
		s.mu.Unlock()
	}
	return true
}

// applyNext makes the next item of op final.
func (s *Server) applyNext(op *operation) {
	it, r := &op.req.items[op.done], &op.results[op.done]
	op.done++
	switch {
	case r.outcome.writes():
		b := s.store.apply(it, op.req.writes[it.lo:it.hi], op.seq, &s.opts)
		s.rec.ItemsApplied++
		s.rec.FieldsBackByOrder += b.order
		s.rec.FieldsBackByStamp += b.stamp
	case r.outcome != lost:
		op.failed++
		s.rec.ItemsFailed++
	}
}

// finish applies what is left and completes op. Called with the mutex held.
func (s *Server) finish(op *operation, now time.Time) {
	for op.done < len(op.results) {
		s.applyNext(op)
	}
	for i := range op.req.items {
		op.req.items[i].msg.over(op)
	}
	op.stage, op.updatedAt = complete, now
	s.rec.OperationsCompleted++
	if op.seq < s.lastFinished {
		s.rec.OperationsOvertaken++
	}
	s.lastFinished = max(s.lastFinished, op.seq)
	s.release(op)
	s.retire(op, now)
	s.open--
	if s.open == 0 {
		close(s.idle)
	}
}

func (s *Server) opened() {
	if s.open == 0 {
		s.idle = make(chan struct{})
	}
	s.open++
}

// release gives the body of op back for reuse.
func (s *Server) release(op *operation) {
	s.requests.Put(op.req)
	op.req = nil
}

// retire keeps an operation readable for a while and forgets the oldest.
func (s *Server) retire(op *operation, now time.Time) {
	s.retired = append(s.retired, op)
	for len(s.retired) > s.opts.RetainMax || now.Sub(s.retired[0].updatedAt) > s.opts.RetainFor {
		delete(s.ops, s.retired[0].id)
		s.retired[0] = nil
		s.retired = s.retired[1:]
	}
}
