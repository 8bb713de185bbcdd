package results

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/zap"
)

// Problem is something that is wrong with writing at the moment and that a
// person may have to see to. The records it concerns wait; none is lost.
type Problem struct {
	Topic string
	Text  string    // what happened
	Check string    // what to check next
	Since time.Time // when it was first seen; for a write that hangs, when it began
}

const (
	// stallAfter is when a write without an answer becomes a problem. Electing a
	// new leader takes up to some 20 s.
	stallAfter = 30 * time.Second
	// stallCheck is how often it is looked at from then on.
	stallCheck = 5 * time.Second
	// quietAfter is for how long no write may have been refused until such a
	// problem is over: what was refused is tried again every second.
	quietAfter = 10 * time.Second

	diagnoseTimeout = 5 * time.Second
	// askAgain is how often it is asked why a write has no answer: the brokers may be
	// back by then, and the topic not.
	askAgain = 30 * time.Second
)

// troubles watches over writes, and tells of each trouble when it begins, ever more
// seldom while it lasts, and when it ends. Nothing else would: kgo repeats without a word what Kafka
// does not take for now, and a topic that does not let us write refuses each of
// the records that wait.
type troubles struct {
	log      *zap.Logger
	pending  *pending
	diagnose func(ctx context.Context, topic string) (text, check string)

	ctx    context.Context // until close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	timer   *time.Timer // runs while something is to be looked at
	stall   *Problem
	told    told      // of the stall; only look touches it
	asked   time.Time // why it stalls; likewise
	refused map[string]*refusal
}

type refusal struct {
	Problem
	last time.Time
	told told
}

// told is what was said of a problem that lasts. It is said again after a while,
// and each time after twice as long: at first after relogAfter if its text has
// changed meanwhile, and else after remindAfter. A text that is new never waits for
// longer than remindAfter.
type told struct {
	text string
	at   time.Time
	gap  time.Duration
}

const (
	relogAfter  = 10 * time.Second
	remindAfter = 10 * time.Minute
)

// due reports whether a text is to be said, and takes it as said then.
func (t *told) due(now time.Time, text string) bool {
	gap := min(t.gap, remindAfter)
	if t.text == text {
		gap = max(t.gap, remindAfter)
	}
	if !t.at.IsZero() && now.Sub(t.at) < gap {
		return false
	}
	*t = told{text, now, max(relogAfter, 2*gap)}
	return true
}

func newTroubles(log *zap.Logger, p *pending, diagnose func(context.Context, string) (string, string)) *troubles {
	t := &troubles{log: log, pending: p, diagnose: diagnose, refused: map[string]*refusal{}}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// close ends the watch.
func (t *troubles) close() {
	t.cancel()
	t.mu.Lock()
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	t.wg.Wait()
}

// watch looks after a while, unless a look is due already.
func (t *troubles) watch(after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil {
		t.arm(after)
	}
}

// arm sets the timer. t.mu is held.
func (t *troubles) arm(after time.Duration) {
	t.timer = nil
	if t.ctx.Err() == nil {
		t.timer = time.AfterFunc(after, t.look)
	}
}

// look is what the timer does.
func (t *troubles) look() {
	t.mu.Lock()
	if t.ctx.Err() != nil {
		t.mu.Unlock()
		return
	}
	t.wg.Add(1) // close waits from here on
	t.mu.Unlock()
	defer t.wg.Done()
	t.lookAtOldest()
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endRefusals(now)
	switch oldest, some := t.pending.first(); {
	case t.stall != nil || len(t.refused) > 0:
		t.arm(stallCheck)
	case some:
		t.arm(max(stallAfter-now.Sub(oldest.began), time.Millisecond))
	default:
		t.timer = nil
	}
}

// lookAtOldest begins a stall, or ends one.
func (t *troubles) lookAtOldest() {
	oldest, some := t.pending.first()
	stalled := some && time.Since(oldest.began) >= stallAfter
	t.mu.Lock()
	before := t.stall
	t.mu.Unlock()
	switch {
	case stalled && (before == nil || before.Topic != oldest.topic):
		t.told = told{}
		t.tellStall(t.askWhy(oldest.topic, oldest.began))
	case stalled && time.Since(t.asked) >= askAgain:
		t.tellStall(t.askWhy(before.Topic, before.Since))
	case stalled:
		t.tellStall(before)
	case !stalled && before != nil:
		t.setStall(nil)
		t.log.Info("Kafka acknowledges again", zap.String("topic", before.Topic), zap.Duration("after_seconds", time.Since(before.Since)))
	}
}

// askWhy asks why a topic takes nothing, and notes the answer.
func (t *troubles) askWhy(topic string, since time.Time) *Problem {
	ctx, cancel := context.WithTimeout(t.ctx, diagnoseTimeout)
	defer cancel()
	text, check := t.diagnose(ctx, topic)
	p := &Problem{Topic: topic, Text: text, Check: check, Since: since}
	t.asked = time.Now()
	t.setStall(p)
	return p
}

func (t *troubles) tellStall(p *Problem) {
	if t.told.due(time.Now(), p.Text) {
		t.log.Error("Kafka does not acknowledge what is written; the partitions concerned wait, and nothing is lost",
			zap.String("topic", p.Topic), zap.Duration("for_seconds", time.Since(p.Since)), zap.Int("waiting", t.pending.count()),
			zap.String("detail", p.Text), zap.String("check", p.Check))
	}
}

func (t *troubles) setStall(p *Problem) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stall = p
}

