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

// Version is a schema of a subject.
type Version struct {
	ID     ID
	Number int // from 1, in the order of registration
}

// Latest returns the newest version of a subject. [*UnknownError] says that it has
// none; the other errors are those of [Client.Register].
func (c *Client) Latest(ctx context.Context, subject string) (Version, error) {
	var found sr.SubjectSchema
	err := c.call(ctx, func(ctx context.Context, api *sr.Client) (err error) {
		found, err = api.SchemaByVersion(ctx, subject, -1)
		return positive(min(found.ID, found.Version), err)
	})
	id, err := c.registered(subject, found.ID, err)
	if err != nil {
		return Version{}, err
	}
	return Version{ID: id, Number: found.Version}, nil
}

// Accepts reports whether the registry would take an Avro schema under a subject, by
// the subject's compatibility level. It changes nothing. A subject that has no schema
// yet takes any. Errors are those of [Client.Register].
func (c *Client) Accepts(ctx context.Context, subject, schema string) (bool, error) {
	const allVersions = -2 // those that the level wants it compared with
	var result sr.CheckCompatibilityResult
	err := c.call(ctx, func(ctx context.Context, api *sr.Client) (err error) {
		result, err = api.CheckCompatibility(ctx, subject, allVersions, sr.Schema{Schema: schema})
		return err
	})
	if errors.Is(err, errNotFound) {
		return true, nil
	}
	if err != nil {
		_, err = c.registered(subject, 0, err)
	}
	return result.Is, err
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
