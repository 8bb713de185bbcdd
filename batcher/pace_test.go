package batcher

import (
	"testing"
	"time"
)

func quota(limit, remaining int, reset time.Duration) Quota {
	q := NoQuota
	q.Limit, q.Remaining, q.Reset = limit, remaining, reset
	return q
}

// calls counts the calls that a pace permits in a span, when each is taken as
// soon as it is permitted.
func calls(p *pace, from time.Time, span time.Duration) (n int) {
	for now := from; now.Before(from.Add(span)); {
		ok, at := p.permit(now, true)
		if ok {
			p.spend(now, 1)
			n++
			continue
		}
		now = at
	}
	return n
}

func TestPaceFollowsTheQuota(t *testing.T) {
	tests := []struct {
		name     string
		cfg      Config
		learn    func(p *pace, now time.Time)
		low, top int // calls in the next minute
	}{
		{"300 a minute until something is known", Config{}, nil, 299, 302},
		{"a fixed number", Config{RequestsPerMinute: 60}, nil, 59, 62},
		{"a fixed number hears no header", Config{RequestsPerMinute: 60}, func(p *pace, now time.Time) { p.learn(now, quota(2000, 2000, 0)) }, 59, 62},
		{"the limit less the reserve", Config{Reserve: .2}, func(p *pace, now time.Time) { p.learn(now, quota(1000, 900, 0)) }, 799, 815},
		{"what is left until the reset", Config{Reserve: .2}, func(p *pace, now time.Time) { p.learn(now, quota(1000, 300, 30*time.Second)) }, 199, 203},
		{"at a crawl when the reserve is reached", Config{Reserve: .2}, func(p *pace, now time.Time) { p.learn(now, quota(1000, 100, 0)) }, 59, 62},
		{"a rest until the reset when it is known", Config{Reserve: .2}, func(p *pace, now time.Time) { p.learn(now, quota(1000, 100, 50*time.Second)) }, 49, 53},
		{"half after a 429, and regaining", Config{RequestsPerMinute: 60}, func(p *pace, now time.Time) { p.limited(now.Add(-time.Minute), quota(0, 0, time.Second), 0) }, 36, 40},
		{"never nothing", Config{Reserve: .2}, func(p *pace, now time.Time) { p.learn(now, quota(1000, 201, time.Hour)) }, 5, 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, now := newPace(tt.cfg), time.Unix(1_800_000_000, 0)
			p.fill(now)
			if tt.learn != nil {
				tt.learn(&p, now)
			}
			if got := calls(&p, now, time.Minute); got < tt.low || got > tt.top {
				t.Errorf("%d calls in a minute, want %d to %d", got, tt.low, tt.top)
			}
		})
	}
}

func TestPaceRestsAfter429(t *testing.T) {
	after := func(d time.Duration) Quota {
		q := NoQuota
		q.RetryAfter = d
		return q
	}
	tests := []struct {
		name string
		q    Quota
		want time.Duration
	}{
		{"until the reset", quota(300, 0, 20*time.Second), 20 * time.Second},
		{"a reset is at most a minute away", quota(300, 0, time.Hour), time.Minute},
		{"as long as Retry-After says", after(90 * time.Second), 90 * time.Second},
		{"Retry-After up to the longest pause", after(time.Hour), 5 * time.Minute},
		{"a second when nothing is told", NoQuota, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, now := newPace(Config{MaxPause: 5 * time.Minute}), time.Unix(1_800_000_000, 0)
			if got := p.limited(now, tt.q, 0).Sub(now); got != tt.want {
				t.Errorf("rests %v, want %v", got, tt.want)
			}
			if ok, at := p.permit(now.Add(tt.want-1), true); ok || !at.Equal(now.Add(tt.want)) {
				t.Errorf("permitted before the end: %v, %v", ok, at)
			}
			if ok, _ := p.permit(now.Add(tt.want), true); !ok {
				t.Error("not permitted at the end")
			}
			if got := p.limited(now, quota(300, 0, time.Millisecond), 0); !got.Equal(now.Add(tt.want)) {
				t.Errorf("a later, shorter 429 ended the rest after %v", got.Sub(now))
			}
		})
	}
}

