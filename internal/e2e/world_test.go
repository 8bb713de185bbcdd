//go:build kafka && linux

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/kustomersim"
	"kafka-kustomer/internal/workload"
)

// Times of every connector here. The lost-reply wait covers the time-out, and
// the longest run that the scripts ask for.
const (
	partitions     = 6
	sessionTimeout = 11 * time.Second // the least that the configuration allows
	lostReplyWait  = 3 * time.Second
	drainTimeout   = 10 * time.Second

	// takeover is how long a partition may rest after its owner was killed: the
	// session, the lost-reply wait (a static member adds a session), and a margin
	// for a busy machine.
	takeover = 2*sessionTimeout + lostReplyWait + 20*time.Second
)

// rightKey is the API key of all worlds: no log may ever show it.
const rightKey = canary.Secret + "-right"

// world is what one test has: a topic, a group, a simulator, and the account of
// what was produced.
type world struct {
	t       *testing.T
	brokers []string
	client  *kgo.Client
	admin   *kadm.Client
	api     *api
	baseURL string // of the API as the connectors are told it
	pace    string // their requests_per_minute; empty: as many as they like
	slots   int    // their max_open_operations; 0: 24
	keyFile string

	topic, results, deadLetters, group string
	// sources are all topics that are read, and entries is how source.topics lists
	// them; both empty: topic alone.
	sources []string
	entries string

	events *workload.Generator
	buried map[string]bool // positions that must be in the dead-letter topic
	// redelivers says that crashes leave much to be sent again, with newer changes
	// applied already: a field may go back for a moment by its stamp. What never may
	// is that an operation overtakes another.
	redelivers bool
	mu         sync.Mutex // guards buried while producing
}

// newWorld makes a world whose API follows the script, with args for it.
func newWorld(t *testing.T, events workload.Config, script kustomersim.Script, args ...string) *world {
	t.Helper()
	return newWorldOn(t, kafkatest.Brokers(t), events, script, args...)
}

// newWorldOn does so on brokers of the test's own.
func newWorldOn(t *testing.T, brokers []string, events workload.Config, script kustomersim.Script, args ...string) *world {
	t.Helper()
	events.Seed, events.Mark, events.Number = seed, canary.Value, canary.Number
	w := &world{t: t, brokers: brokers, events: workload.New(events), buried: map[string]bool{}}
	w.topic = kafkatest.Topic(t, w.brokers, strings.ToLower(t.Name()), partitions)
	w.results, w.deadLetters, w.group = w.topic+"-results", w.topic+"-dead", w.topic+"-group"
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.client, w.admin = client, kadm.NewClient(client)
	script.FailIDs = slices.Sorted(maps.Keys(w.events.Truth().Failing))
	w.api = startAPI(t, script, args...)
	w.baseURL = w.api.url
	w.keyFile = filepath.Join(t.TempDir(), "key")
	w.setKey(rightKey)
	t.Logf("seed %d, topic %s", seed, w.topic)
	return w
}

