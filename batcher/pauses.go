package batcher

import "time"

// Pauses is how often trouble of one kind held delivery up, and for how long in
// all, the current time included.
type Pauses struct {
	Begun uint64
	For   time.Duration
}

// pauses counts troubles by kind, in the order of TroubleKinds. It looks at each
// turn of the loop; what begins and ends between two turns has held nothing up.
type pauses struct {
	seen  time.Time // the last look
	on    [len(TroubleKinds)]bool
	count [len(TroubleKinds)]Pauses

	rest     time.Time // end of the quota's rest, as it stood at the last look
	restFrom time.Time // its beginning; the same for a rest that a lone probe prolongs
}

func (p *pauses) of() [len(TroubleKinds)]Pauses { return p.count }

// keepTime counts what can only be counted as time passes: at each turn of the
// loop, which is once for all that is decided at one time, and for a snapshot.
func (c *Core) keepTime(now time.Time) {
	p := &c.pauses
	for i, kind := range TroubleKinds {
		n := &p.count[i]
		if p.on[i] {
			end := now
			if kind == TroubleQuota && p.rest.Before(now) {
				end = later(p.rest, p.seen) // it was over before anybody looked
			}
			n.For += end.Sub(p.seen)
		}
		on := c.troubled(now, kind)
		if on && !p.on[i] && !(kind == TroubleQuota && p.restFrom.Equal(c.limitedAt)) {
			n.Begun++
		}
		p.on[i] = on
	}
	if p.rest = c.pace.rest; now.Before(p.rest) {
		p.restFrom = c.limitedAt
	}
	p.seen = now
	c.throughput.note(now, c.Totals)
}

const (
	throughputStep  = 5 * time.Second // between two marks, and the least time to tell by
	throughputMarks = 13              // a minute of them
)

// throughput knows how many records were settled at marks of the last minute.
type throughput struct {
	marks [throughputMarks]struct {
		at      time.Time
		settled uint64
	}
	n int // marks made, ever
}

func (t *throughput) note(now time.Time, totals func() Counts) {
	if t.n > 0 && now.Sub(t.marks[(t.n-1)%throughputMarks].at) < throughputStep {
		return
	}
	m := &t.marks[t.n%throughputMarks]
	m.at, m.settled = now, totals().settled()
	t.n++
}

// rate is records settled a second since the oldest mark of the last minute,
// negative when there is none that is old enough to tell.
func (t *throughput) rate(now time.Time, settled uint64) float64 {
	for i := max(0, t.n-throughputMarks); i < t.n; i++ {
		m := t.marks[i%throughputMarks]
		switch age := now.Sub(m.at); {
		case age > throughputStep*throughputMarks:
		case age < throughputStep:
			return -1
		default:
			return float64(settled-m.settled) / age.Seconds()
		}
	}
	return -1
}

// settled are the records that a commit may pass.
func (c Counts) settled() uint64 { return c.Completed + c.DeadLettered + c.Skipped }
