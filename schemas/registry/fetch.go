package registry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Fetch is [Client.Schema], again and again: it waits out a registry that does not
// answer or refuses us, for as long as ctx lives, and an id that is unknown for
// UnknownGrace. Between attempts it waits a random time of at most RetryInitial,
// then twice that, up to RetryMax (all of it at random, so that many who wait do
// not come back together), or as long as the registry asks.
//
// Where one id has been waited for in vain, others that are unknown are believed to
// be, at once, for ten times as long, unless a schema comes late meanwhile. Ids are
// made up faster than they can be waited for.
//
// It returns an error only where waiting longer is of no use: [*UnknownError] that
// has lasted, [*UnusableError], [ErrClosed] or the context's.
func (c *Client) Fetch(ctx context.Context, id ID) (Schema, error) {
	var unknownSince time.Time
	waited := false // for an id that is unknown
	for attempt := 0; ; attempt++ {
		s, err := c.Schema(ctx, id)
		if err == nil {
			if !unknownSince.IsZero() {
				c.vain.Store(0)
			}
			return s, nil
		}
		var unknown *UnknownError
		var unavailable *UnavailableError
		var refused *RefusedError
		var pause time.Duration
		switch {
		case ctx.Err() != nil:
			return Schema{}, ctx.Err()
		case errors.As(err, &unknown):
			// The cache may have lost it meanwhile, and with it since when it is unknown.
			if unknownSince.IsZero() || unknown.Since.Before(unknownSince) {
				unknownSince = unknown.Since
			}
			left := time.Until(unknownSince.Add(c.cfg.UnknownGrace))
			if left <= 0 && waited { // else that was in an earlier call
				c.vain.Store(time.Now().Add(vainFactor * c.cfg.UnknownGrace).UnixNano())
			}
			if left <= 0 || time.Now().UnixNano() < c.vain.Load() {
				lasted := *unknown // that of the cache is others' too
				lasted.Since = unknownSince
				return Schema{}, &lasted
			}
			attempt, pause, waited = 0, min(left, c.cfg.UnknownTTL), true
		case errors.As(err, &unavailable):
			pause = max(c.backoff(attempt), unavailable.After)
		case errors.As(err, &refused):
			pause = c.backoff(attempt)
		default:
			return Schema{}, err
		}
		if err := sleep(ctx, pause); err != nil {
			return Schema{}, err
		}
	}
}

// vainFactor is for how many times UnknownGrace no unknown id is waited for once one
// was in vain.
const vainFactor = 10

// backoff is the pause after an attempt, counted from 0.
func (c *Client) backoff(attempt int) time.Duration {
	most := c.cfg.RetryMax
	// Without a limit the shift would overflow after an hour or so.
	if d := c.cfg.RetryInitial << min(attempt, 20); d < most {
		most = d
	}
	return rand.N(most) + 1
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
