package registry

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// cache keeps schemas for ever, as an id never changes its meaning, and for a while
// what is known not to be had. Both are bounded, in number, and schemas in bytes
// too: the one that came first goes. That one is asked for again where it is still
// used, which costs one request. (A cache by last use would have to write at each
// read.)
type cache struct {
	ttl time.Duration

	mu      sync.RWMutex
	schemas fifo[Schema]
	missing fifo[missing]
}

// missing is an id without a schema that we can use.
type missing struct {
	err   error // *UnknownError or *UnusableError
	until time.Time
}

func newCache(cfg Config) *cache {
	c := &cache{ttl: cfg.UnknownTTL}
	c.schemas = fifo[Schema]{
		values: map[ID]Schema{}, maxCount: cfg.MaxEntries,
		weigh: func(s Schema) int { return len(s.Text) }, maxWeight: cacheSchemas * cfg.MaxSchemaBytes,
	}
	c.missing = fifo[missing]{
		values: map[ID]missing{}, maxCount: cfg.MaxEntries,
		weigh: func(missing) int { return 0 },
	}
	return c
}

func (c *cache) known(id ID) (Schema, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.schemas.values[id]
	return s, ok
}

// find returns what is known of an id, if that still holds.
func (c *cache) find(id ID, now time.Time) (s Schema, err error, ok bool) { //nolint:revive // the error is what is known
	c.mu.RLock()
	defer c.mu.RUnlock()
	if s, ok := c.schemas.values[id]; ok {
		return s, nil, true
	}
	m, ok := c.missing.values[id]
	if !ok || !now.Before(m.until) {
		return Schema{}, nil, false
	}
	return Schema{}, m.err, true
}

// keep keeps the outcome of a lookup, and returns it: an id that is still unknown
// has been so since it was first seen.
func (c *cache) keep(id ID, s Schema, err error, now time.Time) (Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var unknown *UnknownError
	var unusable *UnusableError
	switch {
	case err == nil:
		c.schemas.put(id, s)
		c.missing.drop(id)
		return s, nil
	case errors.As(err, &unknown):
		unknown.Since = now
		var before *UnknownError
		if errors.As(c.missing.values[id].err, &before) {
			unknown.Since = before.Since
		}
	case errors.As(err, &unusable):
	default:
		return Schema{}, err
	}
	c.missing.put(id, missing{err: err, until: now.Add(c.ttl)})
	return Schema{}, err
}

func (c *cache) size() (schemas, missing int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.schemas.values), len(c.missing.values)
}

// fifo is a map of bounded size.
type fifo[V any] struct {
	values    map[ID]V
	order     []ID // oldest first
	weigh     func(V) int
	weight    int
	maxCount  int
	maxWeight int
}

func (f *fifo[V]) put(id ID, v V) {
	if before, ok := f.values[id]; ok {
		f.weight -= f.weigh(before)
	} else {
		f.order = append(f.order, id)
	}
	f.values[id] = v
	f.weight += f.weigh(v)
	for len(f.order) > f.maxCount || f.weight > f.maxWeight && len(f.order) > 1 {
		f.drop(f.order[0])
	}
}

func (f *fifo[V]) drop(id ID) {
	v, ok := f.values[id]
	if !ok {
		return
	}
	f.weight -= f.weigh(v)
	delete(f.values, id)
	f.order = slices.DeleteFunc(f.order, func(other ID) bool { return other == id })
}

func tooLarge(limit int) string {
	return fmt.Sprintf("it is larger than %d bytes with what it refers to", limit)
}