func (w *world) setKey(key string) {
	w.t.Helper()
	if err := os.WriteFile(w.keyFile, []byte(key+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// connector starts one. more are further top-level keys of its configuration, or
// whole sections that replace one.
func (w *world) connector(name, source string, more ...string) *process {
	w.t.Helper()
	path := w.configure(name, source, more...)
	return start(w.t, name, "run", "-c", path)
}

// configure writes the configuration of a connector.
func (w *world) configure(name, source string, more ...string) (path string) {
	w.t.Helper()
	unless := func(section, usual string) string {
		if slices.ContainsFunc(more, func(s string) bool { return strings.HasPrefix(s, section+":") }) {
			return ""
		}
		return section + ": " + usual
	}
	config := fmt.Sprintf(`
name: %s
kafka: {brokers: [%s]}
source: {topics: [%s], group: %s, session_timeout: %v%s}
%s
kustomer:
  base_url: %s
  api_key_file: %s
  timeout: 2s
  lost_reply_wait: %v
  requests_per_minute: %s
  max_open_operations: %d
  retry: {initial: 100ms, max: 1s}
  item_retry: {attempts: 2, over: 1s}
commit: {interval: 200ms}
%s
%s
drain_timeout: %v
revoke_timeout: 10s
admin: {listen: "127.0.0.1:0"}
log: {format: json, level: debug}
%s`,
		name, strings.Join(w.brokers, ", "), cmp.Or(w.entries, w.topic), w.group, sessionTimeout, source,
		unless("batch", "{linger: 200ms}"),
		w.baseURL, w.keyFile, lostReplyWait, cmp.Or(w.pace, "30000"), cmp.Or(w.slots, 24),
		unless("results", fmt.Sprintf("{topic: %s}", w.results)), unless("dead_letter", w.deadLetterKeys("5%")),
		drainTimeout, strings.Join(more, "\n"))
	path = filepath.Join(w.t.TempDir(), name+".yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// deadLetter is the section of a configuration, with the brake set.
func (w *world) deadLetter(brake string) string { return "dead_letter: " + w.deadLetterKeys(brake) }

func (w *world) deadLetterKeys(brake string) string {
	return fmt.Sprintf("{topic: %s, brake: %s}", w.deadLetters, brake)
}

// instance is the source key that makes a static member.
func instance(id string) string { return ", instance_id: " + id }

// produce writes n events and returns when Kafka has them.
func (w *world) produce(n int) {
	w.t.Helper()
	var first error
	var once sync.Once
	for range n {
		w.produceOne(func(err error) { once.Do(func() { first = err }) })
	}
	if err := w.client.Flush(w.t.Context()); err != nil || first != nil {
		w.t.Fatalf("produce: %v", errors.Join(err, first))
	}
}

func (w *world) produceOne(failed func(error)) {
	e := w.events.Next(time.Now())
	r := &kgo.Record{
		Topic: w.topic, Key: e.Key, Value: e.Value,
		Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte(canary.Header)}},
	}
	w.client.Produce(context.Background(), r, func(r *kgo.Record, err error) {
		switch {
		case err != nil:
			failed(err)
		case e.DeadLetter:
			w.mu.Lock()
			w.buried[position(r)] = true
			w.mu.Unlock()
		}
	})
}

func position(r *kgo.Record) string { return fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset) }

// load produces at the rate until stop is called.
func (w *world) load(perSecond int) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		failed := make(chan error, 1)
		begun, produced := time.Now(), 0
		for {
			select {
			case <-ctx.Done():
				done <- w.client.Flush(context.Background())
				return
			case err := <-failed:
				done <- err
				return
			case now := <-tick.C:
				for due := int(now.Sub(begun).Seconds() * float64(perSecond)); produced < due; produced++ {
					w.produceOne(func(err error) {
						select {
						case failed <- err:
						default:
						}
					})
				}
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		w.t.Helper()
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("produce: %v", err)
		}
	})
	w.t.Cleanup(stop) // a test that fails in the middle must not leave it
	return stop
}

// lag sums the records between the group's offsets and the ends of the logs. A
// partition without a commit lags by all it holds: kadm's own sum leaves out
// groups that are still forming.
func (w *world) lag() (lag int64, err error) {
	if w.sources != nil {
		return w.lagOf(w.sources...)
	}
	return w.lagOf(w.topic)
}

func (w *world) lagOf(topics ...string) (lag int64, err error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	starts, err := w.admin.ListStartOffsets(ctx, topics...)
	if err != nil {
		return 0, err
	}
	ends, err := w.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return 0, err
	}
	committed, err := w.admin.FetchOffsets(ctx, w.group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		err = nil
	}
	if err := errors.Join(err, starts.Error(), ends.Error(), committed.Error()); err != nil {
		return 0, err
	}
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(-1)
		if o, ok := committed.Lookup(end.Topic, end.Partition); ok {
			at = o.At
		}
		if start, ok := starts.Lookup(end.Topic, end.Partition); ok {
			at = max(at, start.Offset)
		}
		lag += end.Offset - at
	})
	return lag, nil
}

