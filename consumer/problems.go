package consumer

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/zap"
)

// Problem is something that is wrong at the moment and that a person may have to
// see to.
type Problem struct {
	Topic     string    // empty: not about a topic
	Partition int32     // -1: not about one partition
	Broker    string    // host:port, or empty
	Text      string    // what happened
	Check     string    // what to check next
	Since     time.Time // when it was first seen
	Person    bool      // it lasts until somebody sees to it
	Waits     bool      // a partition waits until its next record can be decoded
}

// problemKey names what has a problem: at most one at a time.
type problemKey struct {
	kind      string
	topic     string
	partition int32
	broker    string
}

var groupProblem = problemKey{kind: "group", partition: -1}

func partitionProblem(p Partition) problemKey {
	return problemKey{kind: "fetch", topic: p.Topic, partition: p.Partition}
}

func topicProblem(topic string) problemKey {
	return problemKey{kind: "topic", topic: topic, partition: -1}
}

func commitProblem(p Partition) problemKey {
	return problemKey{kind: "commit", topic: p.Topic, partition: p.Partition}
}

func brokerProblem(addr string) problemKey {
	return problemKey{kind: "broker", partition: -1, broker: addr}
}

// responseProblem is of a broker whose answers we don't take.
func responseProblem(addr string) problemKey {
	return problemKey{kind: "response", partition: -1, broker: addr}
}

// expireAfter is for how long no attempt to reach a broker has failed until it is
// no problem any more. One that has gone for good is not tried again.
const expireAfter = time.Minute

// A problem that lasts is told of again after a while, and each time after twice
// as long: at first after relogAfter if its text has changed meanwhile, and else
// after remindAfter. A text that is new never waits for longer than remindAfter.
const (
	relogAfter  = 10 * time.Second
	remindAfter = 10 * time.Minute
)

// settleAfter is how long after the last broker could be reached again the problems
// are told of that are still there.
const settleAfter = 20 * time.Second

// problems keeps what is wrong, and logs each problem when it is new, ever more
// seldom while it lasts, and when it is over. Its lock is a leaf: no call leads out of it but to
// the log.
type problems struct {
	log *zap.Logger

	mu       sync.Mutex
	byKey    map[problemKey]*entry
	settling time.Time // since when every broker can be reached again; zero: nothing to tell
}

type entry struct {
	Problem
	seen     time.Time // the last time
	logged   string
	loggedAt time.Time
	gap      time.Duration // until it may be told of again
}

func newProblems(log *zap.Logger) *problems {
	return &problems{log: log, byKey: map[problemKey]*entry{}}
}

func (ps *problems) report(key problemKey, err error) {
	now, text := time.Now(), err.Error()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	e := ps.byKey[key]
	if e == nil {
		e = &entry{Problem: Problem{Topic: key.topic, Partition: key.partition, Broker: key.broker, Since: now, Waits: key.kind == "schema"}}
		ps.byKey[key] = e
	}
	e.Text, e.Check, e.seen, e.Person = text, advice(err), now, lasts(err)
	if !key.stands() && ps.unreachable() && !errors.As(err, new(*kerr.Error)) {
		return // a broker that can't be reached may have brought it about, and that one is told of; see end
	}
	ps.tell(key, e, now)
}

// tell logs a problem unless it has been told of not long ago. ps.mu is held.
func (ps *problems) tell(key problemKey, e *entry, now time.Time) {
	gap := min(e.gap, remindAfter)
	if e.logged == e.Text {
		gap = max(e.gap, remindAfter)
	}
	if e.logged != "" && now.Sub(e.loggedAt) < gap {
		return
	}
	e.logged, e.loggedAt, e.gap = e.Text, now, max(relogAfter, 2*gap)
	ps.log.Error(key.title(), append(key.fields(),
		zap.String("error", e.Text), zap.String("check", e.Check), zap.Duration("for_seconds", now.Sub(e.Since)))...)
}

// remind tells again of what lasts. ps.mu is held.
func (ps *problems) remind(now time.Time) {
	unreachable := ps.unreachable()
	for key, e := range ps.byKey {
		if e.logged != "" && (key.stands() || !unreachable) {
			ps.tell(key, e, now)
		}
	}
}

// unreachable reports whether some broker can't be reached. ps.mu is held.
func (ps *problems) unreachable() bool {
	for key := range ps.byKey {
		if key.kind == "broker" {
			return true
		}
	}
	return false
}

// expire ends the troubles of brokers that are not tried any more.
func (ps *problems) expire(now time.Time) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for key, e := range ps.byKey {
		if key.broker != "" && now.Sub(e.seen) >= expireAfter {
			ps.end(key)
		}
	}
}

func (ps *problems) clear(key problemKey) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.end(key)
}

// end forgets a problem, and says so if it was told of. Once every broker can be
// reached, what was not told of meanwhile is: kgo says some things only once, such
// as that a batch is too large. ps.mu is held.
func (ps *problems) end(key problemKey) {
	e := ps.byKey[key]
	if e == nil {
		return
	}
	delete(ps.byKey, key)
	if e.logged != "" {
		ps.log.Info(key.titleOfEnd(), append(key.fields(), zap.Duration("after_seconds", time.Since(e.Since)))...)
	}
	if key.broker != "" && !ps.unreachable() {
		ps.settling = time.Now()
	}
}

// settled tells of what is still wrong: of what was told of, again, and of the rest
// a while after every broker could be reached again, for what they had brought
// about has ended by then.
func (ps *problems) settled(now time.Time) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.remind(now)
	if ps.settling.IsZero() || now.Sub(ps.settling) < settleAfter || ps.unreachable() {
		return
	}
	ps.settling = time.Time{}
	for key, e := range ps.byKey {
		if e.logged == "" {
			ps.tell(key, e, now)
		}
	}
}

// drop forgets a problem without a word: it is not over, but not ours any more.
func (ps *problems) drop(key problemKey) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.byKey, key)
}

// stands reports whether a problem can't be what a broker that is away has brought
// about: it is that broker, or the schema registry.
func (k problemKey) stands() bool { return k.broker != "" || k.kind == "schema" }

// title is what the log says of a problem.
func (k problemKey) title() string {
	if k.kind == "schema" {
		return "a partition waits for a schema"
	}
	return "trouble with Kafka: " + k.kind
}

func (k problemKey) titleOfEnd() string {
	if k.kind == "schema" {
		return "a partition waits for a schema no more"
	}
	return "trouble with Kafka is over: " + k.kind
}

func (k problemKey) fields() []zap.Field {
	switch {
	case k.broker != "":
		return []zap.Field{zap.String("broker", k.broker)}
	case k.topic != "":
		if k.partition < 0 {
			return []zap.Field{zap.String("topic", k.topic)}
		}
		return []zap.Field{zap.String("topic", k.topic), zap.Int32("partition", k.partition)}
	}
	return nil
}

func (ps *problems) list() []Problem {
	ps.mu.Lock()
	list := make([]Problem, 0, len(ps.byKey))
	for _, e := range ps.byKey {
		list = append(list, e.Problem)
	}
	ps.mu.Unlock()
	slices.SortFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.Topic, b.Topic),
			cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Text, b.Text))
	})
	return list
}
