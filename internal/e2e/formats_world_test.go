//go:build kafka && linux

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/internal/canary"
	"kafka-kustomer/internal/kafkatest"
	"kafka-kustomer/internal/registrytest"
)

// The tests in formats_*_test.go are about what records may look like: forms of
// values, schemas and who keeps them, mappings, and values that mean harm. What must
// become of a record is written down where it is made, and never asked of the code
// that reads it.

// perTopic is how many partitions each of a formatWorld's topics has.
const perTopic = 3

// formatWorld is a world with several source topics, some schemas, and an account of
// what each record must come to.
type formatWorld struct {
	*world
	schemas *sr.Client
	url     string // of the registry, as the connectors are told it
	topicOf map[string]string
	random  *rand.Rand

	records  []*fated
	produced int // of them
	// decode makes JSON of a result event; nil: it is JSON.
	decode func(value []byte) ([]byte, error)
}

// fated is a record and what must become of it: one fate of the three.
type fated struct {
	*kgo.Record
	changes []change // sent, in this order
	skip    string   // code
	dead    string   // code
}

// change is one that is sent. Its fields are as the simulator has them: attributes as
// custom.x, values as JSON.
type change struct {
	message, event string
	fields         map[string]string
}

// newFormatWorld makes one with a topic for each entry, which is the rest of its entry
// in source.topics, by a name of the test's own. The registry is the one that all
// tests share unless one is given.
func newFormatWorld(t *testing.T, topics map[string]string, reg *registrytest.Registry) *formatWorld {
	t.Helper()
	if reg == nil {
		reg = sharedRegistry(t)
	}
	w := &formatWorld{world: edgeWorld(t), url: reg.URL(), topicOf: map[string]string{}, random: rand.New(rand.NewPCG(seed, 11))}
	var entries []string
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		topic := kafkatest.Topic(t, w.brokers, name, perTopic)
		w.topicOf[name] = topic
		w.sources = append(w.sources, topic)
		entries = append(entries, "{name: "+topic+", "+topics[name]+"}")
	}
	w.entries = strings.Join(entries, ", ")
	var err error
	if w.schemas, err = sr.NewClient(sr.URLs(w.url)); err != nil {
		t.Fatal(err)
	}
	return w
}

// registry is the section of a configuration, with further keys.
func (w *formatWorld) registry(more string) string {
	return fmt.Sprintf("schema_registry: {urls: [%q]%s}", w.url, more)
}

// tempFile writes a file that a configuration names.
func tempFile(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	registryOnce sync.Once
	theRegistry  *registrytest.Registry
	registryErr  error
)

// sharedRegistry is the one of this test process. What it does not have today it must
// not have tomorrow: ids that a test needs to be unknown are far above those that it
// gives.
func sharedRegistry(t *testing.T) *registrytest.Registry {
	t.Helper()
	registryOnce.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		theRegistry, registryErr = registrytest.Open(ctx)
	})
	if registryErr != nil {
		t.Fatal(registryErr)
	}
	return theRegistry
}

// closeRegistry ends it after all tests.
func closeRegistry() {
	if theRegistry == nil {
		return
	}
	if err := theRegistry.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
	}
}

// unknownID is one that no registry here ever gives.
const unknownID = 2_000_000_000

// register registers a schema and returns its id.
func (w *formatWorld) register(subject string, kind sr.SchemaType, text string) uint32 {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	s, err := w.schemas.CreateSchema(ctx, subject, sr.Schema{Schema: text, Type: kind})
	if err != nil {
		w.t.Fatal(err)
	}
	return uint32(s.ID)
}

// framed puts an id in front of a value.
func framed(id uint32, value []byte) []byte {
	return append([]byte{0, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}, value...)
}

// writer writes Avro, by a library that shares nothing with what reads it here.
type writer struct {
	t     *testing.T
	id    uint32
	codec *goavro.Codec
}

func (w *formatWorld) writer(subject, schema string) *writer {
	w.t.Helper()
	return &writer{w.t, w.register(subject, sr.TypeAvro, schema), newCodec(w.t, schema)}
}

func newCodec(t *testing.T, schema string) *goavro.Codec {
	t.Helper()
	codec, err := goavro.NewCodec(schema)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// bare is a value without an id.
func (a *writer) bare(event map[string]any) []byte {
	a.t.Helper()
	value, err := a.codec.BinaryFromNative(nil, event)
	if err != nil {
		a.t.Fatal(err)
	}
	return value
}

func (a *writer) framed(event map[string]any) []byte { return framed(a.id, a.bare(event)) }

// add puts a record on the list of those to be produced, behind those of its topic.
func (w *formatWorld) add(name string, f fated) {
	if f.Record.Topic = w.topicOf[name]; f.Record.Topic == "" {
		w.t.Fatalf("no topic %s", name)
	}
	w.records = append(w.records, &f)
}

// interleave mixes the topics, and leaves the order of each.
func (w *formatWorld) interleave() {
	queues := map[string][]*fated{}
	for _, f := range w.records {
		queues[f.Topic] = append(queues[f.Topic], f)
	}
	w.records = w.records[:0]
	for len(queues) > 0 {
		for _, topic := range w.sources {
			queue := queues[topic]
			n := min(w.random.IntN(4), len(queue))
			w.records = append(w.records, queue[:n]...)
			if queues[topic] = queue[n:]; len(queue) == n {
				delete(queues, topic)
			}
		}
	}
}

// produceAll writes what is new on the list to Kafka, which gives each record its
// position.
func (w *formatWorld) produceAll() {
	w.t.Helper()
	var failed error
	var once sync.Once
	// Times of their own, which dead letters keep; but not so old that Kafka's retention
	// would take either away.
	begun := time.Now().Add(-time.Hour).UnixMilli()
	for i, f := range w.records[w.produced:] {
		f.Timestamp = time.UnixMilli(begun + int64(i))
		w.client.Produce(context.Background(), f.Record, func(_ *kgo.Record, err error) {
			if err != nil {
				once.Do(func() { failed = err })
			}
		})
	}
	if err := w.client.Flush(w.t.Context()); err != nil || failed != nil {
		w.t.Fatalf("produce: %v", errors.Join(err, failed))
	}
	for _, f := range w.records[w.produced:] {
		if f.dead != "" {
			w.buried[position(f.Record)] = true
		}
	}
	w.produced = len(w.records)
}

// truth is the state in which each message must end: the last value of each field,
// in the order of the records. Those of one message are all in one partition.
func (w *formatWorld) truth() map[string]map[string]string {
	states := map[string]map[string]string{}
	for _, f := range w.records {
		for _, c := range f.changes {
			if states[c.message] == nil {
				states[c.message] = map[string]string{}
			}
			for field, value := range c.fields {
				states[c.message][field] = value
			}
		}
	}
	return states
}

// trace is a header that must never show anywhere.
func trace() kgo.RecordHeader {
	return kgo.RecordHeader{Key: "trace", Value: []byte(canary.Header)}
}

// quoted is a text as JSON.
func quoted(text string) string {
	b, _ := json.Marshal(text) // a string is always well
	return string(b)
}
