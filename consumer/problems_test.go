package consumer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kafka-kustomer/batcher"
	"kafka-kustomer/internal/canary"
)

func TestAdviceNamesTheSetting(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("x: %w", kerr.SaslAuthenticationFailed), "kafka.sasl"},
		{kerr.OffsetOutOfRange, "on_reset"},
		{kerr.GroupAuthorizationFailed, "READ"},
		{x509.UnknownAuthorityError{}, "ca_file"},
		{fmt.Errorf("tls: %w", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "kafka"}), "server_name"},
		{errors.New("dial tcp 127.0.0.1:1: connect: connection refused"), "kafka.brokers"},
		{errors.New("… is SASL missing?"), "kafka.sasl"},
		{errors.New("… appear to be a tls alert record for TLS v1.2; …"), "kafka.tls.enabled"},
		{context.DeadlineExceeded, "network"},
		{&positionError{what: "position", at: 5, start: 9, end: 9}, "on_reset"},
		{&replacedError{"in"}, "start the program again"},
		{errTopicDeleted, "source.topics"},
		{&batchTooLargeError{&kgo.ErrDecompressTooLarge{NextOffset: 42}, 1 << 20}, "offset of this partition to 42"},
		{&responseTooLargeError{errors.New("x"), 1 << 20}, "limits.max_batch_bytes"},
		{kerr.UnsupportedVersion, "source.protocol"},
		{&undecodedError{5, "schema 7", ""}, "schema_registry"},
		{fmt.Errorf("x: %w", &undecodedError{5, "schema 7", ""}), "other partitions go on"},
		{errors.New("never seen before"), "brokers"},
	} {
		if got := advice(tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v: %q does not name %s", tt.err, got, tt.want)
		}
	}
}

func TestProblemIsLoggedOnceUntilItChanges(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	ps := newProblems(canary.Watch(t, core))
	key := partitionProblem(Partition{"in", 3})
	for range 1000 {
		ps.report(key, kerr.OffsetOutOfRange)
	}
	ps.report(partitionProblem(Partition{"in", 4}), kerr.OffsetOutOfRange)
	if n := logs.Len(); n != 2 {
		t.Errorf("logged %d times, want once for each partition", n)
	}
	if got := ps.list(); len(got) != 2 || got[0].Partition != 3 || got[0].Since.IsZero() || got[0].Check == "" {
		t.Errorf("list: %+v", got)
	}
	// Texts that differ each time (a port, a time) must not fill the log.
	for i := range 1000 {
		ps.report(key, fmt.Errorf("reset by peer %d", i))
	}
	if n := logs.Len(); n != 2 {
		t.Errorf("logged %d times within %v, want 2", n, relogAfter)
	}
	if got := ps.list()[0].Text; got != "reset by peer 999" {
		t.Errorf("text %q, want the newest", got)
	}
	ps.mu.Lock()
	ps.byKey[key].loggedAt = time.Now().Add(-relogAfter)
	ps.mu.Unlock()
	ps.report(key, errors.New("another"))
	ps.report(key, errors.New("another"))
	if n := logs.Len(); n != 3 {
		t.Errorf("logged %d times, want 3", n)
	}
	ps.clear(key)
	ps.clear(key)
	if n := logs.FilterMessageSnippet("over").Len(); n != 1 || len(ps.list()) != 1 {
		t.Errorf("its end was logged %d times, and %d problems are left; want 1, 1", n, len(ps.list()))
	}
}

// What follows from a broker that can't be reached is not told of beside it, but
// what Kafka itself says is.
func TestConsequencesOfAnOutageAreNotLogged(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	ps := newProblems(canary.Watch(t, core))
	broker := brokerProblem("kafka:9092")
	ps.report(broker, errors.New("connection refused"))
	ps.report(groupProblem, errors.New("unable to join group session: unable to dial"))
	ps.report(commitProblem(Partition{"in", 1}), context.DeadlineExceeded)
	if n := logs.Len(); n != 1 || len(ps.list()) != 3 {
		t.Errorf("%d lines, %d problems; want 1, 3", n, len(ps.list()))
	}
	ps.report(commitProblem(Partition{"in", 2}), kerr.GroupAuthorizationFailed)
	if n := logs.Len(); n != 2 {
		t.Errorf("%d lines after an answer of Kafka's, want 2", n)
	}
	ps.clear(groupProblem)
	ps.clear(broker)
	if n := logs.FilterMessageSnippet("is over").Len(); n != 1 {
		t.Errorf("%d ends were logged, want that of the broker", n)
	}
	ps.report(commitProblem(Partition{"in", 1}), context.DeadlineExceeded)
	if n := logs.FilterMessage("trouble with Kafka: commit").Len(); n != 2 {
		t.Errorf("%d commits logged: what goes on after the outage must be told of", n)
	}
}

