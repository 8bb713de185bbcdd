package consumer

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pulse finds out when the last heartbeat was sent that the group acknowledged.
// The owner lets no update out when that is too long ago, so it must never be
// told too late a time.
//
// kgo has no hook for this. It tells when a response to a heartbeat was read, not
// what was in it. So a response counts only when nothing has cast a doubt on it
// for a while after it was read. Doubts are: the membership lost; a failed
// heartbeat in kgo's log, which alone tells of one that fails while a revocation
// runs; a search for the coordinator, which kgo begins when the broker asked was
// no longer it; and an assignment that was given to us under another member id.
// A sound heartbeat thrown away in doubt does no harm, the next one is seconds
// away.
//
// The search comes after kgo's backoff: 300 ms at most the first time, but up to
// 6 s when the response was to a retry. So after a search, responses have to
// wait longer.
type pulse struct {
	doubts atomic.Uint64
	beats  chan beat // full: the beat is dropped

	mu       sync.Mutex
	beaten   bool      // in this membership
	searched time.Time // when a coordinator was last searched for after a beat
}

type beat struct {
	sent   time.Time
	due    time.Time // when it counts
	doubts uint64    // when it was read
}

const (
	grace            = 400 * time.Millisecond
	graceAfterSearch = 7 * time.Second
	searchRemembered = 10 * time.Second
)

func newPulse() *pulse { return &pulse{beats: make(chan beat, 8)} }

func (p *pulse) doubt() { p.doubts.Add(1) }

// ended notes that the membership is over. The search that the next one begins
// with is none of a lost coordinator.
func (p *pulse) ended() {
	p.doubt()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beaten, p.searched = false, time.Time{}
}

// searching notes that a coordinator is searched for.
func (p *pulse) searching() {
	p.doubt()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.beaten {
		p.searched = time.Now()
	}
}

// beat notes a response; took is how long ago its request was written.
func (p *pulse) beat(took time.Duration) {
	now := time.Now()
	b := beat{sent: now.Add(-took), due: now.Add(grace), doubts: p.doubts.Load()}
	p.mu.Lock()
	p.beaten = true
	if !p.searched.IsZero() && now.Sub(p.searched) < searchRemembered {
		b.due = now.Add(graceAfterSearch)
	}
	p.mu.Unlock()
	select {
	case p.beats <- b:
	default:
	}
}

// heard listens to kgo's log for heartbeats that failed. That a rebalance has
// begun is no failure: the group has counted such a heartbeat.
func (p *pulse) heard(msg string, keyvals []any) {
	if !strings.HasPrefix(msg, "heartbeat ") {
		return
	}
	for i := 0; i+1 < len(keyvals); i += 2 {
		if keyvals[i] != "err" {
			continue
		}
		if err, ok := keyvals[i+1].(error); ok && err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
			p.doubt()
		}
	}
}

// run promotes heartbeats until ctx is done.
func (p *pulse) run(ctx context.Context, sameMember func() bool, alive func(sent time.Time)) {
	for {
		var b beat
		select {
		case <-ctx.Done():
			return
		case b = <-p.beats:
		}
		t := time.NewTimer(time.Until(b.due))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		if p.doubts.Load() == b.doubts && sameMember() {
			alive(b.sent)
		}
	}
}

// hooks are the consumer's ears in kgo. kgo may hold locks of its own while it
// calls them, so they take none but the innermost of ours.
type hooks struct{ c *Consumer }

var _ interface {
	kgo.HookBrokerE2E
	kgo.HookBrokerWrite
	kgo.HookBrokerConnect
	kgo.HookGroupManageError
	kgo.HookFetchBatchRead
} = hooks{}

// OnFetchBatchRead tells the appetite.
func (h hooks) OnFetchBatchRead(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.FetchBatchMetrics) {
	h.c.appetite.saw(m)
}

// OnBrokerE2E counts heartbeats, and the requests that a membership begins with:
// the first assignment comes before the first heartbeat.
func (h hooks) OnBrokerE2E(meta kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	if kmsg.Key(key) == kmsg.Fetch {
		h.c.responded(address(meta), e2e.Err())
	}
	if e2e.Err() != nil {
		return
	}
	switch kmsg.Key(key) {
	case kmsg.ConsumerGroupHeartbeat:
		h.c.spoken(ProtocolConsumer)
	case kmsg.JoinGroup:
		h.c.spoken(ProtocolClassic)
	}
	switch kmsg.Key(key) {
	case kmsg.Heartbeat, kmsg.ConsumerGroupHeartbeat, kmsg.JoinGroup, kmsg.SyncGroup:
		h.c.pulse.beat(e2e.DurationE2E())
	}
}

// OnBrokerWrite notices a search for the coordinator.
func (h hooks) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if kmsg.Key(key) == kmsg.FindCoordinator {
		h.c.pulse.searching()
	}
}

// OnBrokerConnect keeps what kgo retries silently: no route, TLS, login.
func (h hooks) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	key := brokerProblem(address(meta))
	switch {
	case err == nil:
		h.c.problems.clear(key)
	case h.c.open.Err() == nil && !errors.Is(err, context.Canceled):
		h.c.problems.report(key, err)
	}
}

func address(meta kgo.BrokerMetadata) string {
	return net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port)))
}

// OnGroupManageError notes the end of a group session.
func (h hooks) OnGroupManageError(err error) {
	h.c.pulse.ended()
	h.c.groupError(err)
}