// A process that slept does not make up for it.
func TestPaceDoesNotSaveUp(t *testing.T) {
	p, now := newPace(Config{RequestsPerMinute: 6000}), time.Unix(1_800_000_000, 0)
	calls(&p, now, time.Second)
	if got := calls(&p, now.Add(time.Hour), time.Millisecond); got > 25 {
		t.Errorf("%d calls at once after an hour, want a quarter of a second's worth", got)
	}
}

// A look of several pages costs as many calls.
func TestPagesAreCalls(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.RequestsPerMinute = 60 })
	d.fetch(d.own(), change(1, "m", `{"a":1}`))
	b := d.put()
	d.answer(b, Accepted)
	op := d.look()
	before := d.c.pace.permits
	v := viewOf(Running, NoResult)
	v.Calls = 3
	d.c.Polled(d.now, op, v)
	if got := before - d.c.pace.permits; got < 1.99 || got > 2.01 {
		t.Errorf("a look of three pages cost %v permits more, want 2", got)
	}
}

// A 429 with quota left is one object's: its batch cools down, nothing else stops.
func TestObjectLimitStopsNothingElse(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.RetryInitial, c.RetryMax = time.Minute, time.Hour })
	a := d.own()
	d.fetch(a, change(1, "m", `{"a":1}`))
	b := d.put()
	d.c.Answered(d.now, b, Outcome{Kind: Limited, Status: 429, Quota: quota(300, 200, time.Minute)})
	d.fetch(a, change(2, "n", `{"a":1}`))
	expect(t, d.put(), `n@2{"a":1}`)
	expect(t, d.waitPut(24*time.Hour), `m@1{"a":1}`)
	if a.Counts().Open != 2 {
		t.Errorf("counts %+v, want nothing given up", a.Counts())
	}
}

func TestOrgLimitStopsEveryCall(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, numbered(4, `{"a":1}`)...)
	b := d.putNow()
	d.c.Answered(d.now, b, Outcome{Kind: Limited, Status: 429, Quota: quota(300, 0, 20*time.Second)})
	limited := d.now
	d.fetch(a, change(9, "n", `{"a":1}`))
	d.waitPut(time.Minute)
	if got := d.now.Sub(limited); got < 20*time.Second || got > 21*time.Second+time.Millisecond {
		t.Errorf("the next call came after %v, want the reset and at most a second of jitter", got)
	}
}

// Every call that is under way when the quota ends meets the same wall: the rate
// is halved once, and is regained with time.
func TestOneWallHalvesOnce(t *testing.T) {
	p, now := newPace(Config{Reserve: 0.2, MaxPause: 5 * time.Minute}), time.Unix(1_800_000_000, 0)
	p.learn(now, Quota{Limit: 1000, Remaining: 1000})
	for range 8 {
		p.limited(now, Quota{Limit: 1000, Remaining: 0, Reset: 10 * time.Second}, 0)
	}
	now = now.Add(10 * time.Second)
	calls := 0
	for end := now.Add(2 * time.Minute); now.Before(end); {
		ok, at := p.permit(now, true)
		if !ok {
			now = at
			continue
		}
		p.spend(now, 1)
		p.learn(now, Quota{Limit: 1000, Remaining: 990})
		calls++
	}
	if calls < 1000 || calls > 1400 {
		t.Errorf("%d calls in two minutes after it, want about 1200 of the 1600 that the quota allows", calls)
	}
}

// However low the rate has sunk, a call a minute finds out that the trouble is over.
func TestNoPermitIsFurtherThanAMinute(t *testing.T) {
	p, now := newPace(Config{Reserve: 0.2, MaxPause: time.Minute}), time.Unix(1_800_000_000, 0)
	p.fill(now)
	p.learn(now, Quota{Limit: 1000, Remaining: 201, Reset: 50 * time.Second})
	for range 6 {
		now = p.limited(now.Add(2*time.Second), Quota{RetryAfter: time.Second}, 0.5)
	}
	p.spend(now, 1)
	if _, at := p.permit(now, true); at.Sub(now) > 2*time.Minute {
		t.Errorf("the next call is in %v", at.Sub(now))
	}
}
