package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// operation is an accepted request on its way.
type operation struct {
	id    string
	items int
	first string // status in the reply to the PUT
	since time.Time
}

// fate is what became of an operation.
type fate struct {
	shape   string
	results []result
	refs    bool // a result names our reference
	good    int
	bad     int
	took    time.Duration
}

const (
	firstLook = 300 * time.Millisecond
	slowLook  = 20 * time.Second
)

// write sends items and, if they are accepted, makes an operation of them. What
// is refused is a refusal and no error.
func (p *prober) write(ctx context.Context, items ...members) (*operation, *refusal, error) {
	return p.writePadded(ctx, 0, items...)
}

// writePadded is write with spaces up to a size, which change nothing in JSON.
func (p *prober) writePadded(ctx context.Context, size int, items ...members) (*operation, *refusal, error) {
	for {
		refs := p.refs
		r, err := p.client.put(ctx, p.body(size, items))
		var unknown unknownError
		if errors.As(err, &unknown) {
			p.strays++
		}
		if err != nil {
			return nil, nil, err
		}
		if r.status < 300 {
			op, err := p.accepted(r, len(items))
			return op, nil, err
		}
		no := readRefusal(r)
		switch {
		case r.status == http.StatusUnauthorized:
			return nil, nil, errors.New("the API key was refused (401): is it of this org and region?")
		case r.status == http.StatusNotFound && no.param == "path":
			return nil, nil, errors.New("there is no /v1/messages/bulk at kustomer.base_url (404): is it the org's address?")
		case no.ref && refs:
			p.refs = false
			p.answer(qClientRef, refRefused, "%s", no)
			continue
		}
		return nil, no, nil
	}
}

// body is the request, with a reference in every item unless the org has none.
func (p *prober) body(size int, items []members) []byte {
	b := []byte{'['}
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		if p.refs {
			it = it.with(members{"_clientRef": quote(fmt.Sprintf("%s-%d", p.nonce, i))})
		}
		b = append(b, it.raw()...)
	}
	if pad := size - len(b) - 1; pad > 0 {
		b = append(b, strings.Repeat(" ", pad)...)
	}
	return append(b, ']')
}

// accepted reads the reply to an accepted PUT.
func (p *prober) accepted(r reply, items int) (*operation, error) {
	var body struct {
		Data struct {
			ID         string `json:"id"`
			Attributes struct {
				Status string `json:"status"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if json.Unmarshal(r.body, &body, jsontext.AllowInvalidUTF8(true)) != nil || word(body.Data.ID) == "" {
		p.strays++
		return nil, fmt.Errorf("a PUT was answered %d, but with no operation in it: is it Kustomer that answers?", r.status)
	}
	op := &operation{id: body.Data.ID, items: items, first: word(body.Data.Attributes.Status), since: time.Now()}
	p.open = append(p.open, op)
	p.firsts[op.first]++
	return op, nil
}

// follow waits for the end of an operation. It looks at its batches, which say
// what became of each item; every third look is at the operation itself, for
// the batches of some never name every item.
func (p *prober) follow(ctx context.Context, op *operation) (fate, error) {
	wait := max(firstLook, min(2*p.typical(), p.cfg.OperationWait/2)-time.Since(op.since)) // a look is dearer than a second
	var f fate
	var undone time.Duration // its age when it was last seen not to have ended
	for look := 1; time.Since(op.since) < p.cfg.OperationWait; look++ {
		if err := pause(ctx, wait); err != nil {
			return f, err
		}
		wait = min(wait*5/2, slowLook)
		path, done := "/v1/bulk/"+op.id, false
		if look%3 != 0 {
			path += "/batches"
		}
		r, err := p.client.get(ctx, path)
		switch {
		case err != nil:
			return f, err
		case r.status == http.StatusForbidden:
			return f, errors.New("the key may not read operations (403): give it org.permission.bulk.read; the connector needs it too")
		case r.status != http.StatusOK:
			return f, fmt.Errorf("looking at an operation was answered %s", readRefusal(r))
		case look%3 == 0:
			done = operationEnded(r.body)
		default:
			f = readFate(r.body)
			done = f.good+f.bad >= op.items
		}
		if done {
			p.ended(op, &f, undone)
			return f, nil
		}
		undone = time.Since(op.since)
	}
	return f, fmt.Errorf("an operation did not end within %v: is Kustomer processing bulk jobs? See its status page", p.cfg.OperationWait)
}

// ended notes how an operation ended. Where nothing says how long it took, it is
// what was seen at most; the time of the next look goes by the middle of what is
// possible, or looks that come late would make the next ones later still.
func (p *prober) ended(op *operation, f *fate, undone time.Duration) {
	p.open = slices.DeleteFunc(p.open, func(o *operation) bool { return o == op })
	middle := f.took
	if f.took <= 0 {
		f.took = time.Since(op.since)
		middle = (undone + f.took) / 2
		p.guessed++
	}
	p.durations, p.middles = append(p.durations, f.took), append(p.middles, middle)
	if f.shape != "" && p.shape == "" {
		p.shape = f.shape
	}
	if f.refs {
		p.echoed++
	}
	if p.refs && f.good+f.bad > 0 {
		p.referred++
	}
}

// typical is what an operation takes, by those so far.
func (p *prober) typical() time.Duration { return median(p.middles) }

func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// do writes items and follows them.
func (p *prober) do(ctx context.Context, items ...members) (fate, *refusal, error) {
	op, no, err := p.write(ctx, items...)
	if op == nil {
		return fate{}, no, err
	}
	f, err := p.follow(ctx, op)
	return f, nil, err
}
