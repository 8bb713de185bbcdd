package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kafka-kustomer/internal/admin"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

const (
	// nameTime is how long a trouble goes on at most, beyond its time, for the connector
	// to name it.
	nameTime = 15 * time.Second
	// recoverTime is how long the connector has to go on after the end of a trouble.
	recoverTime = time.Minute
)

// verdict is how the connector came through a trouble.
type verdict struct {
	name       string
	named      string        // how it named the trouble; empty: it did not
	namedAfter time.Duration // since the beginning; 0 where only dead letters name it
	alone      bool          // it is of one partition
	standing   int           // where it is: other partitions that did not go on meanwhile
	gaveUp     int           // events dead-lettered
	guilty     int           // events that had to be
	wentOn     time.Duration // after the trouble's end: it was ready, and events got through
	caughtUp   time.Duration // after the trouble's end: what had waited was done
	recovered  bool          // both within recoverTime
}

// right reports whether it came through as it must.
func (v verdict) right() bool {
	return v.named != "" && v.standing == 0 && v.gaveUp == v.guilty && v.recovered
}

func (v verdict) String() string {
	parts := []string{v.name}
	switch {
	case v.named == "":
		parts = append(parts, "the connector did not name it")
	case v.namedAfter == 0:
		parts = append(parts, "named "+v.named)
	default:
		parts = append(parts, fmt.Sprintf("named %s after %s", v.named, seconds(v.namedAfter)))
	}
	switch {
	case v.named == "" || !v.alone:
	case v.standing == 0:
		parts = append(parts, "the other partitions went on")
	default:
		parts = append(parts, fmt.Sprintf("%d other partitions did not go on", v.standing))
	}
	switch {
	case v.gaveUp == 0 && v.guilty == 0:
		parts = append(parts, "gave up nothing")
	case v.gaveUp == v.guilty:
		parts = append(parts, fmt.Sprintf("gave up the %d guilty events and no other", v.guilty))
	default:
		parts = append(parts, fmt.Sprintf("gave up %d events, and %d were guilty", v.gaveUp, v.guilty))
	}
	if v.recovered {
		parts = append(parts, fmt.Sprintf("went on %s after its end and had caught up after %s", seconds(v.wentOn), seconds(v.caughtUp)))
	} else {
		parts = append(parts, fmt.Sprintf("was not back to normal %v after its end", recoverTime))
	}
	return parts[0] + ": " + strings.Join(parts[1:], "; ")
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// goThrough lets each trouble happen, with a calm before each and after the last,
// and notes the verdicts.
func (d *demo) goThrough(ctx context.Context, calm time.Duration) error {
	d.watch.steps.Store(int64(len(d.troubles)))
	if err := d.goingWell(ctx, d.watch.latest()); err != nil {
		return err
	}
	for i, t := range d.troubles {
		d.watch.step.Store(int64(i))
		if err := pause(ctx, calm); err != nil {
			return err
		}
		v, err := d.suffer(ctx, t)
		if err != nil {
			return err
		}
		d.verdicts = append(d.verdicts, v)
	}
	d.watch.step.Store(int64(len(d.troubles)))
	return pause(ctx, calm)
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// suffer lets one trouble happen and sees how the connector comes through.
func (d *demo) suffer(ctx context.Context, t trouble) (v verdict, err error) {
	v.name, v.alone = t.name, t.alone
	before, err := d.watch.until(ctx, func(look) bool { return true })
	if err != nil {
		return v, err
	}
	guilty := d.feed.deadLetters()
	reasons, err := d.deadLetterReasons(ctx, t)
	if err != nil {
		return v, err
	}
	ended, err := d.happen(ctx, t, &v)
	if err != nil {
		return v, err
	}
	v.guilty = d.feed.deadLetters() - guilty
	if err := d.recover(ctx, before, &v, ended); err != nil {
		return v, err
	}
	after := d.watch.latest()
	v.gaveUp = int(after.core.Counts.DeadLettered - before.core.Counts.DeadLettered)
	d.keyRefused += after.api.Breaches[kustomersim.BreachKey] - before.api.Breaches[kustomersim.BreachKey]
	if len(t.undeliverable) > 0 {
		now, err := d.deadLetterReasons(ctx, t)
		if err != nil {
			return v, err
		}
		v.named = namedBy(t, reasons, now)
	}
	mark := ""
	if !v.right() {
		mark = "WRONG: "
	}
	d.show.say("%5s  %s%v", d.clock(), mark, v)
	return v, nil
}

// happen begins a trouble, waits while it lasts and ends it.
func (d *demo) happen(ctx context.Context, t trouble, v *verdict) (ended time.Time, err error) {
	d.show.say("\n%5s  %s begins: %s", d.clock(), t.name, t.what)
	d.watch.does(t.what)
	began := time.Now()
	if err := t.begin(ctx, d); err != nil {
		return began, fmt.Errorf("%s: %w", t.name, err)
	}
	if err := d.listen(ctx, t, v, began); err != nil {
		return began, err
	}
	if err := t.end(ctx, d); err != nil {
		return began, fmt.Errorf("the end of %s: %w", t.name, err)
	}
	ended = time.Now()
	d.watch.does(d.ordinary())
	d.show.say("%5s  %s ends after %s", d.clock(), t.name, seconds(ended.Sub(began)))
	return ended, nil
}

// deadLetterReasons counts the dead letters so far by their reasons, for a trouble that
// they have to name.
func (d *demo) deadLetterReasons(ctx context.Context, t trouble) (map[string]int, error) {
	if len(t.undeliverable) == 0 {
		return nil, nil
	}
	written, err := d.collect(ctx)
	if err != nil {
		return nil, err
	}
	return written.Reasons, nil
}

func (d *demo) clock() string { return clock(time.Since(d.watch.started)) }

// listen waits while the trouble lasts, and for the connector to name it.
func (d *demo) listen(ctx context.Context, t trouble, v *verdict, began time.Time) error {
	limit, cancel := context.WithTimeout(ctx, d.troubleTime+nameTime)
	defer cancel()
	var named look
	_, err := d.watch.until(limit, func(l look) bool {
		if r, ok := t.reason(l.ready); ok && v.named == "" {
			v.named, v.namedAfter, named = title(r), l.at.Sub(began), l
			d.show.say("%5s  the connector names it after %s: %s\n       %s", d.clock(), seconds(v.namedAfter), title(r), said(r))
		}
		if t.alone && v.named != "" {
			v.standing = stoodStill(named, l)
		}
		return l.at.Sub(began) >= d.troubleTime && (v.named != "" || len(t.undeliverable) > 0) && v.standing == 0
	})
	if ctx.Err() == nil { // that it was not named is for the verdict
		return nil
	}
	return err
}

// reason is the one among the connector's reasons that names the trouble.
func (t trouble) reason(r admin.Readiness) (admin.Reason, bool) {
	i := slices.IndexFunc(r.Reasons, func(r admin.Reason) bool { return t.kind != "" && r.Kind == t.kind && r.Code == t.code })
	if i < 0 {
		return admin.Reason{}, false
	}
	return r.Reasons[i], true
}

// said is a reason's text, and what to check.
func said(r admin.Reason) string {
	if r.Check == "" {
		return r.Text
	}
	return r.Text + "; check " + r.Check
}

// namedBy words the codes of the dead letters that have come, or nothing when one is
// not of the trouble's or none has come.
func namedBy(t trouble, before, after map[string]int) string {
	var named []string
	for _, code := range slices.Sorted(maps.Keys(after)) {
		n := after[code] - before[code]
		if n == 0 {
			continue
		}
		if !slices.Contains(t.undeliverable, code) {
			return ""
		}
		named = append(named, fmt.Sprintf("%s ×%d", code, n))
	}
	if len(named) == 0 {
		return ""
	}
	return "in the dead letters: " + strings.Join(named, ", ")
}

// recover waits until the connector has nothing to complain of and events get through,
// and then until what has waited is done and the guilty are dead-lettered. That it
// takes too long is for the verdict.
func (d *demo) recover(ctx context.Context, before look, v *verdict, ended time.Time) error {
	limit, cancel := context.WithTimeout(ctx, recoverTime)
	defer cancel()
	first, err := d.watch.until(limit, func(look) bool { return true })
	if err == nil {
		_, err = d.watch.until(limit, func(l look) bool {
			return l.ready.Ready && len(l.ready.Reasons) == 0 && l.core.Counts.Completed > first.core.Counts.Completed
		})
		v.wentOn = time.Since(ended)
	}
	if err == nil {
		dead := before.core.Counts.DeadLettered + uint64(v.guilty)
		waiting := before.waiting() + d.rate // a second's worth more is within the usual
		_, err = d.watch.until(limit, func(l look) bool {
			return l.waiting() <= waiting && l.core.Counts.DeadLettered >= dead
		})
		v.caughtUp = time.Since(ended)
	}
	v.recovered = err == nil
	return ctx.Err()
}

// goingWell waits for the first events to get through.
func (d *demo) goingWell(ctx context.Context, before look) error {
	limit, cancel := context.WithTimeout(ctx, recoverTime)
	defer cancel()
	_, err := d.watch.until(limit, func(l look) bool {
		return l.ready.Ready && l.core.Counts.Completed > before.core.Counts.Completed
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("no event got through within %v; the connector says: %s", recoverTime, summary(d.watch.latest().ready))
	}
	return err
}

// collect reads what the connector has written so far.
func (d *demo) collect(ctx context.Context) (*workload.Written, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	written, err := workload.Collect(ctx, d.world.cfg.Results.Topic, d.world.cfg.DeadLetter.Topic, d.feed.seeds)
	if err != nil {
		return nil, fmt.Errorf("reading the result and dead-letter topics: %w", err)
	}
	return written, nil
}
