//go:build kafka && linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"kafka-kustomer/internal/registrytest"
	"kafka-kustomer/schemas"
)

// putOn produces what add puts on the list, to a partition, now.
func (w *formatWorld) putOn(partition int32, add func()) (last *kgo.Record) {
	w.t.Helper()
	begun := len(w.records)
	add()
	for _, f := range w.records[begun:] {
		f.Partition, f.Timestamp = partition, time.UnixMilli(time.Now().UnixMilli())
		w.putRecords(nil, f.Record)
		if f.dead != "" {
			w.buried[position(f.Record)] = true
		}
		last = f.Record
	}
	return last
}

// stream goes on producing what add puts on the list until stop is called. Nobody
// else may look at the list meanwhile.
func (w *formatWorld) stream(add func()) (stop func()) {
	quit, done, failed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				w.send(add, failed)
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		w.t.Helper()
		close(quit)
		<-done
		err := w.client.Flush(context.Background())
		select {
		case first := <-failed:
			err = errors.Join(err, first)
		default:
		}
		if err != nil {
			w.t.Errorf("produce: %v", err)
		}
	})
	w.t.Cleanup(stop) // a test that fails in the middle must not leave it
	return stop
}

// send produces what add puts on the list, and does not wait for Kafka.
func (w *formatWorld) send(add func(), failed chan<- error) {
	begun := len(w.records)
	add()
	for _, f := range w.records[begun:] {
		w.client.Produce(context.Background(), f.Record, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default: // the first will do
				}
			}
		})
	}
}

