package batcher

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// aims are what must hold of an org; a zero aim is the usual one.
type aims struct {
	used     float64       // at least so much of the budget
	refused  float64       // at most so much of the calls
	reserved float64       // at most so much of the budget was taken of the reserve
	fair     float64       // at least
	gap      time.Duration // no member waits longer for a call
	foreign  int           // calls of others that were refused
}

func (b *bill) check(t *testing.T, seed uint64, a aims) {
	t.Helper()
	reserved := float64(b.reserved) / max(1, b.budget)
	if b.used() < a.used || b.refused() > a.refused || reserved > a.reserved || jain(b.each) < a.fair ||
		b.longest > a.gap || b.foreignLimited > a.foreign {
		t.Errorf("seed %d: %v, others refused %d\nwant %+v", seed, b, b.foreignLimited, a)
	}
}

// Members that all have a backlog share the budget, whatever the plan, how many
// they are, and what others do.
func TestMembersShareTheBudget(t *testing.T) {
	usual := aims{used: 0.95, refused: 0.01, reserved: 0.06, fair: 0.95, gap: 20 * time.Second}
	tests := []struct {
		name string
		edit func(o *org, even float64) // even is the rate of the whole plan
		aims func(a *aims)
	}{
		{name: "alone"},
		{name: "no reserve", edit: func(o *org, _ float64) {
			o.reserve = 0
			if o.members == 1 {
				o.limit = min(o.limit, 1000) // what eight calls at a time can do
			}
		}},
		{name: "others at 30%", edit: func(o *org, even float64) {
			o.foreign = func(time.Duration) float64 { return 0.3 * even }
		}},
		{name: "others in bursts as large as the reserve", edit: func(o *org, even float64) {
			o.foreign = func(at time.Duration) float64 {
				if at%(90*time.Second) < 6*time.Second {
					return 2 * even
				}
				return 0
			}
		}},
		{
			name: "others take all for two minutes",
			edit: func(o *org, even float64) {
				o.foreign = func(at time.Duration) float64 {
					if at > 4*time.Minute && at < 6*time.Minute {
						return 5 * even
					}
					return 0
				}
			},
			// The wall that others build is met once by each of ten members.
			aims: func(a *aims) { a.refused, a.gap, a.foreign = 0.02, 63*time.Second, math.MaxInt },
		},
		{
			name: "half of the members come and go",
			edit: func(o *org, _ float64) {
				o.present = func(i int) (from, to time.Duration) {
					if i%2 == 0 {
						return 0, time.Hour
					}
					return 3 * time.Minute, 9 * time.Minute
				}
				o.fair = [2]time.Duration{5 * time.Minute, 9 * time.Minute}
			},
			aims: func(a *aims) { a.fair = 0.9 },
		},
	}
	for _, tt := range tests {
		for reset, says := range map[resetHeader]string{resetAlways: "always", resetLimited: "after a 429", resetNever: "never"} {
			t.Run(tt.name+", reset told "+says, func(t *testing.T) {
				seed := uint64(0)
				limits := []int{300, 1000}
				if reset == resetAlways {
					limits = []int{300, 500, 1000, 2000}
				}
				for _, limit := range limits {
					for _, members := range []int{1, 3, 10} {
						o := org{limit: limit, members: members, reserve: 0.2, reset: reset}
						if tt.edit != nil {
							tt.edit(&o, float64(limit)/60)
						}
						want := usual
						if members == 1 {
							want.gap = 10 * time.Second
						}
						if tt.aims != nil {
							tt.aims(&want)
						}
						seed++
						b := o.run(seed)
						b.check(t, seed, want)
						t.Logf("%4d a minute, %2d members: %v", limit, members, b)
					}
				}
			})
		}
	}
}

// A clock that runs faster than the API's would begin each window too early.
func TestFastClocks(t *testing.T) {
	for _, members := range []int{1, 3} {
		o := org{limit: 500, members: members, reserve: 0.2, reset: resetNever, fast: 2e-4, minutes: 120}
		b := o.run(1)
		b.check(t, 1, aims{used: 0.97, reserved: 0.02, fair: 0.95, gap: 12 * time.Second})
		t.Logf("%d members: %v", members, b)
	}
}

// Without any header a member calls at the smallest plan's rate, and the walls
// it meets are all it learns of the others.
func TestWithoutHeaders(t *testing.T) {
	tests := []struct {
		limit, members int
		want           aims
	}{
		{300, 1, aims{used: 0.75, refused: 0.002, gap: 15 * time.Second}},
		{2000, 3, aims{used: 0.44, refused: 0, gap: time.Second}},
		{1000, 10, aims{used: 0.7, refused: 0.03, fair: 0.95, gap: 90 * time.Second}},
		{300, 3, aims{used: 0.7, refused: 0.02, fair: 0.95, gap: 90 * time.Second}},
		{300, 10, aims{used: 0.7, refused: 0.06, fair: 0.95, gap: 90 * time.Second}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d a minute, %d members", tt.limit, tt.members), func(t *testing.T) {
			for seed := range uint64(3) {
				b := org{limit: tt.limit, members: tt.members, reset: noHeaders}.run(seed)
				b.check(t, seed, tt.want)
				t.Log(b)
			}
		})
	}
}
