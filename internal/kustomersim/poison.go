package kustomersim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Hint is what the reply to a refused request tells about the guilty item.
type Hint string

// The hints, in the forms that the real API has.
const (
	HintNone    Hint = ""        // nothing
	HintPointer Hint = "pointer" // source.pointer "/3/custom/tierStr"
	HintMember  Hint = "member"  // source.parameter "tierStr"
	HintID      Hint = "id"      // source.parameter is a sentence with the message's id
)

// Poison makes some items impossible. With IDs and Marker an item must match
// both. It is no breach of the contract: the client can't know.
type Poison struct {
	// IDs are messages.
	IDs []string `json:"ids,omitempty"`
	// Marker is text that stands, as it is, in a raw value that the item writes:
	// so one change of a message can be guilty and the next one not.
	Marker string `json:"marker,omitempty"`

	// Status, 400 to 599, refuses every request that holds such an item.
	Status int `json:"status,omitempty"`
	// Item, instead of Status, lets the request pass and fails only the item,
	// with the result "error", again each time.
	Item bool `json:"item,omitempty"`

	// Hint is what the refusal tells.
	Hint Hint `json:"hint,omitempty"`
	// Accept makes an operation of the request before it is answered with a
	// Status of 500 and above.
	Accept bool `json:"accept,omitempty"`
	// Count is how often it strikes; then the item is healthy. 0: always.
	Count int64 `json:"count,omitempty"`
}

// MarkedPoison lets a change say how it is to fail: a value with "poison-400",
// "poison-422" or "poison-500" in it refuses the request, "poison-item" fails
// the item.
func MarkedPoison() []Poison {
	return []Poison{
		{Marker: "poison-400", Status: http.StatusBadRequest},
		{Marker: "poison-422", Status: http.StatusUnprocessableEntity},
		{Marker: "poison-500", Status: http.StatusInternalServerError},
		{Marker: "poison-item", Item: true},
	}
}

func (p Poison) validate() error {
	switch {
	case len(p.IDs) == 0 && p.Marker == "":
		return errors.New("it has neither ids nor a marker")
	case p.Item == (p.Status != 0):
		return errors.New("want either a status or item")
	case p.Status != 0 && (p.Status < 400 || p.Status > 599):
		return fmt.Errorf("status is %d: want 400 to 599", p.Status)
	case p.Accept && p.Status < 500:
		return errors.New("accept needs a status of 500 and above: less says that nothing was accepted")
	case p.Item && p.Hint != HintNone:
		return errors.New("hint does not go with item")
	case p.Count < 0:
		return fmt.Errorf("count is %d: want 0 or more", p.Count)
	}
	switch p.Hint {
	case HintNone, HintPointer, HintMember, HintID:
		return nil
	}
	return fmt.Errorf("hint is %q: want pointer, member, id or nothing", p.Hint)
}

// poison is a Poison in force.
type poison struct {
	Poison
	ids    map[string]struct{}
	marker []byte
	struck int64 // guarded by Server.mu
}

// poisons compiles those of a script, RefuseIDs among them.
func (sc *Script) poisons() []*poison {
	list := sc.Poison
	if len(sc.RefuseIDs) > 0 {
		list = append(slices.Clone(list), Poison{IDs: sc.RefuseIDs, Status: http.StatusBadRequest})
	}
	out := make([]*poison, len(list))
	for i, p := range list {
		out[i] = &poison{Poison: p, ids: setOf(p.IDs), marker: []byte(p.Marker)}
	}
	return out
}

// find returns the next item from number from on that p means, and the write
// that shows it: the marked one, or the item's first. at is -1 if there is none,
// w is nil if the item writes nothing.
func (p *poison) find(q *request, from int) (at int, w *write) {
	if !bytes.Contains(q.body, p.marker) { // the way of nearly all requests
		return -1, nil
	}
	for at := from; at < len(q.items); at++ {
		it := &q.items[at]
		if _, listed := p.ids[string(it.id)]; len(p.ids) > 0 && !listed {
			continue
		}
		writes := q.writes[it.lo:it.hi]
		n := slices.IndexFunc(writes, func(w write) bool { return bytes.Contains(w.value, p.marker) })
		switch {
		case n >= 0:
			return at, &writes[n]
		case len(p.marker) == 0:
			return at, nil
		}
	}
	return -1, nil
}

