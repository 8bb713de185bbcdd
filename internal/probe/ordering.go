package probe

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const roundRequests = 6 // two PUTs, about three looks, one read

// askOrder writes an older and a newer value, one right after the other was
// accepted, and looks which of them stands in the end.
func (p *prober) askOrder(ctx context.Context) error {
	won, overtaken, neither := 0, 0, 0
	defer func() { p.judgeOrder(won, overtaken, neither) }()
	for range p.cfg.Rounds {
		if p.client.limit-p.client.used < roundRequests+objectRequests {
			break
		}
		older, newer := p.value(), p.value()
		for _, text := range []string{older, newer} { // without a pause between them
			_, no, err := p.write(ctx, p.item(p.scalar(text)))
			if err == nil && no != nil {
				err = fmt.Errorf("a write like the first, which was accepted, was refused: %s", no)
			}
			if err != nil {
				return err
			}
		}
		for len(p.open) > 0 {
			if _, err := p.follow(ctx, p.open[0]); err != nil {
				return err
			}
		}
		s, err := p.read(ctx)
		switch {
		case err != nil:
			return err
		case p.shows(s, newer):
			won++
		case p.shows(s, older):
			overtaken++
		default:
			neither++
		}
	}
	return nil
}

func (p *prober) judgeOrder(won, overtaken, neither int) {
	n := won + overtaken + neither
	if n == 0 {
		return
	}
	verdict := orderKept
	if overtaken > 0 {
		verdict = orderBroken
	}
	if neither > 0 {
		verdict = orderForeign
	}
	p.answer(qOrder, verdict, "of %d pairs the newer value stood in %d, the older in %d, neither in %d", n, won, overtaken, neither)
}

// durations answers how long operations take, and what is to be waited for.
func (p *prober) answerDurations() {
	if len(p.durations) == 0 {
		return
	}
	slowest, told := slices.Max(p.durations), "by Kustomer's own times"
	if p.guessed > 0 {
		told = "as seen by looking, so at most"
	}
	p.answer(qDuration, durationSeen, "%d operations: half within %v, the slowest %v, %s",
		len(p.durations), median(p.durations).Round(time.Millisecond), slowest.Round(time.Millisecond), told)
	// A run of the sandbox says little about a bad day: never below the defaults.
	lost := p.cfg.Timeout + max(30*time.Second, (5*slowest).Round(time.Second))
	p.set("kustomer.lost_reply_wait", short(min(lost, time.Hour)), fmt.Sprintf("timeout, and five times the slowest of %d operations or 30s", len(p.durations)))
	overdue := max(10*time.Minute, (20 * slowest).Round(time.Minute))
	p.set("kustomer.overdue_after", short(min(overdue, 24*time.Hour)), "twenty times the slowest, and not below the default")
}

// answerReplies answers what was counted on the way.
func (p *prober) answerReplies() {
	n := 0
	for _, k := range p.firsts {
		n += k
	}
	if n > 0 {
		verdict := firstNotComplete
		if p.firsts["complete"] > 0 {
			verdict = firstComplete
		}
		p.answer(qFirstReply, verdict, "of %d: queued %d, running %d, complete %d", n, p.firsts["queued"], p.firsts["running"], p.firsts["complete"])
	}
	if p.shape != "" {
		verdict := Verdict(p.shape)
		p.answer(qShape, verdict, "%d operations were followed to their end", len(p.durations))
	}
	switch {
	case p.report.answered(qClientRef):
	case p.echoed > 0:
		p.answer(qClientRef, refEchoed, "named in the results of %d of %d operations", p.echoed, p.referred)
	case p.referred > 0:
		p.answer(qClientRef, refSilent, "accepted by %d operations, and in no result", p.referred)
	}
}

// short is a duration as the configuration takes it, without empty parts.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
