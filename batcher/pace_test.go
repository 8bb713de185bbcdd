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
// soon as it is permitted and none is answered.
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

// hears tells a pace of a reply to a call of a moment ago.
func hears(p *pace, now time.Time, q Quota) { p.learn(now, now.Add(-100*time.Millisecond), q, 0) }

func TestPaceFollowsTheQuota(t *testing.T) {
	tests := []struct {
		name     string
		cfg      Config
		q        Quota
		low, top int // calls in the next 10 seconds, when nobody else calls
	}{
		{"300 a minute until something is known", Config{}, NoQuota, 50, 52},
		{"a fixed number", Config{RequestsPerMinute: 60}, NoQuota, 10, 11},
		{"a fixed number hears no header", Config{RequestsPerMinute: 60}, quota(2000, 2000, time.Minute), 10, 11},
		{"half at first", Config{}, quota(600, 600, time.Minute), 50, 52},
		{"half, too, while the window's end is unknown", Config{}, quota(600, 600, 0), 50, 52},
		{"all when the budget is ahead", Config{}, quota(600, 440, 40*time.Second), 107, 111},
		{"no more than all when it is far ahead", Config{}, quota(600, 480, 40*time.Second), 118, 122},
		{"never far above the even rate", Config{}, quota(600, 600, 15*time.Second), 198, 202},
		{"hardly any when it is behind", Config{}, quota(600, 200, 40*time.Second), 1, 3},
		{"not the reserve", Config{Reserve: 0.2}, quota(600, 121, 30*time.Second), 1, 1},
		{"none beyond the reserve", Config{Reserve: 0.2}, quota(600, 120, 30*time.Second), 0, 0},
		{"none beyond it while the window's end is unknown", Config{Reserve: 0.2}, quota(600, 120, 0), 0, 0},
		{"a new window when the old one is over", Config{Reserve: 0.2}, quota(600, 100, 4*time.Second), 15, 25},

		{"a limit of one is not believed", Config{}, quota(1, 1, time.Minute), 50, 52},
		{"nor one that is negative", Config{}, quota(-5, 10, time.Minute), 50, 52},
		{"nor what is left, when negative", Config{}, quota(600, -1, time.Minute), 50, 52},
		{"a limit beyond any plan is cut", Config{}, quota(1e9, 1e9, time.Minute), 820, 870},
		{"more left than there is", Config{}, quota(600, 1e9, time.Minute), 50, 52},
		{"a reset that is too far is not believed", Config{}, quota(600, 600, time.Hour), 50, 52},
		{"one call of a budget below one", Config{Reserve: 0.9}, quota(10, 0, time.Second), 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, now := newPace(tt.cfg), time.Unix(1_800_000_000, 0)
			p.fill(now)
			hears(&p, now, tt.q)
			if got := calls(&p, now, 10*time.Second); got < tt.low || got > tt.top {
				t.Errorf("%d calls in ten seconds, want %d to %d", got, tt.low, tt.top)
			}
		})
	}
}

// Where no reply tells when a window ends, it is learned from more being left.
func TestWindowIsSeenToBegin(t *testing.T) {
	p, start := newPace(Config{}), time.Unix(1_800_000_000, 0)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	p.learn(at(0), at(-0.1), quota(300, 100, 0), 0)
	if !p.budget.ends.IsZero() {
		t.Fatal("a window's end is known from nothing")
	}
	p.learn(at(1), at(0.9), quota(300, 110, 0), 0)
	if !p.budget.ends.IsZero() {
		t.Fatal("two replies that changed places were taken for a new window")
	}
	p.learn(at(3), at(2.9), quota(300, 295, 0), 0)
	if want := at(63); !p.budget.ends.Equal(want) {
		t.Fatalf("ends %v, want a minute after it was seen", p.budget.ends.Sub(want))
	}
	// The end is between 60.9 and 63, so a call in the middle tells most.
	p.spend(at(10), 1)
	p.learn(at(40), at(39.9), quota(300, 150, 0), 0)
	p.permits, p.rate = -100, 0 // no other call is due
	if ok, when := p.permit(at(41), true); ok || when.Sub(at(61.95)).Abs() > 10*time.Millisecond {
		t.Errorf("asks %v after the start, want the middle of what is unsure", when.Sub(start))
	}
	if ok, _ := p.permit(at(62), true); !ok {
		t.Error("no call to find the window's end")
	}
	p.spend(at(62), 1)
	if ok, _ := p.permit(at(62), true); ok {
		t.Error("a second call to find the window's end, before the first was answered")
	}
	// A reply to a call of the window before says nothing of this one.
	p.permit(at(63.1), true)
	p.learn(at(63.2), at(62.8), quota(300, 3, 0), 0)
	if p.budget.left != 300 {
		t.Errorf("%v left, want a whole new window", p.budget.left)
	}
}

