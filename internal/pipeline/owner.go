package pipeline

import (
	"context"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"kafka-kustomer/batcher"
)

// Assigned takes over partitions, and returns the handles that their records
// must carry, in the order of starts.
func (p *Pipeline) Assigned(ctx context.Context, starts []batcher.Start) ([]*batcher.Assignment, error) {
	f := assigned{by: p.cfg.Observer, starts: starts, reply: make(chan []*batcher.Assignment, 1)}
	p.inbox.put(f)
	select {
	case as := <-f.reply:
		p.log.Info("partitions assigned", zap.Strings("partitions", places(starts)))
		return as, nil
	case <-ctx.Done():
		p.inbox.put(abandoned{f})
		return nil, ctx.Err()
	case <-p.stopped:
		return nil, ErrStopped
	}
}

// Revoked gives partitions back. It returns when each is quiet: what ran has
// ended, or RevokeTimeout has passed, and its last commit is answered (I5).
func (p *Pipeline) Revoked(ctx context.Context, as []*batcher.Assignment) {
	quiet := p.awaitQuiet(as)
	begun := time.Now()
	p.inbox.put(revoking{p, as, p.cfg.RevokeTimeout})
	defer p.forgetQuiet(as)
	defer func() {
		p.log.Info("partitions given back", zap.Strings("partitions", names(as)), zap.Duration("duration_seconds", time.Since(begun)))
	}()
	for _, ch := range quiet {
		select {
		case <-ch:
		case <-ctx.Done():
			return
		case <-p.stopped:
			return
		}
	}
}

// places names partitions and the offsets they begin at, "topic/partition@offset".
func places(starts []batcher.Start) []string {
	list := make([]string, len(starts))
	for i, s := range starts {
		at := "no commit"
		if s.Offset >= 0 {
			at = strconv.FormatInt(s.Offset, 10)
		}
		list[i] = s.Topic + "/" + strconv.Itoa(int(s.Partition)) + "@" + at
	}
	slices.Sort(list)
	return list
}

// names are those of partitions, "topic/partition".
func names(as []*batcher.Assignment) []string {
	list := make([]string, len(as))
	for i, a := range as {
		list[i] = a.Topic + "/" + strconv.Itoa(int(a.Partition))
	}
	slices.Sort(list)
	return list
}

// awaitQuiet returns a channel for each assignment, closed when it is quiet.
func (p *Pipeline) awaitQuiet(as []*batcher.Assignment) []chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	chs := make([]chan struct{}, len(as))
	for i, a := range as {
		if p.quiet[a] == nil {
			p.quiet[a] = make(chan struct{})
		}
		chs[i] = p.quiet[a]
	}
	return chs
}

func (p *Pipeline) forgetQuiet(as []*batcher.Assignment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range as {
		delete(p.quiet, a)
	}
}

// release lets a waiting revocation go.
func (p *Pipeline) release(a *batcher.Assignment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ch := p.quiet[a]
	if ch == nil {
		ch = make(chan struct{})
		p.quiet[a] = ch
	}
	close(ch)
}

func (p *Pipeline) releaseAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.quiet)
}

// Lost tells that partitions are gone already: nothing of them is committed.
func (p *Pipeline) Lost(as []*batcher.Assignment) {
	if len(as) > 0 {
		p.log.Warn("the group has given partitions away; what was open of them is left to the next owner, which repeats it: check the network, and whether the process was held up for longer than source.session_timeout",
			zap.Strings("partitions", names(as)))
	}
	f := lost{p.cfg.Observer, as, make(chan struct{})}
	p.inbox.put(f)
	select {
	case <-f.done:
	case <-p.stopped:
	}
}

// Alive tells that a heartbeat sent at that time was acknowledged.
func (p *Pipeline) Alive(sent time.Time) { p.inbox.put(alive{sent}) }

// Snapshot returns the numbers of this moment.
func (p *Pipeline) Snapshot(ctx context.Context) (batcher.Snapshot, error) {
	reply := make(chan batcher.Snapshot, 1)
	p.inbox.put(snapshot{reply})
	return await(ctx, p, reply)
}

// ReleaseBrake releases the brake by hand, and reports whether it held.
func (p *Pipeline) ReleaseBrake(ctx context.Context) (held bool, err error) {
	reply := make(chan bool, 1)
	p.inbox.put(release{reply})
	return await(ctx, p, reply)
}

// await waits for the loop's reply.
func await[T any](ctx context.Context, p *Pipeline, reply <-chan T) (answer T, err error) {
	select {
	case answer = <-reply:
		return answer, nil
	case <-ctx.Done():
		return answer, ctx.Err()
	case <-p.stopped:
		return answer, ErrStopped
	}
}
