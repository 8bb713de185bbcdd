//go:build kafka && linux

package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// badDay loses replies after acceptance, fails items once, and lets operations
// overtake each other. The longest run, ten tails, stays below lostReplyWait.
func badDay() kustomersim.Script {
	return kustomersim.Script{
		Run: kustomersim.Run{Base: 100 * ms, Tail: 150 * ms},
		Faults: []kustomersim.Fault{
			{Kind: kustomersim.FaultCutAfter, On: "put", Share: 1, Skip: 2, Count: 2},
			{Kind: kustomersim.FaultCutAfter, On: "put", Share: 0.03},
		},
		ItemFailures: 0.001,
	}
}

// A backlog goes out in full requests, as fast as it may, and comes out right.
func TestBacklog(t *testing.T) {
	n := envInt(t, "E2E_EVENTS", 100_000)
	w := newWorld(t, workload.Config{Messages: n / 20, HotShare: 0.1, Malformed: 0.001}, badDay())
	w.produce(n)
	begun := time.Now()
	c := w.connector("backlog", "")
	w.awaitNoLag(time.Minute + time.Duration(n)*time.Millisecond)
	took := time.Since(begun)
	t.Logf("%.0f events a second; VmHWM %d MiB", float64(n)/took.Seconds(), c.memory("VmHWM")>>20)
	c.term()

	stats, got := w.check()
	if stats.RepliesLost == 0 || stats.OperationsOvertaken == 0 {
		t.Errorf("%d replies lost, %d operations overtook another: the day was not bad enough to prove anything",
			stats.RepliesLost, stats.OperationsOvertaken)
	}
	var full, partial int64
	for items, puts := range stats.Fill {
		if items == 100 {
			full += puts
		} else {
			partial += puts
		}
	}
	t.Logf("%d requests of 100 items, %d of fewer", full, partial)
	// Fewer items go out when the linger ends: at the start, before the fetches
	// have caught up, and at the end, where there is no backlog any more.
	if full < int64(n)/2000 || partial > 10+full/50 {
		t.Errorf("%d requests were full, %d were not, and there was a backlog", full, partial)
	}
	wantOneOfEach(t, got)
}

// wantOneOfEach checks that each operation has one accepted and one completed
// result.
func wantOneOfEach(t *testing.T, got *workload.Written) {
	t.Helper()
	if len(got.Accepted) == 0 {
		t.Error("no operation has an accepted result")
	}
	wrong := 0
	for id, n := range got.Accepted {
		if n != 1 || got.Completed[id] != 1 {
			wrong++
		}
	}
	for id := range got.Completed {
		if got.Accepted[id] == 0 {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d operations have not exactly one accepted and one completed result", wrong, len(got.Accepted))
	}
}

// rough is a load with hot keys, and messages that the API fails for good, slow
// enough that a kill finds operations open.
func rough() (workload.Config, kustomersim.Script) {
	script := badDay()
	script.Run = kustomersim.Run{Base: 400 * ms, Tail: 100 * ms}
	script.ItemFailures = 0.005
	return workload.Config{Messages: 2000, HotShare: 0.7, Malformed: 0.001, Failing: 0.03}, script
}

// kill -9, again and again, each time while an operation is open of which an
// item is going to fail: what it carried must be neither lost nor done twice out
// of order.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := envInt(t, "E2E_KILLS", 10)
	events, script := rough()
	w := newWorld(t, events, script)
	stop := w.load(150)
	random := rand.New(rand.NewPCG(seed, 1))
	caught := 0
	c := w.connector("killed", "")
	for range kills {
		w.api.awaitItems(takeover, 1+int64(random.IntN(500)))
		doomed := w.api.awaitDoomed(takeover)
		c.kill()
		for _, op := range w.api.operations() {
			if op.ID == doomed.ID {
				caught++
			}
		}
		c = w.connector("killed", "")
	}
	stop()
	t.Logf("%d kills; %d times the operation was still open when the process was gone", kills, caught)
	if caught*2 < kills {
		t.Errorf("only %d of %d kills met an open operation that was to fail an item", caught, kills)
	}
	w.awaitNoLag(takeover + time.Minute)
	c.term()
	w.check()
}

// A static member that was killed gets its partitions back without waiting for
// its own session to end.
func TestStaticMemberComesBack(t *testing.T) {
	t.Parallel()
	events, script := rough()
	w := newWorld(t, events, script)
	stop := w.load(150)
	c := w.connector("static", instance("one"))
	for range 2 {
		w.api.awaitItems(takeover, 200)
		w.api.awaitDoomed(takeover)
		c.kill()
		c = w.connector("static", instance("one"))
		c.awaitLine(takeover, "not given back clean")
		took := time.Since(c.started)
		t.Logf("it has its partitions back after %v", took.Round(time.Millisecond))
		if took > sessionTimeout-2*time.Second {
			t.Errorf("it took %v, as long as a session", took)
		}
	}
	stop()
	w.awaitNoLag(takeover + time.Minute)
	c.term()
	w.check()
}

// SIGTERM in the middle: what runs is awaited, what waits is left for the next
// owner, and nothing is sent twice. Each message has one change: where one waits
// for another of its message, the offset can't pass it, and what was sent of
// later offsets is sent again.
func TestSigterm(t *testing.T) {
	t.Parallel()
	script := kustomersim.Script{Run: kustomersim.Run{Base: 200 * ms, Tail: 100 * ms}}
	// Hot keys: at the signal, changes wait behind others of their message.
	w := newWorld(t, workload.Config{Messages: 3000, HotShare: 0.4, Malformed: 0.002, Distinct: true}, script)
	stop := w.load(1500)
	for range 3 {
		c := w.connector("stopped", "")
		w.api.awaitItems(takeover, 1000)
		if len(w.api.operations()) == 0 {
			t.Log("no operation was open at the signal")
		}
		t.Logf("ended %v after SIGTERM", c.term().Round(time.Millisecond))
		if n := len(w.api.operations()); n > 0 {
			t.Errorf("%d operations are open after an orderly end", n)
		}
		if lag, err := w.lag(); err != nil || lag == 0 {
			t.Errorf("lag %d, %v: it was not in the middle", lag, err)
		}
	}
	stop()
	c := w.connector("stopped", "")
	w.awaitNoLag(time.Minute)
	if taken := c.lines("not given back clean"); len(taken) > 0 {
		t.Errorf("an orderly end left a partition open: %v", taken[0])
	}
	c.term()
	stats, got := w.check()
	if stats.ItemsRepeated > 0 {
		t.Errorf("%d changes were sent again", stats.ItemsRepeated)
	}
	wantOneOfEach(t, got)
}

// Members come and go, by SIGTERM and by kill -9, while load runs.
func TestRebalance(t *testing.T) {
	t.Parallel()
	events, script := rough()
	w := newWorld(t, events, script)
	stop := w.load(200)
	one := w.connector("one", "")
	w.api.awaitItems(takeover, 300)
	two, three := w.connector("two", ""), w.connector("three", "")
	w.awaitMembers(takeover, 3)
	w.api.awaitItems(takeover, 500)
	two.term()
	w.api.awaitDoomed(takeover)
	three.kill()
	w.awaitMembers(takeover, 1)
	w.api.awaitItems(takeover, 500)
	four := w.connector("four", "")
	w.awaitMembers(takeover, 2)
	w.api.awaitItems(takeover, 300)
	one.term()
	w.awaitMembers(takeover, 1)
	stop()
	w.awaitNoLag(takeover + time.Minute)
	four.term()
	w.check()
}