// A late reply may tell of a wall of the window before: the new one is open.
func TestRefusedInTheLastWindow(t *testing.T) {
	p, start := newPace(Config{MaxPause: time.Minute}), time.Unix(1_800_000_000, 0)
	hears(&p, start, quota(300, 10, 5*time.Second))
	now := start.Add(5200 * time.Millisecond)
	p.fill(now)
	q := quota(300, 0, 0)
	if got := p.limited(now, start.Add(4900*time.Millisecond), q).Sub(now); got > firstRest+comeBack {
		t.Errorf("rests %v, want hardly at all", got)
	}
	if p.budget.left != 300 {
		t.Errorf("%v left of the new window, want all", p.budget.left)
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
		{"ten seconds when nothing is told", NoQuota, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, now := newPace(Config{MaxPause: 5 * time.Minute}), time.Unix(1_800_000_000, 0)
			until := p.limited(now, now, tt.q)
			if got := until.Sub(now); got < tt.want || got > tt.want+comeBack {
				t.Errorf("rests %v, want %v and a little", got, tt.want)
			}
			if ok, at := p.permit(until.Add(-1), true); ok || !at.Equal(until) {
				t.Errorf("permitted before the end: %v, %v", ok, at)
			}
			if ok, _ := p.permit(until, true); !ok {
				t.Error("not permitted at the end")
			}
			if got := p.limited(now, now, quota(300, 0, time.Millisecond)); !got.Equal(until) {
				t.Errorf("a later, shorter 429 ended the rest after %v", got.Sub(now))
			}
		})
	}
}

// Members that rest for the same reason do not come back together.
func TestRestsEndApart(t *testing.T) {
	now, first, last := time.Unix(1_800_000_000, 0), time.Hour, time.Duration(0)
	for seed := range uint64(20) {
		p := newPace(Config{Seed: seed, MaxPause: time.Minute})
		rest := p.limited(now, now, quota(300, 0, 20*time.Second)).Sub(now)
		first, last = min(first, rest), max(last, rest)
	}
	if last-first < time.Second {
		t.Errorf("twenty members come back within %v", last-first)
	}
}

// After a rest one call sees whether it is over. When it is not, the next rest is
// twice as long; when no reply comes, another one asks.
func TestOneCallAfterARest(t *testing.T) {
	p, now := newPace(Config{MaxPause: 5 * time.Minute}), time.Unix(1_800_000_000, 0)
	q := NoQuota
	q.RetryAfter = time.Second
	var rests []time.Duration
	for range 8 {
		until := p.limited(now, now, q)
		rests = append(rests, until.Sub(now))
		now = until
		if got := calls(&p, now, probeWait-1); got != 1 {
			t.Fatalf("%d calls after a rest, want one", got)
		}
	}
	for i, rest := range rests {
		if want := min(time.Second<<i, time.Minute); rest < want || rest > want+comeBack {
			t.Errorf("rest %d was %v, want %v", i, rest, want)
		}
	}
	now = now.Add(time.Minute)
	if ok, _ := p.permit(now, true); !ok {
		t.Fatal("a lost reply stops all calls")
	}
	p.spend(now, 1)
	hears(&p, now, quota(300, 300, time.Minute))
	if ok, at := p.permit(now, true); !ok && at.Sub(now) > time.Minute {
		t.Errorf("rests until %v after a good reply", at.Sub(now))
	}
	if got := p.limited(now, now, q).Sub(now); got > time.Second+comeBack {
		t.Errorf("the walls of before still count: rests %v", got)
	}
}

