package kustomersim

import (
	"cmp"
	"crypto/subtle"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	putPath    = "/v1/messages/bulk"
	bulkPrefix = "/v1/bulk/"
)

// call is one API call on its way through the server.
type call struct {
	s        *Server
	w        http.ResponseWriter
	r        *http.Request
	put      bool
	now      time.Time  // of arrival
	script   *installed // in force then, and for this call to its end
	fault    *Fault
	latency  time.Duration
	standing standing
	req      *request // with its body, once read
}

// arrive counts a call and draws what befalls it.
func (s *Server) arrive(w http.ResponseWriter, r *http.Request) *call {
	c := &call{s: s, w: w, r: r, put: r.Method != http.MethodGet, now: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rec.arrived(c.put, c.now)
	c.script = s.script
	l := c.script.Latency
	c.latency = time.Duration(l.Base)
	if l.Jitter > 0 {
		c.latency += time.Duration(s.faultRand.Int64N(int64(l.Jitter)))
	}
	c.fault = s.strike(c.put, c.now)
	return c
}

// serve takes a call through the stages of the API in their order.
func (c *call) serve() {
	defer c.release()
	if !c.wait(c.latency) || c.failsEarly() || !c.readBody() || !c.admitted() {
		return
	}
	path := c.r.URL.Path
	id, rest, _ := strings.Cut(strings.TrimPrefix(path, bulkPrefix), "/")
	switch {
	case path == putPath && c.r.Method == http.MethodPut:
		c.bulkUpdate()
	case !c.put && strings.HasPrefix(path, bulkPrefix) && (path == bulkPrefix+id || rest == "batches"):
		c.readOperation(id, rest == "batches")
	case !c.put && strings.HasPrefix(path, messagePrefix) && path != putPath:
		c.readMessage(strings.TrimPrefix(path, messagePrefix))
	default:
		c.refuse(&breach{kind: BreachPath, status: http.StatusNotFound}, noPathBody)
	}
}

// readBody reads the body once. False: the call is over.
func (c *call) readBody() bool {
	if !c.put || c.req != nil {
		return true
	}
	c.req = c.s.requests.Get().(*request)
	b, err := c.req.read(c.r, c.s.opts.MaxBodyBytes)
	switch {
	case err != nil: // the client broke off: nobody to answer
		c.answered(0)
		return false
	case b != nil:
		c.refuse(b, b.body())
		return false
	}
	return true
}

// release gives the body back, unless an operation owns it.
func (c *call) release() {
	if c.req != nil {
		c.s.requests.Put(c.req)
	}
}

// admitted checks the key, its rights and the quota.
func (c *call) admitted() bool {
	deny := c.script.Deny
	want := cmp.Or(c.script.Key, c.s.opts.Key)
	key, bearer := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	wrong := !bearer || key == "" ||
		want != "" && subtle.ConstantTimeCompare([]byte(key), []byte(want)) == 0
	switch {
	case wrong:
		c.refuse(&breach{kind: BreachKey, status: http.StatusUnauthorized}, unauthorizedBody)
		return false
	case deny == DenyKey:
		c.reply(http.StatusUnauthorized, unauthorizedBody)
		return false
	case deny == DenyRegion:
		c.reply(http.StatusUnauthorized, regionBody)
		return false
	}
	c.s.mu.Lock()
	var left bool
	c.standing, left = c.s.meter.take(c.script.Quota, c.now)
	if !left {
		c.s.rec.RateLimited++
	}
	c.s.mu.Unlock()
	switch {
	case !left:
		c.reply(http.StatusTooManyRequests, tooManyBody)
	case deny == DenyWrite && c.put, deny == DenyRead && !c.put:
		c.reply(http.StatusForbidden, forbiddenBody)
	default:
		return true
	}
	return false
}

// bulkUpdate is PUT /v1/messages/bulk.
func (c *call) bulkUpdate() {
	if b := c.contract(); b != nil {
		c.refuse(b, b.body())
		return
	}
	if c.s.opts.UnknownID == IDRefuse && c.namesUnknown() {
		c.reply(http.StatusNotFound, noObjectBody)
		return
	}
	poison := c.poisoned()
	if poison != nil && !poison.accept {
		c.reply(poison.status, poison.body)
		return
	}
	f := c.fault
	if f != nil && f.Kind == FaultSlow && f.Accept == AcceptLate && !c.s.sleep(time.Duration(f.Delay)) {
		c.answered(0) // closed meanwhile
		return
	}
	body, ok := c.accept(time.Now())
	if !ok {
		c.reply(http.StatusTooManyRequests, tooManyBody)
		return
	}
	if poison != nil {
		c.lost()
		c.reply(poison.status, poison.body)
		return
	}
	c.finish(cmp.Or(c.script.PutStatus, http.StatusOK), body)
}

// contract checks the request as a whole.
func (c *call) contract() *breach {
	if mediaType, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return badRequest(BreachContentType)
	}
	if c.r.URL.RawQuery != "" && c.r.URL.Query().Has("ids") {
		return badRequest(BreachIDsMode)
	}
	return c.req.parse(c.rules())
}

