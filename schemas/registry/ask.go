package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/twmb/franz-go/pkg/sr"
)

// errForeign is what a call returns when a success is not what a registry says.
var errForeign = errors.New("not a registry's answer")

// ask makes a call at one endpoint after the other, beginning with the one that
// answered last, until one answers. What it returns has been noted for [Client.State].
// A context that ends is nobody's fault and is not.
func (c *Client) ask(ctx context.Context, call func(context.Context, *sr.Client) error) error {
	first := int(c.preferred.Load())
	var err error
	for i := range c.endpoints {
		at := (first + i) % len(c.endpoints)
		err = c.once(ctx, c.endpoints[at], call)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var u *UnavailableError
		if !errors.As(err, &u) || u.Status == http.StatusTooManyRequests {
			// A quota or a password is not of one instance: the next would say the same.
			c.preferred.Store(int32(at))
			break
		}
	}
	c.health.note(err)
	return err
}

// once makes a call at one endpoint. Its errors are errNotFound, errTooLarge,
// [*invalidError], [*UnavailableError] and [*RefusedError].
func (c *Client) once(ctx context.Context, e endpoint, call func(context.Context, *sr.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	err := call(ctx, e.api)
	var status *statusError
	var reply *sr.ResponseError
	var transport *url.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooLarge):
		return errTooLarge
	case errors.As(err, &status):
		if status.status == http.StatusUnauthorized {
			c.credentials.doubt()
		}
		return ofStatus(e.label, status)
	case errors.As(err, &reply) && reply.StatusCode == http.StatusNotFound:
		return c.notFound(ctx, e, reply.ErrorCode)
	case errors.As(err, &reply):
		return &invalidError{status: reply.StatusCode, code: reply.ErrorCode}
	case ctx.Err() != nil:
		return noAnswer(e.label, ctx.Err(), c.cfg.Timeout)
	case errors.As(err, &transport):
		return noAnswer(e.label, transport.Err, c.cfg.Timeout)
	}
	return notARegistry(e.label, "the reply is not what a registry sends")
}

// notFound tells a registry that has no such schema from a server that has no such
// path. To take the one for the other would give up every record of a topic for a
// slip in the URL. The codes say it; a 404 without one (a number or GUID that the
// registry's router did not take, a registry too old for GUIDs, a proxy) does not,
// and a path that every registry has is asked then.
func (c *Client) notFound(ctx context.Context, e endpoint, code int) error {
	switch code {
	case sr.ErrSubjectNotFound.Code, sr.ErrVersionNotFound.Code, sr.ErrSchemaNotFound.Code,
		sr.ErrSubjectSoftDeleted.Code, sr.ErrSchemaVersionSoftDeleted.Code:
		return errNotFound
	}
	var types []string
	err := e.api.Do(ctx, http.MethodGet, "/schemas/types", nil, &types)
	var status *statusError
	switch {
	case err == nil && len(types) > 0:
		return errNotFound
	case errors.As(err, &status):
		return ofStatus(e.label, status)
	case ctx.Err() != nil:
		return noAnswer(e.label, ctx.Err(), c.cfg.Timeout)
	}
	return notARegistry(e.label, fmt.Sprintf("answered with status %d, and to /schemas/types too", http.StatusNotFound))
}
