//go:build synctests

package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

const (
	topicIn, topicResults, topicDead = "in", "results", "dead"
	groupName                        = "group"
	apiAddress                       = "localhost:8080"

	session = 6 * time.Second
	// Short, because kfake begins a rebalance's time-out anew with each member
	// that asks again, and a long one may then never end.
	rebalanceTimeout = 5 * time.Second
	callTimeout      = 2 * time.Second
	drainTimeout     = 10 * time.Second
	// longestWrite is after how long the API here may still write what it was
	// sent, counted from the end of the attempt: see world.script.
	longestWrite = 12 * time.Second
)

// world is Kafka, the API and some members, in a bubble of virtual time and on a
// network in memory.
type world struct {
	t       *testing.T
	random  *rand.Rand
	network *kfake.VirtualNetwork
	cluster *kfake.Cluster
	client  *kgo.Client
	sim     *kustomersim.Server
	events  *workload.Generator

	mu     sync.Mutex
	buried map[string]bool // positions that must be in the dead-letter topic

	onPut func(body []byte) // when set, told of the body of each PUT as it arrives

	names    int
	members  []*member // that run
	retired  []*member // told to end
	assigned atomic.Int64
	revoked  atomic.Int64
	lost     atomic.Int64
}

// inWorld runs f in a bubble. All that happens by chance is drawn from the seed;
// the order of goroutines is not.
func inWorld(t *testing.T, seed uint64, f func(w *world), opts ...kfake.Opt) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, random: rand.New(rand.NewPCG(seed, 7)), network: new(kfake.VirtualNetwork), buried: map[string]bool{},
			events: workload.New(workload.Config{Seed: seed, Mark: canary.Value, Number: canary.Number, Messages: 300, HotShare: 0.5, Malformed: 0.005, Failing: 0.02, Poison: 0.01}),
		}
		var err error
		w.cluster, err = kfake.NewCluster(append(opts,
			kfake.NumBrokers(1), kfake.Ports(19092), kfake.ListenFn(w.network.Listen),
			kfake.SeedTopics(4, topicIn), kfake.SeedTopics(1, topicResults, topicDead), kfake.GroupMinSessionTimeout(time.Second))...)
		if err != nil {
			t.Fatal(err)
		}
		defer w.cluster.Close()
		w.client, err = kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(w.network.DialContext))
		if err != nil {
			t.Fatal(err)
		}
		defer w.client.Close()
		defer w.serve(seed)()
		defer w.endAll()
		f(w)
	})
}

