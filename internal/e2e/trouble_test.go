//go:build kafka && linux

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// calm is an API without faults.
func calm() kustomersim.Script {
	return kustomersim.Script{Run: kustomersim.Run{Base: 20 * ms, Tail: 30 * ms}}
}

// wantPaused waits for the line that says that delivery is paused, and checks
// that a person can see from it why, when it goes on, and which batch it was. What
// waits for somebody to see to it is an error and names the records too.
func wantPaused(t *testing.T, c *process, level, reason string) {
	t.Helper()
	var last line
	await(t, 20*time.Second, "it says that delivery is paused because of "+reason, func() error {
		for _, l := range c.lines("delivery is paused") {
			last = l
			if l.text("reason") == reason {
				return nil
			}
		}
		return fmt.Errorf("last: %v", last)
	})
	if last.text("level") != level || last.text("detail") == "" || last.text("batch_id") == "" {
		t.Errorf("want level %s with a detail and a batch: %v", level, last)
	}
	if _, named := last["first_offset"]; named != (level == "error") {
		t.Errorf("first_offset named: %v, want it in an error only: %v", named, last)
	}
	if next, ok := last["next_attempt_in_seconds"].(float64); !ok || next < 0 || next > 2 {
		t.Errorf("next_attempt_in_seconds is %v, want up to twice kustomer.retry.max", last["next_attempt_in_seconds"])
	}
	t.Logf("%s: %s", reason, last.text("detail"))
}

// wantNothingGivenUp checks that records wait: the lag stands, and no dead
// letter is written.
func wantNothingGivenUp(t *testing.T, w *world) {
	t.Helper()
	if lag, err := w.lag(); err != nil || lag == 0 {
		t.Errorf("lag %d, %v: want records that wait", lag, err)
	}
	if n := len(w.written().DeadLetters); n > 0 {
		t.Errorf("%d dead letters", n)
	}
}

// The API is away: first nothing listens, then it cuts every connection. The
// process waits, says so, and does not grow; then it goes on by itself.
func TestAPIAway(t *testing.T) {
	t.Parallel()
	outage := envDuration(t, "E2E_OUTAGE", 20*time.Second)
	w := newWorld(t, workload.Config{Messages: 20_000, HotShare: 0.1}, calm())
	gate := openGate(t, w.api.url)
	w.baseURL = gate.url()
	w.slots = 160 // with all of them taken, only looks would fail
	stop := w.load(2000)
	c := w.connector("patient", "")
	w.api.awaitItems(time.Minute, 3000)

	gate.shut()
	wantPaused(t, c, "warn", "dial_failed")
	pass(t, outage/4) // its credit is nearly used up; little may be added from now on
	before := c.memory("VmRSS")
	pass(t, outage/4)
	script := calm()
	script.Faults = []kustomersim.Fault{{Kind: kustomersim.FaultCutBefore, Share: 1}}
	w.api.setScript(script)
	gate.open()
	pass(t, outage/2)
	during := c.memory("VmRSS")
	wantNothingGivenUp(t, w)
	accepted := w.api.stats().ItemsAccepted

	w.api.setScript(calm())
	begun := time.Now()
	await(t, 20*time.Second, "it goes on by itself", func() error {
		if w.api.stats().ItemsAccepted == accepted {
			return fmt.Errorf("nothing accepted since")
		}
		return nil
	})
	t.Logf("went on %v after the outage; VmRSS %d MiB before, %d MiB at its end, VmHWM %d MiB",
		time.Since(begun).Round(time.Millisecond), before>>20, during>>20, c.memory("VmHWM")>>20)
	if grown := during - before; grown > 32<<20 {
		t.Errorf("it grew by %d MiB during the outage", grown>>20)
	}
	c.awaitLine(5*time.Second, "delivery goes on")
	stop()
	w.awaitNoLag(2 * time.Minute)
	c.term()
	w.check()
	if paused := len(c.lines("delivery is paused")); paused > 8 { // each reason once, and then ever more seldom
		t.Errorf("%d lines about the pause: a flood", paused)
	}
}

// A wrong key pauses; a new one in the key file is found without a restart.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 200}, calm(), "--key", rightKey)
	w.setKey(canary.Secret + "-wrong")
	w.produce(2000)
	c := w.connector("locked-out", "")
	wantPaused(t, c, "error", "unauthorized")
	wantNothingGivenUp(t, w)
	if n := w.api.stats().ItemsAccepted; n > 0 {
		t.Errorf("%d items accepted with a wrong key", n)
	}
	w.setKey(rightKey)
	w.awaitNoLag(30 * time.Second)
	c.term()
	w.check()
}

// A second signal does not wait for what the first one waits for.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	script := calm()
	script.NeverEnd = 1
	w := newWorld(t, workload.Config{Messages: 200}, script)
	w.produce(500)
	c := w.connector("hurried", "")
	w.api.awaitItems(time.Minute, 100)
	c.signal(syscall.SIGTERM)
	c.awaitLine(5*time.Second, "draining")
	if !c.running() {
		t.Fatal("it ended with operations open, before its drain time-out")
	}
	begun := time.Now()
	c.signal(syscall.SIGTERM)
	if code := c.wait(2 * time.Second); code != 1 {
		t.Errorf("exit code %d after the second signal, want 1", code)
	}
	t.Logf("ended %v after the second signal", time.Since(begun).Round(time.Millisecond))
	wantNothingGivenUp(t, w)
}

// Two processes with one instance id: the group fences the older one, which must
// end with an error that says so. The younger does the work.
func TestFencedInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, workload.Config{Messages: 2000, HotShare: 0.3}, calm())
	stop := w.load(200)
	older := w.connector("older", instance("same"))
	w.api.awaitItems(time.Minute, 200)
	younger := w.connector("younger", instance("same"))
	if code := older.wait(30 * time.Second); code != 1 {
		t.Errorf("the older one ended with exit code %d, want 1", code)
	}
	said := older.lines("stopped")
	if len(said) == 0 || !strings.Contains(said[0].text("error"), `instance id "same"`) {
		t.Errorf("the older one does not say why it stopped: %v", said)
	} else {
		t.Logf("the older one: %s", said[0].text("error"))
	}
	w.api.awaitItems(takeover, 200)
	if !younger.running() {
		t.Error("the younger one has ended, too")
	}
	stop()
	w.awaitNoLag(takeover)
	younger.term()
	w.check()
}
