//go:build kafka && linux

package e2e

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/workload"
)

// wantEnd waits for the end of a process that was told to stop at a time: exit
// code 0, and not later than the one deadline for everything.
func (p *process) wantEnd(told time.Time, during string) (took time.Duration) {
	p.t.Helper()
	const most = drainTimeout + time.Second
	if code := p.wait(time.Until(told) + most + 10*time.Second); code != 0 {
		p.t.Errorf("%s, told to stop %s, ended with exit code %d, want 0", p.name, during, code)
	}
	took = time.Since(told)
	p.t.Logf("%s, told to stop %s, ended after %v", p.name, during, took.Round(time.Millisecond))
	if took > most {
		p.t.Errorf("%s took %v, want at most drain_timeout and a second", p.name, took)
	}
	return took
}

func (p *process) stop(during string) time.Duration {
	p.t.Helper()
	told := time.Now()
	p.signal(syscall.SIGTERM)
	return p.wantEnd(told, during)
}

// finish lets one more member do what is left, and checks everything.
func (w *world) finish() {
	w.t.Helper()
	w.api.setScript(calm())
	last := w.connector("last", "")
	last.awaitLine(takeover, "partitions assigned") // or a signal could come before it listens
	w.awaitNoLag(takeover + 20*time.Second)
	last.term()
	w.check()
}

// SIGTERM while the API is away, with nothing open: there is nothing to wait for.
func TestShutdownInOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 400, HotShare: 0.3}, calm())
	gate := openGate(t, w.api.url)
	w.baseURL = gate.url()
	c := w.connector("cut-off", "")
	gate.shut()
	w.produce(1000)
	c.awaitLine(20*time.Second, "delivery is paused")
	if took := c.stop("while the API is away"); took > 3*time.Second {
		t.Errorf("it took %v, and nothing could end", took)
	}
	wantNothingGivenUp(t, w)
	gate.open()
	w.finish()
}

// SIGTERM while an operation is open that does not end.
func TestShutdownWithAnEndlessOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 400, HotShare: 0.3}, stalled())
	w.produce(1000)
	c := w.connector("patient", "")
	w.awaitListed(30 * time.Second)
	if took := c.stop("with operations that do not end"); took < drainTimeout/2 {
		t.Errorf("it took only %v: it did not wait", took)
	}
	if len(w.api.operations()) == 0 {
		t.Error("no operation is open: they ended")
	}
	w.finish()
}

// SIGTERM while the group is in the middle of a rebalance, held up by a member
// that waits for operations: to one that waits to join and has never had a
// partition, to one that waits to join again, and to the slow one itself. The
// latter's last commit has to wait as well.
func TestShutdownInARebalance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 400, HotShare: 0.3}, stalled())
	w.produce(1000)
	slow := w.connector("slow", "")
	w.awaitListed(30 * time.Second)
	idle := w.connector("idle", "")
	w.awaitSize(20*time.Second, 2)
	w.awaitState(20*time.Second, "Stable")
	begun := time.Now() // the slow one has ten seconds to give its partitions back
	joining := w.connector("joining", "")
	w.awaitSize(10*time.Second, 3)
	w.awaitState(10*time.Second, "PreparingRebalance")
	told := time.Now()
	for _, c := range []*process{joining, idle, slow} {
		if n := len(c.lines("partitions assigned")); (n > 0) != (c == slow) {
			t.Errorf("%s has had partitions %d times", c.name, n)
		}
		c.signal(syscall.SIGTERM)
	}
	t.Logf("told %v after the slow one was asked for its partitions", told.Sub(begun).Round(time.Millisecond))
	joining.wantEnd(told, "while it waits to join")
	idle.wantEnd(told, "while it waits to join again")
	slow.wantEnd(told, "while it gives partitions back")
	w.finish()
}

func (w *world) awaitState(timeout time.Duration, state string) {
	w.t.Helper()
	await(w.t, timeout, "the group is "+state, func() error {
		groups, err := w.admin.DescribeGroups(w.t.Context(), w.group)
		if is := groups[w.group].State; err != nil || is != state {
			return fmt.Errorf("it is %s, %w", is, err)
		}
		return nil
	})
}

// SIGTERM at any moment of the start.
func TestShutdownAtTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 400, HotShare: 0.3}, calm())
	w.produce(1000)
	early := 0
	for i, after := range []time.Duration{0, 5, 15, 30, 60, 120, 250, 500} {
		c := w.connector(fmt.Sprintf("starter-%d", i+1), "")
		c.awaitLine(10*time.Second, "starting")
		pass(t, after*time.Millisecond)
		if len(c.lines("partitions assigned")) == 0 {
			early++
		}
		c.stop(fmt.Sprintf("%v after its start", after*time.Millisecond))
	}
	if early == 0 || early == 8 {
		t.Errorf("%d of 8 had no partitions yet: they are not of every moment", early)
	}
	w.finish()
}

// SIGTERM while the only broker is gone: there is nowhere to commit to, and what
// was sent is sent again by the next. A second signal does not wait even for
// that.
func TestShutdownWithoutABroker(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	kafka, err := kafkatest.Start(ctx, kafkatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kafka.Close() })
	w := newWorldOn(t, kafka.Brokers(), workload.Config{Messages: 2000, HotShare: 0.3}, steady(2*time.Second))
	patient, hurried := w.connector("patient", ""), w.connector("hurried", "")
	w.awaitOwners(takeover, 2)
	w.produce(2000)
	await(t, 20*time.Second, "operations are open", func() error {
		if n := len(w.api.operations()); n < 2 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	kafka.Kill(0)
	w.api.awaitIdle() // their results can't be written any more
	w.brokers = []string{silence(t)}
	starter := w.connector("starter", "")
	w.brokers = kafka.Brokers()
	starter.awaitLine(10*time.Second, "starting")

	told := time.Now()
	for _, c := range []*process{patient, hurried, starter} {
		c.signal(syscall.SIGTERM)
	}
	hurried.awaitLine(5*time.Second, "draining")
	second := time.Now()
	hurried.signal(syscall.SIGTERM)
	if code := hurried.wait(time.Second); code != 1 {
		t.Errorf("exit code %d after a second signal, want 1", code)
	}
	t.Logf("hurried ended %v after its second signal", time.Since(second).Round(time.Millisecond))
	if took := starter.wantEnd(told, "while it looks for a broker"); took > 3*time.Second {
		t.Errorf("it took %v, and had begun nothing", took)
	}
	patient.wantEnd(told, "while no broker answers")
	if err := kafka.Restart(ctx, 0); err != nil {
		t.Fatal(err)
	}
	w.finish()
}

// silence is the address of a broker that takes connections and says nothing.
func silence(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) // the kernel accepts; nobody else does
	return l.Addr().String()
}