func (w *world) awaitNoLag(timeout time.Duration) {
	w.t.Helper()
	await(w.t, timeout, "the group's lag becomes 0", func() error {
		lag, err := w.lag()
		if err == nil && lag > 0 {
			err = fmt.Errorf("it is %d", lag)
		}
		return err
	})
}

// awaitMembers waits until the group has n members that share all partitions.
func (w *world) awaitMembers(timeout time.Duration, n int) {
	w.t.Helper()
	await(w.t, timeout, fmt.Sprintf("%d members share the partitions", n), func() error {
		groups, err := w.admin.DescribeGroups(w.t.Context(), w.group)
		if err != nil {
			return err
		}
		g := groups[w.group]
		owned := 0
		for _, m := range g.Members {
			assigned, ok := m.Assigned.AsConsumer()
			if !ok {
				continue
			}
			for _, topic := range assigned.Topics {
				owned += len(topic.Partitions)
				if len(topic.Partitions) != partitions/n {
					return fmt.Errorf("a member has %d partitions", len(topic.Partitions))
				}
			}
		}
		if g.State != "Stable" || len(g.Members) != n || owned != partitions {
			return fmt.Errorf("group is %s, %d members, %d partitions", g.State, len(g.Members), owned)
		}
		return nil
	})
}

// written reads the result and dead-letter topics.
func (w *world) written() *workload.Written {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	got, err := workload.Collect(ctx, w.results, w.deadLetters, kgo.SeedBrokers(w.brokers...))
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// check is what must be true at the end of every test, however rude it was: each
// message in its newest state, every dead letter there and none too many,
// nothing ever out of order, the lag 0, the contract kept. It returns what the
// simulator and the topics hold.
func (w *world) check() (kustomersim.Stats, *workload.Written) {
	w.t.Helper()
	w.api.awaitIdle()
	states, stats, got := w.api.states(), w.api.stats(), w.written()
	truth := w.events.Truth()
	report(w.t, truth.Judge(func(id string) map[string]string { return states[id] }))
	missing, strange := 0, 0
	for p := range w.buried {
		if got.DeadLetters[p] == 0 {
			missing++
		}
	}
	for p := range got.DeadLetters {
		if !w.buried[p] {
			strange++
		}
	}
	if missing > 0 || strange > 0 {
		w.t.Errorf("dead letters: %d of %d are missing, %d should not be there (by reason %v)", missing, len(w.buried), strange, got.Reasons)
	}
	if w.redelivers {
		w.t.Logf("%d fields were back for a moment, as changes were sent again after a crash", stats.FieldsBackByStamp)
		stats.FieldsBackByStamp = 0
	}
	if stats.FieldsBackByOrder+stats.FieldsBackByStamp+stats.NewerWhileOpen > 0 {
		w.t.Errorf("out of order: %d fields back by order, %d by stamp, %d changes sent while an older one could run",
			stats.FieldsBackByOrder, stats.FieldsBackByStamp, stats.NewerWhileOpen)
	}
	for kind, n := range stats.Breaches {
		if kind != kustomersim.BreachKey { // the business of TestWrongKey
			w.t.Errorf("%d breaches of the contract: %s", n, kind)
		}
	}
	if lag, err := w.lag(); err != nil || lag != 0 {
		w.t.Errorf("lag %d, %v, want 0", lag, err)
	}
	w.t.Logf("%d events (%d malformed), %d messages, %d dead letters; %d PUTs, %d items accepted, %d of them again, %d failed; %d replies lost, %d operations overtook another; %.2f looks an operation",
		truth.Total+truth.Malformed, truth.Malformed, len(truth.States), len(w.buried),
		stats.Puts, stats.ItemsAccepted, stats.ItemsRepeated, stats.ItemsFailed, stats.RepliesLost, stats.OperationsOvertaken,
		float64(stats.Gets)/float64(max(1, stats.OperationsAccepted)))
	return stats, got
}

// report shows a few of the findings.
func report(t *testing.T, findings []workload.Finding) {
	t.Helper()
	for i, f := range findings {
		if i == 8 {
			t.Errorf("… and %d findings more", len(findings)-i)
			return
		}
		t.Error(f)
	}
}