// rules are the options with what the script changes in them.
func (c *call) rules() *Options {
	if c.script.Audit == "" && !c.script.NoClientRef {
		return &c.s.opts
	}
	opts := c.s.opts
	if c.script.Audit != "" {
		opts.Audit = c.script.Audit
	}
	opts.NoClientRef = opts.NoClientRef || c.script.NoClientRef
	return &opts
}

// accept makes an operation of the request and renders the reply to it. False:
// a message's own limit is used up.
func (c *call) accept(now time.Time) ([]byte, bool) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range c.req.items {
		c.req.items[i].msg = s.store.message(c.req.items[i].id)
	}
	if !takeObjects(c.req.items, c.script.Quota, now, &c.standing) {
		s.rec.ObjectLimited++
		return nil, false
	}
	var echo []byte
	if s.opts.Echo {
		echo = append(echo, c.req.body...)
	}
	op := s.accept(c.req, now)
	c.req = nil // the operation owns it
	if c.script.Minimal {
		return appendMinimal(nil, op), true
	}
	return appendOperation(nil, op, true, echo), true
}

// readOperation is GET /v1/bulk/{id} and its batches.
func (c *call) readOperation(id string, batches bool) {
	if !isObjectID([]byte(id)) {
		c.refuse(&breach{kind: BreachOperationID, status: http.StatusNotFound}, noObjectBody)
		return
	}
	page, ok := parsePage(c.r.URL)
	if batches && !ok {
		b := badRequest(BreachPaging)
		c.refuse(b, b.body())
		return
	}
	body, found := c.s.look(id, batches, page, c.now)
	if !found {
		c.finish(http.StatusNotFound, noObjectBody)
		return
	}
	c.finish(http.StatusOK, body)
}

// look renders what a GET shows of an operation.
func (s *Server) look(id string, batches bool, page paging, now time.Time) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.ops[id]
	if op == nil || !op.vanishesAt.IsZero() && !now.Before(op.vanishesAt) {
		return nil, false
	}
	s.rec.polled(op)
	if batches {
		return s.batches(op, page), true
	}
	return appendOperation(nil, op, false, nil), true
}

// paging is ?page=&pageSize=, both from 1.
type paging struct{ page, size int }

const maxPageSize = 100

func parsePage(u *url.URL) (p paging, ok bool) {
	p = paging{1, maxPageSize}
	if u.RawQuery == "" {
		return p, true
	}
	query, ok := u.Query(), true
	for name, v := range map[string]*int{"page": &p.page, "pageSize": &p.size} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			ok = ok && err == nil && n > 0
			*v = n
		}
	}
	p.size = min(p.size, maxPageSize)
	return p, ok
}

// refuse answers a breach and counts it.
func (c *call) refuse(b *breach, body []byte) {
	c.s.mu.Lock()
	c.s.rec.Breaches[b.kind]++
	c.s.mu.Unlock()
	c.reply(b.status, body)
}

func (c *call) answered(status int) {
	c.s.mu.Lock()
	c.s.rec.answered(c.put, status)
	c.s.mu.Unlock()
}

func (c *call) reply(status int, body []byte) {
	c.headers(status, len(body))
	c.replyRaw(status, body)
}

// replyRaw sends a reply with the headers set so far. An error in sending is
// the client's to see.
func (c *call) replyRaw(status int, body []byte) {
	c.answered(status)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body)
}
