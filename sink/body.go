package sink

import (
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"kafka-kustomer/batcher"
)

// appendBody appends the bulk request of a batch: a JSON array in which each
// item has its message's id, a reference of ours where the org's API takes one,
// and the members of its patch.
// The patches are valid JSON and go in as the bytes they are: marshalling a
// hundred raw messages would scan and copy them all and cost 200 times as much.
func appendBody(dst []byte, b *batcher.Batch, references bool) []byte {
	dst = append(dst, '[')
	for i, it := range b.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(append(dst, `{"id":`...), it.MessageID)
		if references {
			dst = append(append(append(dst, `,"_clientRef":"`...), b.ID...), '.')
			dst = append(strconv.AppendInt(dst, int64(i), 10), '"')
		}
		if members := members(it.Patch); len(members) > 0 {
			dst = append(append(dst, ','), members...)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// members returns what stands between the braces of an object.
func members(object []byte) []byte {
	from, to := 0, len(object)
	for from < to && isSpace(object[from]) {
		from++
	}
	for to > from && isSpace(object[to-1]) {
		to--
	}
	for from, to = from+1, to-1; from < to && isSpace(object[from]); from++ {
	}
	if from >= to {
		return nil
	}
	return object[from:to]
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\r' || b == '\t' }

var (
	errLeaseOver = errors.New("the lease was over before the body was written")
	errBodyGone  = errors.New("the attempt has ended")
)

// body is the request's body as the transport reads it. It can be read once, so
// that net/http cannot send it again. The transport may go on reading after
// RoundTrip has returned; stop makes it certain that nothing is read any more.
type body struct {
	lease func() bool

	mu    sync.Mutex
	data  []byte // what is left
	begun bool   // a byte was handed out: the request may have been accepted
	err   error  // why nothing more is handed out
}

// Read asks for the lease when the first byte is about to be written. A body
// that stops short of its length is no request to any server.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if !b.begun {
		if b.lease != nil && !b.lease() {
			b.err = errLeaseOver
			return 0, b.err
		}
		b.begun = true
	}
	if len(b.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// Close does nothing: the buffer is given back by who called stop.
func (*body) Close() error { return nil }

// stop ends reading for good, so that the buffer may be used again, and tells
// whether reading had begun, and whether it was the lease that kept it from it.
func (b *body) stop() (begun, leaseOver bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	leaseOver = b.err == errLeaseOver
	b.data, b.err = nil, errBodyGone
	return b.begun, leaseOver
}
