//go:build kafka && linux

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"kafka-kustomer/internal/kafkatest"
)

func (w *world) deleteTopic(topic string) {
	w.t.Helper()
	if _, err := w.admin.DeleteTopic(w.t.Context(), topic); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) createTopic(topic string, n int32, configs map[string]*string) {
	w.t.Helper()
	// A topic that is being deleted exists for a moment longer.
	await(w.t, 20*time.Second, "topic "+topic+" can be created", func() error {
		_, err := w.admin.CreateTopic(w.t.Context(), n, 1, configs, topic)
		return err
	})
}

// A topic is deleted and made anew while it is read, beside one that is not. The
// old one's offsets must not be the new one's.
func TestEdgeTopicMadeAnewFails(t *testing.T) { testTopicMadeAnew(t, "classic", "fail") }

func TestEdgeTopicMadeAnewIsRead(t *testing.T) { testTopicMadeAnew(t, "classic", "earliest") }

func TestEdgeTopicMadeAnewFails848(t *testing.T) { testTopicMadeAnew(t, "consumer", "fail") }

func TestEdgeTopicMadeAnewIsRead848(t *testing.T) { testTopicMadeAnew(t, "consumer", "earliest") }

func testTopicMadeAnew(t *testing.T, protocol, policy string) {
	t.Parallel()
	w := edgeWorld(t)
	doomed := w.topic
	other := kafkatest.Topic(t, w.brokers, "other", 2)
	w.topic += ", " + other
	if protocol == "consumer" {
		w.raiseSession()
	}
	source := fmt.Sprintf(", protocol: %s, on_reset: %s", protocol, policy)
	old := w.put(doomed, 0, 20)
	w.put(other, 0, 5)
	c := w.connector("reader", source)
	w.awaitCommitted(time.Minute, doomed, 0, 20)
	w.awaitCommitted(time.Minute, other, 0, 5)
	w.wantDelivered(old)

	w.deleteTopic(doomed)
	c.awaitTrouble(time.Minute, "topic", "was deleted")
	w.put(other, 0, 5)
	w.awaitCommitted(time.Minute, other, 0, 10)
	w.createTopic(doomed, 2, nil)
	anew := w.put(doomed, 0, 3)
	if policy == "fail" {
		l := c.awaitTrouble(90*time.Second, "topic", "deleted and made anew")
		if l.text("topic") != doomed {
			t.Errorf("want the line to name topic %s: %v", doomed, l)
		}
		pass(t, 3*time.Second)
		if at := w.committed(doomed, 0); at != -1 {
			t.Errorf("committed %d for the new topic", at)
		}
		w.wantDelivered(nil, anew...)
	} else {
		w.awaitCommitted(90*time.Second, doomed, 0, 3)
		c.awaitLine(time.Second, "reading the topic that was made anew")
		w.wantDelivered(anew)
		anew = append(anew, w.put(doomed, 1, 2)...)
		w.awaitCommitted(time.Minute, doomed, 1, 2)
	}
	w.put(other, 1, 5)
	w.awaitCommitted(time.Minute, other, 1, 5)
	c.term()

	c = w.connector("again", source)
	c.awaitLine(time.Minute, "partitions assigned")
	w.awaitCommitted(time.Minute, doomed, 0, 3)
	c.term()
	w.wantDelivered(anew)
}

// Partitions that are added are read from their beginning, soon, and under every
// start policy.
func TestEdgePartitionsAdded(t *testing.T) { testPartitionsAdded(t, "earliest") }

func TestEdgePartitionsAddedLatest(t *testing.T) { testPartitionsAdded(t, "latest") }

func testPartitionsAdded(t *testing.T, start string) {
	t.Parallel()
	w := edgeWorld(t)
	c := w.connector("grows", ", start: "+start)
	w.awaitMembers(time.Minute, 1)
	if _, err := w.admin.CreatePartitions(t.Context(), 2, w.topic); err != nil {
		t.Fatal(err)
	}
	var ids []string
	await(t, 20*time.Second, "the new partitions take records", func() error {
		details, err := w.admin.ListTopics(t.Context(), w.topic)
		if err == nil && len(details[w.topic].Partitions) != partitions+2 {
			err = fmt.Errorf("%d partitions", len(details[w.topic].Partitions))
		}
		return err
	})
	for p := range int32(2) {
		ids = append(ids, w.put(w.topic, partitions+p, 5)...)
	}
	begun := time.Now()
	w.awaitCommitted(time.Minute, w.topic, partitions, 5)
	w.awaitCommitted(time.Minute, w.topic, partitions+1, 5)
	t.Logf("read after %v", time.Since(begun).Round(time.Second))
	c.term()
	w.wantDelivered(ids)
}

// A topic need not be there when the process starts.
func TestEdgeTopicComesLater(t *testing.T) {
	t.Parallel()
	w := edgeWorld(t)
	w.topic += "-late"
	c := w.connector("early", "")
	c.awaitTrouble(time.Minute, "topic", "does not exist")
	w.createTopic(w.topic, 1, nil)
	t.Cleanup(func() { _, _ = w.admin.DeleteTopic(context.Background(), w.topic) })
	ids := w.put(w.topic, 0, 5)
	w.awaitCommitted(time.Minute, w.topic, 0, 5)
	c.awaitLine(time.Minute, "trouble with Kafka is over: topic")
	c.term()
	w.wantDelivered(ids)
}
