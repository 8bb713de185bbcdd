package kustomersim

import (
	"strconv"
)

// batch is a run of an operation's items: results[lo:hi].
type batch struct {
	number, lo, hi int
	done           bool
}

// batches renders a page of an operation's batches in the script's shape. An
// operation that is queued has none yet. Called with the mutex held.
func (s *Server) batches(op *operation, page paging) []byte {
	all := op.split(s.opts.BatchItems)
	for _, bt := range all {
		if bt.done && op.req != nil { // shown to be done before the operation is
			for i := bt.lo; i < bt.hi; i++ {
				op.req.items[i].msg.over(op)
			}
		}
	}
	w := batchWriter{op: op, shape: s.script.Batches}
	if w.shape == ShapeFlat {
		return w.flat(all)
	}
	from := min((page.page-1)*page.size, len(all))
	to := min(from+page.size, len(all))
	return w.paged(all[from:to], len(all), page)
}

func (op *operation) split(size int) []batch {
	if op.status() == "queued" {
		return nil
	}
	var out []batch
	for lo := 0; lo < len(op.results); lo += size {
		hi := min(lo+size, len(op.results))
		out = append(out, batch{len(out), lo, hi, hi <= op.done})
	}
	return out
}

// batchWriter appends batches of one operation.
type batchWriter struct {
	b     []byte
	op    *operation
	shape Shape
}

func (w *batchWriter) str(parts ...string) {
	for _, p := range parts {
		w.b = append(w.b, p...)
	}
}

func (w *batchWriter) int(n int) { w.b = strconv.AppendInt(w.b, int64(n), 10) }

func (w *batchWriter) paged(page []batch, total int, p paging) []byte {
	w.str(`{"data":[`)
	for i, bt := range page {
		if i > 0 {
			w.str(`,`)
		}
		w.batch(bt)
	}
	w.str(`],"meta":{"page":`)
	w.int(p.page)
	w.str(`,"pages":`)
	w.int((total + p.size - 1) / p.size)
	w.str(`,"count":`)
	w.int(total)
	w.str(`,"limit":`)
	w.int(p.size)
	w.str(`}}`)
	return w.b
}

func (w *batchWriter) flat(all []batch) []byte {
	w.str(`[`)
	for i, bt := range all {
		if i > 0 {
			w.str(`,`)
		}
		w.str(`{`)
		w.counts(bt)
		if w.op.refs {
			w.results(bt)
		} else {
			w.errors(bt)
		}
		w.str(`}`)
	}
	w.str(`]`)
	return w.b
}

func (w *batchWriter) batch(bt batch) {
	id := w.op.batchID(bt.number)
	results := w.op.refs && w.shape != ShapeNoRef && bt.done
	w.str(`{"type":"bulk_batch","id":"`, id, `","attributes":{`)
	if bt.done {
		w.str(`"status":"complete","completed":true,"completedAt":"`)
		w.b = appendTime(w.b, w.op.updatedAt)
		w.str(`",`)
	} else {
		w.str(`"status":"scheduled","completed":false,`)
	}
	w.counts(bt)
	w.errors(bt)
	w.str(`,"v2":true,"createdAt":"`)
	w.b = appendTime(w.b, w.op.acceptedAt)
	w.str(`","updatedAt":"`)
	w.b = appendTime(w.b, w.op.updatedAt)
	w.str(`"`)
	if results && w.shape == ShapePaged {
		w.results(bt)
	}
	w.str(`}`)
	if results && w.shape == ShapeBeside {
		w.results(bt)
	}
	w.str(`,"relationships":{`, wireOrg, `,"bulk":{"links":{"self":"/v1/bulk/`, w.op.id, `"},"data":{"type":"bulk","id":"`, w.op.id, `"}},`, wireUser,
		`},"links":{"self":"/v1/bulk/`, w.op.id, `/batches/`, id, `"}}`)
}

// counts appends successCount, failureCount and objectIds.
func (w *batchWriter) counts(bt batch) {
	var good, bad int
	for _, r := range w.final(bt) {
		switch r.outcome {
		case updated:
			good++
		case failed, notFound:
			bad++
		}
	}
	w.str(`"successCount":`)
	w.int(good)
	w.str(`,"failureCount":`)
	w.int(bad)
	w.str(`,"objectIds":[`)
	w.each(bt, func(r *result) bool {
		if r.outcome == updated {
			w.b = append(w.b, r.id...)
		}
		return r.outcome == updated
	})
	w.str(`]`)
}

// errors appends errors[]. Where a result tells the reason, data is empty.
func (w *batchWriter) errors(bt batch) {
	w.str(`,"errors":[`)
	w.each(bt, func(r *result) bool {
		if r.outcome != failed && r.outcome != notFound {
			return false
		}
		w.str(`{"id":`)
		w.b = append(w.b, r.id...)
		w.str(`,"data":`)
		if w.op.refs && w.shape != ShapeNoRef {
			w.str(`{}`)
		} else {
			w.b = appendErrorData(w.b, r.outcome)
		}
		w.str(`}`)
		return true
	})
	w.str(`]`)
}

// results appends results[], where an item is named by its _clientRef.
func (w *batchWriter) results(bt batch) {
	w.str(`,"results":[`)
	w.each(bt, func(r *result) bool {
		if r.outcome == lost || r.outcome == silent {
			return false
		}
		w.str(`{"_clientRef":`)
		w.b = append(w.b, r.ref...)
		if r.outcome == updated {
			w.str(`,"objectId":`)
			w.b = append(w.b, r.id...)
			w.str(`,"status":"updated"}`)
		} else {
			w.str(`,"status":"error","error":"`, errorText(r.outcome), `"}`)
		}
		return true
	})
	w.str(`]`)
}

// each calls write for the final results of a batch and puts commas between
// those that wrote.
func (w *batchWriter) each(bt batch, write func(*result) bool) {
	comma := false
	results := w.final(bt)
	for i := range results {
		from := len(w.b)
		if comma {
			w.str(`,`)
		}
		if write(&results[i]) {
			comma = true
		} else {
			w.b = w.b[:from]
		}
	}
}

func (w *batchWriter) final(bt batch) []result {
	if !bt.done {
		return nil
	}
	return w.op.results[bt.lo:bt.hi]
}

// batchID is the operation's id with the end replaced by the batch's number.
func (op *operation) batchID(number int) string {
	hex := strconv.FormatInt(0x8000+int64(number), 16)
	return op.id[:len(op.id)-len(hex)] + hex
}
