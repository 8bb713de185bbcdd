//go:build synctests

package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafka-kustomer/batcher"
	"kafka-kustomer/consumer"
	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// memberships are the ways to be in a group. The fourth, eager, is none of ours:
// the consumer's balancer is cooperative, whatever options it is given.
var memberships = []struct {
	name string
	edit func(*setup)
}{
	{"cooperative", func(*setup) {}},
	{"consumer protocol", func(s *setup) { s.source.Protocol = consumer.ProtocolConsumer }},
	{"static", func(s *setup) {
		s.source.InstanceID = s.source.ClientID
		s.core.TakeoverExtra = session
	}},
}

// brokerTimes are those that a member of the consumer protocol can't choose.
var brokerTimes = kfake.BrokerConfigs(map[string]string{
	"group.consumer.session.timeout.ms":    fmt.Sprint(session.Milliseconds()),
	"group.consumer.heartbeat.interval.ms": "1000",
})

// hand makes events by hand, where a test must know which message is where.
type hand struct {
	*world
	n int

	mu       sync.Mutex
	arrivals []arrival
	diary    []entry
}

// arrival is one item of a PUT that reached the API.
type arrival struct {
	at      time.Time
	message string
	by      string // the member
}

// entry is one callback of the group.
type entry struct {
	at     time.Time
	member string
	what   callback
	as     []*batcher.Assignment
	starts []batcher.Start
}

// byHand runs f in a bubble whose API has no faults and whose log is empty.
func byHand(t *testing.T, f func(h *hand)) {
	t.Helper()
	inWorld(t, 1, func(w *world) {
		h := &hand{world: w}
		w.events = workload.New(workload.Config{Seed: 1, Mark: canary.Value, Number: canary.Number, Messages: 300, HotShare: 0.5, Malformed: 0.005, Failing: 0.02}) // no poison: the scripts know none
		w.onPut = h.note
		w.setScript(steady(time.Second))
		f(h)
	}, brokerTimes)
}

// steady is an API without faults whose operations run for a time.
func steady(run time.Duration) kustomersim.Script {
	return kustomersim.Script{Run: kustomersim.Run{Base: kustomersim.Duration(run)}}
}