// A broker that has gone for good is not tried again, and no problem for ever.
func TestBrokerProblemExpires(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	ps := newProblems(canary.Watch(t, core))
	ps.report(brokerProblem("kafka:9092"), errors.New("connection refused"))
	ps.report(topicProblem("in"), errNoTopic)
	ps.expire(time.Now().Add(expireAfter - time.Second))
	if n := len(ps.list()); n != 2 {
		t.Fatalf("%d problems are left too early, want 2", n)
	}
	ps.expire(time.Now().Add(expireAfter))
	if list := ps.list(); len(list) != 1 || list[0].Topic != "in" || logs.FilterMessageSnippet("is over").Len() != 1 {
		t.Errorf("problems %+v, log %v", list, logs.All())
	}
	ps.drop(topicProblem("in"))
	if len(ps.list()) != 0 || logs.FilterMessageSnippet("is over").Len() != 1 {
		t.Errorf("dropped: problems %+v, log %v", ps.list(), logs.All())
	}
}

func TestPositionErrorNamesTheOffsets(t *testing.T) {
	for _, tt := range []struct {
		err  positionError
		want string
	}{
		{positionError{"position", 5, 12, 20}, "the position 5 is before the start of the log, 12: offsets 5 to 11 were deleted before they were read"},
		{positionError{"committed offset", 99, 12, 20}, "the committed offset 99 is beyond the end of the log, 20: the offset was set too high, or the log was cut short"},
	} {
		if got := tt.err.Error(); got != tt.want || !errors.Is(&tt.err, kerr.OffsetOutOfRange) {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// What kgo says only once, and says while a broker is away, is told of when the
// broker is back; what the broker brought about has ended by then.
func TestProblemsOfTheirOwnAreToldAfterAnOutage(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	ps := newProblems(canary.Watch(t, core))
	broker, stuck, passing := brokerProblem("b3:9092"), partitionProblem(Partition{"t", 7}), partitionProblem(Partition{"t", 8})
	ps.report(broker, errors.New("dial tcp: connection refused"))
	ps.report(stuck, errNoCommit)
	ps.report(passing, errors.New("unable to dial"))
	ps.settled(time.Now().Add(remindAfter / 2))
	if n := logs.Len(); n != 1 {
		t.Fatalf("%d lines during the outage, want that of the broker", n)
	}
	ps.clear(broker)
	ps.settled(time.Now())
	ps.clear(passing)
	ps.settled(time.Now().Add(settleAfter))
	ps.settled(time.Now().Add(2 * settleAfter))
	told := logs.FilterMessageSnippet("trouble with Kafka: ").FilterField(zap.Int32("partition", 7)).Len()
	if told != 1 || logs.Len() != 3 {
		t.Errorf("told %d times of the partition in %d lines; want once, and the broker's beginning and end", told, logs.Len())
	}
}

// A problem that lasts is told of ever more seldom, and so is one whose text never
// stays the same.
func TestProblemThatLastsIsNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		ps := newProblems(canary.Watch(t, core))
		lines := func(key problemKey, of time.Duration, text func(n int) string) (at []time.Duration) {
			begun, before := time.Now(), logs.Len()
			for n := 0; time.Since(begun) < of; n++ {
				ps.report(key, errors.New(text(n)))
				ps.settled(time.Now())
				if logs.Len() > before {
					at, before = append(at, time.Since(begun)), logs.Len()
				}
				time.Sleep(time.Second)
			}
			ps.clear(key)
			if n := logs.FilterMessageSnippet("is over").FilterField(zap.String("topic", key.topic)).Len(); n != 1 {
				t.Errorf("its end was told %d times", n)
			}
			return at
		}
		same := lines(topicProblem("same"), 3*time.Hour, func(int) string { return "no such topic" })
		const m = time.Minute
		if diff := cmp.Diff([]time.Duration{0, 10 * m, 30 * m, 70 * m, 150 * m}, same); diff != "" {
			t.Errorf("told of one text after (-want +got):\n%s", diff)
		}
		other := lines(topicProblem("other"), time.Hour, func(n int) string { return fmt.Sprintf("port %d", n) })
		if len(other) > 12 || len(other) < 6 || other[0] != 0 {
			t.Errorf("told of texts that change after %v, want ever more seldom", other)
		}
	})
}