// serve starts the API and returns what ends it.
func (w *world) serve(seed uint64) (stop func()) {
	script := w.script()
	w.sim = kustomersim.New(kustomersim.Options{
		Key: canary.Secret, Echo: true, Seed: seed, Script: &script, Workers: 64, Spread: seed%2 == 0,
		FailID: func(id string) bool { return w.events.Truth().Failing[id] },
	})
	listener, err := w.network.Listen("tcp", apiAddress)
	if err != nil {
		w.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(w.answer)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return func() {
		server.Close()
		<-served
		w.sim.Close()
	}
}

// answer is the API, with an ear for what reaches it.
func (w *world) answer(rw http.ResponseWriter, r *http.Request) {
	if w.onPut != nil && r.Method == http.MethodPut {
		body, err := io.ReadAll(r.Body)
		if len(body) > 0 { // a part of it counts, too
			w.onPut(body)
		}
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	w.sim.ServeHTTP(rw, r)
}

// script is an API on a very bad day. A call may be taken 1 s after its client
// gave up, then wait 4 s behind a stall, run for 2 s, and 2 s more if it has
// vanished meanwhile: less than longestWrite.
func (w *world) script() kustomersim.Script {
	const ms = kustomersim.Duration(time.Millisecond)
	shapes := []kustomersim.Shape{kustomersim.ShapePaged, kustomersim.ShapeFlat, kustomersim.ShapeBeside}
	put := func(kind kustomersim.FaultKind, share float64) kustomersim.Fault {
		return kustomersim.Fault{Kind: kind, On: "put", Share: share}
	}
	slow := put(kustomersim.FaultSlow, 0.02)
	slow.Delay, slow.Accept = 3000*ms, kustomersim.AcceptLate
	status := put(kustomersim.FaultStatus, 0.02)
	status.Status, status.Body, status.Accept = 503, "html", kustomersim.AcceptFirst
	refused := put(kustomersim.FaultStatus, 0.02)
	refused.Status, refused.Body = 500, "json"
	return kustomersim.Script{
		Latency: kustomersim.Latency{Base: 5 * ms, Jitter: 20 * ms},
		Run:     kustomersim.Run{Base: 50 * ms, Tail: 200 * ms},
		Faults: []kustomersim.Fault{
			put(kustomersim.FaultCutAfter, 0.03), put(kustomersim.FaultCutBody, 0.01), put(kustomersim.FaultCutBefore, 0.02),
			slow, status, refused,
			{Kind: kustomersim.FaultStatus, On: "get", Share: 0.02, Status: 502, Body: "html"},
			{Kind: kustomersim.FaultCutBody, On: "get", Share: 0.01},
		},
		ItemFailures: 0.002, FirstRunning: 0.1, FirstComplete: 0.05, MissingResults: 0.01,
		Vanish:  kustomersim.Vanish{Share: 0.01, After: 100 * ms, Apply: w.random.IntN(2) == 0, Delay: 2000 * ms},
		Poison:  w.poison(),
		Quote:   true,
		Batches: shapes[w.random.IntN(len(shapes))], Minimal: w.random.IntN(3) == 0,
		PutStatus: []int{200, 201}[w.random.IntN(2)],
	}
}

// poison is what the API does not take of the events, and how it says so: mostly
// not at all, sometimes it hints at the guilty.
func (w *world) poison() []kustomersim.Poison {
	list := kustomersim.MarkedPoison()
	hints := []kustomersim.Hint{kustomersim.HintNone, kustomersim.HintNone, kustomersim.HintPointer, kustomersim.HintMember, kustomersim.HintID}
	for i := range list {
		if list[i].Status == http.StatusBadRequest || list[i].Status == http.StatusUnprocessableEntity {
			list[i].Hint = hints[w.random.IntN(len(hints))]
		}
	}
	return list
}

// link is one side's connections, which can be cut.
type link struct {
	network *kfake.VirtualNetwork
	silent  atomic.Bool // nothing gets through, and nobody is told
	mu      sync.Mutex
	down    bool
	conns   []net.Conn
}

// produce appends n events.
func (w *world) produce(n int) {
	for range n {
		e := w.events.Next(time.Now())
		r := &kgo.Record{Topic: topicIn, Key: e.Key, Value: e.Value}
		w.client.Produce(context.Background(), r, func(r *kgo.Record, err error) {
			switch {
			case err != nil:
				w.t.Errorf("produce: %v", err)
			case e.DeadLetter:
				w.mu.Lock()
				w.buried[fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)] = true
				w.mu.Unlock()
			}
		})
	}
}

// awaitNoLag waits until everything is committed.
func (w *world) awaitNoLag() {
	w.t.Helper()
	admin := kadm.NewClient(w.client)
	var total int64
	for range 60 {
		for range 40 {
			time.Sleep(250 * time.Millisecond)
			lags, err := admin.Lag(context.Background(), groupName)
			if err != nil {
				w.t.Fatal(err)
			}
			lag := lags[groupName]
			if total = lag.Lag.Total(); lag.Error() == nil && total == 0 {
				return
			}
		}
		w.removeGhosts(admin)
	}
	for _, m := range w.members {
		s, err := m.loop.Snapshot(context.Background())
		w.t.Logf("%s: %+v %v\n%s", m.name, s, err, last(m.logs, 15))
	}
	w.t.Fatalf("the lag is %d ten minutes after the storm", total)
}

// removeGhosts ends members that have long been dead. kfake, unlike Kafka, starts
// no session for a member whose connection broke as it was to be told its
// partitions, and so keeps it for ever. Ten seconds are more than a session.
func (w *world) removeGhosts(admin *kadm.Client) {
	w.t.Helper()
	groups, err := admin.DescribeGroups(context.Background(), groupName)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range groups[groupName].Members {
		if slices.ContainsFunc(w.members, func(m *member) bool { return m.name == g.ClientID }) {
			continue
		}
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group = groupName
		req.Members = append(req.Members, kmsg.LeaveGroupRequestMember{MemberID: g.MemberID})
		if _, err := req.RequestWith(context.Background(), w.client); err != nil {
			w.t.Fatal(err)
		}
	}
}

// last renders the last lines of a log that are not about a batch.
func last(logs *observer.ObservedLogs, n int) string {
	other := logs.Filter(func(e observer.LoggedEntry) bool { return e.Message != "batch completed" })
	lines := strings.SplitAfter(text(other), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