// A reply on its way when the wall was met does not end the rest.
func TestLateReplyEndsNoRest(t *testing.T) {
	p, now := newPace(Config{MaxPause: time.Minute}), time.Unix(1_800_000_000, 0)
	until := p.limited(now, now, quota(300, 0, 20*time.Second))
	hears(&p, now.Add(time.Second), quota(300, 5, 19*time.Second))
	if ok, at := p.permit(now.Add(2*time.Second), true); ok || at.Before(until) {
		t.Errorf("permitted %v before the end of the rest", until.Sub(at))
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

// …also when the one call after a rest meets it: the org's quota is there again.
func TestObjectLimitEndsTheRest(t *testing.T) {
	d := newDesk(t)
	d.fetch(d.own(), numbered(8, `{"a":1}`)...)
	puts := one[Put](d)
	d.c.Answered(d.now, puts[0].Batch, Outcome{Kind: Limited, Status: 429, Quota: quota(300, 0, time.Second)})
	d.c.Answered(d.now, d.waitPut(5*time.Second), Outcome{Kind: Limited, Status: 429, Quota: quota(300, 200, time.Minute)})
	if now := d.now; d.c.pace.rest.After(now) {
		t.Errorf("still rests for %v", d.c.pace.rest.Sub(now))
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
	if got := d.now.Sub(limited); got < 20*time.Second || got > 22*time.Second+time.Millisecond {
		t.Errorf("the next call came after %v, want the reset and at most two seconds of jitter", got)
	}
}

// A rest that Kustomer asks for and that is too long is cut, and that is said.
func TestTooLongRestIsTold(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, time.Minute: 0} {
		d := newDesk(t)
		d.fetch(d.own(), numbered(4, `{"a":1}`)...)
		b := d.putNow()
		q := NoQuota
		q.RetryAfter = asked
		d.c.Answered(d.now, b, Outcome{Kind: Limited, Status: 429, Reason: Reason{Code: "limited"}, Quota: q})
		var told []Notice
		for {
			dec := d.c.Next(d.now)
			if n, ok := dec.(Notice); ok {
				told = append(told, n)
			}
			if _, ok := dec.(Wait); ok {
				break
			}
		}
		if len(told) != 1 || told[0].Kind != QuotaExhausted || told[0].Asked != want || told[0].Reason.Code != "limited" {
			t.Fatalf("told %+v of a rest of %v", told, asked)
		}
		if rest, most := told[0].Until.Sub(d.now), min(asked, 5*time.Minute)+comeBack; rest > most {
			t.Errorf("the next try is in %v, want at most %v", rest, most)
		}
	}
}

// Every call that is under way when the quota ends meets the same wall: the rate
// is halved once, and is regained with time.
func TestOneWallHalvesOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg      Config
		low, top int // calls in the two minutes after the wall, of 200
	}{
		"a fixed number":                        {Config{RequestsPerMinute: 100, MaxPause: time.Minute}, 105, 125},
		"without any header, from 300 a minute": {Config{MaxPause: time.Minute}, 320, 380},
	} {
		p, now := newPace(tt.cfg), time.Unix(1_800_000_000, 0)
		for range 8 {
			p.limited(now, now, NoQuota)
		}
		if p.factor != 0.5 {
			t.Errorf("%s: the rate is %v of what it was after eight 429s at once, want half", name, p.factor)
		}
		now = p.rest
		p.spend(now, 1)
		hears(&p, now, NoQuota)
		if got := calls(&p, now, 2*time.Minute); got < tt.low || got > tt.top {
			t.Errorf("%s: %d calls in two minutes after it, want %d to %d", name, got, tt.low, tt.top)
		}
	}
	p, now := newPace(Config{MaxPause: time.Minute}), time.Unix(1_800_000_000, 0)
	now = p.limited(now, now, quota(600, 0, 10*time.Second))
	p.fill(now.Add(35 * time.Second))
	if p.factor != 1 {
		t.Errorf("half a minute after a wall the rate is %v of what the headers allow", p.factor)
	}
}

