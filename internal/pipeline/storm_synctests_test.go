//go:build synctests

package pipeline

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// totals are over all seeds: what a storm must contain to prove anything.
type totals struct {
	events, puts, repliesLost, overtaken, repeated int64
	stampsBack                                     int64 // by redelivery
	assigned, revoked, lost                        int64
	poisoned                                       int64
	crashes, leaves, cuts, outages, gates          int
}

// TestStorm runs the whole program, from kgo to HTTP, through joins, leaves,
// crashes and cuts, against an API on a very bad day, and judges every message.
// PIPELINE_SEEDS is how many seeds (30, with -race 8), PIPELINE_SEED a single one.
func TestStorm(t *testing.T) {
	from, n := uint64(1), uint64(seedsByDefault)
	if s, err := strconv.ParseUint(os.Getenv("PIPELINE_SEEDS"), 10, 64); err == nil {
		n = s
	}
	if s, err := strconv.ParseUint(os.Getenv("PIPELINE_SEED"), 10, 64); err == nil {
		from, n = s, 1
	}
	var sum totals
	for seed := from; seed < from+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, seed, func(w *world) { storm(w, &sum) })
		})
	}
	t.Logf("%d seeds: %+v", n, sum)
	if n >= seedsByDefault && (sum.repliesLost == 0 || sum.overtaken == 0 || sum.repeated == 0 || sum.revoked == 0 || sum.lost == 0 ||
		sum.poisoned == 0 || sum.crashes == 0 || sum.leaves == 0 || sum.cuts == 0 || sum.outages == 0 || sum.gates == 0) {
		t.Errorf("something never happened in %+v: the storm was too mild to prove anything", sum)
	}
}

// storm lets it blow for a minute and then waits for calm.
func storm(w *world, sum *totals) {
	w.join()
	over := time.Now().Add(time.Minute)
	produced := make(chan struct{})
	go func() {
		defer close(produced)
		for time.Now().Before(over) {
			w.produce(1 + int(time.Now().UnixMilli()/50%5))
			time.Sleep(50 * time.Millisecond)
		}
	}()
	for time.Now().Before(over) {
		time.Sleep(time.Duration(500+w.random.IntN(6000)) * time.Millisecond)
		w.gust(sum)
	}
	<-produced
	if err := w.client.Flush(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	if len(w.members) == 0 {
		w.join()
	}
	w.awaitNoLag()
	for _, m := range w.members {
		if s, err := m.loop.Snapshot(context.Background()); err != nil || !s.Counts.Balanced() || s.Counts.Open > 0 {
			w.t.Errorf("%s: %+v, %v: the count does not balance, or something is open", m.name, s.Counts, err)
		}
	}
	for len(w.members) > 0 {
		w.leave(w.members[0])
	}
	w.judge(sum)
}

// gust does one thing to the members or to the API.
func (w *world) gust(sum *totals) {
	pick := func() *member { return w.members[w.random.IntN(len(w.members))] }
	if len(w.members) == 0 {
		w.note("join")
		w.join()
		return
	}
	switch w.random.IntN(7) {
	case 0, 1:
		if len(w.members) < 3 {
			w.note("join")
			w.join()
		}
	case 2:
		w.note("leave")
		sum.leaves++
		w.leave(pick())
	case 3:
		w.note("crash")
		sum.crashes++
		w.crash(pick())
		if w.random.IntN(2) == 0 {
			w.join()
		}
	case 4:
		// Shorter or longer than a session: then its partitions go to others while
		// it can still reach the API.
		w.note("cut")
		sum.cuts++
		m := pick()
		m.kafka.cut()
		time.Sleep(time.Duration(500+w.random.IntN(9000)) * time.Millisecond)
		m.kafka.mend()
	case 5:
		w.note("outage")
		sum.outages++
		calm := w.script()
		bad := calm
		if w.random.IntN(2) == 0 {
			bad.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultCutBefore, Share: 1}}
		} else {
			bad.Stalls = []kustomersim.Window{{For: kustomersim.Duration(4 * time.Second)}}
		}
		w.setScript(bad)
		time.Sleep(time.Duration(500+w.random.IntN(3500)) * time.Millisecond)
		w.setScript(calm)
	case 6:
		w.note("gate")
		sum.gates++
		calm := w.script()
		w.setScript(w.gated(calm))
		time.Sleep(time.Duration(500+w.random.IntN(5000)) * time.Millisecond)
		w.setScript(calm)
	}
}

// gated is the API for a while: it refuses the key, a role, or too many calls.
func (w *world) gated(script kustomersim.Script) kustomersim.Script {
	switch w.random.IntN(4) {
	case 0:
		script.Key = "another"
	case 1:
		script.Deny = kustomersim.DenyWrite
	case 2:
		script.Deny = kustomersim.DenyRead
	case 3:
		script.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultStatus, Status: 429, Body: "json", Share: 0.9, RetryAfter: "1"}}
	}
	return script
}

// note shows, when the test fails, what happened when.
func (w *world) note(what string) {
	s := w.sim.Stats()
	w.t.Logf("%s %s: %d members, %d items accepted, %d back by stamp", time.Now().Format("05.000"), what, len(w.members), s.ItemsAccepted, s.FieldsBackByStamp)
}

func (w *world) setScript(script kustomersim.Script) {
	w.t.Helper()
	if err := w.sim.SetScript(script); err != nil {
		w.t.Fatal(err)
	}
}

// judge compares the end with the truth.
func (w *world) judge(sum *totals) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.sim.Quiesce(ctx); err != nil {
		w.t.Error(err)
	}
	truth, stats := w.events.Truth(), w.sim.Stats()
	for i, f := range truth.Judge(w.state) {
		if i == 5 {
			w.t.Error("… and more")
			break
		}
		w.t.Error(f)
	}
	written, err := workload.Collect(ctx, topicResults, topicDead,
		kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(w.network.DialContext))
	if err != nil {
		w.t.Fatal(err)
	}
	for p := range w.buried {
		if written.DeadLetters[p] == 0 {
			w.t.Errorf("no dead letter for %s", p)
		}
	}
	for p := range written.DeadLetters {
		if !w.buried[p] {
			w.t.Errorf("a dead letter for %s, which the API would have taken", p)
		}
	}
	// Stamps may go back for a while: who takes over begins at the last commit,
	// and sends changes again that newer ones, settled but not yet committed, had
	// overtaken. What must never happen is that an operation overtakes another.
	if stats.FieldsBackByOrder+stats.NewerWhileOpen > 0 {
		w.t.Errorf("out of order: %d fields back by order, %d changes sent while an older one could run",
			stats.FieldsBackByOrder, stats.NewerWhileOpen)
	}
	delete(stats.Breaches, kustomersim.BreachKey) // of a gust
	if len(stats.Breaches) > 0 {
		w.t.Errorf("breaches of the contract: %v", stats.Breaches)
	}
	sum.events += int64(truth.Total + truth.Malformed)
	sum.puts += stats.Puts
	sum.poisoned += stats.Poisoned
	sum.repliesLost += stats.RepliesLost
	sum.overtaken += stats.OperationsOvertaken
	sum.repeated += stats.ItemsRepeated
	sum.stampsBack += stats.FieldsBackByStamp
	sum.assigned += w.assigned.Load()
	sum.revoked += w.revoked.Load()
	sum.lost += w.lost.Load()
}

// state is what the API holds of a message.
func (w *world) state(id string) map[string]string {
	fields, _ := w.sim.Message(id)
	state := make(map[string]string, len(fields))
	for name, value := range fields {
		state[name] = string(value)
	}
	return state
}