// note keeps what reaches the API.
func (h *hand) note(body []byte) {
	var items []struct {
		ID  string `json:"id"`
		Ref string `json:"_clientRef"`
	}
	if err := json.Unmarshal(body, &items); err != nil {
		h.t.Errorf("a PUT of %d bytes that are no list of items: %v", len(body), err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, it := range items {
		by, _, _ := strings.Cut(it.Ref, "-")
		h.arrivals = append(h.arrivals, arrival{time.Now(), it.ID, by})
	}
}

// arrived returns how often a message was in a PUT, or every message if id is
// empty, by one member or by any.
func (h *hand) arrived(id, by string) (found []arrival) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.arrivals {
		if (id == "" || a.message == id) && (by == "" || a.by == by) {
			found = append(found, a)
		}
	}
	return found
}

// member joins with a diary of what the group does to it.
func (h *hand) member(edits ...func(*setup)) *member {
	return h.join(append(edits, func(s *setup) {
		name, told := s.source.ClientID, s.told
		s.told = func(what callback, as []*batcher.Assignment, starts []batcher.Start) {
			h.mu.Lock()
			h.diary = append(h.diary, entry{time.Now(), name, what, as, starts})
			h.mu.Unlock()
			if told != nil {
				told(what, as, starts)
			}
		}
	})...)
}

// entries returns what the group did to a member.
func (h *hand) entries(m *member, what callback) (found []entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.diary {
		if e.member == m.name && e.what == what {
			found = append(found, e)
		}
	}
	return found
}

// message is the id of the nth message that the partitioner puts on a partition.
func (h *hand) message(partition int32, n int) string {
	partitioner := kgo.StickyKeyPartitioner(nil).ForTopic(topicIn)
	for i := 0; ; i++ {
		id := fmt.Sprintf("5f%022x", i)
		if partitioner.Partition(&kgo.Record{Key: []byte(id)}, 4) != int(partition) {
			continue
		}
		if n--; n < 0 {
			return id
		}
	}
}

// send appends a change of each message, in order.
func (h *hand) send(ids ...string) {
	h.t.Helper()
	var rs []*kgo.Record
	for _, id := range ids {
		h.n++
		subject := fmt.Sprintf(`"it is #%d"`, h.n)
		rs = append(rs, &kgo.Record{Topic: topicIn, Key: []byte(id), Value: fmt.Appendf(nil,
			`{"eventId":"e%d","messageId":"%s","changes":{"subject":%s}}`, h.n, id, subject)})
		truth := h.events.Truth()
		truth.Total++
		truth.Events[id]++
		truth.States[id] = map[string]string{"subject": subject}
	}
	if err := h.client.ProduceSync(context.Background(), rs...).FirstErr(); err != nil {
		h.t.Fatal(err)
	}
}

// sendTo appends a change of the nth message of every partition.
func (h *hand) sendTo(ns ...int) {
	h.t.Helper()
	var ids []string
	for _, n := range ns {
		for p := range int32(4) {
			ids = append(ids, h.message(p, n))
		}
	}
	h.send(ids...)
}

// await waits, in virtual time, until cond holds.
func (h *hand) await(what string, cond func() bool) {
	h.t.Helper()
	for range 6000 {
		if cond() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, m := range h.members {
		h.t.Logf("%s:\n%s", m.name, last(m.logs, 15))
	}
	h.t.Fatalf("not in two minutes: %s", what)
}

// applied reports whether the API has ever written to a message.
func (h *hand) applied(id string) bool {
	_, ok := h.sim.Message(id)
	return ok
}

// committed is what the group has committed for a partition.
func (h *hand) committed(partition int32) kfake.GroupCommit {
	if g := h.cluster.GroupInfo(groupName); g != nil {
		if c, ok := g.Commits[topicIn][partition]; ok {
			return c
		}
	}
	return kfake.GroupCommit{Offset: -1}
}

// finish waits until all is done, ends every member, and judges.
func (h *hand) finish() {
	h.t.Helper()
	h.awaitNoLag()
	for _, m := range h.members {
		if s := m.snapshot(); !s.Counts.Balanced() || s.Counts.Open > 0 {
			h.t.Errorf("%s: %+v: the count does not balance, or something is open", m.name, s.Counts)
		}
	}
	for len(h.members) > 0 {
		h.leave(h.members[0])
	}
	h.judge(new(totals))
}

func (m *member) snapshot() batcher.Snapshot {
	s, err := m.loop.Snapshot(context.Background())
	if err != nil {
		m.w.t.Errorf("%s: %v", m.name, err)
	}
	return s
}

// counts reads an assignment's book in the loop.
func (m *member) counts(a *batcher.Assignment) (c batcher.Counts) {
	done := make(chan struct{})
	m.loop.inbox.put(probe(func() { c = a.Counts(); close(done) }))
	select {
	case <-done:
	case <-m.loop.stopped:
		m.w.t.Errorf("%s has ended", m.name)
	}
	return c
}

// probe is a look into what belongs to the loop.
type probe func()

func (f probe) tell(*batcher.Core, time.Time) { f() }

// commitRequest is one partition of a commit that was sent.
type commitRequest struct {
	at        time.Time
	member    string // its id in the group
	partition int32
	offset    int64
}

// watchCommits keeps every commit that reaches the broker from now on.
func (h *hand) watchCommits() func() []commitRequest {
	var mu sync.Mutex
	var all []commitRequest
	h.cluster.ControlKey(int16(kmsg.OffsetCommit), func(r kmsg.Request) (kmsg.Response, error, bool) {
		h.cluster.KeepControl()
		req := r.(*kmsg.OffsetCommitRequest)
		mu.Lock()
		defer mu.Unlock()
		for _, t := range req.Topics {
			for _, p := range t.Partitions {
				all = append(all, commitRequest{at: time.Now(), member: req.MemberID, partition: p.Partition, offset: p.Offset})
			}
		}
		return nil, nil, false
	})
	return func() []commitRequest {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// watchOffsets looks at the committed offsets every few milliseconds, until it is
// called, and returns the partitions whose offset has ever gone back.
func (h *hand) watchOffsets() (stop func() []string) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan []string, 1)
	go func() {
		var back []string
		highest := map[int32]int64{}
		for ctx.Err() == nil {
			if g := h.cluster.GroupInfo(groupName); g != nil {
				for p, c := range g.Commits[topicIn] {
					if c.Offset < highest[p] {
						back = append(back, fmt.Sprintf("partition %d went from %d back to %d", p, highest[p], c.Offset))
					}
					highest[p] = c.Offset
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
		done <- back
	}()
	stop = sync.OnceValue(func() []string { cancel(); return <-done })
	h.t.Cleanup(func() { stop() }) // in a bubble that is over, nothing may be left
	return stop
}