// The registry goes away in the middle of a stream, as a producer begins to use a
// schema that nobody here has seen. What needs it waits, what does not goes on, and
// nobody has to do anything afterwards.
func TestRegistryDown(t *testing.T) {
	t.Parallel()
	outage := envDuration(t, "E2E_REGISTRY", 15*time.Second)
	reg := registrytest.Start(t)
	w := newFormatWorld(t, map[string]string{"avro": "format: avro", "json": "format: json"}, reg)
	subject := w.topicOf["avro"] + "-value"
	avro := &avroMaker{maker: &maker{formatWorld: w, topic: "avro", mark: 'a'}, v1: w.writer(subject, schemas.MessageChangeAvro)}
	json := &maker{formatWorld: w, topic: "json", mark: 'b'}
	c := w.connector("patient", "", w.registry(""))
	stop := w.stream(func() { avro.first(); json.plain() })
	w.api.awaitItems(time.Minute, 100)
	awaitReady(t, c)
	if waiting := c.metrics()["partitions_waiting_for_schema"]; waiting != 0 {
		t.Errorf("%v partitions wait", waiting)
	}
	stop()

	avro.v2 = w.writer(subject, changesV2)
	if err := reg.Block(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	stop = w.stream(func() { avro.first(); avro.second(); json.plain() })
	awaitReason(t, c, "registry", "unavailable", false)
	l := c.awaitLine(20*time.Second, "a partition waits for a schema")
	if l.text("topic") != w.topicOf["avro"] || !strings.Contains(l.text("error"), fmt.Sprintf("schema %d", avro.v2.id)) || !strings.Contains(l.text("error"), "connection refused") {
		t.Errorf("want the line to name the topic, the schema and what is wrong with the registry: %v", l)
	}
	await(t, 20*time.Second, "all partitions of the topic wait, and the metrics say so", func() error {
		m := c.metrics()
		if m["partitions_waiting_for_schema"] != perTopic || m["schema_registry_failing_seconds"] <= 0 || m["ready"] != 0 {
			return fmt.Errorf("%v wait, failing for %v s, ready %v", m["partitions_waiting_for_schema"], m["schema_registry_failing_seconds"], m["ready"])
		}
		return nil
	})
	pass(t, max(0, outage/2-time.Since(begun)))
	stop()
	await(t, 30*time.Second, "the other topic is delivered to its end", func() error {
		lag, err := w.lagOf(w.topicOf["json"])
		if err == nil && lag > 0 {
			err = fmt.Errorf("its lag is %d", lag)
		}
		return err
	})
	pass(t, max(0, outage-time.Since(begun)))
	wantNothingGivenUp(t, w.world)

	if err := reg.Unblock(); err != nil {
		t.Fatal(err)
	}
	begun = time.Now()
	w.awaitNoLag(time.Minute)
	t.Logf("all is delivered %v after the outage", time.Since(begun).Round(time.Millisecond))
	awaitReady(t, c)
	if n := len(c.lines("a partition waits for a schema no more")); n != perTopic {
		t.Errorf("%d lines tell of the end, want one for each partition", n)
	}
	w.wantCounts(c)
	c.term()
	w.wantFates()
}

// An id that the registry does not have is waited for by its own partition only; not
// longer than the grace time, and not in vain where the schema comes late.
func TestUnknownSchemaID(t *testing.T) {
	t.Parallel()
	w := newFormatWorld(t, map[string]string{"avro": "format: avro"}, registrytest.Start(t))
	topic := w.topicOf["avro"]
	avro := &avroMaker{maker: &maker{formatWorld: w, topic: "avro", mark: 'a'}, v1: w.writer(topic+"-value", schemas.MessageChangeAvro)}
	putOn := func(partition int32, add func()) *kgo.Record {
		t.Helper()
		avro.mark = "abc"[partition] // no message is in two
		return w.putOn(partition, add)
	}
	c := w.connector("hopeful", "", w.registry(", unknown_grace: 8s"), w.deadLetter("off"))
	putOn(0, avro.first)
	w.awaitNoLag(time.Minute)

	// The producer was faster than its schema. A registry of one's own counts by one.
	avro.v3 = w.ahead(changesV3, avro.v1.id+1)
	putOn(0, avro.third)
	w.awaitWaiting(c, 1)
	if id := w.register(topic+"-value", sr.TypeAvro, changesV3); id != avro.v3.id {
		t.Fatalf("the registry gave id %d, want %d", id, avro.v3.id)
	}
	w.awaitNoLag(20 * time.Second)
	c.term()

	const grace = 2 * time.Second
	c = w.connector("strict", "", w.registry(", unknown_grace: 2s"), w.deadLetter("off"))
	begun := time.Now()
	unknown := func() {
		d := avro.draft()
		avro.dies("unknown_schema", d, framed(unknownID, avro.v1.bare(d.native())))
	}
	putOn(1, unknown)
	behind := putOn(1, avro.first)
	w.awaitWaiting(c, 1)
	for _, partition := range []int32{0, 2} {
		beside := putOn(partition, avro.first)
		w.awaitCommitted(time.Minute, topic, partition, beside.Offset+1)
	}
	w.awaitCommitted(time.Minute, topic, 1, behind.Offset+1)
	if took := time.Since(begun); took < grace {
		t.Errorf("it was given up after %v", took)
	} else {
		t.Logf("given up and gone on after %v", took.Round(time.Millisecond))
	}
	// Once is enough.
	putOn(2, unknown)
	putOn(2, func() { d := avro.draft(); avro.dies("invalid_framing", d, []byte(d.json())) })
	w.awaitNoLag(20 * time.Second)
	if ids := c.metrics()["schema_ids_unknown"]; ids != 1 {
		t.Errorf("%v ids are known to be unknown, want 1", ids)
	}
	c.term()
	w.wantFates()
}

// ahead writes by a schema that is not registered yet.
func (w *formatWorld) ahead(schema string, id uint32) *writer {
	w.t.Helper()
	return &writer{w.t, id, newCodec(w.t, schema)}
}

func (w *formatWorld) awaitWaiting(c *process, n float64) {
	w.t.Helper()
	await(w.t, 20*time.Second, fmt.Sprintf("%v partitions wait for a schema", n), func() error {
		if got := c.metrics()["partitions_waiting_for_schema"]; got != n {
			return fmt.Errorf("%v do", got)
		}
		return nil
	})
}
