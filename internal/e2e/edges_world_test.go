//go:build kafka && linux

package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/workload"
)

// The tests in edges_*_test.go are about what Kafka itself does to a consumer:
// records and topics that go away, offsets that others set, outputs that take
// nothing. Where records are lost on purpose no account can come out even, so
// most of them put single events and ask for each.

// edgeWorld is a world without events of its own, on the brokers that all tests
// share or on those given.
func edgeWorld(t *testing.T, brokers ...string) *world {
	t.Helper()
	if len(brokers) == 0 {
		return newWorld(t, workload.Config{Messages: 100}, calm())
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := &world{
		t: t, brokers: brokers, client: client, admin: kadm.NewClient(client),
		events: workload.New(workload.Config{Messages: 100, Seed: seed}), buried: map[string]bool{},
	}
	w.topic = kafkatest.Topic(t, brokers, "edge", partitions)
	w.results, w.deadLetters, w.group = w.topic+"-results", w.topic+"-dead", w.topic+"-group"
	w.api = startAPI(t, calm())
	w.baseURL = w.api.url
	w.keyFile = filepath.Join(t.TempDir(), "key")
	w.setKey(rightKey)
	return w
}

// connectorTo starts a connector at other brokers, with more in its kafka section
// and another way to create topics.
func (w *world) connectorTo(name string, brokers []string, kafka, create string) *process {
	w.t.Helper()
	config := fmt.Sprintf(`
kafka: {brokers: [%s]%s}
source: {topics: [%s], group: %s, session_timeout: %v}
batch: {linger: 200ms}
kustomer: {base_url: %s, api_key_file: %s, timeout: 2s, lost_reply_wait: %v, requests_per_minute: 30000}
commit: {interval: 200ms}
results: {topic: %s, create: %s}
dead_letter: {topic: %s, create: %s, brake: off}
drain_timeout: %v
revoke_timeout: 10s
admin: {listen: "127.0.0.1:0"}
log: {format: json, level: debug}
`, strings.Join(brokers, ", "), kafka, w.topic, w.group, sessionTimeout, w.baseURL, w.keyFile, lostReplyWait,
		w.results, create, w.deadLetters, create, drainTimeout)
	path := filepath.Join(w.t.TempDir(), name+".yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return start(w.t, name, "run", "-c", path)
}

// put writes n events, each of a message of its own, and returns their messages.
func (w *world) put(topic string, partition int32, n int) (ids []string) {
	w.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		id := fmt.Sprintf("%08x%016x", partition, time.Now().UnixNano()+int64(i))
		ids = append(ids, id)
		value := fmt.Sprintf(`{"messageId":%q,"changes":{"subject":"%s %d"}}`, id, canary.Value, i)
		records[i] = &kgo.Record{Topic: topic, Partition: partition, Key: []byte(id), Value: []byte(value)}
	}
	w.putRecords(nil, records...)
	return ids
}

// putRecords writes records to the partitions they name.
func (w *world) putRecords(opts []kgo.Opt, records ...*kgo.Record) {
	w.t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(w.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// wantDelivered checks that these messages, and none of those, have reached the
// API.
func (w *world) wantDelivered(ids []string, not ...string) {
	w.t.Helper()
	states, missing, strange := w.api.states(), 0, 0
	for _, id := range ids {
		if states[id] == nil {
			missing++
		}
	}
	for _, id := range not {
		if states[id] != nil {
			strange++
		}
	}
	if missing+strange > 0 {
		w.t.Errorf("%d of %d were not delivered; %d were that should not be", missing, len(ids), strange)
	}
}

// deleteUpTo deletes the records of a partition before an offset.
func (w *world) deleteUpTo(topic string, partition int32, offset int64) {
	w.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, partition, offset, -1)
	deleted, err := w.admin.DeleteRecords(w.t.Context(), offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// setOffset moves the group's offset of a partition, as a tool would.
func (w *world) setOffset(topic string, partition int32, offset int64) {
	w.t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, partition, offset, -1)
	await(w.t, 2*sessionTimeout, "the group's offset can be set", func() error {
		return w.admin.CommitAllOffsets(w.t.Context(), w.group, offsets)
	})
}

func (w *world) committed(topic string, partition int32) (at int64) {
	w.t.Helper()
	await(w.t, 20*time.Second, "the group's offsets can be read", func() error {
		offsets, err := w.admin.FetchOffsets(kadm.RequireStable(w.t.Context()), w.group)
		at = -1
		if o, ok := offsets.Lookup(topic, partition); ok {
			at = o.At
		}
		return err
	})
	return at
}

func (w *world) awaitCommitted(timeout time.Duration, topic string, partition int32, offset int64) {
	w.t.Helper()
	await(w.t, timeout, fmt.Sprintf("offset %d of %s/%d is committed", offset, topic, partition), func() error {
		if at := w.committed(topic, partition); at != offset {
			return fmt.Errorf("it is %d", at)
		}
		return nil
	})
}

// awaitTrouble waits for the line that names a trouble with Kafka, and returns
// it. It must say what to check.
func (p *process) awaitTrouble(timeout time.Duration, kind, text string) line {
	p.t.Helper()
	return p.awaitTroubles(timeout, kind, text, 1)
}

// awaitTroubles waits for the nth such line.
func (p *process) awaitTroubles(timeout time.Duration, kind, text string, n int) (found line) {
	p.t.Helper()
	await(p.t, timeout, fmt.Sprintf("%s tells of %s trouble, %q", p.name, kind, text), func() error {
		lines := p.lines("trouble with Kafka: " + kind)
		seen := 0
		for _, found = range lines {
			if strings.Contains(found.text("error"), text) {
				if seen++; seen == n {
					return nil
				}
			}
		}
		return fmt.Errorf("it told of %v", lines)
	})
	if found.text("level") != "error" || found.text("check") == "" {
		p.t.Errorf("want an error that says what to check: %v", found)
	}
	p.t.Logf("%v", found)
	return found
}

// suspended runs f while the process stands still, with no fetch under way that
// could still bring something.
func (p *process) suspended(f func()) {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	pass(p.t, 800*time.Millisecond) // the longest that a broker holds a fetch, and some
	f()
	p.signal(syscall.SIGCONT)
}

// wantPlace checks that a line names a partition.
func wantPlace(t *testing.T, l line, topic string, partition int) {
	t.Helper()
	if l.text("topic") != topic || l["partition"] != float64(partition) {
		t.Errorf("want the line to name %s/%d: %v", topic, partition, l)
	}
}

// garbage writes n records that are no events.
func (w *world) garbage(topic string, partition int32, n, size int) {
	w.t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		noise := make([]byte, size) // that does not compress
		_, _ = rand.Read(noise)
		records[i] = &kgo.Record{Topic: topic, Partition: partition, Key: []byte("k"), Value: noise}
	}
	w.putRecords(nil, records...)
}

// readAll reads n records of a topic.
func (w *world) readAll(topic string, n int) (records []*kgo.Record) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.brokers...), kgo.ConsumeTopics(topic))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for len(records) < n {
		records = append(records, client.PollFetches(ctx).Records()...)
		if ctx.Err() != nil {
			w.t.Fatalf("%d records of topic %s, want %d", len(records), topic, n)
		}
	}
	return records
}

// grant allows bob an operation on a topic; revoke takes that back.
func (w *world) grant(topic string, op kadm.ACLOperation) {
	w.t.Helper()
	w.acl(kadm.NewACLs().Topics(topic).Operations(op))
}

func (w *world) grantGroup() {
	w.t.Helper()
	w.acl(kadm.NewACLs().Groups(w.group).Operations(kadm.OpRead))
}

func (w *world) acl(b *kadm.ACLBuilder) {
	w.t.Helper()
	results, err := w.admin.CreateACLs(w.t.Context(), b.Allow("User:bob").AllowHosts("*").ResourcePatternType(kadm.ACLPatternLiteral))
	if err == nil && len(results) > 0 {
		err = results[0].Err
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) revoke(topic string, op kadm.ACLOperation) {
	w.t.Helper()
	b := kadm.NewACLs().Topics(topic).Operations(op).Allow("User:bob").AllowHosts("*").ResourcePatternType(kadm.ACLPatternLiteral)
	if _, err := w.admin.DeleteACLs(w.t.Context(), b); err != nil {
		w.t.Fatal(err)
	}
}
