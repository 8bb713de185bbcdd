package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	gap         = 200 * time.Millisecond // between two requests
	maxReply    = 4 << 20
	tries       = 4                // of a call that is limited, or of a GET that fails
	longestRest = 70 * time.Second // a quota's window is a minute
	plainRest   = 15 * time.Second // after a 429 that does not say how long
)

// errBudget ends the questions, not the restoration, which has a budget of its own.
var errBudget = errors.New("the requests allowed for this probe are used up")

// unknownError is a PUT of which nobody knows whether it was accepted.
type unknownError struct{ error }

func (e unknownError) Unwrap() error { return e.error }

// notSent is why a call was not even begun.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

// reply is what came back of one call.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// client makes calls one at a time, counts them, and keeps a distance.
type client struct {
	base      string
	key       string
	transport http.RoundTripper
	timeout   time.Duration

	used, limit int
	last        time.Time
	seen        seen
}

// get reads a path. What fails is tried again: a read changes nothing.
func (c *client) get(ctx context.Context, path string) (reply, error) {
	for try := 1; ; try++ {
		if err := pause(ctx, gap-time.Since(c.last)); err != nil {
			return reply{}, err
		}
		r, err := c.patient(ctx, http.MethodGet, path, nil)
		if err == nil && r.status < 500 || errors.Is(err, errBudget) || ctx.Err() != nil {
			return r, err
		}
		if try == tries && err == nil {
			err = fmt.Errorf("GET %s was answered %d %d times: is Kustomer having trouble?", path, r.status, tries)
		}
		if try == tries {
			return r, err
		}
		if err := pause(ctx, time.Second<<try); err != nil {
			return reply{}, err
		}
	}
}

// put writes once: only a 429, which accepts nothing, is tried again.
func (c *client) put(ctx context.Context, body []byte) (reply, error) {
	r, err := c.patient(ctx, http.MethodPut, "/v1/messages/bulk", body)
	switch {
	case errors.As(err, new(notSent)), errors.Is(err, errLimited):
		return r, err
	case err != nil:
		return r, unknownError{err}
	case r.status >= 500 || r.status == http.StatusRequestTimeout || r.status < 200 || r.status > 299 && r.status < 400:
		return r, unknownError{fmt.Errorf("a PUT was answered %d, which leaves open whether it was accepted: try again when Kustomer is well", r.status)}
	}
	return r, nil
}

var errLimited = errors.New("answered 429 again and again: the org's quota is used up by others; try again later")

// patient makes a call, and makes it again after a 429 when its rest is over.
func (c *client) patient(ctx context.Context, method, path string, body []byte) (reply, error) {
	for try := 1; ; try++ {
		r, err := c.once(ctx, method, path, body)
		if err != nil || r.status != http.StatusTooManyRequests {
			return r, err
		}
		if try == tries {
			return r, errLimited
		}
		if err := pause(ctx, rest(r.header)); err != nil {
			return r, errLimited
		}
	}
}

// once makes one call. A PUT that has begun is not given up when ctx ends: then
// nobody would know whether it was accepted.
func (c *client) once(ctx context.Context, method, path string, body []byte) (reply, error) {
	switch {
	case ctx.Err() != nil:
		return reply{}, notSent{ctx.Err()}
	case c.used >= c.limit:
		return reply{}, notSent{errBudget}
	case method == http.MethodPut:
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, errors.New("kustomer.base_url is no address")
	}
	// Without it net/http can't send a PUT twice by itself.
	r.GetBody = nil
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	c.used++
	c.last = time.Now()
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s has no reply: %s", method, path, c.clean(err))
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return reply{}, fmt.Errorf("the reply to %s %s broke off: %s", method, path, c.clean(err))
	}
	c.seen.note(resp.StatusCode, resp.Header, time.Now())
	return reply{resp.StatusCode, resp.Header, text}, nil
}

// clean is an error as text that can't hold the key.
func (c *client) clean(err error) string {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return strings.ReplaceAll(err.Error(), c.key, "(the API key)")
}

// rest is how long a 429 asks to wait.
func rest(h http.Header) time.Duration {
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	wait := plainRest
	if at, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
		wait = min(time.Unix(at, 0).Sub(now), longestRest) + time.Second
	}
	if text := h.Get("Retry-After"); text != "" {
		if s, err := strconv.ParseInt(text, 10, 32); err == nil {
			wait = time.Duration(s) * time.Second
		} else if at, err := http.ParseTime(text); err == nil {
			wait = at.Sub(now)
		}
	}
	return min(max(wait, time.Second), longestRest)
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
