package main

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// leaveTimeout bounds leaving the group: a join that other members hold up would
// otherwise take all of DrainTimeout, with nothing left to save.
const leaveTimeout = 5 * time.Second

func shorter(ctx context.Context, timeout time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// late tells of a part that did not end in time. It is no failure of the run: by
// then everything is committed that could be, and the rest is read again.
func late(log *zap.Logger, err error) {
	if err != nil {
		log.Warn("not everything ended in time", zap.Error(err))
	}
}

// deadlineFrom returns contexts that all end at one time: timeout after ctx
// does. A call before that time gets what is left, but always a moment: enough
// where Kafka answers, and all of them together are well under a second.
func deadlineFrom(ctx context.Context, timeout time.Duration) func() context.Context {
	var stop time.Time
	stopped := make(chan struct{})
	context.AfterFunc(ctx, func() { stop = time.Now().Add(timeout); close(stopped) })
	return func() context.Context {
		left := timeout
		select {
		case <-stopped:
			left = max(time.Until(stop), 200*time.Millisecond)
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), left)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
}
