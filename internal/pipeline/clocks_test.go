package pipeline

import (
	"testing"
	"time"
	"unsafe"
)

// The lease is over when either clock says so: the monotonic one stands still
// while a machine is suspended, and the wall clock may be set back.
func TestLeaseEndsByEitherClock(t *testing.T) {
	for _, tt := range []struct {
		name            string
		wall, monotonic time.Duration // what is left of it
		holds           bool
	}{
		{"it holds", time.Minute, time.Minute, true},
		{"it is over", -time.Second, -time.Second, false},
		{"after a sleep of the machine", -time.Second, time.Minute, false},
		{"with the wall clock set back", time.Minute, -time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &Pipeline{}
			until := time.Now().Add(tt.wall)
			shiftMonotonic(&until, tt.monotonic-tt.wall)
			p.lease.Store(&until)
			if got := p.leaseHolds(); got != tt.holds {
				t.Errorf("it holds: %v, want %v", got, tt.holds)
			}
		})
	}
}

// shiftMonotonic moves the monotonic reading of a time alone, which package time
// does for nobody.
func shiftMonotonic(t *time.Time, by time.Duration) {
	(*struct {
		wall uint64
		ext  int64 // the monotonic reading
		loc  *time.Location
	})(unsafe.Pointer(t)).ext += int64(by)
}