// However low the rate has sunk, a call a minute finds out that the trouble is over.
func TestNoPermitIsFurtherThanAMinute(t *testing.T) {
	p, now := newPace(Config{MaxPause: time.Second}), time.Unix(1_800_000_000, 0)
	p.fill(now)
	for range 20 {
		now = p.limited(now, now, NoQuota)
		p.spend(now, 1)
	}
	hears(&p, now, NoQuota)
	p.permits = 0
	if _, at := p.permit(now, true); at.Sub(now) > time.Minute {
		t.Errorf("the next call is in %v", at.Sub(now))
	}
}

// While there is budget, no member waits so long that it sees nothing of it.
func TestLeastRate(t *testing.T) {
	p, now := newPace(Config{}), time.Unix(1_800_000_000, 0)
	p.spend(now, 1)
	hears(&p, now, quota(600, 20, 50*time.Second))
	if _, at := p.permit(now, true); at.Sub(now) > 11*time.Second {
		t.Errorf("the next call is in %v", at.Sub(now))
	}
}

// Neither calls under way nor those made since the last reply are there any more.
func TestCallsUnderWayCount(t *testing.T) {
	for open, want := range map[int]int{0: 3, 1: 2, 3: 0} {
		p, now := newPace(Config{}), time.Unix(1_800_000_000, 0)
		p.fill(now)
		hears(&p, now, quota(6000, 6000, time.Minute))
		now = now.Add(time.Second)
		p.fill(now) // with permits for more than is left
		p.learn(now, now, quota(6000, 3, 20*time.Millisecond), open)
		if got := calls(&p, now, 19*time.Millisecond); got != want {
			t.Errorf("%d calls with 3 left and %d under way, want %d", got, open, want)
		}
	}
}

// More budget than was thought ends the wait for the next window.
func TestBudgetIsThereAgain(t *testing.T) {
	p, now := newPace(Config{}), time.Unix(1_800_000_000, 0)
	p.fill(now)
	hears(&p, now, quota(300, 0, 0))
	if ok, _ := p.permit(now.Add(time.Second), true); ok {
		t.Fatal("a call with nothing left")
	}
	hears(&p, now.Add(time.Second), quota(300, 300, 0))
	if ok, _ := p.permit(now.Add(time.Second), true); !ok {
		t.Error("no call with everything left")
	}
}

// The pages of a look that was under way cost permits, but end no rest.
func TestPagesEndNoRest(t *testing.T) {
	p, now := newPace(Config{MaxPause: time.Minute}), time.Unix(1_800_000_000, 0)
	until := p.limited(now, now, quota(300, 0, 20*time.Second))
	p.spend(now.Add(time.Second), 2)
	if ok, at := p.permit(now.Add(10*time.Second), true); ok || !at.Equal(until) {
		t.Errorf("rests until %v, want %v", at.Sub(now), until.Sub(now))
	}
}

// A 429 tells a fixed number of nothing but its wall.
func TestFixedNumberStaysFixed(t *testing.T) {
	p, now := newPace(Config{RequestsPerMinute: 60, MaxPause: time.Minute}), time.Unix(1_800_000_000, 0)
	now = p.limited(now, now, quota(2000, 0, time.Second))
	p.spend(now, 1)
	hears(&p, now, quota(2000, 1999, time.Minute))
	p.factor = 1
	if got := calls(&p, now, 10*time.Second); got > 11 {
		t.Errorf("%d calls in ten seconds, want ten", got)
	}
}

