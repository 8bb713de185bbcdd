//go:build kafka && linux

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// steady is an API without faults whose operations run for a time.
func steady(run time.Duration) kustomersim.Script {
	return kustomersim.Script{Run: kustomersim.Run{Base: kustomersim.Duration(run)}}
}

// stalled is an API that accepts and does not process.
func stalled() kustomersim.Script {
	return kustomersim.Script{Stalls: []kustomersim.Window{{}}}
}

// refusing answers every PUT with a 503 and takes nothing; what it has accepted
// before goes on, and can be read.
func refusing() kustomersim.Script {
	script := calm()
	script.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultStatus, On: "put", Share: 1, Status: 503, Body: "html"}}
	return script
}

// members returns the size of the group, in whichever protocol it speaks.
func (w *world) members() (int, error) {
	groups, err := w.admin.DescribeGroups(w.t.Context(), w.group)
	if err == nil && len(groups[w.group].Members) > 0 {
		return len(groups[w.group].Members), nil
	}
	modern, err := w.admin.DescribeConsumerGroups(w.t.Context(), w.group)
	if err != nil {
		return 0, err
	}
	return len(modern[w.group].Members), nil
}

func (w *world) awaitSize(timeout time.Duration, n int) {
	w.t.Helper()
	await(w.t, timeout, fmt.Sprintf("the group has %d members", n), func() error {
		if size, err := w.members(); err != nil || size != n {
			return fmt.Errorf("it has %d, %w", size, err)
		}
		return nil
	})
}

// awaitOwners waits until n members have all partitions and nothing moves.
func (w *world) awaitOwners(timeout time.Duration, n int) {
	w.t.Helper()
	await(w.t, timeout, fmt.Sprintf("%d members have all partitions", n), func() error {
		groups, err := w.admin.DescribeGroups(w.t.Context(), w.group)
		if err != nil {
			return err
		}
		g := groups[w.group]
		owned := g.AssignedPartitions()
		if total := len(owned[w.topic]); g.State != "Stable" || len(g.Members) != n || total != partitions {
			return fmt.Errorf("group is %s, %d members, %d partitions", g.State, len(g.Members), total)
		}
		return nil
	})
}

// A partition moves with all kinds of unfinished work on it: operations are open,
// changes wait behind them, and a batch is between two attempts.
func TestMove(t *testing.T) {
	t.Parallel()
	move(t, func(string) string { return "" })
}

// The same with static members.
func TestMoveStatic(t *testing.T) {
	t.Parallel()
	move(t, instance)
}

// move is the test: source makes the source keys of a member, prepare the group.
func move(t *testing.T, source func(member string) string, prepare ...func(*world)) {
	const run = 8 * time.Second // less than revoke_timeout
	w := newWorld(t, workload.Config{Messages: 400, HotShare: 0.3}, steady(run))
	for _, f := range prepare {
		f(w)
	}
	one := w.connector("one", source("one"))
	w.produce(200)
	await(t, 20*time.Second, "all that can be sent is accepted", func() error {
		if s := w.api.stats(); s.ItemsAccepted < 100 || s.OperationsOpen == 0 {
			return fmt.Errorf("%d items are accepted", s.ItemsAccepted)
		}
		return nil
	})
	w.api.setScript(refusing())
	w.produce(400) // of messages with an operation open, and of others
	one.awaitLine(20*time.Second, "delivery is paused")

	begun := time.Now()
	two := w.connector("two", source("two"))
	w.awaitSize(20*time.Second, 2)
	if open := w.api.operations(); len(open) == 0 {
		t.Errorf("no operation was open as the second member came, after %v", time.Since(begun))
	}
	two.awaitLine(takeover, "partitions assigned")
	took := time.Since(begun)
	if open := w.api.operations(); len(open) > 0 {
		t.Errorf("%d operations were open as the partitions moved, after %v", len(open), took)
	}
	if paused := one.lines("delivery goes on"); len(paused) > 0 {
		t.Error("delivery went on before the partitions moved: no batch was between two attempts")
	}
	t.Logf("partitions moved %v after the second member was started", took.Round(time.Millisecond))
	if took > run+6*time.Second {
		t.Errorf("it took %v: longer than what was open", took)
	}
	w.api.setScript(calm())
	w.awaitNoLag(takeover)
	one.term()
	two.term()
	w.check()
}

// While the API is away nothing can end, and a revocation does not wait.
func TestMoveInOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 400, HotShare: 0.3}, calm())
	gate := openGate(t, w.api.url)
	w.baseURL = gate.url()
	w.produce(500)
	one := w.connector("one", "")
	w.api.awaitItems(30*time.Second, 1)
	w.awaitNoLag(30 * time.Second)
	gate.shut()
	w.produce(500)
	one.awaitLine(20*time.Second, "delivery is paused")
	begun := time.Now()
	two := w.connector("two", "")
	two.awaitLine(takeover, "partitions assigned")
	took := time.Since(begun)
	t.Logf("partitions moved %v after the second member was started", took.Round(time.Millisecond))
	if took > 6*time.Second { // two heartbeats and a start; revoke_timeout is 10s
		t.Errorf("it took %v, and nothing could end", took)
	}
	wantNothingGivenUp(t, w)
	gate.open()
	w.awaitNoLag(takeover)
	one.term()
	two.term()
	w.check()
}

