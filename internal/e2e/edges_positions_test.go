//go:build kafka && linux

package e2e

import (
	"testing"
	"time"
)

const resetEarliest = ", on_reset: earliest"

// Retention has passed what the group has committed, and passes it again while a
// process runs that does not keep up.
func TestEdgeRetention(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	ids := w.put(w.topic, 0, 20)
	others := w.put(w.topic, 1, 5)
	w.setOffset(w.topic, 0, 5)
	w.deleteUpTo(w.topic, 0, 12)

	c := w.connector("failing", "")
	l := c.awaitTrouble(time.Minute, "fetch", "the committed offset 5 is before the start of the log, 12: offsets 5 to 11 were deleted")
	wantPlace(t, l, w.topic, 0)
	w.awaitCommitted(time.Minute, w.topic, 1, 5)
	c.term()
	if at := w.committed(w.topic, 0); at != 5 {
		t.Errorf("the partition that stands still is committed at %d, want 5", at)
	}
	w.wantDelivered(others, ids...)

	c = w.connector("going-on", resetEarliest)
	w.awaitCommitted(time.Minute, w.topic, 0, 20)
	l = c.awaitLine(time.Second, "are lost to this group")
	wantPlace(t, l, w.topic, 0)
	if l["first_lost_offset"] != float64(5) || l["last_lost_offset"] != float64(11) {
		t.Errorf("want offsets 5 to 11: %v", l)
	}
	w.wantDelivered(ids[12:], ids[:12]...)

	var more []string
	c.suspended(func() {
		more = w.put(w.topic, 0, 10)
		w.deleteUpTo(w.topic, 0, 27)
	})
	w.awaitCommitted(time.Minute, w.topic, 0, 30)
	lines := c.lines("are lost to this group")
	if len(lines) != 2 || lines[1]["last_lost_offset"] != float64(26) {
		t.Errorf("what was lost while it ran: %v", lines)
	}
	w.api.awaitIdle()
	w.wantDelivered(more[7:])
	c.term()

	c = w.connector("failing-later", "")
	w.awaitMembers(time.Minute, 1)
	w.put(w.topic, 0, 1)
	w.awaitCommitted(time.Minute, w.topic, 0, 31)
	c.suspended(func() {
		w.put(w.topic, 0, 5)
		w.deleteUpTo(w.topic, 0, 35)
	})
	l = c.awaitTrouble(time.Minute, "fetch", "the position 31 is before the start of the log, 35")
	wantPlace(t, l, w.topic, 0)
	last := w.put(w.topic, 1, 1)
	w.awaitCommitted(time.Minute, w.topic, 1, 6)
	w.wantDelivered(last)
	if at := w.committed(w.topic, 0); at != 31 {
		t.Errorf("committed %d of a partition that stands still, want 31", at)
	}
	c.term()
}

// An administrator sets offsets while no member runs. The commit's metadata is
// then not ours, so that the partition is taken over with care.
func TestEdgeOffsetsSetByOthers(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	first := w.put(w.topic, 0, 20)
	c := w.connector("before", "")
	w.awaitCommitted(time.Minute, w.topic, 0, 20)
	c.term()
	w.wantDelivered(first)

	w.setOffset(w.topic, 0, 10)
	accepted := w.api.stats().ItemsAccepted
	c = w.connector("back", "")
	l := c.awaitLine(time.Minute, "partition was not given back clean")
	wantPlace(t, l, w.topic, 0)
	w.awaitCommitted(time.Minute, w.topic, 0, 20)
	if again := w.api.stats().ItemsAccepted - accepted; again != 10 {
		t.Errorf("%d items sent again, want those of offsets 10 to 19", again)
	}
	if n := len(c.lines("partition was not given back clean")); n != 1 {
		t.Errorf("%d partitions were taken over with care, want the one whose offset was set", n)
	}
	c.term()

	passed := w.put(w.topic, 0, 5)
	sent := w.put(w.topic, 0, 5)
	w.setOffset(w.topic, 0, 25)
	c = w.connector("forth", "")
	w.awaitCommitted(time.Minute, w.topic, 0, 30)
	c.term()
	w.wantDelivered(sent, passed...)

	w.setOffset(w.topic, 0, 99)
	c = w.connector("beyond", "")
	l = c.awaitTrouble(time.Minute, "fetch", "the committed offset 99 is beyond the end of the log, 30")
	wantPlace(t, l, w.topic, 0)
	others := w.put(w.topic, 1, 3)
	w.awaitCommitted(time.Minute, w.topic, 1, 3)
	c.term()
	if at := w.committed(w.topic, 0); at != 99 {
		t.Errorf("committed %d, want 99 untouched", at)
	}
	w.wantDelivered(others)

	c = w.connector("from-the-start", resetEarliest)
	w.awaitCommitted(time.Minute, w.topic, 0, 30)
	l = c.awaitLine(time.Second, "beyond the end of the log")
	wantPlace(t, l, w.topic, 0)
	c.term()
	w.wantDelivered(passed)
}
