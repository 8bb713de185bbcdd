package registry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// Subject is the name under which the schema of a topic's values is registered, by
// the strategy TopicName, which is every serializer's default.
func Subject(topic string) string { return topic + "-value" }

// Register registers an Avro schema under a subject, and returns its id. Where the
// subject has the schema already, nothing changes and its id is returned; so it may
// be done at each start, and by several processes.
//
// Errors are [*RejectedError], [*UnavailableError], [*RefusedError], [ErrClosed] or
// the context's.
func (c *Client) Register(ctx context.Context, subject, schema string) (ID, error) {
	var n int
	err := c.call(ctx, func(ctx context.Context, api *sr.Client) (err error) {
		n, err = api.RegisterSchema(ctx, subject, sr.Schema{Schema: schema}, -1, -1)
		return positive(n, err)
	})
	return c.registered(subject, n, err)
}

// Lookup returns the id that an Avro schema has under a subject. It changes
// nothing. [*UnknownError] says that the subject does not have it; the other errors
// are those of [Client.Register].
func (c *Client) Lookup(ctx context.Context, subject, schema string) (ID, error) {
	var n int
	err := c.call(ctx, func(ctx context.Context, api *sr.Client) error {
		found, err := api.LookupSchema(ctx, subject, sr.Schema{Schema: schema})
		n = found.ID
		return positive(n, err)
	})
	return c.registered(subject, n, err)
}

func (c *Client) call(ctx context.Context, call func(context.Context, *sr.Client) error) error {
	if !c.enter() {
		return ErrClosed
	}
	defer c.under.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.root, func() { cancel(ErrClosed) })()
	err := c.ask(ctx, call)
	if context.Cause(ctx) == ErrClosed {
		return ErrClosed
	}
	return err
}

// positive sees to it that a success has an id: a registry's ids begin with 1, and
// a reply without one is no registry's.
func positive(n int, err error) error {
	if err == nil && n <= 0 {
		return errForeign
	}
	return err
}

func (c *Client) registered(subject string, n int, err error) (ID, error) {
	var invalid *invalidError
	switch {
	case err == nil:
		return Number(uint32(n)), nil
	case errors.Is(err, errNotFound):
		return ID{}, &UnknownError{Subject: subject, Since: time.Now()}
	case errors.As(err, &invalid):
		e := &RejectedError{Subject: subject, Status: invalid.status, Code: invalid.code, Check: "check the registry's log"}
		switch {
		case e.Status == http.StatusConflict:
			e.Check = "it is incompatible with the version before; check the subject's compatibility level"
		case e.Code == sr.ErrOperationNotPermitted.Code:
			e.Check = "the subject or the registry is read-only; check its mode"
		case e.Code == sr.ErrInvalidSchema.Code:
			e.Check = "it finds the schema invalid"
		}
		return ID{}, e
	case errors.Is(err, errTooLarge):
		return ID{}, notARegistry(c.endpoints[c.preferred.Load()].label, "the reply is larger than a registry's")
	}
	return ID{}, err
}