// background runs f, and close waits for it.
func (t *troubles) background(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() == nil {
		t.wg.Go(f)
	}
}

// refuse notes that Kafka has refused a write.
func (t *troubles) refuse(topic, text, check string) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.refused[topic]
	if r == nil {
		r = &refusal{Problem: Problem{Topic: topic, Since: now}}
		t.refused[topic] = r
	}
	if r.told.due(now, text) {
		t.log.Error("Kafka refuses what is written; it is tried again, the partitions concerned wait, and nothing is lost",
			zap.String("topic", topic), zap.String("error", text), zap.String("check", check), zap.Duration("for_seconds", now.Sub(r.Since)))
	}
	r.Text, r.Check, r.last = text, check, now
	if t.timer == nil {
		t.arm(stallCheck)
	}
}

// endRefusals forgets those that have not come again. t.mu is held.
func (t *troubles) endRefusals(now time.Time) {
	for topic, r := range t.refused {
		if now.Sub(r.last) < quietAfter {
			continue
		}
		delete(t.refused, topic)
		t.log.Info("Kafka takes what is written again", zap.String("topic", topic), zap.Duration("after_seconds", r.last.Sub(r.Since)))
	}
}

func (t *troubles) list() []Problem {
	t.mu.Lock()
	var list []Problem
	if t.stall != nil {
		list = append(list, *t.stall)
	}
	for _, r := range t.refused {
		list = append(list, r.Problem)
	}
	t.mu.Unlock()
	slices.SortFunc(list, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Text, b.Text)) })
	return list
}

// createAgain creates a topic that is gone, where the configuration says so.
func (w *Writer) createAgain(ctx context.Context, topic string) (text, check string) {
	for _, t := range w.wanted() {
		if t.topic != topic {
			continue
		}
		if err := w.create(ctx, t); err != nil {
			return "it does not exist any more: " + err.Error(), "what deleted it, and create it: what waits is written then"
		}
		return "it did not exist any more, and was created anew", "what deletes it, if it is gone again"
	}
	return kerr.UnknownTopicOrPartition.Error(), "check that the topic exists and may be written to"
}

// diagnose looks for the reason why a topic takes nothing, which Kafka tells only
// to who asks: a partition without a leader, or with too few replicas in sync.
func (w *Writer) diagnose(ctx context.Context, topic string) (text, check string) {
	topics, err := w.admin.ListTopics(ctx, topic)
	if err != nil {
		return "no broker says why", "check that the brokers are up and reachable"
	}
	detail := topics[topic]
	switch {
	case errors.Is(detail.Err, kerr.UnknownTopicOrPartition):
		return w.createAgain(ctx, topic)
	case detail.Err != nil:
		return detail.Err.Error(), "check that the topic exists and may be written to"
	}
	need, _ := w.topicSetting(ctx, topic, "min.insync.replicas")
	for _, p := range detail.Partitions.Sorted() {
		switch {
		case p.Leader < 0 || p.Err != nil:
			return fmt.Sprintf("partition %d has no leader", p.Partition), "check that the brokers which hold the topic are up"
		case len(p.ISR) < need:
			return fmt.Sprintf("partition %d has %d of %d replicas in sync, and min.insync.replicas is %d", p.Partition, len(p.ISR), len(p.Replicas), need),
				"check that the brokers which hold the topic are up, and the topic's min.insync.replicas and number of replicas"
		}
	}
	return "all its partitions have a leader", "check the brokers' logs and disks, and whether the topic has more min.insync.replicas than replicas in sync"
}