// From one member to five and back under load, by SIGTERM and by kill -9.
func TestScale(t *testing.T) {
	t.Parallel()
	events, script := rough()
	w := newWorld(t, events, script)
	stop := w.load(200)
	var all []*process
	for i := range 5 {
		all = append(all, w.connector(fmt.Sprintf("member-%d", i+1), ""))
		w.awaitOwners(takeover, i+1)
		w.api.awaitItems(takeover, 100)
	}
	w.api.awaitItems(takeover, 300)
	all[3].term()
	w.api.awaitDoomed(takeover)
	all[0].kill()
	all[1].term()
	all[4].term()
	w.awaitOwners(takeover, 1)
	w.api.awaitItems(takeover, 300)
	stop()
	w.awaitNoLag(takeover + time.Minute)
	all[2].term()
	w.check()
}

// A process is killed while its operations wait in the API's queue, and the queue
// stands still for longer than lost_reply_wait. The next one waits for them by
// name.
func TestTakeoverOfQueuedOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 300, HotShare: 0.3}, stalled())
	w.produce(300)
	dead := w.connector("dead", "")
	w.awaitListed(30 * time.Second)
	queued := w.api.operations()
	dead.kill()
	w.produce(300) // newer changes of the same messages

	heir := w.connector("heir", "")
	heir.awaitLine(takeover, "not given back clean")
	accepted := w.api.stats().ItemsAccepted
	pass(t, 2*lostReplyWait+2*time.Second)
	s := w.api.stats()
	if s.ItemsAccepted != accepted || int(s.OperationsOpen) != len(queued) {
		t.Errorf("%d items were accepted while %d operations of the dead process were queued (%d are now)",
			s.ItemsAccepted-accepted, len(queued), s.OperationsOpen)
	}
	goesOn := time.Now()
	w.api.setScript(calm())
	w.api.awaitItems(takeover, 1)
	t.Logf("%d operations were queued; the heir sent %v after the queue moved", len(queued), time.Since(goesOn).Round(time.Millisecond))
	w.awaitNoLag(takeover)
	heir.term()
	stats, _ := w.check()
	if stats.FieldsBackByStamp > 0 {
		t.Errorf("%d fields back by stamp", stats.FieldsBackByStamp)
	}
}

// awaitListed waits until operations are open and the commits of the group name
// each of them.
func (w *world) awaitListed(timeout time.Duration) {
	w.t.Helper()
	await(w.t, timeout, "the commits name all open operations", func() error {
		committed, err := w.admin.FetchOffsets(w.t.Context(), w.group)
		if err != nil {
			return err
		}
		var names strings.Builder
		for p := range int32(partitions) {
			if o, ok := committed.Lookup(w.topic, p); ok {
				names.WriteString(o.Metadata)
			}
		}
		open := w.api.operations()
		if len(open) == 0 {
			return errors.New("none is open")
		}
		for _, op := range open {
			if !strings.Contains(names.String(), op.ID) {
				return fmt.Errorf("not named: %s, of %d", op.ID, len(open))
			}
		}
		return nil
	})
}

// Partitions that are added to the topic are found by members that run.
func TestPartitionsAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 600}, calm())
	c := w.connector("finder", "")
	c.awaitLine(takeover, "partitions assigned")
	if _, err := w.admin.CreatePartitions(t.Context(), 3, w.topic); err != nil {
		t.Fatal(err)
	}
	added := time.Now()
	w.client.ForceMetadataRefresh()
	await(t, 20*time.Second, "a new partition gets events", func() error {
		w.produce(200)
		ends, err := w.admin.ListEndOffsets(t.Context(), w.topic)
		if err != nil {
			return err
		}
		for p := int32(partitions); p < partitions+3; p++ {
			if o, ok := ends.Lookup(w.topic, p); !ok || o.Offset == 0 {
				return fmt.Errorf("partition %d is empty", p)
			}
		}
		return nil
	})
	await(t, time.Minute, "the new partitions are assigned", func() error {
		for _, l := range c.lines("partitions assigned") {
			if strings.Contains(fmt.Sprint(l["partitions"]), fmt.Sprintf("%s/%d@", w.topic, partitions+2)) {
				return nil
			}
		}
		return errors.New("not yet")
	})
	t.Logf("found after %v", time.Since(added).Round(time.Millisecond))
	w.awaitNoLag(30 * time.Second)
	c.term()
	// A message that changed its partition has no order across the two, so only
	// what does not depend on it is checked.
	if got := w.written(); len(got.DeadLetters) > 0 {
		t.Errorf("%d dead letters", len(got.DeadLetters))
	}
	states := w.api.states()
	for id := range w.events.Truth().States {
		if states[id] == nil {
			t.Errorf("message %s was never written", id)
		}
	}
}
