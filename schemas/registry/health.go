package registry

import (
	"errors"
	"sync"
	"time"
)

// State is how things stand with the registry.
type State struct {
	URL     string    // answered last, or is asked first
	Since   time.Time // since when no attempt has succeeded; zero: the last one did, or there was none
	Err     error     // of the last attempt
	Schemas int       // kept
	Unknown int       // ids that are known to be unknown, or unusable
}

// Problem is something that a person may have to see to.
type Problem struct {
	URL   string
	Text  string    // what happened
	Check string    // what to check next
	Since time.Time // when it was first seen
	// Person says that it lasts until somebody sees to it.
	Person bool
}

// expireAfter is for how long nobody has asked until a failure is no problem any
// more: who waited for a schema has gone, with its partition.
const expireAfter = 2 * time.Minute

// health is what the attempts came to.
type health struct {
	mu    sync.Mutex
	since time.Time
	last  time.Time
	err   error
}

// note takes the outcome of an attempt. Every answer about a schema is a success.
func (h *health) note(err error) {
	var unavailable *UnavailableError
	var refused *RefusedError
	h.mu.Lock()
	defer h.mu.Unlock()
	if !errors.As(err, &unavailable) && !errors.As(err, &refused) {
		h.since, h.err = time.Time{}, nil
		return
	}
	h.last, h.err = time.Now(), err
	if h.since.IsZero() {
		h.since = h.last
	}
}

// State returns how things stand.
func (c *Client) State() State {
	s := State{URL: c.endpoints[c.preferred.Load()].label}
	s.Schemas, s.Unknown = c.cache.size()
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	s.Since, s.Err = c.health.since, c.health.err
	return s
}

// Problems lists what is wrong now, for readiness: that the registry does not
// answer or refuses us. Without a call in the last two minutes there is none.
func (c *Client) Problems() []Problem {
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	if c.health.err == nil || time.Since(c.health.last) > expireAfter {
		return nil
	}
	p := Problem{Since: c.health.since}
	var unavailable *UnavailableError
	var refused *RefusedError
	switch {
	case errors.As(c.health.err, &unavailable):
		p.URL, p.Text, p.Check = unavailable.URL, unavailable.What, unavailable.Check
	case errors.As(c.health.err, &refused):
		p.URL, p.Text, p.Check, p.Person = refused.URL, "refused our user or password", refused.Check, true
	}
	return []Problem{p}
}