// strikes counts one strike of p, and reports whether there was one left.
func (s *Server) strikes(p *poison) bool {
	if p.Count == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.struck >= p.Count {
		return false
	}
	p.struck++
	return true
}

// refusal is the reply to a request that holds poison.
type refusal struct {
	status int
	body   []byte
	accept bool
}

// poisoned returns the refusal of a request, nil if it may pass, and marks the
// items of one that is accepted and that will fail.
func (c *call) poisoned() *refusal {
	refused := c.poisonRefusal()
	if refused != nil {
		c.s.mu.Lock()
		c.s.rec.Poisoned++
		c.s.rec.PoisonedFill[len(c.req.items)]++
		c.s.mu.Unlock()
		if !refused.accept {
			return refused
		}
	}
	for _, p := range c.script.poisons {
		if !p.Item {
			continue
		}
		for at, _ := p.find(c.req, 0); at >= 0; at, _ = p.find(c.req, at+1) {
			if it := &c.req.items[at]; !it.poisoned && c.s.strikes(p) {
				it.poisoned = true
			}
		}
	}
	return refused
}

func (c *call) poisonRefusal() *refusal {
	for _, p := range c.script.poisons {
		if p.Item {
			continue
		}
		if at, w := p.find(c.req, 0); at >= 0 && c.s.strikes(p) {
			body := p.body(c.req, at, w)
			if c.script.Quote && p.Hint == HintNone && p.Status != http.StatusNotFound {
				body = p.quoting(c.req, at)
			}
			return &refusal{p.Status, body, p.Accept}
		}
	}
	return nil
}

// body words the refusal. It copies what it names.
func (p *poison) body(q *request, at int, w *write) []byte {
	if w == nil {
		w = &write{name: []byte("id")}
	}
	e := apiError{Status: p.Status, Code: errorCode(p.Status), Title: http.StatusText(p.Status)}
	switch p.Hint {
	case HintPointer:
		e.Source.Pointer = w.pointer(at)
	case HintMember:
		e.Source.Parameter, e.Title = string(w.name), "Additional properties not allowed"
		e.Detail = "/additionalProperties"
		if w.custom {
			e.Detail = "/properties/custom/additionalProperties"
		}
	case HintID:
		e.Source.Parameter, e.Detail = string(q.items[at].id)+" is not callable", "WORKFLOW_NOT_CALLABLE"
	default:
		if p.Status == http.StatusNotFound {
			return noObjectBody // not noPathBody: the URL is right
		}
		return statusBody(p.Status)
	}
	return e.body()
}

// quoting words a refusal that repeats the values that the item writes, each in
// quotes as Kustomer's words have them, not as JSON.
func (p *poison) quoting(q *request, at int) []byte {
	e := apiError{Status: p.Status, Code: errorCode(p.Status), Title: http.StatusText(p.Status)}
	it := &q.items[at]
	for _, w := range q.writes[it.lo:it.hi] {
		e.Detail += fmt.Sprintf("bad value %s; ", bytes.Trim(w.value, `"`))
	}
	return e.body()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// pointer is the JSON pointer into the body to what w writes in item number at.
func (w *write) pointer(at int) string {
	path := "/" + strconv.Itoa(at) + "/"
	if w.custom {
		path += "custom/"
	}
	return path + pointerEscapes.Replace(string(w.name))
}

// apiError is an error in the JSON:API form.
type apiError struct {
	Status int `json:"status"`
	Source struct {
		Pointer   string `json:"pointer,omitempty"`
		Parameter string `json:"parameter,omitempty"`
	} `json:"source"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}

func (e apiError) body() []byte {
	body, err := json.Marshal(map[string][]apiError{"errors": {e}})
	if err != nil { // strings and a number always marshal
		return badRequestBody
	}
	return body
}