// What is wrong after hours of something else is told of soon, however seldom that
// was told of at the end.
func TestAnotherTextIsToldOfSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		ps := newProblems(canary.Watch(t, core))
		key := topicProblem("in")
		say := func(text string, of time.Duration) {
			for begun := time.Now(); time.Since(begun) < of; time.Sleep(time.Second) {
				ps.report(key, errors.New(text))
				ps.settled(time.Now())
			}
		}
		say("no such topic", 312*time.Minute) // told of two minutes ago, and the next time five hours later
		say("not authorized", remindAfter)
		if n := logs.FilterField(zap.String("error", "not authorized")).Len(); n != 1 {
			t.Errorf("told of %d times", n)
		}
	})
}

// A partition that waits for a schema is no trouble with Kafka: it has lines of its
// own, with what it waits for and where, is told of also while a broker is away, and
// again while it lasts.
func TestProblemOfASchema(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	ps := newProblems(canary.Watch(t, core))
	key := schemaProblem(Partition{"in", 3})
	ps.report(brokerProblem("b3:9092"), errors.New("connection refused"))
	ps.report(key, &undecodedError{5, "schema 7", ""})
	want := Problem{
		Topic: "in", Partition: 3, Text: "the record at offset 5 needs schema 7, which is not there yet; the partition waits for it",
		Check: "the schema registry (schema_registry): that it answers, and that it has this schema, without which the record is a dead letter after schema_registry.unknown_grace; other partitions go on",
		Waits: true,
	}
	got := ps.list()[0]
	since := got.Since
	got.Since = time.Time{}
	if diff := cmp.Diff(want, got); diff != "" || since.IsZero() {
		t.Errorf("since %v, -want +got:\n%s", since, diff)
	}
	ps.settled(since.Add(remindAfter + time.Second))
	told := logs.FilterMessage("a partition waits for a schema").All()
	if len(told) != 2 {
		t.Fatalf("told %d times, want at once and after %v: %v", len(told), remindAfter, logs.All())
	}
	for i, entry := range told {
		fields := entry.ContextMap()
		lasted, isTime := fields["for_seconds"].(time.Duration)
		delete(fields, "for_seconds")
		wantFields := map[string]any{"topic": "in", "partition": int32(3), "error": want.Text, "check": want.Check}
		if diff := cmp.Diff(wantFields, fields); diff != "" || entry.Level != zap.ErrorLevel {
			t.Errorf("line %d at %v, -want +got:\n%s", i, entry.Level, diff)
		}
		if !isTime || i == 0 && lasted > time.Second || i == 1 && lasted < remindAfter {
			t.Errorf("line %d says that it has lasted for %v", i, lasted)
		}
	}
	ps.clear(key)
	if n := logs.FilterMessage("a partition waits for a schema no more").FilterField(zap.Int32("partition", 3)).FilterLevelExact(zap.InfoLevel).Len(); n != 1 {
		t.Errorf("its end was told %d times", n)
	}
	if n := logs.FilterMessageSnippet("trouble with Kafka").Len(); n != 2 || len(ps.list()) != 1 {
		t.Errorf("%d lines of trouble with Kafka, want those of the broker; problems %+v", n, ps.list())
	}
}

// With its partition the problem goes too, without a word: who has the partition now
// waits in turn.
func TestProblemOfASchemaGoesWithThePartition(t *testing.T) {
	client, err := kgo.NewClient(kgo.SeedBrokers("localhost:1"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	core, logs := observer.New(zap.InfoLevel)
	gone, kept := Partition{"in", 3}, Partition{"in", 4}
	calledOff := map[Partition]bool{}
	c := &Consumer{client: client, problems: newProblems(canary.Watch(t, core)), tenures: map[Partition]*tenure{}}
	for _, p := range []Partition{gone, kept} {
		c.tenures[p] = &tenure{handle: &batcher.Assignment{Topic: p.Topic, Partition: p.Partition}, endWait: func() { calledOff[p] = true }}
		c.problems.report(schemaProblem(p), &undecodedError{5, "schema 7", ""})
	}
	c.drop([]*tenure{c.tenures[gone]})
	if list := c.Problems(); len(list) != 1 || list[0].Partition != kept.Partition || c.Waiting() != 1 {
		t.Errorf("problems %+v, %d partitions wait; want those of the other partition", list, c.Waiting())
	}
	if !calledOff[gone] || calledOff[kept] {
		t.Errorf("waits called off: %v", calledOff)
	}
	if n := logs.FilterMessageSnippet("no more").Len(); n != 0 || logs.Len() != 2 {
		t.Errorf("an end was told of that was none: %v", logs.All())
	}
}