// When a call is made only to find the window's end.
func TestPeek(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	seen := func() budget {
		return budget{limit: 300, remaining: 100, ends: start.Add(time.Minute), unsure: 2 * time.Second}
	}
	b := seen()
	if got := b.peek().Sub(start); got != 59*time.Second {
		t.Errorf("peeks at %v, want the middle", got)
	}
	if b.remaining = 3; !b.peek().IsZero() {
		t.Error("peeks where the call may be refused")
	}
	b = seen()
	if b.hear(start, start, quota(300, 100, 30*time.Second)); !b.peek().IsZero() {
		t.Error("peeks though the end was told")
	}
	b = seen()
	b.unsure = 0
	for now := start; now.Before(start.Add(time.Hour)); now = now.Add(time.Second) {
		b.roll(now)
	}
	if b.peek().IsZero() {
		t.Error("does not peek an hour after the end was seen, by a clock that may be wrong")
	}
}

// What the replies to batches and looks tell goes to the pace, with when they
// were sent and how many others are under way.
func TestRepliesTellThePace(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.RequestsPerMinute = 0 })
	d.c.pace.rate, d.c.pace.permits = 1000, 100
	d.fetch(d.own(), numbered(12, `{"a":1}`)...)
	puts := one[Put](d)
	if len(puts) != 3 {
		t.Fatalf("%d batches, want three", len(puts))
	}
	d.wait(time.Second)
	accepted := Outcome{Kind: Accepted, Status: 200, Operation: "op", Sent: d.now, Quota: quota(1000, 900, 50*time.Second)}
	d.c.Answered(d.now, puts[0].Batch, accepted)
	if got := d.c.pace.budget.left; got != 900-200-2 {
		t.Errorf("%v calls left after 900 less the reserve, with two under way", got)
	}
	op := d.look()
	v := viewOf(Running, Updated, Updated, Updated)
	v.Status, v.Quota = 200, quota(1000, 800, 0)
	d.c.Polled(d.now, op, v)
	if got := d.c.pace.budget.left; got != 800-200-2 {
		t.Errorf("%v calls left after 800 less the reserve, with two under way", got)
	}
}

// A call whose partition was taken away, or that was cancelled, gives nothing
// back and takes nothing more.
func TestPermitOfACallThatIsGone(t *testing.T) {
	for name, end := range map[string]func(d *desk, a *Assignment, b *Batch){
		"lost":      func(d *desk, a *Assignment, b *Batch) { d.c.Lost(d.now, []*Assignment{a}); d.answer(b, Accepted) },
		"cancelled": func(d *desk, _ *Assignment, b *Batch) { d.answer(b, Unknown) },
		"not sent":  func(d *desk, _ *Assignment, b *Batch) { d.answer(b, NotSent) },
	} {
		d := newDesk(t, func(c *Config) { c.RequestsPerMinute = 60 })
		a := d.own()
		d.fetch(a, change(1, "m", `{"a":1}`))
		d.c.pace.permits = 1
		b := d.put()
		left := d.c.pace.permits
		if left != 0 {
			t.Fatalf("%s: %v permits after the call", name, left)
		}
		end(d, a, b)
		if got := d.c.pace.permits; got != left {
			t.Errorf("%s: %v permits before the end of the call and %v after it", name, left, got)
		}
	}
}

// A shutdown in the middle of a rest waits for no permit.
func TestDrainWaitsForNoPermit(t *testing.T) {
	d := newDesk(t)
	a := d.own()
	d.fetch(a, numbered(8, `{"a":1}`)...)
	puts := one[Put](d)
	for _, p := range puts {
		d.c.Answered(d.now, p.Batch, Outcome{Kind: Limited, Status: 429, Quota: quota(300, 0, time.Minute)})
	}
	deadline := d.now.Add(25 * time.Second)
	d.c.Drain(d.now, deadline)
	for range 100 {
		list, until := d.decisions()
		for _, dec := range list {
			switch dec := dec.(type) {
			case Put:
				t.Fatal("a call in the rest")
			case Quiet:
				if d.now.After(deadline) {
					t.Errorf("given back %v after the deadline", d.now.Sub(deadline))
				}
				return
			default:
				d.pass(dec)
			}
		}
		if len(list) > 0 {
			continue
		}
		if until.IsZero() {
			t.Fatal("waits for nothing")
		}
		d.wait(until.Sub(d.now))
	}
	t.Error("not given back")
}
